import Tenancy

/// An authenticated person and what they may do where. Default deny; decided by `Tenancy.Access` alone.
struct AdminCaller: Sendable {
  let actor: AdminActor
  private let access: Access
  private let now: Int64

  init(actor: AdminActor, roles: [Role], now: Timestamp) {
    self.actor = actor
    access = Access(catalog: RoleCatalog(roles))
    self.now = now.secondsSince1970
  }

  func permissions(at scope: Scope) -> Permissions {
    access.permissions(of: actor.bindings, at: scope, now: now)
  }

  /// Whether any of the permissions is held at the scope.
  func holds(anyOf asked: Permissions, at scope: Scope) -> Bool {
    !permissions(at: scope).isDisjoint(with: asked)
  }

  /// Whether any of the permissions is held at the tenant or at one of its projects at least.
  func holds(anyOf asked: Permissions, somewhereIn tenant: TenantID) -> Bool {
    if holds(anyOf: asked, at: .tenant(tenant)) { return true }
    return actor.bindings.contains { $0.scope.tenant == tenant && holds(anyOf: asked, at: $0.scope) }
  }

  /// Whether the tenant exists for this person: any permission in it or in one of its projects.
  func sees(_ tenant: TenantID) -> Bool {
    holds(anyOf: Permissions(rawValue: .max), somewhereIn: tenant)
  }

  func require(_ asked: Permissions, at scope: Scope) throws(AdminError) {
    guard holds(anyOf: asked, at: scope) else { throw .forbidden(asked.nameList.joined(separator: " or ")) }
  }

  /// Whether this person may give or take the role there; see `Access.checkGrant`.
  func checkGrant(of role: String, at scope: Scope, to receiver: UserID) throws(TenancyError) {
    try access.checkGrant(
      of: role, at: scope, to: receiver, by: actor.user, holding: actor.bindings, now: now)
  }

  /// Whether this person holds, everywhere, all that the other bindings carry: who could act as the other gains nothing.
  func holdsAll(of bindings: [RoleBinding]) -> Bool {
    bindings.allSatisfy { binding in
      permissions(at: binding.scope).isSuperset(of: access.permissions(of: [binding], at: binding.scope, now: now))
    }
  }
}
