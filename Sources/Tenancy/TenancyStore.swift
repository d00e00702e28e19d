/// The port to where tenants, people and keys are kept; acts of the installation.
///
/// All calls block and run off the event loops. Each is one transaction; what it returned is durable. Every change
/// raises ``changeCounter()``, in the same transaction.
public protocol TenancyStore: Sendable {
  func createTenant(_ tenant: Tenant) throws(TenancyError)
  func tenants() throws(TenancyError) -> [Tenant]
  func tenant(_ id: TenantID) throws(TenancyError) -> Tenant
  func tenant(named slug: Slug) throws(TenancyError) -> Tenant
  /// Writes name, slug, policy, group, zone and currency; the standing changes by ``setStanding(_:ofTenant:)`` alone.
  func updateTenant(_ tenant: Tenant) throws(TenancyError)
  func setStanding(_ standing: Standing, ofTenant id: TenantID) throws(TenancyError)
  /// Deletes the tenant and all that belongs to it, its sealed keys and people included.
  func deleteTenant(_ id: TenantID) throws(TenancyError)
  /// The store as one tenant sees it; `not_found` unless the tenant exists.
  func scoped(to tenant: TenantID) throws(TenancyError) -> any TenantStore

  /// The operator's people.
  func createOperator(_ user: User) throws(TenancyError)
  func operators() throws(TenancyError) -> [User]
  func user(_ id: UserID) throws(TenancyError) -> User
  func setStanding(_ standing: Standing, ofOperator id: UserID) throws(TenancyError)
  func deleteOperator(_ id: UserID) throws(TenancyError)
  func createInstallationBinding(_ binding: RoleBinding) throws(TenancyError)
  func installationBindings() throws(TenancyError) -> [RoleBinding]
  func deleteInstallationBinding(_ id: BindingID) throws(TenancyError)
  /// Bindings of one person on every scope.
  func bindings(of user: UserID) throws(TenancyError) -> [RoleBinding]

  func createAdminToken(_ token: AdminToken) throws(TenancyError)
  func adminTokens(of user: UserID) throws(TenancyError) -> [AdminToken]
  func deleteAdminToken(_ id: AdminTokenID) throws(TenancyError)
  /// Deletes those that expired before `now`; how many there were.
  func pruneAdminTokens(now: Int64) throws(TenancyError) -> Int

  func saveApplied(_ set: AppliedPolicySet) throws(TenancyError)
  /// Newest first.
  func appliedPolicySets(limit: Int) throws(TenancyError) -> [AppliedPolicySet]

  /// Appends and answers with the row as stored.
  func appendAudit(_ row: AuditRow) throws(TenancyError) -> AuditRow
  /// All tenants' rows, newest first, with a sequence below `before` if given.
  func audit(before: Int64?, limit: Int) throws(TenancyError) -> [AuditRow]

  func loadAll() throws(TenancyError) -> DirectoryRows
  /// What has changed since the counter stood at `change`, whoever changed it; all there is if that cannot be told.
  func changes(since change: Int64) throws(TenancyError) -> DirectoryChanges
  /// Rises with every change of what ``loadAll()`` reads; never falls.
  func changeCounter() throws(TenancyError) -> Int64
}

/// The store through one tenant's eyes: what belongs to others does not exist here, so a foreign id and an unknown one
/// are the same `not_found`.
public protocol TenantStore: Sendable {
  var tenant: TenantID { get }

  func createProject(_ project: Project) throws(TenancyError)
  func projects() throws(TenancyError) -> [Project]
  func project(_ id: ProjectID) throws(TenancyError) -> Project
  func updateProject(_ project: Project) throws(TenancyError)
  /// Deletes it with its keys and bindings.
  func deleteProject(_ id: ProjectID) throws(TenancyError)

  func createKey(_ key: APIKey) throws(TenancyError)
  func keys() throws(TenancyError) -> [APIKey]
  func key(_ id: KeyID) throws(TenancyError) -> APIKey
  /// Final; revoking twice keeps the first time.
  func revokeKey(_ id: KeyID, at now: Int64) throws(TenancyError)
  /// Stores the successor and lets the old key live until `overlapEnds`, or its own end if that is sooner.
  /// - Parameter successor: Belongs to the same project; `conflict` if the old key is revoked.
  func rotateKey(_ old: KeyID, to successor: APIKey, overlapEnds: Int64) throws(TenancyError)

  func createUser(_ user: User) throws(TenancyError)
  func users() throws(TenancyError) -> [User]
  func user(_ id: UserID) throws(TenancyError) -> User
  func updateUser(_ user: User) throws(TenancyError)
  func setStanding(_ standing: Standing, ofUser id: UserID) throws(TenancyError)
  /// Deletes the person with their bindings and tokens; their keys are revoked.
  func deleteUser(_ id: UserID, at now: Int64) throws(TenancyError)

  func createBinding(_ binding: RoleBinding) throws(TenancyError)
  func bindings() throws(TenancyError) -> [RoleBinding]
  func deleteBinding(_ id: BindingID) throws(TenancyError)

  /// Puts a limit in place of the one of the same key and dimension.
  func setOverride(_ limit: LimitOverride) throws(TenancyError)
  func overrides() throws(TenancyError) -> [LimitOverride]
  func removeOverride(key: KeyID?, dimension: LimitOverride.Dimension) throws(TenancyError)

  /// Keeps opaque sealed bytes under a name, in place of those before.
  func setSealedKey(_ bytes: [UInt8], named name: String) throws(TenancyError)
  func sealedKey(named name: String) throws(TenancyError) -> [UInt8]
  func sealedKeyNames() throws(TenancyError) -> [String]
  func deleteSealedKey(named name: String) throws(TenancyError)

  /// This tenant's rows, newest first.
  func audit(before: Int64?, limit: Int) throws(TenancyError) -> [AuditRow]
}

/// The rules every store keeps before it writes, said once.
public enum TenancyRules {
  /// Names are 1 to 200 bytes without control characters.
  public static func checkName(_ name: String) throws(TenancyError) {
    let scalars = name.unicodeScalars
    guard (1...200).contains(name.utf8.count),
      scalars.allSatisfy({ $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
    else { throw TenancyError(.invalid, "A name is 1 to 200 bytes without control characters.") }
  }

  public static func check(_ key: APIKey, in tenant: TenantID) throws(TenancyError) {
    guard key.tenant == tenant else { throw .unknown("project") }
    guard key.id.value != 0 else { throw TenancyError(.invalid, "A key needs a random id.") }
    try checkName(key.name)
    try checkName(key.role)
  }

  public static func check(_ binding: RoleBinding, in tenant: TenantID) throws(TenancyError) {
    guard binding.scope.tenant == tenant else { throw .unknown("scope") }
    try checkName(binding.role)
    try checkName(binding.reason)
  }
}
