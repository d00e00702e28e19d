/// Who sends a request: an API key with all that authorization, quota and log need to know of its tenant, project and
/// person. Immutable; a request keeps the one it began with.
package final class Principal: Sendable {
  package let tenant: TenantID
  package let tenantSlug: Slug
  package let tenantStanding: Standing
  package let timeZone: String
  package let currency: String
  package let project: ProjectID
  package let projectSlug: Slug
  package let key: KeyID
  package let keyName: String
  package let user: UserID?
  package let role: String
  /// Already cut to what keys can use; empty if the role is unknown.
  package let permissions: Permissions
  /// Aliases this key may use; nil leaves that to role and policy.
  package let models: Set<String>?
  /// Pinned policy of the tenant: `fiduciary@5`.
  package let policy: String
  /// Seconds since 1970.
  package let expires: Int64?
  package let networks: [Network]
  /// The tenant's own limits, besides its plan.
  package let tenantLimits: [LimitOverride]
  /// This key's own limits.
  package let keyLimits: [LimitOverride]

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
  package func admits(_ address: NetworkAddress) -> Bool {
    if networks.isEmpty { return true }
    for network in networks where network.contains(address) { return true }
    return false
  }
}

extension Principal: Equatable {
  /// Whether a request of the one is judged as one of the other.
  package static func == (one: Principal, other: Principal) -> Bool {
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
package final class AdminPrincipal: Sendable {
  package let token: AdminTokenID
  package let user: User
  package let bindings: [RoleBinding]
  package let expires: Int64

  init(token: AdminToken, user: User, bindings: [RoleBinding]) {
    self.token = token.id
    self.user = user
    self.bindings = bindings
    self.expires = token.expires
  }
}
