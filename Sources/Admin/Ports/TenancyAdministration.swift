package import Tenancy

/// Tenants, projects, people, keys and role bindings, as the Admin API needs them.
///
/// What breaks a rule of theirs is thrown as `TenancyError` or ``AdminError``; anything else becomes `internal`. Whether
/// the caller may do it was decided before; tenants are named by id, so that no name from a path reaches a store.
package protocol TenancyAdministration: Sendable {
  /// Who bears the token now; nil for unknown, expired, revoked and malformed ones alike, after the same work.
  func actor(bearing token: String) async throws -> AdminActor?
  /// The roles of the policy set in force.
  func roles() async throws -> [Role]

  func tenants() async throws -> [TenantRecord]
  func tenant(named slug: Slug) async throws -> TenantRecord?
  func createTenant(_ draft: TenantDraft) async throws -> TenantRecord
  func setSuspended(_ suspended: Bool, tenant: TenantID) async throws -> TenantRecord

  func projects(of tenant: TenantID) async throws -> [ProjectRecord]
  func createProject(_ draft: ProjectDraft) async throws -> ProjectRecord

  func keys(of tenant: TenantID) async throws -> [KeyRecord]
  /// Makes a key; its text is returned here and never again.
  func createKey(_ draft: KeyDraft, in tenant: TenantID) async throws -> IssuedKey
  func revokeKey(_ key: KeyID, in tenant: TenantID) async throws -> KeyRecord
  /// Makes the key's successor; the old one lives on for the overlap, in seconds (0: ends at once).
  func rotateKey(_ key: KeyID, overlapSeconds: Int64, in tenant: TenantID) async throws -> IssuedKey

  /// The people of a tenant; of the installation itself for nil.
  func users(of tenant: TenantID?) async throws -> [UserRecord]
  func createUser(_ draft: UserDraft) async throws -> UserRecord
  /// Makes an admin token for a user; its text is returned here and never again.
  func issueToken(to user: UserID, lifetimeSeconds: Int64) async throws -> IssuedToken

  /// The bindings that hold in a tenant and its projects; on the installation for nil.
  func bindings(of tenant: TenantID?) async throws -> [RoleBinding]
  /// All bindings of one user, wherever they hold.
  func bindings(of user: UserID) async throws -> [RoleBinding]
  func bind(_ draft: BindingDraft) async throws -> RoleBinding
  func unbind(_ binding: RoleBinding) async throws
}

/// A person who speaks to the Admin API, with every binding they hold.
package struct AdminActor: Sendable {
  package let user: UserID
  package let name: String
  package let bindings: [RoleBinding]

  package init(user: UserID, name: String, bindings: [RoleBinding]) {
    self.user = user
    self.name = name
    self.bindings = bindings
  }
}
