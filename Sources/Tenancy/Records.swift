/// A policy set that was put in force: kept for the audit, for start and for rollback.
public struct AppliedPolicySet: Hashable, Sendable {
  /// Hex of SHA-256 over the canonical form.
  public let hash: String
  /// The files as they were checked, packed by ``Policies``.
  public let content: [UInt8]
  public let appliedAt: Int64
  public let appliedBy: UserID?

  public init(hash: String, content: [UInt8], appliedAt: Int64, appliedBy: UserID?) {
    self.hash = hash
    self.content = content
    self.appliedAt = appliedAt
    self.appliedBy = appliedBy
  }
}

/// An act of administration: who, what, to whom. Written before the act takes effect; never changed.
public struct AuditRow: Hashable, Sendable {
  /// Rises by one per row; 0 until stored.
  public let sequence: Int64
  public let at: Int64
  public let actor: String
  /// Nil: an act on the installation.
  public let tenant: TenantID?
  public let action: String
  public let target: String
  public let detail: String

  public init(
    sequence: Int64 = 0, at: Int64, actor: String, tenant: TenantID?, action: String, target: String,
    detail: String = ""
  ) {
    self.sequence = sequence
    self.at = at
    self.actor = actor
    self.tenant = tenant
    self.action = action
    self.target = target
    self.detail = detail
  }
}

/// Everything a ``Directory`` is built from, read at one instant.
public struct DirectoryRows: Sendable {
  public var change: Int64
  public var tenants: [Tenant]
  public var projects: [Project]
  public var users: [User]
  public var keys: [APIKey]
  public var adminTokens: [AdminToken]
  public var bindings: [RoleBinding]
  public var overrides: [(tenant: TenantID, limit: LimitOverride)]

  public init(
    change: Int64 = 0, tenants: [Tenant] = [], projects: [Project] = [], users: [User] = [], keys: [APIKey] = [],
    adminTokens: [AdminToken] = [], bindings: [RoleBinding] = [],
    overrides: [(tenant: TenantID, limit: LimitOverride)] = []
  ) {
    self.change = change
    self.tenants = tenants
    self.projects = projects
    self.users = users
    self.keys = keys
    self.adminTokens = adminTokens
    self.bindings = bindings
    self.overrides = overrides
  }
}
