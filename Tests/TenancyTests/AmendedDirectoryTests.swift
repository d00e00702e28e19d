import Cryptography
import Tenancy
import Testing

/// A directory that is amended says the same as one that is made of everything, and shares what has not changed.
@Suite struct AmendedDirectoryTests {
  private let roles = RoleCatalog([try? Role(name: "app", scope: .project, permissions: [.chat])].compactMap { $0 })
  private let pepper: HMACKey
  private var rows = DirectoryRows(change: 1)
  private let texts: [[UInt8]]

  /// Two tenants with a key each, and an operator with a token.
  init() throws {
    pepper = try HMACKey([UInt8](repeating: 0x5A, count: 32))
    var texts: [[UInt8]] = []
    for (number, slug) in [(1 as UInt128, "one"), (2, "two")] {
      let tenant = Tenant(
        id: TenantID(number), slug: try #require(Slug(slug)), name: slug, policy: "base@1", createdAt: 0)
      let key = try KeyToken.generate(.apiKey, random: countingBytes(from: UInt8(number * 40)))
      texts.append(key.text)
      rows.tenants.append(tenant)
      rows.projects.append(
        Project(
          id: ProjectID(number), tenant: tenant.id, slug: try #require(Slug("shop")), name: "Shop", createdAt: 0))
      rows.keys.append(
        APIKey(
          id: KeyID(key.token.id), tenant: tenant.id, project: ProjectID(number), name: slug, role: "app",
          digest: try KeyToken.digest(of: key.text, pepper: pepper), createdAt: 0))
    }
    let token = try KeyToken.generate(.adminToken, random: countingBytes(from: 9))
    rows.users = [User(id: UserID(9), tenant: nil, name: "Olga", email: "olga@example.org", createdAt: 0)]
    rows.adminTokens = [
      AdminToken(
        id: AdminTokenID(token.token.id), user: UserID(9), digest: try KeyToken.digest(of: token.text, pepper: pepper),
        expires: 1000, createdAt: 0)
    ]
    self.texts = texts + [token.text]
  }

  private func changes(_ rows: DirectoryRows, _ tenants: Set<TenantID>, admins: Bool = false) -> DirectoryChanges {
    var told = rows
    told.change += 1
    told.tenants.removeAll { !tenants.contains($0.id) }
    told.projects.removeAll { !tenants.contains($0.tenant) }
    told.keys.removeAll { !tenants.contains($0.tenant) }
    if !admins { (told.users, told.adminTokens) = ([], []) }
    return DirectoryChanges(told, tenants: tenants, hasAdmins: admins)
  }

  private func who(_ index: Int, _ directory: Directory) -> Principal? {
    texts[index].withUnsafeBytes { directory.authenticate($0, pepper: pepper, now: 0) }
  }

  private func isAdmin(_ directory: Directory) -> Bool {
    texts[2].withUnsafeBytes { directory.authenticateAdmin($0, pepper: pepper, now: 0) } != nil
  }

  @Test func aSuspendedTenantIsNobodyAndTheOtherIsUntouched() throws {
    let before = Directory(rows, roles: roles)
    var changed = rows
    changed.tenants[0].standing = .suspended
    let after = Directory(changes(changed, [TenantID(1)]), since: before, roles: roles)
    #expect(who(0, after) == nil)
    #expect(who(1, after) === who(1, before))
    #expect(isAdmin(after))
    #expect(after.change == 2)
    #expect(after.keyCount == 1)
    #expect(after.tenant(TenantID(1))?.standing == .suspended)
    #expect(who(0, before) != nil)
  }

  @Test func aRevokedKeyIsNobody() throws {
    let before = Directory(rows, roles: roles)
    var changed = rows
    changed.keys.removeFirst()
    let after = Directory(changes(changed, [TenantID(1)]), since: before, roles: roles)
    #expect(who(0, after) == nil)
    #expect(!after.holds(rows.keys[0].id))
    #expect(after.principals(of: TenantID(1)).isEmpty)
    #expect(who(1, after) != nil)
    #expect(after.tenantCount == 2)
  }

  @Test func aDeletedTenantIsGoneWithItsName() throws {
    let before = Directory(rows, roles: roles)
    var changed = rows
    changed.tenants.removeFirst()
    let after = Directory(changes(changed, [TenantID(1)]), since: before, roles: roles)
    #expect(who(0, after) == nil)
    #expect(after.tenant(TenantID(1)) == nil)
    #expect(after.tenant(named: rows.tenants[0].slug) == nil)
    #expect(after.tenantCount == 1)
    #expect(after.keyCount == 1)
  }

  @Test func tenantsThatExchangeTheirNamesKeepTheirKeys() throws {
    let before = Directory(rows, roles: roles)
    var changed = rows
    (changed.tenants[0].slug, changed.tenants[1].slug) = (rows.tenants[1].slug, rows.tenants[0].slug)
    let after = Directory(changes(changed, [TenantID(1), TenantID(2)]), since: before, roles: roles)
    #expect(after.tenant(named: rows.tenants[0].slug)?.id == TenantID(2))
    #expect(after.tenant(named: rows.tenants[1].slug)?.id == TenantID(1))
    #expect(who(0, after)?.tenantSlug == rows.tenants[1].slug)
  }

  /// The name of one that is suspended or deleted goes to another in the same reading or in the next.
  @Test func aNameThatWasGivenUpBelongsToItsNewTenant() throws {
    let before = Directory(rows, roles: roles)
    var changed = rows
    changed.tenants[0].slug = try #require(Slug("old-one"))
    changed.tenants[1].slug = rows.tenants[0].slug
    let after = Directory(changes(changed, [TenantID(1), TenantID(2)]), since: before, roles: roles)
    #expect(after.tenant(named: rows.tenants[0].slug)?.id == TenantID(2))
    #expect(after.tenant(named: rows.tenants[1].slug) == nil)
    var without = changed
    without.tenants.removeFirst()
    let last = Directory(changes(without, [TenantID(1)]), since: after, roles: roles)
    #expect(last.tenant(named: rows.tenants[0].slug)?.id == TenantID(2))
  }

  @Test func anEndedTokenIsNobodyAndKeysStay() throws {
    let before = Directory(rows, roles: roles)
    var changed = rows
    changed.adminTokens = []
    let after = Directory(changes(changed, [], admins: true), since: before, roles: roles)
    #expect(!isAdmin(after))
    #expect(who(0, after) === who(0, before))
  }

  @Test func aChangeThatDecidesNothingKeepsThePrincipals() throws {
    let before = Directory(rows, roles: roles)
    var changed = rows
    changed.tenants[0].name = "Another name"
    let after = Directory(changes(changed, [TenantID(1)]), since: before, roles: roles)
    #expect(who(0, after) === who(0, before))
    #expect(after.tenant(TenantID(1))?.name == "Another name")
  }

  @Test func wholeChangesForgetWhoIsNotAmongThem() throws {
    let before = Directory(rows, roles: roles)
    var changed = rows
    changed.tenants.removeFirst()
    changed.adminTokens = []
    let after = Directory(DirectoryChanges(changed), since: before, roles: roles)
    #expect(who(0, after) == nil)
    #expect(after.tenantCount == 1)
    #expect(!isAdmin(after))
  }
}
