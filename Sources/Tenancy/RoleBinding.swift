public enum BindingKind {}
/// A grant of a role to a user.
public typealias BindingID = Identifier<BindingKind>

/// Where a right holds: the whole installation, one tenant, or one project of it.
public enum Scope: Hashable, Sendable {
  case installation
  case tenant(TenantID)
  case project(TenantID, ProjectID)

  public var tenant: TenantID? {
    switch self {
    case .installation: nil
    case .tenant(let tenant), .project(let tenant, _): tenant
    }
  }

  public var width: RoleScope {
    switch self {
    case .installation: .installation
    case .tenant: .tenant
    case .project: .project
    }
  }

  /// Whether what holds here also holds there.
  public func covers(_ other: Scope) -> Bool {
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
public struct RoleBinding: Hashable, Sendable {
  public let id: BindingID
  public let user: UserID
  public let role: String
  public let scope: Scope
  public let reason: String
  /// Seconds since 1970; the binding no longer holds from then on.
  public let expires: Int64?
  public let grantedBy: UserID?
  public let grantedAt: Int64

  public init(
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

  public func holds(at now: Int64) -> Bool { expires.map { now < $0 } ?? true }
}
