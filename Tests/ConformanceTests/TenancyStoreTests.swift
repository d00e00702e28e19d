import Cryptography
import Foundation
import GRDB
import StorageSQLite
import Tenancy
import Testing

/// Every store that implements the port; one suite for all.
private enum Kind: CaseIterable, Sendable { case memory, sqlite }

/// A store with its file, which goes with the test.
private final class Bench {
  let store: any TenancyStore
  private let folder: URL

  init(_ kind: Kind) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "tenancy-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    store =
      switch kind {
      case .memory: MemoryTenancyStore()
      case .sqlite: try TenancySQLiteStore(path: folder.appending(path: "tenancy.db").path)
      }
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// Two tenants, each with a project and a user; ids of the second are 100 higher.
  func furnish() throws -> (any TenantStore, any TenantStore) {
    for (base, name) in [(UInt128(0), "one"), (100, "two")] {
      try store.createTenant(tenant(base + 1, name))
      let handle = try store.scoped(to: TenantID(base + 1))
      try handle.createProject(project(base + 2, base + 1))
      try handle.createUser(user(base + 3, TenantID(base + 1)))
    }
    return (try store.scoped(to: TenantID(1)), try store.scoped(to: TenantID(101)))
  }
}

private func tenant(_ id: UInt128, _ slug: String) throws -> Tenant {
  Tenant(
    id: TenantID(id), slug: try #require(Slug(slug)), name: "Mandant \(slug)", policy: "base@1", group: "g",
    createdAt: 5)
}

private func project(_ id: UInt128, _ tenant: UInt128, _ slug: String = "shop") throws -> Project {
  Project(id: ProjectID(id), tenant: TenantID(tenant), slug: try #require(Slug(slug)), name: "Laden", createdAt: 6)
}

private func user(_ id: UInt128, _ tenant: TenantID?, _ email: String = "eva@one.example") -> User {
  User(id: UserID(id), tenant: tenant, name: "Eva Müller", email: email, createdAt: 7)
}

private func key(_ id: UInt128, tenant: UInt128 = 1, project: UInt128 = 2, user: UInt128? = nil) throws -> APIKey {
  APIKey(
    id: KeyID(id), tenant: TenantID(tenant), project: ProjectID(project), user: user.map { UserID($0) },
    name: "Kasse", role: "app", digest: Digest256(bytes: (0..<32).map { UInt8($0) }), models: ["a", "b"],
    networks: [try #require(Network("10.0.0.0/8")), try #require(Network("::1"))], expires: 900,
    createdAt: Int64(id))
}

private func binding(_ id: UInt128, _ user: UInt128, _ scope: Scope) -> RoleBinding {
  RoleBinding(
    id: BindingID(id), user: UserID(user), role: "clerk", scope: scope, reason: "joined", expires: 77,
    grantedBy: UserID(9), grantedAt: 8)
}

private func code(_ body: () throws -> Void) -> TenancyError.Code? {
  do {
    try body()
    return nil
  } catch { return (error as? TenancyError)?.code }
}

@Suite struct TenancyStoreTests {
  @Test(arguments: Kind.allCases)
  private func whatIsWrittenReadsBack(kind: Kind) throws {
    let bench = try Bench(kind)
    let (one, _) = try bench.furnish()
    #expect(try bench.store.tenants() == [tenant(1, "one"), tenant(101, "two")])
    #expect(try bench.store.tenant(named: #require(Slug("two"))).id == TenantID(101))
    #expect(try one.projects() == [project(2, 1)])
    #expect(try one.users() == [user(3, TenantID(1))])
    try one.createKey(key(50, user: 3))
    try one.createKey(key(51))
    #expect(try one.keys() == [key(50, user: 3), key(51)])
    #expect(try one.key(KeyID(50)) == key(50, user: 3))
    let granted = [
      binding(60, 3, .tenant(TenantID(1))), binding(61, 3, .project(TenantID(1), ProjectID(2))),
    ]
    for row in granted { try one.createBinding(row) }
    #expect(try one.bindings() == granted)
    #expect(try bench.store.bindings(of: UserID(3)) == granted)
    let rows = try bench.store.loadAll()
    #expect(rows.tenants.count == 2)
    #expect(rows.keys.count == 2)
    #expect(rows.bindings.count == 2)
  }

  @Test(arguments: Kind.allCases)
  private func aForeignIdIsAnUnknownId(kind: Kind) throws {
    let bench = try Bench(kind)
    let (one, two) = try bench.furnish()
    try one.createKey(key(50))
    try one.createBinding(binding(60, 3, .tenant(TenantID(1))))
    try one.setOverride(try LimitOverride(key: KeyID(50), dimension: .concurrency, value: 3))
    try one.setSealedKey([1], named: "log")
    for id in [50, 9999] as [UInt128] {
      #expect(code { _ = try two.key(KeyID(id)) } == .notFound)
      #expect(code { try two.revokeKey(KeyID(id), at: 1) } == .notFound)
      #expect(
        code { try two.rotateKey(KeyID(id), to: key(70, tenant: 101, project: 102), overlapEnds: 5) } == .notFound)
      #expect(
        code { try two.setOverride(try LimitOverride(key: KeyID(id), dimension: .concurrency, value: 1)) } == .notFound)
      #expect(code { try two.removeOverride(key: KeyID(id), dimension: .concurrency) } == .notFound)
    }
    for id in [2, 9999] as [UInt128] {
      #expect(code { _ = try two.project(ProjectID(id)) } == .notFound)
      #expect(code { try two.updateProject(project(id, 101, "new")) } == .notFound)
      #expect(code { try two.deleteProject(ProjectID(id)) } == .notFound)
      #expect(code { try two.createKey(key(71, tenant: 101, project: id)) } == .notFound)
      #expect(code { try two.createBinding(binding(72, 103, .project(TenantID(101), ProjectID(id)))) } == .notFound)
    }
    for id in [3, 9999] as [UInt128] {
      #expect(code { _ = try two.user(UserID(id)) } == .notFound)
      #expect(code { try two.updateUser(user(id, TenantID(101), "x@y")) } == .notFound)
      #expect(code { try two.setStanding(.suspended, ofUser: UserID(id)) } == .notFound)
      #expect(code { try two.deleteUser(UserID(id), at: 1) } == .notFound)
      #expect(code { try two.createKey(key(73, tenant: 101, project: 102, user: id)) } == .notFound)
      #expect(code { try two.createBinding(binding(74, id, .tenant(TenantID(101)))) } == .notFound)
    }
    #expect(code { try two.deleteBinding(BindingID(60)) } == .notFound)
    #expect(code { try two.createBinding(binding(75, 103, .tenant(TenantID(1)))) } == .notFound)
    #expect(code { try two.createBinding(binding(75, 103, .installation)) } == .notFound)
    #expect(code { try two.createKey(key(76)) } == .notFound)
    #expect(code { _ = try two.sealedKey(named: "log") } == .notFound)
    #expect(code { try two.deleteSealedKey(named: "log") } == .notFound)
    #expect(code { _ = try bench.store.scoped(to: TenantID(9999)) } == .notFound)
    #expect(try two.keys().isEmpty)
    #expect(try two.overrides().isEmpty)
    #expect(try one.keys() == [key(50)])
    #expect(try one.sealedKey(named: "log") == [1])
    #expect(try one.user(UserID(3)).standing == .active)
  }

  @Test(arguments: Kind.allCases)
  private func takenNamesAndIdsAreConflicts(kind: Kind) throws {
    let bench = try Bench(kind)
    let (one, two) = try bench.furnish()
    #expect(code { try bench.store.createTenant(tenant(5, "one")) } == .conflict)
    #expect(code { try bench.store.createTenant(tenant(1, "three")) } == .conflict)
    #expect(code { try one.createProject(project(7, 1)) } == .conflict)
    #expect(code { try one.createUser(user(8, TenantID(1))) } == .conflict)
    try one.createKey(key(50))
    #expect(code { try one.createKey(key(50)) } == .conflict)
    #expect(code { try two.createKey(key(50, tenant: 101, project: 102)) } == .conflict)
    var renamed = try bench.store.tenant(TenantID(101))
    renamed.slug = try #require(Slug("one"))
    #expect(code { try bench.store.updateTenant(renamed) } == .conflict)
    try one.createProject(project(9, 1, "other"))
    #expect(code { try one.updateProject(project(9, 1, "shop")) } == .conflict)
  }

  @Test(arguments: Kind.allCases)
  private func aRefusedActChangesNothing(kind: Kind) throws {
    let bench = try Bench(kind)
    let (one, _) = try bench.furnish()
    try one.createKey(key(50))
    let before = try bench.store.changeCounter()
    #expect(code { try one.createKey(key(50)) } == .conflict)
    #expect(code { try one.rotateKey(KeyID(50), to: key(51, project: 9999), overlapEnds: 1) } == .invalid)
    #expect(code { try one.deleteProject(ProjectID(9999)) } == .notFound)
    #expect(try bench.store.changeCounter() == before)
    #expect(try one.keys() == [key(50)])
  }

  @Test(arguments: Kind.allCases)
  private func theCounterRisesWithEveryChangeOfTheDirectory(kind: Kind) throws {
    let bench = try Bench(kind)
    let (one, _) = try bench.furnish()
    var last = try bench.store.changeCounter()
    let acts: [() throws -> Void] = [
      { try one.createKey(try key(50)) }, { try one.revokeKey(KeyID(50), at: 3) },
      { try one.setOverride(try LimitOverride(key: nil, dimension: .tokensPerDay, value: 1)) },
      { try bench.store.setStanding(.suspended, ofTenant: TenantID(1)) },
      { try one.setStanding(.suspended, ofUser: UserID(3)) }, { try one.deleteUser(UserID(3), at: 4) },
      { try bench.store.deleteTenant(TenantID(1)) },
    ]
    for act in acts {
      try act()
      let now = try bench.store.changeCounter()
      #expect(now > last)
      last = now
    }
    _ = try bench.store.appendAudit(AuditRow(at: 1, actor: "x", tenant: nil, action: "a", target: "t"))
    #expect(try bench.store.changeCounter() == last)
    #expect(try bench.store.loadAll().change == last)
  }

  @Test(arguments: Kind.allCases)
  private func updatingATenantLeavesItsStanding(kind: Kind) throws {
    let bench = try Bench(kind)
    _ = try bench.furnish()
    try bench.store.setStanding(.suspended, ofTenant: TenantID(1))
    var changed = try tenant(1, "uno")
    changed.policy = "strict@2"
    try bench.store.updateTenant(changed)
    let read = try bench.store.tenant(TenantID(1))
    #expect(read.standing == .suspended)
    #expect(read.policy == "strict@2")
    #expect(read.slug.text == "uno")
    #expect(code { try bench.store.updateTenant(tenant(77, "x")) } == .notFound)
  }

  @Test(arguments: Kind.allCases)
  private func revokingIsFinalAndKeepsTheFirstTime(kind: Kind) throws {
    let bench = try Bench(kind)
    let (one, _) = try bench.furnish()
    try one.createKey(key(50))
    try one.revokeKey(KeyID(50), at: 30)
    try one.revokeKey(KeyID(50), at: 40)
    #expect(try one.key(KeyID(50)).revokedAt == 30)
    #expect(code { try one.rotateKey(KeyID(50), to: key(51), overlapEnds: 60) } == .conflict)
    #expect(try bench.store.loadAll().keys.isEmpty)
  }

  @Test(arguments: Kind.allCases, [(500 as Int64, 500 as Int64), (2000, 900)])
  private func rotationOverlapsButNeverProlongs(kind: Kind, times: (overlap: Int64, end: Int64)) throws {
    let bench = try Bench(kind)
    let (one, _) = try bench.furnish()
    try one.createKey(key(50))
    try one.setOverride(try LimitOverride(key: KeyID(50), dimension: .moneyPerDay, value: 7))
    try one.rotateKey(KeyID(50), to: key(51), overlapEnds: times.overlap)
    #expect(try one.key(KeyID(50)).expires == times.end)
    #expect(try one.key(KeyID(51)).expires == 900)
    #expect(try one.overrides().map(\.key) == [KeyID(50), KeyID(51)])
    #expect(try one.overrides().map(\.value) == [7, 7])
  }

  @Test(arguments: Kind.allCases)
  private func deletingAPersonRevokesTheirKeysAndRights(kind: Kind) throws {
    let bench = try Bench(kind)
    let (one, _) = try bench.furnish()
    try one.createKey(key(50, user: 3))
    try one.createKey(key(51))
    try one.createBinding(binding(60, 3, .tenant(TenantID(1))))
    try bench.store.createAdminToken(
      AdminToken(id: AdminTokenID(80), user: UserID(3), digest: Digest256(), expires: 10, createdAt: 1))
    try one.deleteUser(UserID(3), at: 44)
    #expect(try one.key(KeyID(50)).revokedAt == 44)
    #expect(try one.key(KeyID(51)).revokedAt == nil)
    #expect(try one.bindings().isEmpty)
    #expect(try bench.store.adminTokens(of: UserID(3)).isEmpty)
    #expect(try bench.store.loadAll().keys.map(\.id) == [KeyID(51)])
  }

  @Test(arguments: Kind.allCases)
  private func deletingAProjectTakesItsKeysWithIt(kind: Kind) throws {
    let bench = try Bench(kind)
    let (one, _) = try bench.furnish()
    try one.createKey(key(50))
    try one.setOverride(try LimitOverride(key: KeyID(50), dimension: .concurrency, value: 1))
    try one.setOverride(try LimitOverride(key: nil, dimension: .concurrency, value: 9))
    try one.createBinding(binding(61, 3, .project(TenantID(1), ProjectID(2))))
    try one.deleteProject(ProjectID(2))
    #expect(try one.keys().isEmpty)
    #expect(try one.bindings().isEmpty)
    #expect(try one.overrides().map(\.value) == [9])
  }

  @Test(arguments: Kind.allCases)
  private func deletingATenantLeavesTheOthersWhole(kind: Kind) throws {
    let bench = try Bench(kind)
    let (one, two) = try bench.furnish()
    for (handle, base) in [(one, 0), (two, 100)] as [(any TenantStore, UInt128)] {
      try handle.createKey(key(base + 50, tenant: base + 1, project: base + 2, user: base + 3))
      try handle.createBinding(binding(base + 60, base + 3, .tenant(TenantID(base + 1))))
      try handle.setOverride(try LimitOverride(key: nil, dimension: .concurrency, value: 1))
      try handle.setSealedKey([UInt8(base)], named: "log")
    }
    _ = try bench.store.appendAudit(AuditRow(at: 1, actor: "x", tenant: TenantID(1), action: "a", target: "t"))
    try bench.store.deleteTenant(TenantID(1))
    let rows = try bench.store.loadAll()
    #expect(rows.tenants.map(\.id) == [TenantID(101)])
    #expect(rows.projects.map(\.id) == [ProjectID(102)])
    #expect(rows.users.map(\.id) == [UserID(103)])
    #expect(rows.keys.map(\.id) == [KeyID(150)])
    #expect(rows.bindings.map(\.id) == [BindingID(160)])
    #expect(rows.overrides.map(\.tenant) == [TenantID(101)])
    #expect(try one.sealedKeyNames().isEmpty)
    #expect(try two.sealedKeyNames() == ["log"])
    #expect(code { try bench.store.deleteTenant(TenantID(1)) } == .notFound)
    #expect(code { try one.createProject(project(33, 1)) } == .notFound)
    #expect(try bench.store.audit(before: nil, limit: 10).count == 1)
  }

  @Test(arguments: Kind.allCases)
  private func operatorsAreNobodysUsers(kind: Kind) throws {
    let bench = try Bench(kind)
    let (one, _) = try bench.furnish()
    try bench.store.createOperator(user(900, nil, "ops@provider.example"))
    #expect(try bench.store.operators().map(\.id) == [UserID(900)])
    #expect(code { _ = try one.user(UserID(900)) } == .notFound)
    #expect(code { try bench.store.createOperator(user(901, TenantID(1), "x@y")) } == .invalid)
    #expect(code { try bench.store.createOperator(user(902, nil, "ops@provider.example")) } == .conflict)
    try bench.store.createInstallationBinding(binding(61, 900, .installation))
    #expect(code { try bench.store.createInstallationBinding(binding(62, 3, .installation)) } == .notFound)
    #expect(code { try bench.store.createInstallationBinding(binding(62, 900, .tenant(TenantID(1)))) } == .notFound)
    // One person of the operator may be bound in a tenant.
    try one.createBinding(binding(63, 900, .tenant(TenantID(1))))
    #expect(try bench.store.installationBindings().map(\.id) == [BindingID(61)])
    #expect(code { try bench.store.deleteInstallationBinding(BindingID(63)) } == .notFound)
    #expect(code { try bench.store.setStanding(.suspended, ofOperator: UserID(3)) } == .notFound)
    #expect(code { try bench.store.deleteOperator(UserID(3)) } == .notFound)
    try bench.store.setStanding(.suspended, ofOperator: UserID(900))
    #expect(try bench.store.user(UserID(900)).standing == .suspended)
    try bench.store.deleteOperator(UserID(900))
    #expect(try one.bindings().isEmpty)
    #expect(try bench.store.installationBindings().isEmpty)
  }

  @Test(arguments: Kind.allCases)
  private func adminTokensBelongToPeople(kind: Kind) throws {
    let bench = try Bench(kind)
    _ = try bench.furnish()
    func token(_ id: UInt128, user: UInt128 = 3, expires: Int64 = 10) -> AdminToken {
      AdminToken(
        id: AdminTokenID(id), user: UserID(user), digest: Digest256(bytes: [1, 2]), expires: expires, createdAt: 1)
    }
    try bench.store.createAdminToken(token(80))
    try bench.store.createAdminToken(token(81, expires: 20))
    #expect(code { try bench.store.createAdminToken(token(82, user: 999)) } == .notFound)
    #expect(code { try bench.store.createAdminToken(token(80)) } == .conflict)
    #expect(code { try bench.store.createAdminToken(token(0)) } == .invalid)
    #expect(try bench.store.adminTokens(of: UserID(3)) == [token(80), token(81, expires: 20)])
    let before = try bench.store.changeCounter()
    #expect(try bench.store.pruneAdminTokens(now: 9) == 0)
    #expect(try bench.store.changeCounter() == before)
    #expect(try bench.store.pruneAdminTokens(now: 10) == 1)
    #expect(try bench.store.changeCounter() > before)
    try bench.store.deleteAdminToken(AdminTokenID(81))
    #expect(code { try bench.store.deleteAdminToken(AdminTokenID(81)) } == .notFound)
  }

  @Test(arguments: Kind.allCases)
  private func anOverrideReplacesTheSameLimit(kind: Kind) throws {
    let bench = try Bench(kind)
    let (one, _) = try bench.furnish()
    try one.createKey(key(50))
    for value in [5, 6] as [Int64] {
      try one.setOverride(try LimitOverride(key: nil, dimension: .concurrency, value: value))
      try one.setOverride(try LimitOverride(key: KeyID(50), dimension: .concurrency, value: value * 10))
    }
    try one.setOverride(try LimitOverride(key: nil, dimension: .tokensPerDay, value: 0))
    #expect(try one.overrides().map(\.value) == [6, 0, 60])
    try one.removeOverride(key: nil, dimension: .concurrency)
    #expect(try one.overrides().map(\.value) == [0, 60])
    #expect(code { try one.removeOverride(key: nil, dimension: .concurrency) } == .notFound)
    #expect(code { _ = try LimitOverride(key: nil, dimension: .concurrency, value: -1) } == .invalid)
  }

  @Test(arguments: Kind.allCases)
  private func sealedKeysAreOpaqueBytes(kind: Kind) throws {
    let bench = try Bench(kind)
    let (one, two) = try bench.furnish()
    let bytes = (0...255).map { UInt8($0) }
    try one.setSealedKey(bytes, named: "log")
    try one.setSealedKey([], named: "empty")
    try two.setSealedKey([9], named: "log")
    #expect(try one.sealedKey(named: "log") == bytes)
    #expect(try one.sealedKey(named: "empty") == [])
    #expect(try one.sealedKeyNames() == ["empty", "log"])
    try one.setSealedKey([7], named: "log")
    #expect(try one.sealedKey(named: "log") == [7])
    try one.deleteSealedKey(named: "log")
    #expect(code { _ = try one.sealedKey(named: "log") } == .notFound)
    #expect(try two.sealedKey(named: "log") == [9])
  }

  @Test(arguments: Kind.allCases)
  private func auditRowsAreNumberedAndPerTenant(kind: Kind) throws {
    let bench = try Bench(kind)
    let (one, two) = try bench.furnish()
    for (index, tenant) in [TenantID(1), TenantID(101), nil, TenantID(1)].enumerated() {
      let row = AuditRow(
        at: Int64(index), actor: "eva", tenant: tenant, action: "key.create", target: "k\(index)", detail: "d")
      #expect(try bench.store.appendAudit(row).sequence == Int64(index) + 1)
    }
    #expect(try bench.store.audit(before: nil, limit: 3).map(\.sequence) == [4, 3, 2])
    #expect(try bench.store.audit(before: 2, limit: 3).map(\.sequence) == [1])
    #expect(try one.audit(before: nil, limit: 10).map(\.target) == ["k3", "k0"])
    #expect(try two.audit(before: nil, limit: 10).map(\.sequence) == [2])
    #expect(try two.audit(before: nil, limit: -1).isEmpty)
  }

  @Test(arguments: Kind.allCases)
  private func policySetsAreKeptNewestFirst(kind: Kind) throws {
    let bench = try Bench(kind)
    for (index, hash) in ["a", "b", "a"].enumerated() {
      try bench.store.saveApplied(
        AppliedPolicySet(
          hash: hash, content: [UInt8(index)], appliedAt: Int64(index), appliedBy: index == 1 ? UserID(4) : nil))
    }
    let kept = try bench.store.appliedPolicySets(limit: 2)
    #expect(kept.map(\.hash) == ["a", "b"])
    #expect(kept.map(\.content) == [[2], [1]])
    #expect(kept.map(\.appliedBy) == [nil, UserID(4)])
  }

  @Test(arguments: Kind.allCases)
  private func namesWithControlCharactersAreRefused(kind: Kind) throws {
    let bench = try Bench(kind)
    let (one, _) = try bench.furnish()
    for name in ["", "a\u{0}b", "a\nb", "\u{9B}31m", String(repeating: "x", count: 201)] {
      #expect(
        code {
          try bench.store.createTenant(
            Tenant(
              id: TenantID(7), slug: try #require(Slug("x")), name: name, policy: "p@1", createdAt: 0))
        } == .invalid)
      #expect(code { try one.setSealedKey([1], named: name) } == .invalid)
    }
  }
}
