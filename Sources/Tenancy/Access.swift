/// Who may do what where: a pure decision over role bindings. Default deny.
public struct Access: Sendable {
  private let catalog: RoleCatalog

  public init(catalog: RoleCatalog) { self.catalog = catalog }

  /// The answer, with the id of the rule that gave it.
  public enum Decision: Hashable, Sendable {
    case allowed(BindingID)
    case denied(rule: String)

    public var isAllowed: Bool { if case .allowed = self { true } else { false } }
  }

  /// What a holder of these bindings may do at `scope` now.
  public func permissions(of bindings: [RoleBinding], at scope: Scope, now: Int64) -> Permissions {
    var held = Permissions()
    for binding in bindings { held.formUnion(contribution(of: binding, at: scope, now: now)) }
    return held
  }

  /// Whether the bindings together carry every permission asked for at `scope`.
  public func decide(_ asked: Permissions, at scope: Scope, bindings: [RoleBinding], now: Int64) -> Decision {
    guard !asked.isEmpty else { return .denied(rule: "default") }
    if permissions(of: bindings, at: scope, now: now).isSuperset(of: asked),
      let carrier = bindings.first(where: {
        !contribution(of: $0, at: scope, now: now).isDisjoint(with: asked)
      })
    {
      return .allowed(carrier.id)
    }
    let outside = bindings.allSatisfy { !$0.scope.covers(scope) }
    return .denied(rule: outside && !bindings.isEmpty ? "tenant-scope" : "default")
  }

  /// Whether `grantor` may give or take `role` on `scope` to or from `receiver`.
  ///
  /// Nobody changes their own bindings, nobody gives more than they hold at that scope, and a role is never bound wider
  /// than it was made for.
  public func checkGrant(
    of role: String, at scope: Scope, to receiver: UserID, by grantor: UserID, holding bindings: [RoleBinding],
    now: Int64
  ) throws(TenancyError) {
    guard let role = catalog[role] else { throw .unknown("role") }
    guard grantor != receiver else {
      throw TenancyError(.forbidden, "Nobody changes their own roles. Ask another administrator.")
    }
    guard scope.width <= role.scope else {
      throw TenancyError(
        .invalid, "Role '\(role.name)' is made for a \(role.scope.rawValue) and cannot be bound wider.")
    }
    let own = bindings.filter { $0.user == grantor }
    let held = permissions(of: own, at: scope, now: now)
    guard held.contains(.rolesManage) else {
      throw TenancyError(.forbidden, "Granting roles here needs roles.manage.")
    }
    let missing = role.permissions.subtracting(held)
    guard missing.isEmpty else {
      let names = missing.nameList.joined(separator: ", ")
      throw TenancyError(.forbidden, "Role '\(role.name)' holds \(names), which you do not hold here.")
    }
  }

  /// A binding counts where its scope covers the place and while it holds. A binding wider than its role was made for
  /// counts nowhere; one of the installation carries no content permission into a tenant.
  private func contribution(of binding: RoleBinding, at scope: Scope, now: Int64) -> Permissions {
    guard binding.holds(at: now), binding.scope.covers(scope), let role = catalog[binding.role],
      binding.scope.width <= role.scope
    else { return [] }
    var held = role.permissions
    if binding.scope.width == .installation { held.subtract(.content) }
    if scope.width != .installation { held.subtract(.installationOnly) }
    return held
  }
}
