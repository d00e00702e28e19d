/// One tenant's part of the memory store.
final class MemoryTenantStore: TenantStore {
  let tenant: TenantID
  private let store: MemoryTenancyStore

  init(_ store: MemoryTenancyStore, tenant: TenantID) {
    self.store = store
    self.tenant = tenant
  }

  private typealias State = MemoryTenancyStore.State

  /// The tenant may be gone while a handle to it is still held.
  private func change(_ body: (inout State) throws(TenancyError) -> Void) throws(TenancyError) {
    try store.change { (state) throws(TenancyError) in
      _ = try state.tenant { $0.id == tenant }
      try body(&state)
    }
  }

  // MARK: Projects

  func createProject(_ project: Project) throws(TenancyError) {
    guard project.tenant == tenant else { throw .unknown("tenant") }
    try TenancyRules.checkName(project.name)
    try change { (state) throws(TenancyError) in
      try state.refuse(
        state.rows.projects.contains {
          $0.id == project.id || ($0.tenant == tenant && $0.slug == project.slug)
        })
      state.rows.projects.append(project)
    }
  }

  func projects() throws(TenancyError) -> [Project] {
    try store.read { (state) throws(TenancyError) in
      state.rows.projects.filter { $0.tenant == tenant }.sorted { $0.slug < $1.slug }
    }
  }

  func project(_ id: ProjectID) throws(TenancyError) -> Project {
    try store.read { (state) throws(TenancyError) in state.rows.projects[try self.index(ofProject: id, state)] }
  }

  private func index(ofProject id: ProjectID, _ state: State) throws(TenancyError) -> Int {
    try state.index(of: "project", in: state.rows.projects) { $0.id == id && $0.tenant == tenant }
  }

  func updateProject(_ project: Project) throws(TenancyError) {
    try TenancyRules.checkName(project.name)
    try change { (state) throws(TenancyError) in
      let index = try self.index(ofProject: project.id, state)
      try state.refuse(
        state.rows.projects.contains { $0.tenant == tenant && $0.slug == project.slug && $0.id != project.id })
      state.rows.projects[index].slug = project.slug
      state.rows.projects[index].name = project.name
    }
  }

  func deleteProject(_ id: ProjectID) throws(TenancyError) {
    try change { (state) throws(TenancyError) in
      state.rows.projects.remove(at: try self.index(ofProject: id, state))
      let keys = Set(state.keys(of: tenant).filter { $0.project == id }.map(\.id))
      state.rows.keys.removeAll { keys.contains($0.id) }
      state.revoked = state.revoked.filter { !keys.contains($0.key) }
      state.rows.overrides.removeAll { $0.limit.key.map(keys.contains) ?? false }
      state.rows.bindings.removeAll { $0.scope == .project(tenant, id) }
    }
  }

  // MARK: Keys

  func createKey(_ key: APIKey) throws(TenancyError) {
    try TenancyRules.check(key, in: tenant)
    try change { (state) throws(TenancyError) in try self.insert(key, &state) }
  }

  private func insert(_ key: APIKey, _ state: inout State) throws(TenancyError) {
    _ = try index(ofProject: key.project, state)
    if let user = key.user { _ = try index(ofUser: user, state) }
    try state.refuse(state.revoked[key.id] != nil || state.rows.keys.contains { $0.id == key.id })
    if key.revokedAt == nil { state.rows.keys.append(key) } else { state.revoked[key.id] = key }
  }

  func keys() throws(TenancyError) -> [APIKey] {
    try store.read { (state) throws(TenancyError) in state.keys(of: tenant) }
  }

  func key(_ id: KeyID) throws(TenancyError) -> APIKey {
    try store.read { (state) throws(TenancyError) in
      let keys = state.keys(of: tenant)
      return keys[try state.index(of: "key", in: keys) { $0.id == id }]
    }
  }

  func revokeKey(_ id: KeyID, at now: Int64) throws(TenancyError) {
    try change { (state) throws(TenancyError) in
      if state.revoked[id]?.tenant == tenant { return }
      let index = try state.index(of: "key", in: state.rows.keys) { $0.id == id && $0.tenant == tenant }
      self.revoke(at: index, now, &state)
    }
  }

  private func revoke(at index: Int, _ now: Int64, _ state: inout State) {
    var key = state.rows.keys.remove(at: index)
    key.revokedAt = now
    state.revoked[key.id] = key
  }

  func rotateKey(_ old: KeyID, to successor: APIKey, overlapEnds: Int64) throws(TenancyError) {
    try TenancyRules.check(successor, in: tenant)
    try change { (state) throws(TenancyError) in
      if state.revoked[old]?.tenant == tenant {
        throw TenancyError(.conflict, "A revoked key cannot be rotated.")
      }
      let index = try state.index(of: "key", in: state.rows.keys) { $0.id == old && $0.tenant == tenant }
      let before = state.rows.keys[index]
      guard before.project == successor.project else {
        throw TenancyError(.invalid, "A key is rotated inside its project.")
      }
      try self.insert(successor, &state)
      for (_, limit) in state.rows.overrides where limit.key == old {
        let copy = try LimitOverride(key: successor.id, dimension: limit.dimension, value: limit.value)
        state.rows.overrides.append((tenant, copy))
      }
      state.rows.keys[index].expires = min(before.expires ?? overlapEnds, overlapEnds)
    }
  }

  // MARK: People

  func createUser(_ user: User) throws(TenancyError) {
    guard user.tenant == tenant else { throw .unknown("tenant") }
    try TenancyRules.checkName(user.name)
    try TenancyRules.checkName(user.email)
    try change { (state) throws(TenancyError) in try state.insert(user) }
  }

  func users() throws(TenancyError) -> [User] {
    try store.read { (state) throws(TenancyError) in
      state.rows.users.filter { $0.tenant == tenant }.sorted { $0.email < $1.email }
    }
  }

  func user(_ id: UserID) throws(TenancyError) -> User {
    try store.read { (state) throws(TenancyError) in state.rows.users[try self.index(ofUser: id, state)] }
  }

  private func index(ofUser id: UserID, _ state: State) throws(TenancyError) -> Int {
    try state.index(of: "user", in: state.rows.users) { $0.id == id && $0.tenant == tenant }
  }

  func updateUser(_ user: User) throws(TenancyError) {
    try TenancyRules.checkName(user.name)
    try TenancyRules.checkName(user.email)
    try change { (state) throws(TenancyError) in
      let index = try self.index(ofUser: user.id, state)
      try state.refuse(
        state.rows.users.contains { $0.tenant == tenant && $0.email == user.email && $0.id != user.id })
      state.rows.users[index].name = user.name
      state.rows.users[index].email = user.email
    }
  }

  func setStanding(_ standing: Standing, ofUser id: UserID) throws(TenancyError) {
    try change { (state) throws(TenancyError) in
      state.rows.users[try self.index(ofUser: id, state)].standing = standing
    }
  }

  func deleteUser(_ id: UserID, at now: Int64) throws(TenancyError) {
    try change { (state) throws(TenancyError) in
      state.remove(userAt: try self.index(ofUser: id, state))
      while let index = state.rows.keys.firstIndex(where: { $0.user == id && $0.tenant == tenant }) {
        self.revoke(at: index, now, &state)
      }
    }
  }

  // MARK: Roles

  func createBinding(_ binding: RoleBinding) throws(TenancyError) {
    try TenancyRules.check(binding, in: tenant)
    try change { (state) throws(TenancyError) in
      _ = try state.index(of: "user", in: state.rows.users) {
        $0.id == binding.user && ($0.tenant == tenant || $0.tenant == nil)
      }
      if case .project(_, let project) = binding.scope { _ = try self.index(ofProject: project, state) }
      try state.refuse(state.rows.bindings.contains { $0.id == binding.id })
      state.rows.bindings.append(binding)
    }
  }

  func bindings() throws(TenancyError) -> [RoleBinding] {
    try store.read { (state) throws(TenancyError) in
      state.rows.bindings.filter { $0.scope.tenant == tenant }.sorted(by: MemoryTenancyStore.earlier)
    }
  }

  func deleteBinding(_ id: BindingID) throws(TenancyError) {
    try change { (state) throws(TenancyError) in
      let index = try state.index(of: "binding", in: state.rows.bindings) {
        $0.id == id && $0.scope.tenant == tenant
      }
      state.rows.bindings.remove(at: index)
    }
  }

  // MARK: Limits

  func setOverride(_ limit: LimitOverride) throws(TenancyError) {
    try change { (state) throws(TenancyError) in
      if let key = limit.key {
        _ = try state.index(of: "key", in: state.keys(of: tenant)) { $0.id == key }
      }
      state.rows.overrides.removeAll { self.isSame($0, limit.key, limit.dimension) }
      state.rows.overrides.append((tenant, limit))
    }
  }

  private func isSame(
    _ row: (tenant: TenantID, limit: LimitOverride), _ key: KeyID?, _ dimension: LimitOverride.Dimension
  ) -> Bool {
    row.tenant == tenant && row.limit.key == key && row.limit.dimension == dimension
  }

  func overrides() throws(TenancyError) -> [LimitOverride] {
    try store.read { (state) throws(TenancyError) in
      state.rows.overrides.filter { $0.tenant == tenant }.map(\.limit).sorted {
        ($0.key?.value ?? 0, $0.dimension.rawValue) < ($1.key?.value ?? 0, $1.dimension.rawValue)
      }
    }
  }

  func removeOverride(key: KeyID?, dimension: LimitOverride.Dimension) throws(TenancyError) {
    try change { (state) throws(TenancyError) in
      let index = try state.index(of: "limit", in: state.rows.overrides) { self.isSame($0, key, dimension) }
      state.rows.overrides.remove(at: index)
    }
  }

  // MARK: Sealed keys

  func setSealedKey(_ bytes: [UInt8], named name: String) throws(TenancyError) {
    try TenancyRules.checkName(name)
    try store.write { (state) throws(TenancyError) in
      _ = try state.tenant { $0.id == tenant }
      state.sealed[tenant, default: [:]][name] = bytes
    }
  }

  func sealedKey(named name: String) throws(TenancyError) -> [UInt8] {
    try store.read { (state) throws(TenancyError) in
      guard let bytes = state.sealed[tenant]?[name] else { throw .unknown("key") }
      return bytes
    }
  }

  func sealedKeyNames() throws(TenancyError) -> [String] {
    try store.read { (state) throws(TenancyError) in (state.sealed[tenant] ?? [:]).keys.sorted() }
  }

  func deleteSealedKey(named name: String) throws(TenancyError) {
    try store.write { (state) throws(TenancyError) in
      guard state.sealed[tenant]?.removeValue(forKey: name) != nil else { throw .unknown("key") }
    }
  }

  // MARK: Audit

  func audit(before: Int64?, limit: Int) throws(TenancyError) -> [AuditRow] {
    try store.read { (state) throws(TenancyError) in state.audit(of: tenant, before: before, limit: limit) }
  }
}
