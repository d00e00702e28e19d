import Synchronization

/// The port's second implementation: everything in memory, for tests and for installations that live minutes.
public final class MemoryTenancyStore: TenancyStore {
  struct State {
    var rows = DirectoryRows(change: 1)
    var revoked: [KeyID: APIKey] = [:]
    var sealed: [TenantID: [String: [UInt8]]] = [:]
    var policySets: [AppliedPolicySet] = []
    var audit: [AuditRow] = []
    var marks = ChangeMarks()
  }

  private let state = Mutex(State())

  public init() {}

  /// One transaction: on an error nothing is changed.
  func write<Value: Sendable>(_ body: (inout State) throws(TenancyError) -> Value) throws(TenancyError) -> Value {
    let result: Result<Value, TenancyError> = state.withLock { held in
      var copy = held
      do throws(TenancyError) {
        let value = try body(&copy)
        held = copy
        return .success(value)
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// One transaction that raises the change counter.
  func change(_ body: (inout State) throws(TenancyError) -> Void) throws(TenancyError) {
    try write { (state) throws(TenancyError) in
      let before = state.rows
      try body(&state)
      state.rows.change &+= 1
      state.marks.note(from: before, to: state.rows)
    }
  }

  func read<Value: Sendable>(_ body: (State) throws(TenancyError) -> Value) throws(TenancyError) -> Value {
    let result: Result<Value, TenancyError> = state.withLock { held in
      do throws(TenancyError) { return .success(try body(held)) } catch { return .failure(error) }
    }
    return try result.get()
  }

  // MARK: Tenants

  public func createTenant(_ tenant: Tenant) throws(TenancyError) {
    try TenancyRules.checkName(tenant.name)
    try change { (state) throws(TenancyError) in
      try state.refuse(state.rows.tenants.contains { $0.id == tenant.id || $0.slug == tenant.slug })
      state.rows.tenants.append(tenant)
    }
  }

  public func tenants() throws(TenancyError) -> [Tenant] {
    try read { (state) throws(TenancyError) in state.rows.tenants.sorted { $0.slug < $1.slug } }
  }

  public func tenant(_ id: TenantID) throws(TenancyError) -> Tenant {
    try read { (state) throws(TenancyError) in try state.tenant { $0.id == id } }
  }

  public func tenant(named slug: Slug) throws(TenancyError) -> Tenant {
    try read { (state) throws(TenancyError) in try state.tenant { $0.slug == slug } }
  }

  public func updateTenant(_ tenant: Tenant) throws(TenancyError) {
    try TenancyRules.checkName(tenant.name)
    try change { (state) throws(TenancyError) in
      let index = try state.index(of: "tenant", in: state.rows.tenants) { $0.id == tenant.id }
      try state.refuse(state.rows.tenants.contains { $0.slug == tenant.slug && $0.id != tenant.id })
      var next = tenant
      next.standing = state.rows.tenants[index].standing
      state.rows.tenants[index] = next
    }
  }

  public func setStanding(_ standing: Standing, ofTenant id: TenantID) throws(TenancyError) {
    try change { (state) throws(TenancyError) in
      let index = try state.index(of: "tenant", in: state.rows.tenants) { $0.id == id }
      state.rows.tenants[index].standing = standing
    }
  }

  public func deleteTenant(_ id: TenantID) throws(TenancyError) {
    try change { (state) throws(TenancyError) in
      let index = try state.index(of: "tenant", in: state.rows.tenants) { $0.id == id }
      state.rows.tenants.remove(at: index)
      let people = Set(state.rows.users.filter { $0.tenant == id }.map(\.id))
      state.rows.users.removeAll { $0.tenant == id }
      state.rows.adminTokens.removeAll { people.contains($0.user) }
      state.rows.bindings.removeAll { $0.scope.tenant == id || people.contains($0.user) }
      state.rows.projects.removeAll { $0.tenant == id }
      state.rows.keys.removeAll { $0.tenant == id }
      state.revoked = state.revoked.filter { $0.value.tenant != id }
      state.rows.overrides.removeAll { $0.tenant == id }
      state.sealed[id] = nil
    }
  }

  public func scoped(to tenant: TenantID) throws(TenancyError) -> any TenantStore {
    _ = try self.tenant(tenant)
    return MemoryTenantStore(self, tenant: tenant)
  }

  // MARK: The operator's people

  public func createOperator(_ user: User) throws(TenancyError) {
    guard user.tenant == nil else { throw TenancyError(.invalid, "An operator belongs to no tenant.") }
    try TenancyRules.checkName(user.name)
    try TenancyRules.checkName(user.email)
    try change { (state) throws(TenancyError) in try state.insert(user) }
  }

  public func operators() throws(TenancyError) -> [User] {
    try read { (state) throws(TenancyError) in
      state.rows.users.filter { $0.tenant == nil }.sorted { $0.email < $1.email }
    }
  }

  public func user(_ id: UserID) throws(TenancyError) -> User {
    try read { (state) throws(TenancyError) in
      state.rows.users[try state.index(of: "user", in: state.rows.users) { $0.id == id }]
    }
  }

  public func setStanding(_ standing: Standing, ofOperator id: UserID) throws(TenancyError) {
    try change { (state) throws(TenancyError) in
      let index = try state.index(of: "user", in: state.rows.users) { $0.id == id && $0.tenant == nil }
      state.rows.users[index].standing = standing
    }
  }

  public func deleteOperator(_ id: UserID) throws(TenancyError) {
    try change { (state) throws(TenancyError) in
      let index = try state.index(of: "user", in: state.rows.users) { $0.id == id && $0.tenant == nil }
      state.remove(userAt: index)
    }
  }

  public func createInstallationBinding(_ binding: RoleBinding) throws(TenancyError) {
    guard binding.scope == .installation else { throw .unknown("scope") }
    try TenancyRules.checkName(binding.role)
    try TenancyRules.checkName(binding.reason)
    try change { (state) throws(TenancyError) in
      _ = try state.index(of: "user", in: state.rows.users) { $0.id == binding.user && $0.tenant == nil }
      try state.refuse(state.rows.bindings.contains { $0.id == binding.id })
      state.rows.bindings.append(binding)
    }
  }

  public func installationBindings() throws(TenancyError) -> [RoleBinding] {
    try read { (state) throws(TenancyError) in
      state.rows.bindings.filter { $0.scope == .installation }.sorted(by: Self.earlier)
    }
  }

  public func deleteInstallationBinding(_ id: BindingID) throws(TenancyError) {
    try change { (state) throws(TenancyError) in
      let index = try state.index(of: "binding", in: state.rows.bindings) {
        $0.id == id && $0.scope == .installation
      }
      state.rows.bindings.remove(at: index)
    }
  }

  public func bindings(of user: UserID) throws(TenancyError) -> [RoleBinding] {
    try read { (state) throws(TenancyError) in
      state.rows.bindings.filter { $0.user == user }.sorted(by: Self.earlier)
    }
  }

  static func earlier(_ left: RoleBinding, _ right: RoleBinding) -> Bool {
    (left.grantedAt, left.id.value) < (right.grantedAt, right.id.value)
  }

  // MARK: Admin tokens

  public func createAdminToken(_ token: AdminToken) throws(TenancyError) {
    guard token.id.value != 0 else { throw TenancyError(.invalid, "A token needs a random id.") }
    try change { (state) throws(TenancyError) in
      _ = try state.index(of: "user", in: state.rows.users) { $0.id == token.user }
      try state.refuse(state.rows.adminTokens.contains { $0.id == token.id })
      state.rows.adminTokens.append(token)
    }
  }

  public func adminTokens(of user: UserID) throws(TenancyError) -> [AdminToken] {
    try read { (state) throws(TenancyError) in
      state.rows.adminTokens.filter { $0.user == user }
        .sorted { ($0.createdAt, $0.id.value) < ($1.createdAt, $1.id.value) }
    }
  }

  public func deleteAdminToken(_ id: AdminTokenID) throws(TenancyError) {
    try change { (state) throws(TenancyError) in
      let index = try state.index(of: "token", in: state.rows.adminTokens) { $0.id == id }
      state.rows.adminTokens.remove(at: index)
    }
  }

  public func pruneAdminTokens(now: Int64) throws(TenancyError) -> Int {
    try write { (state) throws(TenancyError) in
      let before = state.rows
      state.rows.adminTokens.removeAll { $0.expires <= now }
      let count = before.adminTokens.count - state.rows.adminTokens.count
      if count > 0 {
        state.rows.change &+= 1
        state.marks.note(from: before, to: state.rows)
      }
      return count
    }
  }

  // MARK: Policy sets and audit

  public func saveApplied(_ set: AppliedPolicySet) throws(TenancyError) {
    try write { (state) throws(TenancyError) in state.policySets.append(set) }
  }

  public func appliedPolicySets(limit: Int) throws(TenancyError) -> [AppliedPolicySet] {
    try read { (state) throws(TenancyError) in Array(state.policySets.reversed().prefix(max(0, limit))) }
  }

  public func appendAudit(_ row: AuditRow) throws(TenancyError) -> AuditRow {
    try write { (state) throws(TenancyError) in
      let stored = AuditRow(
        sequence: Int64(state.audit.count) + 1, at: row.at, actor: row.actor, tenant: row.tenant, action: row.action,
        target: row.target, detail: row.detail)
      state.audit.append(stored)
      return stored
    }
  }

  public func audit(before: Int64?, limit: Int) throws(TenancyError) -> [AuditRow] {
    try read { (state) throws(TenancyError) in state.audit(of: nil, before: before, limit: limit) }
  }

  // MARK: Directory

  public func loadAll() throws(TenancyError) -> DirectoryRows {
    try read { (state) throws(TenancyError) in state.rows }
  }

  public func changes(since change: Int64) throws(TenancyError) -> DirectoryChanges {
    try read { (state) throws(TenancyError) in state.marks.changes(of: state.rows, since: change) }
  }

  public func changeCounter() throws(TenancyError) -> Int64 {
    try read { (state) throws(TenancyError) in state.rows.change }
  }
}

extension MemoryTenancyStore.State {
  func refuse(_ taken: Bool) throws(TenancyError) {
    if taken { throw TenancyError(.conflict, "That name or id is taken.") }
  }

  func index<Row>(of kind: String, in rows: [Row], where matches: (Row) -> Bool) throws(TenancyError) -> Int {
    guard let index = rows.firstIndex(where: matches) else { throw .unknown(kind) }
    return index
  }

  func tenant(where matches: (Tenant) -> Bool) throws(TenancyError) -> Tenant {
    rows.tenants[try index(of: "tenant", in: rows.tenants, where: matches)]
  }

  mutating func insert(_ user: User) throws(TenancyError) {
    try refuse(rows.users.contains { $0.id == user.id || ($0.tenant == user.tenant && $0.email == user.email) })
    rows.users.append(user)
  }

  mutating func remove(userAt index: Int) {
    let user = rows.users.remove(at: index).id
    rows.adminTokens.removeAll { $0.user == user }
    rows.bindings.removeAll { $0.user == user }
  }

  /// Newest first; nil: every tenant's.
  func audit(of tenant: TenantID?, before: Int64?, limit: Int) -> [AuditRow] {
    let rows = audit.reversed().lazy.filter { row in
      (tenant == nil || row.tenant == tenant) && row.sequence < before ?? .max
    }
    return Array(rows.prefix(max(0, limit)))
  }

  /// Keys that live and those that were revoked.
  func keys(of tenant: TenantID) -> [APIKey] {
    (rows.keys.filter { $0.tenant == tenant } + revoked.values.filter { $0.tenant == tenant })
      .sorted { ($0.createdAt, $0.id.value) < ($1.createdAt, $1.id.value) }
  }
}
