public import Tenancy

/// What of a policy one role's requests are judged by; the role is looked up once, when a snapshot is built.
///
/// A class: it is asked with every request, and a call on the policy would be given a copy of all of it.
public final class RoleAccess: Sendable {
  private let role: String
  /// Whether the policy has the role at all.
  private let isKnown: Bool
  private let models: Set<String>
  private let networks: [Network]?
  private let hours: Hours?
  /// How the policy narrows the role.
  private let roleModels: Set<String>?
  private let roleNetworks: [Network]?
  private let roleHours: Hours?

  public init(_ policy: EffectivePolicy, role: String) {
    let narrowing = policy.roles[role]
    self.role = role
    isKnown = narrowing != nil
    models = policy.models
    networks = policy.networks
    hours = policy.hours
    roleModels = narrowing?.models
    roleNetworks = narrowing?.networks
    roleHours = narrowing?.hours
  }

  /// Whether the role is not kept from an alias; what else the policy says is not looked at.
  public func shows(_ alias: String) -> Bool { roleModels?.contains(alias) ?? true }

  /// Whether the role may use an alias from an address now: role → alias → network and hours; each step only narrows.
  ///
  /// - Parameters:
  ///   - held: What the role holds, by the catalog.
  ///   - needed: What the route asks for.
  ///   - alias: Nil for routes without one.
  ///   - keyModels: The key's own list; nil: none.
  ///   - address: Nil only where none is known (tests of policies); then a policy with networks denies.
  public func decide(
    held: Permissions, needed: Permissions, alias: String?, keyModels: Set<String>?, address: NetworkAddress?,
    epochSeconds: Int64, zone: String
  ) -> PolicyDecision {
    guard isKnown else { return .denied(rule: "roles") }
    guard held.isSuperset(of: needed), !needed.isEmpty else { return .denied(rule: "roles.\(role)") }
    if let alias {
      guard models.contains(alias) else { return .denied(rule: "models") }
      guard roleModels?.contains(alias) ?? true else { return .denied(rule: "roles.\(role).models") }
      guard keyModels?.contains(alias) ?? true else { return .denied(rule: "key.models") }
    }
    guard Self.admits(networks, address) else { return .denied(rule: "networks") }
    guard Self.admits(roleNetworks, address) else { return .denied(rule: "roles.\(role).networks") }
    guard hours?.contains(epochSeconds: epochSeconds, usualZone: zone) ?? true else { return .denied(rule: "hours") }
    guard roleHours?.contains(epochSeconds: epochSeconds, usualZone: zone) ?? true else {
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
