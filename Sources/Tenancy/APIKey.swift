public import Cryptography

/// An API key of a project as it is stored: its digest, never its text.
public struct APIKey: Hashable, Sendable {
  public let id: KeyID
  public let tenant: TenantID
  public let project: ProjectID
  /// The person it acts for; suspending or deleting them stops the key.
  public let user: UserID?
  public var name: String
  /// Name of a role of the policy set.
  public var role: String
  public let digest: Digest256
  /// Aliases it may use; nil leaves that to role and policy.
  public var models: [String]?
  /// Where it may be used from; empty: anywhere the policy allows.
  public var networks: [Network]
  /// Seconds since 1970; refused from then on.
  public var expires: Int64?
  public var revokedAt: Int64?
  public let createdAt: Int64

  public init(
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
public struct AdminToken: Hashable, Sendable {
  public let id: AdminTokenID
  public let user: UserID
  public let digest: Digest256
  public let expires: Int64
  public let createdAt: Int64

  public init(id: AdminTokenID, user: UserID, digest: Digest256, expires: Int64, createdAt: Int64) {
    self.id = id
    self.user = user
    self.digest = digest
    self.expires = expires
    self.createdAt = createdAt
  }
}
