public import Routing
public import Tenancy

/// What a tenant with this policy gets, all ancestors folded in. What nobody set allows nothing.
public struct EffectivePolicy: Hashable, Sendable {
  /// `fiduciary@5`.
  public let id: String
  /// Itself first, then its ancestors.
  public let chain: [String]
  public var logMode: LogMode
  public var durability: LogDurability
  public var contentRetentionDays: Int
  public var metadataRetentionDays: Int
  public var compliance: ComplianceRequirement
  public var secrecyRegimes: Set<String>
  public var hidesTenantUpstream: Bool
  public var plan: PlanSpec
  public var redaction: RedactionProfileSpec
  public var detection: DetectionProfileSpec
  /// Whether what cannot be translated is a 400 instead of a header.
  public var strictTranslation: Bool
  public var showsProvider: Bool
  /// Whether a plain answer says what it cost.
  public var showsCost: Bool
  public var showsRedactions: Bool
  /// Aliases that may be used.
  public var models: Set<String>
  /// Roles that its people and keys may hold, narrowed.
  public var roles: [String: RoleNarrowing]
  /// Nil: from anywhere.
  public var networks: [Network]?
  /// Nil: at any time.
  public var hours: Hours?
  public var dedicatedConnections: Bool
  /// Paths that nothing below may change.
  public var locked: Set<String>
}

/// The answer of a policy, with the id of the rule that gave it.
public enum PolicyDecision: Hashable, Sendable {
  case allowed
  case denied(rule: String)
}

extension EffectivePolicy {
  /// Whether a role may use an alias from an address now: role → alias → network and hours; each step only narrows.
  ///
  /// - Parameters:
  ///   - held: What the role holds, by the catalog.
  ///   - needed: What the route asks for.
  ///   - alias: Nil for routes without one.
  ///   - keyModels: The key's own list; nil: none.
  ///   - address: Nil only where none is known (tests of policies); then a policy with networks denies.
  @inline(__always)  // once a request: a call would be given a copy of the whole policy
  public func decide(
    role: String, held: Permissions, needed: Permissions, alias: String?, keyModels: Set<String>? = nil,
    address: NetworkAddress?, epochSeconds: Int64, zone: String
  ) -> PolicyDecision {
    guard let narrowing = roles[role] else { return .denied(rule: "roles") }
    guard held.isSuperset(of: needed), !needed.isEmpty else { return .denied(rule: "roles.\(role)") }
    if let alias {
      guard models.contains(alias) else { return .denied(rule: "models") }
      guard narrowing.models?.contains(alias) ?? true else { return .denied(rule: "roles.\(role).models") }
      guard keyModels?.contains(alias) ?? true else { return .denied(rule: "key.models") }
    }
    guard Self.admits(networks, address) else { return .denied(rule: "networks") }
    guard Self.admits(narrowing.networks, address) else { return .denied(rule: "roles.\(role).networks") }
    guard hours?.contains(epochSeconds: epochSeconds, usualZone: zone) ?? true else { return .denied(rule: "hours") }
    guard narrowing.hours?.contains(epochSeconds: epochSeconds, usualZone: zone) ?? true else {
      return .denied(rule: "roles.\(role).hours")
    }
    return .allowed
  }

  private static func admits(_ networks: [Network]?, _ address: NetworkAddress?) -> Bool {
    guard let networks else { return true }
    guard let address else { return false }
    for network in networks where network.contains(address) { return true }
    return false
  }
}
