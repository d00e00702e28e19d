import Cryptography
import Tenancy
import Testing

private let pepperBytes = [UInt8](repeating: 0x5A, count: 32)
private let roles: RoleCatalog = {
  let app = try? Role(name: "app", scope: .project, permissions: [.chat, .embed])
  let wide = try? Role(name: "wide", scope: .tenant, permissions: .ofTenants)
  return RoleCatalog([app, wide].compactMap { $0 })
}()

/// One tenant with one project, a user, a key and an admin token, to be bent by each test.
private struct World {
  var rows = DirectoryRows(change: 1)
  let keyText: [UInt8]
  let tokenText: [UInt8]

  init() throws {
    let pepper = try HMACKey(pepperBytes)
    let tenant = Tenant(id: TenantID(1), slug: try #require(Slug("acme")), name: "Acme", policy: "base@1", createdAt: 0)
    let project = Project(
      id: ProjectID(2), tenant: tenant.id, slug: try #require(Slug("shop")), name: "Shop", createdAt: 0)
    let user = User(id: UserID(3), tenant: tenant.id, name: "Eva", email: "eva@acme.example", createdAt: 0)
    let key = try KeyToken.generate(.apiKey, random: countingBytes(from: 1))
    let token = try KeyToken.generate(.adminToken, random: countingBytes(from: 9))
    keyText = key.text
    tokenText = token.text
    rows.tenants = [tenant]
    rows.projects = [project]
    rows.users = [user]
    rows.keys = [
      APIKey(
        id: KeyID(key.token.id), tenant: tenant.id, project: project.id, user: user.id, name: "till", role: "app",
        digest: try KeyToken.digest(of: key.text, pepper: pepper), createdAt: 0)
    ]
    rows.adminTokens = [
      AdminToken(
        id: AdminTokenID(token.token.id), user: user.id,
        digest: try KeyToken.digest(of: token.text, pepper: pepper), expires: 1000, createdAt: 0)
    ]
    rows.bindings = [
      RoleBinding(
        id: BindingID(4), user: user.id, role: "wide", scope: .tenant(tenant.id), reason: "founder", grantedAt: 0)
    ]
  }

  func principal(_ text: [UInt8]? = nil, now: Int64 = 0) throws -> Principal? {
    let pepper = try HMACKey(pepperBytes)
    return (text ?? keyText).withUnsafeBytes {
      Directory(rows, roles: roles).authenticate($0, pepper: pepper, now: now)
    }
  }

  func admin(_ text: [UInt8]? = nil, now: Int64 = 0) throws -> AdminPrincipal? {
    let pepper = try HMACKey(pepperBytes)
    return (text ?? tokenText).withUnsafeBytes {
      Directory(rows, roles: roles).authenticateAdmin($0, pepper: pepper, now: now)
    }
  }
}

@Test func aRightKeyIsItsPrincipal() throws {
  var world = try World()
  world.rows.overrides = [
    (TenantID(1), try LimitOverride(key: nil, dimension: .tokensPerDay, value: 5)),
    (TenantID(1), try LimitOverride(key: world.rows.keys[0].id, dimension: .concurrency, value: 2)),
    (TenantID(7), try LimitOverride(key: nil, dimension: .concurrency, value: 1)),
  ]
  let principal = try #require(try world.principal())
  #expect(principal.tenantSlug.text == "acme")
  #expect(principal.projectSlug.text == "shop")
  #expect(principal.permissions == [.chat, .embed])
  #expect(principal.policy == "base@1")
  #expect(principal.tenantLimits.map(\.value) == [5])
  #expect(principal.keyLimits.map(\.value) == [2])
}

@Test func aKeyNeverCarriesMoreThanTheDataPlane() throws {
  var world = try World()
  world.rows.keys[0].role = "wide"
  #expect(try world.principal()?.permissions == .ofKeys)
  world.rows.keys[0].role = "nobody-knows"
  #expect(try world.principal()?.permissions == [])
}

@Test func anUnknownIdIsNobody() throws {
  let world = try World()
  #expect(try world.principal(KeyToken.generate(.apiKey, random: countingBytes(from: 200)).text) == nil)
}

@Test func aRightIdWithAnotherSecretIsNobody() throws {
  let world = try World()
  let forged = try KeyToken.generate(.apiKey) { count throws(CryptographyError) in
    let honest = try countingBytes(from: 1)(count)
    return Array(honest[..<16]) + [UInt8](repeating: 1, count: count - 16)
  }
  #expect(forged.token.id == world.rows.keys[0].id.value)
  #expect(try world.principal(forged.text) == nil)
}

@Test func theStoredDigestIsNoCredential() throws {
  let world = try World()
  #expect(try world.principal(world.rows.keys[0].digest.bytes) == nil)
}

@Test func anotherPepperKnowsNobody() throws {
  let world = try World()
  let other = try HMACKey([UInt8](repeating: 1, count: 32))
  let directory = Directory(world.rows, roles: roles)
  #expect(world.keyText.withUnsafeBytes { directory.authenticate($0, pepper: other, now: 0) } == nil)
}

@Test func keyAndAdminTokenAreNotEachOther() throws {
  let world = try World()
  #expect(try world.principal(world.tokenText) == nil)
  #expect(try world.admin(world.keyText) == nil)
}

@Test(arguments: [(99 as Int64, true), (100, false), (101, false)])
func aKeyEndsWithItsExpiry(now: Int64, honoured: Bool) throws {
  var world = try World()
  world.rows.keys[0].expires = 100
  #expect(try (world.principal(now: now) != nil) == honoured)
}

@Test(arguments: [(999 as Int64, true), (1000, false)])
func anAdminTokenEndsWithItsExpiry(now: Int64, honoured: Bool) throws {
  let world = try World()
  #expect(try (world.admin(now: now) != nil) == honoured)
}

@Test func revokedKeysAreNobody() throws {
  var world = try World()
  world.rows.keys[0].revokedAt = 1
  #expect(try world.principal() == nil)
}

@Test func suspendingTheTenantStopsKeysAndTokens() throws {
  var world = try World()
  world.rows.tenants[0].standing = .suspended
  #expect(try world.principal() == nil)
  #expect(try world.admin() == nil)
}

@Test func suspendingThePersonStopsTheirKeysAndTokens() throws {
  var world = try World()
  world.rows.users[0].standing = .suspended
  #expect(try world.principal() == nil)
  #expect(try world.admin() == nil)
}

@Test func aKeyWhosePersonIsGoneIsNobody() throws {
  var world = try World()
  world.rows.users = []
  #expect(try world.principal() == nil)
}

@Test func aKeyWhoseProjectIsAnothersIsNobody() throws {
  var world = try World()
  world.rows.projects = [
    Project(id: ProjectID(2), tenant: TenantID(99), slug: world.rows.projects[0].slug, name: "x", createdAt: 0)
  ]
  #expect(try world.principal() == nil)
}

@Test func anAdminTokenCarriesItsPersonsBindings() throws {
  let world = try World()
  let admin = try #require(try world.admin())
  #expect(admin.user.email == "eva@acme.example")
  #expect(admin.bindings.map(\.role) == ["wide"])
}

@Test func hundredThousandKeysAreAllFound() throws {
  let world = try World()
  let pepper = try HMACKey(pepperBytes)
  var generator = SplitMix(seed: 11)
  var rows = world.rows
  rows.keys.reserveCapacity(100_000)
  var sample: [(text: [UInt8], name: String)] = []
  for index in 0..<100_000 {
    if index % 1000 == 0 {
      let (text, token) = try KeyToken.generate(.apiKey) { count throws(CryptographyError) in
        (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
      }
      sample.append((text, "k\(index)"))
      rows.keys.append(
        APIKey(
          id: KeyID(token.id), tenant: TenantID(1), project: ProjectID(2), name: "k\(index)", role: "app",
          digest: try KeyToken.digest(of: text, pepper: pepper), createdAt: 0))
    } else {
      let id = UInt128(generator.next()) << 64 | UInt128(generator.next())
      rows.keys.append(
        APIKey(
          id: KeyID(id), tenant: TenantID(1), project: ProjectID(2), name: "x", role: "app", digest: Digest256(),
          createdAt: 0))
    }
  }
  let directory = Directory(rows, roles: roles)
  #expect(directory.keyCount == 100_001)
  for (text, name) in sample {
    let found = text.withUnsafeBytes { directory.authenticate($0, pepper: pepper, now: 0) }
    #expect(found?.keyName == name)
  }
}

@Test func aSwappedSnapshotLeavesTheOldOneToItsReader() throws {
  let world = try World()
  let cell = SnapshotCell(Directory(world.rows, roles: roles))
  let held = cell.current
  let before = cell.swap(Directory())
  #expect(held === before)
  #expect(held.keyCount == 1)
  #expect(cell.current.keyCount == 0)
}

/// What was made for a key serves as long as its principal stays the same: nothing that a request is judged by may be left
/// out of the comparison.
@Test func principalsDifferInWhateverTheyAreMadeOf() throws {
  let world = try World()
  let principal = try #require(try world.principal())
  #expect(try World().principal() == principal)
  let changes: [(inout DirectoryRows) throws -> Void] = [
    { $0.tenants[0].slug = try #require(Slug("other")) },
    { $0.tenants[0].timeZone = "Europe/Vienna" },
    { $0.tenants[0].currency = "CHF" },
    { $0.tenants[0].policy = "base@2" },
    { $0.projects[0].slug = try #require(Slug("other")) },
    { $0.keys[0].name = "other" },
    { $0.keys[0].role = "wide" },
    { $0.keys[0].role = "unknown" },
    { $0.keys[0].models = ["fast"] },
    { $0.keys[0].networks = [try #require(Network("10.0.0.0/8"))] },
    { $0.keys[0].expires = 7 },
    { $0.overrides = [($0.tenants[0].id, try LimitOverride(key: nil, dimension: .concurrency, value: 1))] },
    { $0.overrides = [($0.tenants[0].id, try LimitOverride(key: $0.keys[0].id, dimension: .concurrency, value: 1))] },
  ]
  for change in changes {
    var changed = world
    try change(&changed.rows)
    let other = try #require(try changed.principal())
    #expect(other != principal)
  }
}
