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
  /// ``RoleAccess/decide(held:needed:alias:keyModels:address:epochSeconds:zone:)``, for whoever asks once.
  public func decide(
    role: String, held: Permissions, needed: Permissions, alias: String?, keyModels: Set<String>? = nil,
    address: NetworkAddress?, epochSeconds: Int64, zone: String
  ) -> PolicyDecision {
    RoleAccess(self, role: role).decide(
      held: held, needed: needed, alias: alias, keyModels: keyModels, address: address, epochSeconds: epochSeconds,
      zone: zone)
  }
}
