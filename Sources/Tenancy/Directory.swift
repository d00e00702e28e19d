public import Cryptography

/// All credentials of the installation as one immutable snapshot; a swap of it is how a revocation takes effect.
///
/// Holds what can be honoured: no revoked key, none of a suspended tenant or person. Expiry is checked per request,
/// because time passes while a snapshot lives.
public final class Directory: Sendable {
  private let keys: TokenTable<Principal>
  private let adminTokens: TokenTable<AdminPrincipal>
  /// The store's change counter that this snapshot shows.
  public let change: Int64
  private let tenantsBySlug: [Slug: Tenant]

  /// - Parameter roles: The policy set's; a key whose role is not among them is known but may do nothing.
  public init(_ rows: DirectoryRows, roles: RoleCatalog) {
    let tenants = Dictionary(rows.tenants.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    let projects = Dictionary(rows.projects.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    let users = Dictionary(rows.users.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    var tenantLimits: [TenantID: [LimitOverride]] = [:]
    var keyLimits: [KeyID: [LimitOverride]] = [:]
    for (tenant, limit) in rows.overrides {
      if let key = limit.key {
        keyLimits[key, default: []].append(limit)
      } else {
        tenantLimits[tenant, default: []].append(limit)
      }
    }
    func isActive(_ user: UserID?, of tenant: TenantID) -> Bool {
      guard let user else { return true }
      guard let person = users[user] else { return false }
      return person.standing == .active && person.tenant == tenant
    }
    var keyRows: [(id: UInt128, digest: Digest256, entry: Principal)] = []
    keyRows.reserveCapacity(rows.keys.count)
    for key in rows.keys {
      guard key.revokedAt == nil, let tenant = tenants[key.tenant], tenant.standing == .active,
        let project = projects[key.project], project.tenant == tenant.id, isActive(key.user, of: tenant.id)
      else { continue }
      let permissions = roles[key.role].map { $0.permissions.intersection(.ofKeys) } ?? []
      let principal = Principal(
        tenant: tenant, project: project, key: key, permissions: permissions,
        tenantLimits: tenantLimits[tenant.id] ?? [], keyLimits: keyLimits[key.id] ?? [])
      keyRows.append((key.id.value, key.digest, principal))
    }
    keys = TokenTable(keyRows)

    let bindings = Dictionary(grouping: rows.bindings, by: \.user)
    var tokenRows: [(id: UInt128, digest: Digest256, entry: AdminPrincipal)] = []
    for token in rows.adminTokens {
      guard let user = users[token.user], user.standing == .active else { continue }
      if let home = user.tenant, tenants[home]?.standing != .active { continue }
      let principal = AdminPrincipal(token: token, user: user, bindings: bindings[user.id] ?? [])
      tokenRows.append((token.id.value, token.digest, principal))
    }
    adminTokens = TokenTable(tokenRows)
    change = rows.change
    tenantsBySlug = Dictionary(rows.tenants.map { ($0.slug, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// Nobody.
  public convenience init() { self.init(DirectoryRows(), roles: RoleCatalog([])) }

  public var keyCount: Int { keys.count }
  public var tenantCount: Int { tenantsBySlug.count }

  /// Visits every key that can be honoured, in no order.
  public func forEachPrincipal(_ body: (Principal) -> Void) { keys.forEach(body) }

  /// Whether this key can be honoured: known, not revoked, of an active tenant and person.
  public func holds(_ key: KeyID) -> Bool { keys.contains(key.value) }

  public func tenant(named slug: Slug) -> Tenant? { tenantsBySlug[slug] }

  /// Who presents this API key, or nil: malformed, unknown, revoked, expired and suspended are one answer.
  /// - Parameters:
  ///   - credential: The raw bytes behind `Bearer `.
  ///   - pepper: The loop's own HMAC context under the installation's pepper.
  ///   - now: Seconds since 1970.
  public func authenticate(_ credential: UnsafeRawBufferPointer, pepper: HMACKey, now: Int64) -> Principal? {
    guard let token = KeyToken(parsing: credential), token.kind == .apiKey,
      let principal = keys.verify(token.id, bytes: credential, pepper: pepper)
    else { return nil }
    if let expires = principal.expires, now >= expires { return nil }
    return principal
  }

  /// Who presents this admin token, or nil.
  public func authenticateAdmin(_ credential: UnsafeRawBufferPointer, pepper: HMACKey, now: Int64)
    -> AdminPrincipal?
  {
    guard let token = KeyToken(parsing: credential), token.kind == .adminToken,
      let principal = adminTokens.verify(token.id, bytes: credential, pepper: pepper), now < principal.expires
    else { return nil }
    return principal
  }
}
