package import Tenancy

extension TenantRecord {
  init(_ tenant: Tenant) {
    self.init(
      id: tenant.id, slug: tenant.slug, name: tenant.name, policy: tenant.policy,
      suspended: tenant.standing == .suspended, created: Timestamp(secondsSince1970: tenant.createdAt))
  }
}

extension ProjectRecord {
  init(_ project: Project) {
    self.init(
      id: project.id, slug: project.slug, name: project.name, created: Timestamp(secondsSince1970: project.createdAt))
  }
}

extension UserRecord {
  init(_ user: User) {
    self.init(
      id: user.id, name: user.name, email: user.email, suspended: user.standing == .suspended,
      created: Timestamp(secondsSince1970: user.createdAt))
  }
}

extension KeyRecord {
  init(_ key: APIKey, now: Int64) {
    let isExpired = key.expires.map { $0 <= now } ?? false
    self.init(
      id: key.id, name: key.name, project: key.project, user: key.user, role: key.role,
      state: key.revokedAt != nil ? .revoked : isExpired ? .expired : .active,
      created: Timestamp(secondsSince1970: key.createdAt), expires: key.expires.map { Timestamp(secondsSince1970: $0) })
  }
}

extension QuotaKind {
  /// The limit of the store that this kind is.
  package var dimension: LimitOverride.Dimension {
    switch self {
    case .tokensPerMinute: .tokensPerMinute
    case .requestsPerMinute: .requestsPerMinute
    case .concurrency: .concurrency
    case .tokensPerDay: .tokensPerDay
    case .tokensPerMonth: .tokensPerMonth
    case .moneyPerDay: .moneyPerDay
    case .moneyPerMonth: .moneyPerMonth
    }
  }
}
