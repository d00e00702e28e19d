/// The widest scope on which a role may be bound.
package enum RoleScope: String, Sendable, CaseIterable, Comparable {
  case project, tenant, installation

  private var width: Int {
    switch self {
    case .project: 0
    case .tenant: 1
    case .installation: 2
    }
  }
  package static func < (left: RoleScope, right: RoleScope) -> Bool { left.width < right.width }
}

/// A named set of permissions. A role that exists keeps the rule: the installation's roles hold no content permission,
/// narrower roles hold none of the installation's.
package struct Role: Hashable, Sendable {
  package let name: String
  package let scope: RoleScope
  package let permissions: Permissions

  /// - Throws: ``TenancyError`` with code `invalid_value` when the permissions do not fit the scope.
  package init(name: String, scope: RoleScope, permissions: Permissions) throws(TenancyError) {
    let misplaced =
      scope == .installation
      ? permissions.intersection(.content) : permissions.intersection(.installationOnly)
    guard misplaced.isEmpty else {
      let names = misplaced.nameList.joined(separator: ", ")
      throw TenancyError(.invalid, "Role '\(name)' of scope \(scope.rawValue) cannot hold \(names).")
    }
    self.name = name
    self.scope = scope
    self.permissions = permissions
  }
}

/// The roles of the policy set by name.
package struct RoleCatalog: Sendable, Hashable {
  package let roles: [String: Role]

  package init(_ roles: [Role]) {
    self.roles = Dictionary(roles.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  package subscript(name: String) -> Role? { roles[name] }
}
