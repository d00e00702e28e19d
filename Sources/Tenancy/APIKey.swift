package import Cryptography

/// An API key of a project as it is stored: its digest, never its text.
package struct APIKey: Hashable, Sendable {
  package let id: KeyID
  package let tenant: TenantID
  package let project: ProjectID
  /// The person it acts for; suspending or deleting them stops the key.
  package let user: UserID?
  package var name: String
  /// Name of a role of the policy set.
  package var role: String
  package let digest: Digest256
  /// Aliases it may use; nil leaves that to role and policy.
  package var models: [String]?
  /// Where it may be used from; empty: anywhere the policy allows.
  package var networks: [Network]
  /// Seconds since 1970; refused from then on.
  package var expires: Int64?
  package var revokedAt: Int64?
  package let createdAt: Int64

  package init(
    id: KeyID, tenant: TenantID, project: ProjectID, user: UserID? = nil, name: String, role: String,
    digest: Digest256, models: [String]? = nil, networks: [Network] = [], expires: Int64? = nil,
    revokedAt: Int64? = nil, createdAt: Int64
  ) {
    self.id = id
    self.tenant = tenant
    self.project = project
    self.user = user
    self.name = name
    self.role = role
    self.digest = digest
    self.models = models
    self.networks = networks
    self.expires = expires
    self.revokedAt = revokedAt
    self.createdAt = createdAt
  }
}

/// A short-lived token of a person for the Admin API, as stored.
package struct AdminToken: Hashable, Sendable {
  package let id: AdminTokenID
  package let user: UserID
  package let digest: Digest256
  package let expires: Int64
  package let createdAt: Int64

  package init(id: AdminTokenID, user: UserID, digest: Digest256, expires: Int64, createdAt: Int64) {
    self.id = id
    self.user = user
    self.digest = digest
    self.expires = expires
    self.createdAt = createdAt
  }
}
