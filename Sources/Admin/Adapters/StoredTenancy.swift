import Cryptography
package import Tenancy

/// The tenancy port over the store and the snapshot of credentials.
///
/// Reads and writes block and run on a queue of their own; a change is published before it is answered, so that what a
/// caller was told is in force.
package final class StoredTenancy: TenancyAdministration {
  /// What stands around the store.
  package struct Surroundings: Sendable {
    /// The credentials in force.
    package let directory: @Sendable () -> Directory
    /// The roles in force.
    package let roles: @Sendable () -> RoleCatalog
    /// Builds a new snapshot from the store and puts it in force.
    package let publish: @Sendable () throws -> Void
    package let clock: AdminClock
    /// The installation's secret under which credentials are stored.
    package let pepper: [UInt8]
    /// What a tenant gets whose creator names no policy, pinned: `base@3`.
    package let standardPolicy: String
    /// What a key gets whose creator names no role.
    package let standardKeyRole: String
    /// Makes the tenant of a draft and what it needs before it exists (its keys); nil: the value alone.
    package let makeTenant: (@Sendable (TenantDraft, TenantID, Int64) throws -> Tenant)?

    package init(
      directory: @escaping @Sendable () -> Directory, roles: @escaping @Sendable () -> RoleCatalog,
      publish: @escaping @Sendable () throws -> Void, clock: AdminClock, pepper: [UInt8], standardPolicy: String,
      standardKeyRole: String, makeTenant: (@Sendable (TenantDraft, TenantID, Int64) throws -> Tenant)? = nil
    ) {
      self.directory = directory
      self.roles = roles
      self.publish = publish
      self.clock = clock
      self.pepper = pepper
      self.standardPolicy = standardPolicy
      self.standardKeyRole = standardKeyRole
      self.makeTenant = makeTenant
    }
  }

  private let store: any TenancyStore
  private let around: Surroundings
  private let calls = BlockingCalls(label: "torhaus.admin.tenancy")

  package init(store: any TenancyStore, surroundings: Surroundings) {
    self.store = store
    around = surroundings
  }

  /// Reads from the store.
  private func read<Value: Sendable>(_ work: @escaping @Sendable (any TenancyStore) throws -> Value) async throws
    -> Value
  {
    try await calls.run { [store] in try work(store) }
  }

  /// Changes the store, then publishes.
  private func change<Value: Sendable>(
    _ work: @escaping @Sendable (any TenancyStore, Int64) throws -> Value
  ) async throws -> Value {
    try await calls.run { [store, around] in
      let value = try work(store, around.clock.now().secondsSince1970)
      try around.publish()
      return value
    }
  }
}

// MARK: - Login and roles

extension StoredTenancy {
  package func actor(bearing token: String) async throws -> AdminActor? {
    let pepper = try HMACKey(around.pepper)
    let now = around.clock.now().secondsSince1970
    let principal = Array(token.utf8).withUnsafeBytes {
      around.directory().authenticateAdmin($0, pepper: pepper, now: now)
    }
    return principal.map { AdminActor(user: $0.user.id, name: $0.user.name, bindings: $0.bindings) }
  }

  package func roles() async throws -> [Role] { Array(around.roles().roles.values) }

  package func bindings(of tenant: TenantID?) async throws -> [RoleBinding] {
    try await read { store in
      guard let tenant else { return try store.installationBindings() }
      return try store.scoped(to: tenant).bindings()
    }
  }

  package func bindings(of user: UserID) async throws -> [RoleBinding] {
    try await read { try $0.bindings(of: user) }
  }

  package func bind(_ draft: BindingDraft) async throws -> RoleBinding {
    try await change { store, now in
      let binding = RoleBinding(
        id: BindingID(try SecureBytes.randomID()), user: draft.user, role: draft.role, scope: draft.scope,
        reason: draft.reason, expires: draft.expires?.secondsSince1970, grantedBy: draft.grantedBy, grantedAt: now)
      if let tenant = draft.scope.tenant {
        try store.scoped(to: tenant).createBinding(binding)
      } else {
        try store.createInstallationBinding(binding)
      }
      return binding
    }
  }

  package func unbind(_ binding: RoleBinding) async throws {
    try await change { store, _ in
      if let tenant = binding.scope.tenant {
        try store.scoped(to: tenant).deleteBinding(binding.id)
      } else {
        try store.deleteInstallationBinding(binding.id)
      }
    }
  }
}

// MARK: - Tenants, projects, people

extension StoredTenancy {
  package func tenants() async throws -> [TenantRecord] {
    try await read { try $0.tenants().map(TenantRecord.init) }
  }

  package func tenant(named slug: Slug) async throws -> TenantRecord? {
    try await read { store in
      do {
        return TenantRecord(try store.tenant(named: slug))
      } catch let error as TenancyError where error.code == .notFound {
        return nil
      }
    }
  }

  package func createTenant(_ draft: TenantDraft) async throws -> TenantRecord {
    let policy = draft.policy ?? around.standardPolicy
    let make = around.makeTenant
    return try await change { store, now in
      let id = TenantID(try SecureBytes.randomID())
      let tenant =
        try make?(draft, id, now)
        ?? Tenant(id: id, slug: draft.slug, name: draft.name, policy: policy, createdAt: now)
      try store.createTenant(tenant)
      return TenantRecord(tenant)
    }
  }

  package func setSuspended(_ suspended: Bool, tenant: TenantID) async throws -> TenantRecord {
    try await change { store, _ in
      try store.setStanding(suspended ? .suspended : .active, ofTenant: tenant)
      return TenantRecord(try store.tenant(tenant))
    }
  }

  package func projects(of tenant: TenantID) async throws -> [ProjectRecord] {
    try await read { try $0.scoped(to: tenant).projects().map(ProjectRecord.init) }
  }

  package func createProject(_ draft: ProjectDraft) async throws -> ProjectRecord {
    try await change { store, now in
      let project = Project(
        id: ProjectID(try SecureBytes.randomID()), tenant: draft.tenant, slug: draft.slug, name: draft.name,
        createdAt: now)
      try store.scoped(to: draft.tenant).createProject(project)
      return ProjectRecord(project)
    }
  }

  package func users(of tenant: TenantID?) async throws -> [UserRecord] {
    try await read { store in
      let users = if let tenant { try store.scoped(to: tenant).users() } else { try store.operators() }
      return users.map(UserRecord.init)
    }
  }

  package func createUser(_ draft: UserDraft) async throws -> UserRecord {
    try await change { store, now in
      let user = User(
        id: UserID(try SecureBytes.randomID()), tenant: draft.tenant, name: draft.name, email: draft.email,
        createdAt: now)
      if let tenant = draft.tenant {
        try store.scoped(to: tenant).createUser(user)
      } else {
        try store.createOperator(user)
      }
      return UserRecord(user)
    }
  }
}

// MARK: - Credentials

extension StoredTenancy {
  package func keys(of tenant: TenantID) async throws -> [KeyRecord] {
    let now = around.clock.now().secondsSince1970
    return try await read { try $0.scoped(to: tenant).keys().map { KeyRecord($0, now: now) } }
  }

  package func createKey(_ draft: KeyDraft, in tenant: TenantID) async throws -> IssuedKey {
    let role = draft.role ?? around.standardKeyRole
    let pepper = around.pepper
    return try await change { store, now in
      let fresh = try FreshCredential(.apiKey, pepper: pepper)
      let key = APIKey(
        id: KeyID(fresh.id), tenant: tenant, project: draft.project, user: draft.user, name: draft.name, role: role,
        digest: fresh.digest, expires: draft.expires?.secondsSince1970, createdAt: now)
      try store.scoped(to: tenant).createKey(key)
      return IssuedKey(record: KeyRecord(key, now: now), secret: fresh.text)
    }
  }

  package func revokeKey(_ key: KeyID, in tenant: TenantID) async throws -> KeyRecord {
    try await change { store, now in
      let scoped = try store.scoped(to: tenant)
      try scoped.revokeKey(key, at: now)
      return KeyRecord(try scoped.key(key), now: now)
    }
  }

  package func rotateKey(_ key: KeyID, overlapSeconds: Int64, in tenant: TenantID) async throws -> IssuedKey {
    let pepper = around.pepper
    return try await change { store, now in
      let scoped = try store.scoped(to: tenant)
      let old = try scoped.key(key)
      let fresh = try FreshCredential(.apiKey, pepper: pepper)
      let successor = APIKey(
        id: KeyID(fresh.id), tenant: tenant, project: old.project, user: old.user, name: old.name, role: old.role,
        digest: fresh.digest, models: old.models, networks: old.networks, expires: old.expires, createdAt: now)
      let (end, overflow) = now.addingReportingOverflow(overlapSeconds)
      try scoped.rotateKey(key, to: successor, overlapEnds: overflow ? .max : end)
      return IssuedKey(record: KeyRecord(successor, now: now), secret: fresh.text)
    }
  }

  package func issueToken(to user: UserID, lifetimeSeconds: Int64) async throws -> IssuedToken {
    let pepper = around.pepper
    return try await change { store, now in
      let fresh = try FreshCredential(.adminToken, pepper: pepper)
      let (end, overflow) = now.addingReportingOverflow(lifetimeSeconds)
      let expires = overflow ? .max : end
      try store.createAdminToken(
        AdminToken(id: AdminTokenID(fresh.id), user: user, digest: fresh.digest, expires: expires, createdAt: now))
      return IssuedToken(secret: fresh.text, expires: Timestamp(secondsSince1970: expires))
    }
  }
}

/// A credential that was just made: its text for the caller, its digest for the store.
