/// Who sends a request: an API key with all that authorization, quota and log need to know of its tenant, project and
/// person. Immutable; a request keeps the one it began with.
public final class Principal: Sendable {
  public let tenant: TenantID
  public let tenantSlug: Slug
  public let tenantStanding: Standing
  public let timeZone: String
  public let currency: String
  public let project: ProjectID
  public let projectSlug: Slug
  public let key: KeyID
  public let keyName: String
  public let user: UserID?
  public let role: String
  /// Already cut to what keys can use; empty if the role is unknown.
  public let permissions: Permissions
  /// Aliases this key may use; nil leaves that to role and policy.
  public let models: Set<String>?
  /// Pinned policy of the tenant: `fiduciary@5`.
  public let policy: String
  /// Seconds since 1970.
  public let expires: Int64?
  public let networks: [Network]
  /// The tenant's own limits, besides its plan.
  public let tenantLimits: [LimitOverride]
  /// This key's own limits.
  public let keyLimits: [LimitOverride]

  init(
    tenant: Tenant, project: Project, key: APIKey, permissions: Permissions, tenantLimits: [LimitOverride],
    keyLimits: [LimitOverride]
  ) {
    self.tenant = tenant.id
    self.tenantSlug = tenant.slug
    self.tenantStanding = tenant.standing
    self.timeZone = tenant.timeZone
    self.currency = tenant.currency
    self.project = project.id
    self.projectSlug = project.slug
    self.key = key.id
    self.keyName = key.name
    self.user = key.user
    self.role = key.role
    self.permissions = permissions
    self.models = key.models.map { Set($0) }
    self.policy = tenant.policy
    self.expires = key.expires
    self.networks = key.networks
    self.tenantLimits = tenantLimits
    self.keyLimits = keyLimits
  }

  /// Whether the key's own networks admit the address; a key without networks admits all.
  public func admits(_ address: NetworkAddress) -> Bool {
    if networks.isEmpty { return true }
    for network in networks where network.contains(address) { return true }
    return false
  }
}

extension Principal: Equatable {
  /// Whether a request of the one is judged as one of the other.
  public static func == (one: Principal, other: Principal) -> Bool {
    one === other
      || one.tenant == other.tenant && one.tenantSlug == other.tenantSlug && one.tenantStanding == other.tenantStanding
        && one.timeZone == other.timeZone && one.currency == other.currency && one.policy == other.policy
        && one.project == other.project && one.projectSlug == other.projectSlug
        && one.key == other.key && one.keyName == other.keyName && one.user == other.user
        && one.role == other.role && one.permissions == other.permissions && one.models == other.models
        && one.expires == other.expires && one.networks == other.networks
        && one.tenantLimits == other.tenantLimits && one.keyLimits == other.keyLimits
  }
}

/// Who sends a request to the Admin API: a person with their bindings.
public final class AdminPrincipal: Sendable {
  public let token: AdminTokenID
  public let user: User
  public let bindings: [RoleBinding]
  public let expires: Int64

  init(token: AdminToken, user: User, bindings: [RoleBinding]) {
    self.token = token.id
    self.user = user
    self.bindings = bindings
    self.expires = token.expires
  }
}
