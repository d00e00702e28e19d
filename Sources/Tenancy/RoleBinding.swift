package enum BindingKind {}
/// A grant of a role to a user.
package typealias BindingID = Identifier<BindingKind>

/// Where a right holds: the whole installation, one tenant, or one project of it.
package enum Scope: Hashable, Sendable {
  case installation
  case tenant(TenantID)
  case project(TenantID, ProjectID)

  package var tenant: TenantID? {
    switch self {
    case .installation: nil
    case .tenant(let tenant), .project(let tenant, _): tenant
    }
  }

  package var width: RoleScope {
    switch self {
    case .installation: .installation
    case .tenant: .tenant
    case .project: .project
    }
  }

  /// Whether what holds here also holds there.
  package func covers(_ other: Scope) -> Bool {
    switch (self, other) {
    case (.installation, _): true
    case (.tenant(let mine), .tenant(let theirs)): mine == theirs
    case (.tenant(let mine), .project(let theirs, _)): mine == theirs
    case (.project(let mine, let project), .project(let theirs, let other)): mine == theirs && project == other
    default: false
    }
  }
}

/// A role granted to a user on a scope, with the reason for it and, if it is for a time only, its end.
package struct RoleBinding: Hashable, Sendable {
  package let id: BindingID
  package let user: UserID
  package let role: String
  package let scope: Scope
  package let reason: String
  /// Seconds since 1970; the binding no longer holds from then on.
  package let expires: Int64?
  package let grantedBy: UserID?
  package let grantedAt: Int64

  package init(
    id: BindingID, user: UserID, role: String, scope: Scope, reason: String, expires: Int64? = nil,
    grantedBy: UserID? = nil, grantedAt: Int64
  ) {
    self.id = id
    self.user = user
    self.role = role
    self.scope = scope
    self.reason = reason
    self.expires = expires
    self.grantedBy = grantedBy
    self.grantedAt = grantedAt
  }

  package func holds(at now: Int64) -> Bool { expires.map { now < $0 } ?? true }
}
