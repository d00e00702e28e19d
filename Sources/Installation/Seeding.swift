import Admin
import Cryptography
import Glibc
import Policies
import StorageSQLite
import Tenancy

/// Makes what must exist before anybody can grant anything: the operator, and of each tenant the first people. An act of
/// the installation itself, by whoever holds its folder; everything after it goes through the Admin API.
///
/// Nobody may grant what they do not hold, and the operator holds no content: so a tenant's first privacy officer can
/// come from here only.
struct Seeding {
  let core: InstallationCore

  private var now: Int64 { Int64(time(nil)) }

  func tenant(_ slug: Slug, name: String, policy: String?) throws -> Tenant {
    let draft = TenantDraft(slug: slug, name: name, policy: policy)
    let tenant = try Administration.makeTenant(draft, TenantID(try SecureBytes.randomID()), now, core)
    try core.tenancy.createTenant(tenant)
    return tenant
  }

  func project(_ slug: Slug, name: String, in tenant: TenantID) throws -> Project {
    let project = Project(
      id: ProjectID(try SecureBytes.randomID()), tenant: tenant, slug: slug, name: name, createdAt: now)
    try core.tenancy.scoped(to: tenant).createProject(project)
    return project
  }

  /// - Returns: The key's text.
  func key(_ name: String, role: String, of project: Project) throws -> String {
    let fresh = try FreshCredential(.apiKey, pepper: core.pepper)
    try core.tenancy.scoped(to: project.tenant).createKey(
      APIKey(
        id: KeyID(fresh.id), tenant: project.tenant, project: project.id, name: name, role: role,
        digest: fresh.digest, createdAt: now))
    return fresh.text
  }

  /// A person with one role and a token for the Admin API.
  /// - Parameter tenant: Nil: one of the operator's people.
  /// - Returns: The token's text.
  func person(name: String, email: String, role: String, tenant: TenantID?, days: Int64, reason: String) throws
    -> String
  {
    guard core.policySet.roles[role] != nil else {
      throw InstallationError(
        .invalidConfiguration, "there is no role '\(role)'",
        hint: "there are: \(core.policySet.roles.roles.keys.sorted().joined(separator: ", "))")
    }
    let user = User(id: UserID(try SecureBytes.randomID()), tenant: tenant, name: name, email: email, createdAt: now)
    let binding = RoleBinding(
      id: BindingID(try SecureBytes.randomID()), user: user.id, role: role,
      scope: tenant.map { .tenant($0) } ?? .installation, reason: reason, expires: nil, grantedBy: nil, grantedAt: now)
    if let tenant {
      let store = try core.tenancy.scoped(to: tenant)
      try store.createUser(user)
      try store.createBinding(binding)
    } else {
      try core.tenancy.createOperator(user)
      try core.tenancy.createInstallationBinding(binding)
    }
    _ = try core.tenancy.appendAudit(
      AuditRow(
        at: now, actor: "installation", tenant: tenant, action: "role.bind", target: "\(user.id) \(role)",
        detail: reason))
    let fresh = try FreshCredential(.adminToken, pepper: core.pepper)
    try core.tenancy.createAdminToken(
      AdminToken(
        id: AdminTokenID(fresh.id), user: user.id, digest: fresh.digest, expires: now + days * 86_400, createdAt: now))
    return fresh.text
  }
}
