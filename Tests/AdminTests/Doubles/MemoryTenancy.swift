import Synchronization
import Tenancy

@testable import Admin

/// Tenants, people and keys in memory, with the rules of the real store that the API relies on.
final class MemoryTenancy: TenancyAdministration {
  struct State {
    var tenants: [TenantRecord] = []
    var projects: [TenantID: [ProjectRecord]] = [:]
    var keys: [TenantID: [KeyRecord]] = [:]
    var users: [TenantID?: [UserRecord]] = [:]
    var bindings: [RoleBinding] = []
    var tokens: [String: UserID] = [:]
    var nextID: UInt128 = 1000
  }

  let state = Mutex(State())
  private let catalog: [Role]
  private let events: EventLog

  init(roles: [Role], events: EventLog) {
    catalog = roles
    self.events = events
  }

  func actor(bearing token: String) async throws -> AdminActor? {
    state.withLock { state in
      guard let user = state.tokens[token] else { return nil }
      let name = state.users.values.joined().first { $0.id == user }?.name ?? "?"
      return AdminActor(user: user, name: name, bindings: state.bindings.filter { $0.user == user })
    }
  }

  func roles() async throws -> [Role] { catalog }
  func tenants() async throws -> [TenantRecord] { state.withLock { $0.tenants } }
  func tenant(named slug: Slug) async throws -> TenantRecord? {
    state.withLock { $0.tenants.first { $0.slug == slug } }
  }

  func createTenant(_ draft: TenantDraft) async throws -> TenantRecord {
    events.note("createTenant")
    return try state.withLock { state in
      guard !state.tenants.contains(where: { $0.slug == draft.slug }) else {
        throw TenancyError(.conflict, "The name '\(draft.slug)' is taken.")
      }
      let record = TenantRecord(
        id: TenantID(Self.next(&state)), slug: draft.slug, name: draft.name, policy: draft.policy, suspended: false,
        created: World.now)
      state.tenants.append(record)
      return record
    }
  }

  func setSuspended(_ suspended: Bool, tenant: TenantID) async throws -> TenantRecord {
    events.note("setSuspended")
    return try state.withLock { state in
      guard let index = state.tenants.firstIndex(where: { $0.id == tenant }) else {
        throw TenancyError.unknown("tenant")
      }
      let old = state.tenants[index]
      state.tenants[index] = TenantRecord(
        id: old.id, slug: old.slug, name: old.name, policy: old.policy, suspended: suspended, created: old.created)
      return state.tenants[index]
    }
  }

  func projects(of tenant: TenantID) async throws -> [ProjectRecord] { state.withLock { $0.projects[tenant] ?? [] } }

  func createProject(_ draft: ProjectDraft) async throws -> ProjectRecord {
    events.note("createProject")
    return state.withLock { state in
      let record = ProjectRecord(
        id: ProjectID(Self.next(&state)), slug: draft.slug, name: draft.name, created: World.now)
      state.projects[draft.tenant, default: []].append(record)
      return record
    }
  }

  func keys(of tenant: TenantID) async throws -> [KeyRecord] { state.withLock { $0.keys[tenant] ?? [] } }

  func createKey(_ draft: KeyDraft, in tenant: TenantID) async throws -> IssuedKey {
    events.note("createKey")
    return state.withLock { state in
      let record = KeyRecord(
        id: KeyID(Self.next(&state)), name: draft.name, project: draft.project, user: draft.user, role: draft.role,
        state: .active, created: World.now, expires: draft.expires)
      state.keys[tenant, default: []].append(record)
      return IssuedKey(record: record, secret: World.freshSecret)
    }
  }

  func revokeKey(_ key: KeyID, in tenant: TenantID) async throws -> KeyRecord {
    events.note("revokeKey")
    return try state.withLock { state in
      guard let old = state.keys[tenant]?.first(where: { $0.id == key }) else { throw TenancyError.unknown("key") }
      return KeyRecord(id: old.id, name: old.name, project: old.project, state: .revoked, created: old.created)
    }
  }

  func rotateKey(_ key: KeyID, overlapSeconds: Int64, in tenant: TenantID) async throws -> IssuedKey {
    events.note("rotateKey")
    return try state.withLock { state in
      guard let old = state.keys[tenant]?.first(where: { $0.id == key }) else { throw TenancyError.unknown("key") }
      let record = KeyRecord(
        id: KeyID(Self.next(&state)), name: old.name, project: old.project, state: .active, created: World.now)
      return IssuedKey(record: record, secret: World.freshSecret)
    }
  }

  func users(of tenant: TenantID?) async throws -> [UserRecord] { state.withLock { $0.users[tenant] ?? [] } }

  func createUser(_ draft: UserDraft) async throws -> UserRecord {
    events.note("createUser")
    return state.withLock { state in
      let record = UserRecord(
        id: UserID(Self.next(&state)), name: draft.name, email: draft.email, suspended: false, created: World.now)
      state.users[draft.tenant, default: []].append(record)
      return record
    }
  }

  func issueToken(to user: UserID, lifetimeSeconds: Int64) async throws -> IssuedToken {
    events.note("issueToken")
    return IssuedToken(
      secret: World.freshToken, expires: Timestamp(secondsSince1970: World.now.secondsSince1970 + lifetimeSeconds))
  }

  func bindings(of tenant: TenantID?) async throws -> [RoleBinding] {
    state.withLock { $0.bindings.filter { $0.scope.tenant == tenant } }
  }

  func bindings(of user: UserID) async throws -> [RoleBinding] {
    state.withLock { $0.bindings.filter { $0.user == user } }
  }

  func bind(_ draft: BindingDraft) async throws -> RoleBinding {
    events.note("bind")
    return state.withLock { state in
      let binding = RoleBinding(
        id: BindingID(Self.next(&state)), user: draft.user, role: draft.role, scope: draft.scope,
        reason: draft.reason, expires: draft.expires?.secondsSince1970, grantedBy: draft.grantedBy,
        grantedAt: World.now.secondsSince1970)
      state.bindings.append(binding)
      return binding
    }
  }

  func unbind(_ binding: RoleBinding) async throws {
    events.note("unbind")
    state.withLock { $0.bindings.removeAll { $0.id == binding.id } }
  }

  private static func next(_ state: inout State) -> UInt128 {
    state.nextID += 1
    return state.nextID
  }
}
