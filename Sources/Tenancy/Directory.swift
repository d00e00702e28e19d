public import Cryptography

/// All credentials of the installation as one immutable snapshot; a swap of it is how a revocation takes effect.
///
/// Holds what can be honoured: no revoked key, none of a suspended tenant or person. Expiry is checked per request,
/// because time passes while a snapshot lives. The next snapshot shares with the one before what has not changed: only the
/// tables that point to it are made anew.
public final class Directory: Sendable {
  private let keys: TokenTable<Principal>
  private let adminTokens: TokenTable<AdminPrincipal>
  /// The store's change counter that this snapshot shows.
  public let change: Int64
  private let tenants: [TenantID: DirectoryTenant]
  private let idsBySlug: [Slug: TenantID]

  /// - Parameters:
  ///   - changes: What has changed since `before`.
  ///   - before: Made with the same roles; nil or nobody, where the changes are whole.
  ///   - roles: The policy set's; a key whose role is not among them is known but may do nothing.
  public init(_ changes: DirectoryChanges, since before: Directory? = nil, roles: RoleCatalog) {
    let rows = changes.rows
    var tenants = changes.isWhole ? [:] : before?.tenants ?? [:]
    var idsBySlug = changes.isWhole ? [:] : before?.idsBySlug ?? [:]
    let made = DirectoryTenant.make(rows, roles: roles)
    var hasOtherKeys = changes.isWhole || before == nil
    for id in changes.tenants {
      let old = tenants[id]
      if let old, idsBySlug[old.tenant.slug] == id { idsBySlug[old.tenant.slug] = nil }
      let new = made[id]?.keeping(old)
      if new?.keys !== old?.keys { hasOtherKeys = true }
      tenants[id] = new
    }
    // After all who gave a name up, or one who took it over would lose it.
    for id in changes.tenants { if let slug = tenants[id]?.tenant.slug { idsBySlug[slug] = id } }
    if let before, !hasOtherKeys { keys = before.keys } else { keys = TokenTable(tenants.values.map(\.keys.rows)) }
    if let before, !changes.hasAdmins {
      adminTokens = before.adminTokens
    } else {
      adminTokens = Self.adminTokens(rows, tenants)
    }
    change = rows.change
    self.tenants = tenants
    self.idsBySlug = idsBySlug
  }

  /// Of everything there is.
  public convenience init(_ rows: DirectoryRows, roles: RoleCatalog) {
    self.init(DirectoryChanges(rows), roles: roles)
  }

  /// Nobody.
  public convenience init() { self.init(DirectoryRows(), roles: RoleCatalog([])) }

  private static func adminTokens(_ rows: DirectoryRows, _ tenants: [TenantID: DirectoryTenant])
    -> TokenTable<AdminPrincipal>
  {
    let users = Dictionary(rows.users.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    let bindings = Dictionary(grouping: rows.bindings, by: \.user)
    var entries: [(id: UInt128, digest: Digest256, entry: AdminPrincipal)] = []
    for token in rows.adminTokens {
      guard let user = users[token.user], user.standing == .active else { continue }
      if let home = user.tenant, tenants[home]?.tenant.standing != .active { continue }
      let principal = AdminPrincipal(token: token, user: user, bindings: bindings[user.id] ?? [])
      entries.append((token.id.value, token.digest, principal))
    }
    return TokenTable([entries])
  }

  public var keyCount: Int { keys.count }
  public var tenantCount: Int { tenants.count }

  /// Visits every key that can be honoured, in no order.
  public func forEachPrincipal(_ body: (Principal) -> Void) { keys.forEach(body) }

  /// The tenant's keys that can be honoured, in no order.
  public func principals(of tenant: TenantID) -> [Principal] { tenants[tenant]?.keys.principals ?? [] }

  /// Whether this key can be honoured: known, not revoked, of an active tenant and person.
  public func holds(_ key: KeyID) -> Bool { keys.contains(key.value) }

  public func tenant(_ id: TenantID) -> Tenant? { tenants[id]?.tenant }
  public func tenant(named slug: Slug) -> Tenant? { idsBySlug[slug].flatMap { tenant($0) } }

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
