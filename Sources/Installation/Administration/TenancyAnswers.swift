import Admin
import Cryptography
import Policies
import SealedLog
import Tenancy

extension Administration: TenancyAdministration {
  func actor(bearing token: String) async throws -> AdminActor? {
    let bytes = Array(token.utf8)
    let pepper = try HMACKey(core.pepper)
    let principal = bytes.withUnsafeBytes {
      core.directories.current.authenticateAdmin($0, pepper: pepper, now: Self.now())
    }
    return principal.map { AdminActor(user: $0.user.id, name: $0.user.name, bindings: $0.bindings) }
  }

  func roles() async throws -> [Role] { core.policySet.roles.roles.values.sorted { $0.name < $1.name } }

  // MARK: Tenants

  private func record(_ tenant: Tenant) -> TenantRecord {
    TenantRecord(
      id: tenant.id, slug: tenant.slug, name: tenant.name, policy: tenant.policy,
      suspended: tenant.standing == .suspended, created: Timestamp(secondsSince1970: tenant.createdAt))
  }

  func tenants() async throws -> [TenantRecord] { try adapting { try core.tenancy.tenants() }.map(record) }

  func tenant(named slug: Slug) async throws -> TenantRecord? {
    do { return record(try core.tenancy.tenant(named: slug)) } catch {
      guard error.code == .notFound else { throw AdminError(.internalFailure, "the store could not be read") }
      return nil
    }
  }

  func createTenant(_ draft: TenantDraft) async throws -> TenantRecord {
    let policy = try policy(draft.policy)
    let tenant = Tenant(
      id: TenantID(try SecureBytes.randomID()), slug: draft.slug, name: draft.name, policy: policy,
      timeZone: core.configuration.timeZone, currency: core.configuration.currency, createdAt: Self.now())
    // The keys come first: a tenant without keys could not be logged, and so not be served.
    if try adapting({ try core.tenancy.tenants() }).contains(where: { $0.slug == draft.slug }) {
      throw AdminError(.conflict, "a tenant '\(draft.slug)' exists")
    }
    _ = try core.tenantKeys.create(tenant.id)
    return try changing {
      try core.tenancy.createTenant(tenant)
      return record(tenant)
    }
  }

  /// The policy a new tenant gets: the one asked for, the newest version of its name, or the only one there is.
  private func policy(_ wanted: String?) throws -> String {
    let known = core.policySet.policies.keys.sorted()
    guard let wanted = wanted ?? core.configuration.defaultPolicy else {
      throw AdminError.invalid(
        "name the tenant's policy", param: "policy", hint: "there are: \(known.joined(separator: ", "))")
    }
    if known.contains(wanted) { return wanted }
    if let newest = known.filter({ $0.hasPrefix("\(wanted)@") }).max(by: { Self.version($0) < Self.version($1) }) {
      return newest
    }
    throw AdminError.invalid(
      "there is no policy '\(wanted)'", param: "policy", hint: "there are: \(known.joined(separator: ", "))")
  }

  private static func version(_ id: String) -> Int { id.split(separator: "@").last.flatMap { Int($0) } ?? 0 }

  func setSuspended(_ suspended: Bool, tenant: TenantID) async throws -> TenantRecord {
    try changing {
      try core.tenancy.setStanding(suspended ? .suspended : .active, ofTenant: tenant)
      return record(try core.tenancy.tenant(tenant))
    }
  }

  // MARK: Projects and keys

  private func record(_ project: Project) -> ProjectRecord {
    ProjectRecord(
      id: project.id, slug: project.slug, name: project.name, created: Timestamp(secondsSince1970: project.createdAt))
  }

  func projects(of tenant: TenantID) async throws -> [ProjectRecord] {
    try adapting { try core.tenancy.scoped(to: tenant).projects() }.map(record)
  }

  func createProject(_ draft: ProjectDraft, in tenant: TenantID) async throws -> ProjectRecord {
    let project = Project(
      id: ProjectID(try SecureBytes.randomID()), tenant: tenant, slug: draft.slug, name: draft.name,
      createdAt: Self.now())
    return try changing {
      try core.tenancy.scoped(to: tenant).createProject(project)
      return record(project)
    }
  }

  private func record(_ key: APIKey) -> KeyRecord {
    let isExpired = key.expires.map { $0 <= Self.now() } ?? false
    return KeyRecord(
      id: key.id, name: key.name, project: key.project, user: key.user, role: key.role,
      state: key.revokedAt != nil ? .revoked : isExpired ? .expired : .active,
      created: Timestamp(secondsSince1970: key.createdAt),
      expires: key.expires.map { Timestamp(secondsSince1970: $0) })
  }

  func keys(of tenant: TenantID) async throws -> [KeyRecord] {
    try adapting { try core.tenancy.scoped(to: tenant).keys() }.map(record)
  }

  func createKey(_ draft: KeyDraft, in tenant: TenantID) async throws -> IssuedKey {
    let role = draft.role ?? "app"
    guard core.policySet.roles[role] != nil else { throw AdminError.invalid("there is no role '\(role)'", param: "role") }
    let credential = try credential(.apiKey)
    let key = APIKey(
      id: KeyID(credential.id), tenant: tenant, project: draft.project, user: draft.user, name: draft.name,
      role: role, digest: credential.digest, expires: draft.expires?.secondsSince1970, createdAt: Self.now())
    return try changing {
      try core.tenancy.scoped(to: tenant).createKey(key)
      return IssuedKey(record: record(key), secret: credential.text)
    }
  }

  func revokeKey(_ key: KeyID, in tenant: TenantID) async throws -> KeyRecord {
    try changing {
      let store = try core.tenancy.scoped(to: tenant)
      try store.revokeKey(key, at: Self.now())
      return record(try store.key(key))
    }
  }

  func rotateKey(_ key: KeyID, overlapSeconds: Int64, in tenant: TenantID) async throws -> IssuedKey {
    let credential = try credential(.apiKey)
    return try changing {
      let store = try core.tenancy.scoped(to: tenant)
      let old = try store.key(key)
      let successor = APIKey(
        id: KeyID(credential.id), tenant: tenant, project: old.project, user: old.user, name: old.name,
        role: old.role, digest: credential.digest, models: old.models, networks: old.networks, expires: old.expires,
        createdAt: Self.now())
      let (ends, overflow) = Self.now().addingReportingOverflow(max(0, overlapSeconds))
      try store.rotateKey(key, to: successor, overlapEnds: overflow ? .max : ends)
      return IssuedKey(record: record(successor), secret: credential.text)
    }
  }

  // MARK: People

  private func record(_ user: User) -> UserRecord {
    UserRecord(
      id: user.id, name: user.name, email: user.email, suspended: user.standing == .suspended,
      created: Timestamp(secondsSince1970: user.createdAt))
  }

  func users(of tenant: TenantID?) async throws -> [UserRecord] {
    try adapting { try tenant.map { try core.tenancy.scoped(to: $0).users() } ?? core.tenancy.operators() }.map(record)
  }

  func createUser(_ draft: UserDraft, in tenant: TenantID?) async throws -> UserRecord {
    let user = User(
      id: UserID(try SecureBytes.randomID()), tenant: tenant, name: draft.name, email: draft.email,
      createdAt: Self.now())
    return try changing {
      if let tenant { try core.tenancy.scoped(to: tenant).createUser(user) } else { try core.tenancy.createOperator(user) }
      return record(user)
    }
  }

  func issueToken(to user: UserID, lifetimeSeconds: Int64) async throws -> IssuedToken {
    let credential = try credential(.adminToken)
    let now = Self.now()
    let (expires, overflow) = now.addingReportingOverflow(max(60, lifetimeSeconds))
    guard !overflow else { throw AdminError.invalid("the lifetime is too long", param: "lifetime") }
    return try changing {
      try core.tenancy.createAdminToken(
        AdminToken(
          id: AdminTokenID(credential.id), user: user, digest: credential.digest, expires: expires, createdAt: now))
      return IssuedToken(secret: credential.text, expires: Timestamp(secondsSince1970: expires))
    }
  }

  // MARK: Bindings

  func bindings(of tenant: TenantID?) async throws -> [RoleBinding] {
    try adapting {
      try tenant.map { try core.tenancy.scoped(to: $0).bindings() } ?? core.tenancy.installationBindings()
    }
  }

  func bindings(of user: UserID) async throws -> [RoleBinding] { try adapting { try core.tenancy.bindings(of: user) } }

  func bind(_ draft: BindingDraft) async throws -> RoleBinding {
    let binding = RoleBinding(
      id: BindingID(try SecureBytes.randomID()), user: draft.user, role: draft.role, scope: draft.scope,
      reason: draft.reason, expires: draft.expires?.secondsSince1970, grantedBy: draft.grantedBy,
      grantedAt: Self.now())
    return try changing {
      if let tenant = draft.scope.tenant {
        try core.tenancy.scoped(to: tenant).createBinding(binding)
      } else {
        try core.tenancy.createInstallationBinding(binding)
      }
      return binding
    }
  }

  func unbind(_ binding: BindingID) async throws {
    try changing {
      if try core.tenancy.installationBindings().contains(where: { $0.id == binding }) {
        return try core.tenancy.deleteInstallationBinding(binding)
      }
      for tenant in try core.tenancy.tenants() {
        let store = try core.tenancy.scoped(to: tenant.id)
        if try store.bindings().contains(where: { $0.id == binding }) { return try store.deleteBinding(binding) }
      }
      throw TenancyError.unknown("binding")
    }
  }
}
