import Cryptography
import Foundation
import StorageSQLite
import Tenancy
import Testing

private enum Kind: CaseIterable, Sendable { case memory, sqlite }

/// What a store says has changed is all that has changed: nobody may live on in a snapshot because a change was not told.
@Suite struct DirectoryChangesTests {
  private struct Act: Sendable {
    let name: String
    let tenants: Set<UInt128>
    let hasAdmins: Bool
    let body: @Sendable (any TenancyStore) throws -> Void

    init(
      _ name: String, _ tenants: Set<UInt128>, admins: Bool = false,
      _ body: @escaping @Sendable (any TenancyStore) throws -> Void
    ) {
      (self.name, self.tenants, hasAdmins, self.body) = (name, tenants, admins, body)
    }
  }

  /// In order; each begins where the one before ended.
  private static let acts: [Act] = [
    Act("a tenant", [1]) { try $0.createTenant(tenant(1, "one")) },
    Act("another", [2]) { try $0.createTenant(tenant(2, "two")) },
    Act("a project", [1]) { try $0.scoped(to: TenantID(1)).createProject(project(10, 1)) },
    Act("another's project", [2]) { try $0.scoped(to: TenantID(2)).createProject(project(20, 2)) },
    Act("a person", [1], admins: true) { try $0.scoped(to: TenantID(1)).createUser(user(11, TenantID(1))) },
    Act("an operator", [], admins: true) { try $0.createOperator(user(90, nil)) },
    Act("a token", [], admins: true) { try $0.createAdminToken(token(91, of: 90)) },
    Act("a token of a tenant's person", [], admins: true) { try $0.createAdminToken(token(92, of: 11)) },
    Act("a role of the installation", [], admins: true) {
      try $0.createInstallationBinding(binding(93, 90, .installation))
    },
    Act("an operator's role with a tenant", [], admins: true) {
      try $0.scoped(to: TenantID(2)).createBinding(binding(94, 90, .tenant(TenantID(2))))
    },
    Act("a key", [1]) { try $0.scoped(to: TenantID(1)).createKey(key(12, 1, 10, user: 11)) },
    Act("another's key", [2]) { try $0.scoped(to: TenantID(2)).createKey(key(22, 2, 20)) },
    Act("a limit", [1]) {
      try $0.scoped(to: TenantID(1)).setOverride(LimitOverride(key: KeyID(12), dimension: .concurrency, value: 3))
    },
    Act("the limit again", [1]) {
      try $0.scoped(to: TenantID(1)).setOverride(LimitOverride(key: KeyID(12), dimension: .concurrency, value: 4))
    },
    Act("a successor", [1]) {
      try $0.scoped(to: TenantID(1)).rotateKey(KeyID(12), to: key(13, 1, 10), overlapEnds: 500)
    },
    Act("no limit", [1]) { try $0.scoped(to: TenantID(1)).removeOverride(key: KeyID(12), dimension: .concurrency) },
    Act("a project's name", [2]) { try $0.scoped(to: TenantID(2)).updateProject(project(20, 2, "büro-2")) },
    Act("a tenant's policy", [2]) { store in
      var changed = try tenant(2, "two")
      changed.policy = "strict@1"
      try store.updateTenant(changed)
    },
    Act("a suspended person", [1], admins: true) {
      try $0.scoped(to: TenantID(1)).setStanding(.suspended, ofUser: UserID(11))
    },
    Act("a suspended operator", [], admins: true) { try $0.setStanding(.suspended, ofOperator: UserID(90)) },
    Act("a revoked key", [2]) { try $0.scoped(to: TenantID(2)).revokeKey(KeyID(22), at: 5) },
    Act("a suspended tenant", [1], admins: true) { try $0.setStanding(.suspended, ofTenant: TenantID(1)) },
    Act("no role", [], admins: true) { try $0.scoped(to: TenantID(2)).deleteBinding(BindingID(94)) },
    Act("an old token", [], admins: true) { _ = try $0.pruneAdminTokens(now: 91) },
    Act("a person gone", [1], admins: true) { try $0.scoped(to: TenantID(1)).deleteUser(UserID(11), at: 6) },
    Act("a project gone", [1]) { try $0.scoped(to: TenantID(1)).deleteProject(ProjectID(10)) },
    Act("a tenant gone", [2], admins: true) { try $0.deleteTenant(TenantID(2)) },
    Act("an operator gone", [], admins: true) { try $0.deleteOperator(UserID(90)) },
  ]

  @Test(arguments: Kind.allCases)
  private func whatIsNotToldHasNotChanged(kind: Kind) throws {
    try withStore(kind) { store in
      for act in Self.acts {
        let before = try store.loadAll()
        try act.body(store)
        let after = try store.loadAll()
        let changes = try store.changes(since: before.change)
        #expect(!changes.isWhole, "\(act.name)")
        #expect(changes.rows.change == after.change, "\(act.name)")
        #expect(changes.tenants.isSuperset(of: act.tenants.map { TenantID($0) }), "\(act.name)")
        #expect(changes.hasAdmins || !act.hasAdmins, "\(act.name)")
        for id in [TenantID(1), TenantID(2)] {
          let told = changes.tenants.contains(id) ? changes.rows : before
          #expect(Own(told, of: id) == Own(after, of: id), "\(act.name)")
        }
        #expect(Admins(changes.hasAdmins ? changes.rows : before) == Admins(after), "\(act.name)")
        if !changes.hasAdmins { #expect(standings(before, after), "\(act.name)") }
        #expect(try store.changes(since: after.change).tenants.isEmpty, "\(act.name)")
      }
    }
  }

  /// One tenant's act does not have the others read.
  @Test(arguments: Kind.allCases)
  private func onlyTheTouchedAreTold(kind: Kind) throws {
    try withStore(kind) { store in
      for act in Self.acts {
        let before = try store.changeCounter()
        try act.body(store)
        let changes = try store.changes(since: before)
        #expect(changes.tenants == Set(act.tenants.map { TenantID($0) }), "\(act.name)")
        #expect(changes.hasAdmins == act.hasAdmins, "\(act.name)")
      }
    }
  }

  @Test(arguments: Kind.allCases)
  private func severalActsAreToldAtOnce(kind: Kind) throws {
    try withStore(kind) { store in
      let before = try store.changeCounter()
      for act in Self.acts.prefix(12) { try act.body(store) }
      let changes = try store.changes(since: before)
      #expect(!changes.isWhole)
      #expect(changes.tenants == [TenantID(1), TenantID(2)])
      #expect(changes.hasAdmins)
      #expect(Own(changes.rows, of: TenantID(2)) == Own(try store.loadAll(), of: TenantID(2)))
    }
  }

  @Test(arguments: Kind.allCases, [0 as Int64, -1, .min, .max, 99])
  private func aCounterThatIsNotTheStoresGetsEverything(kind: Kind, change: Int64) throws {
    try withStore(kind) { store in
      for act in Self.acts.prefix(12) { try act.body(store) }
      let changes = try store.changes(since: change)
      #expect(changes.isWhole)
      #expect(changes.hasAdmins)
      #expect(changes.rows.tenants.count == 2)
      #expect(changes.tenants == [TenantID(1), TenantID(2)])
    }
  }

  @Test func manyTenantsAtOnceAreReadAsAWhole() throws {
    try withStore(.sqlite) { store in
      let before = try store.changeCounter()
      for id in 1...300 as ClosedRange<UInt128> { try store.createTenant(tenant(id, "t-\(id)")) }
      let changes = try store.changes(since: before)
      #expect(changes.tenants.count == 300)
      #expect(changes.rows.tenants.count == 300)
    }
  }

  private func withStore(_ kind: Kind, _ body: (any TenancyStore) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "changes-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let store: any TenancyStore =
      switch kind {
      case .memory: MemoryTenancyStore()
      case .sqlite: try TenancySQLiteStore(path: folder.appending(path: "tenancy.db").path)
      }
    try body(store)
  }

  private func standings(_ before: DirectoryRows, _ after: DirectoryRows) -> Bool {
    before.tenants.allSatisfy { old in after.tenants.contains { $0.id == old.id && $0.standing == old.standing } }
  }
}

/// What decides about a tenant's keys.
private struct Own: Equatable {
  let tenants: Set<Tenant>
  let projects: Set<Project>
  let users: Set<User>
  let keys: Set<APIKey>
  let limits: Set<LimitOverride>

  init(_ rows: DirectoryRows, of id: TenantID) {
    tenants = Set(rows.tenants.filter { $0.id == id })
    projects = Set(rows.projects.filter { $0.tenant == id })
    users = Set(rows.users.filter { $0.tenant == id })
    keys = Set(rows.keys.filter { $0.tenant == id })
    limits = Set(rows.overrides.filter { $0.tenant == id }.map(\.limit))
  }
}

/// What decides about those who administer.
private struct Admins: Equatable {
  let tokens: Set<AdminToken>
  let users: Set<User>
  let bindings: Set<RoleBinding>

  init(_ rows: DirectoryRows) {
    tokens = Set(rows.adminTokens)
    let people = Set(tokens.map(\.user))
    users = Set(rows.users.filter { people.contains($0.id) })
    bindings = Set(rows.bindings.filter { people.contains($0.user) })
  }
}

private func tenant(_ id: UInt128, _ slug: String) throws -> Tenant {
  Tenant(id: TenantID(id), slug: try #require(Slug(slug)), name: "Mandant", policy: "base@1", createdAt: 5)
}

private func project(_ id: UInt128, _ tenant: UInt128, _ name: String = "Büro") throws -> Project {
  Project(id: ProjectID(id), tenant: TenantID(tenant), slug: try #require(Slug("buero")), name: name, createdAt: 6)
}

private func user(_ id: UInt128, _ tenant: TenantID?) -> User {
  User(id: UserID(id), tenant: tenant, name: "Eva", email: "eva@\(id).example", createdAt: 7)
}

private func key(_ id: UInt128, _ tenant: UInt128, _ project: UInt128, user: UInt128? = nil) -> APIKey {
  APIKey(
    id: KeyID(id), tenant: TenantID(tenant), project: ProjectID(project), user: user.map { UserID($0) }, name: "Kasse",
    role: "app", digest: Digest256(), createdAt: 8)
}

/// Expires with its number.
private func token(_ id: UInt128, of user: UInt128) -> AdminToken {
  AdminToken(id: AdminTokenID(id), user: UserID(user), digest: Digest256(), expires: Int64(id), createdAt: 9)
}

private func binding(_ id: UInt128, _ user: UInt128, _ scope: Scope) -> RoleBinding {
  RoleBinding(id: BindingID(id), user: UserID(user), role: "boss", scope: scope, reason: "test", grantedAt: 10)
}
