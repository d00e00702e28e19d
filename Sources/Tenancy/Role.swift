/// The widest scope on which a role may be bound.
public enum RoleScope: String, Sendable, CaseIterable, Comparable {
  case project, tenant, installation

  private var width: Int {
    switch self {
    case .project: 0
    case .tenant: 1
    case .installation: 2
    }
  }
  public static func < (left: RoleScope, right: RoleScope) -> Bool { left.width < right.width }
}

/// A named set of permissions. A role that exists keeps the rule: the installation's roles hold no content permission,
/// narrower roles hold none of the installation's.
public struct Role: Hashable, Sendable {
  public let name: String
  public let scope: RoleScope
  public let permissions: Permissions

  /// - Throws: ``TenancyError`` with code `invalid_value` when the permissions do not fit the scope.
  public init(name: String, scope: RoleScope, permissions: Permissions) throws(TenancyError) {
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
public struct RoleCatalog: Sendable, Hashable {
  public let roles: [String: Role]

  public init(_ roles: [Role]) {
    self.roles = Dictionary(roles.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  public subscript(name: String) -> Role? { roles[name] }
}
