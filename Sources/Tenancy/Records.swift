/// A policy set that was put in force: kept for the audit, for start and for rollback.
package struct AppliedPolicySet: Hashable, Sendable {
  /// Hex of SHA-256 over the canonical form.
  package let hash: String
  /// The files as they were checked, packed by ``Policies``.
  package let content: [UInt8]
  package let appliedAt: Int64
  package let appliedBy: UserID?

  package init(hash: String, content: [UInt8], appliedAt: Int64, appliedBy: UserID?) {
    self.hash = hash
    self.content = content
    self.appliedAt = appliedAt
    self.appliedBy = appliedBy
  }
}

/// An act of administration: who, what, to whom. Written before the act takes effect; never changed.
package struct AuditRow: Hashable, Sendable {
  /// Rises by one per row; 0 until stored.
  package let sequence: Int64
  package let at: Int64
  package let actor: String
  /// Nil: an act on the installation.
  package let tenant: TenantID?
  package let action: String
  package let target: String
  package let detail: String

  package init(
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
package struct DirectoryRows: Sendable {
  package var change: Int64
  package var tenants: [Tenant]
  package var projects: [Project]
  package var users: [User]
  package var keys: [APIKey]
  package var adminTokens: [AdminToken]
  package var bindings: [RoleBinding]
  package var overrides: [(tenant: TenantID, limit: LimitOverride)]

  package init(
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
