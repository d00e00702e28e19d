import Cryptography

/// A tenant with those of its keys that can be honoured, as long as nothing about them changes. A class, so that the next
/// snapshot copies one reference of each.
final class DirectoryTenant: Sendable {
  let tenant: Tenant
  let keys: Keys

  init(tenant: Tenant, keys: Keys) {
    self.tenant = tenant
    self.keys = keys
  }

  /// Shared by all snapshots in which a request of them is judged alike.
  final class Keys: Sendable {
    let rows: [TokenTable<Principal>.Row]

    init(_ rows: [TokenTable<Principal>.Row]) { self.rows = rows }

    var principals: [Principal] { rows.map(\.entry) }

    static func == (one: Keys, other: Keys) -> Bool {
      one.rows.elementsEqual(other.rows) { $0.id == $1.id && $0.digest == $1.digest && $0.entry == $1.entry }
    }
  }

  /// With the keys of before, if they are the same.
  func keeping(_ before: DirectoryTenant?) -> DirectoryTenant {
    guard let before, before.keys == keys else { return self }
    return DirectoryTenant(tenant: tenant, keys: before.keys)
  }

  static func make(_ rows: DirectoryRows, roles: RoleCatalog) -> [TenantID: DirectoryTenant] {
    let projects = Dictionary(rows.projects.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    let users = Dictionary(rows.users.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    let limits = Dictionary(grouping: rows.overrides, by: \.tenant)
    let keys = Dictionary(grouping: rows.keys, by: \.tenant)
    func isActive(_ user: UserID?, of tenant: TenantID) -> Bool {
      guard let user else { return true }
      guard let person = users[user] else { return false }
      return person.standing == .active && person.tenant == tenant
    }
    var made: [TenantID: DirectoryTenant] = [:]
    made.reserveCapacity(rows.tenants.count)
    for tenant in rows.tenants where made[tenant.id] == nil {
      let own = Dictionary(grouping: limits[tenant.id]?.map(\.limit) ?? [], by: \.key)
      var honoured: [TokenTable<Principal>.Row] = []
      for key in keys[tenant.id] ?? [] {
        guard key.revokedAt == nil, tenant.standing == .active, let project = projects[key.project],
          project.tenant == tenant.id, isActive(key.user, of: tenant.id)
        else { continue }
        let permissions = roles[key.role].map { $0.permissions.intersection(.ofKeys) } ?? []
        let principal = Principal(
          tenant: tenant, project: project, key: key, permissions: permissions, tenantLimits: own[nil] ?? [],
          keyLimits: own[key.id] ?? [])
        honoured.append((key.id.value, key.digest, principal))
      }
      made[tenant.id] = DirectoryTenant(tenant: tenant, keys: Keys(honoured))
    }
    return made
  }
}
