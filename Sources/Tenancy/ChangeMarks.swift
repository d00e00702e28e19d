/// When each tenant's rows, and those of all who administer, were last changed. Found by comparing, so that no change can
/// forget to say so.
struct ChangeMarks: Sendable {
  private var tenants: [TenantID: Int64] = [:]
  private var admins: Int64 = 0

  mutating func note(from before: DirectoryRows, to after: DirectoryRows) {
    var touched = Set<TenantID>()
    touched.formUnion(Self.difference(before.tenants, after.tenants).map(\.id))
    touched.formUnion(Self.difference(before.projects, after.projects).map(\.tenant))
    touched.formUnion(Self.difference(before.keys, after.keys).map(\.tenant))
    touched.formUnion(
      Self.difference(before.overrides.map(Override.init), after.overrides.map(Override.init)).map(\.tenant))
    let users = Self.difference(before.users, after.users)
    touched.formUnion(users.compactMap(\.tenant))
    for tenant in touched { tenants[tenant] = after.change }
    let standings = Set(before.tenants.map(Standing.init)).subtracting(after.tenants.map(Standing.init))
    if !users.isEmpty || !standings.isEmpty || before.adminTokens != after.adminTokens
      || before.bindings != after.bindings
    {
      admins = after.change
    }
  }

  func changes(of rows: DirectoryRows, since change: Int64) -> DirectoryChanges {
    guard (1...max(1, rows.change)).contains(change) else { return DirectoryChanges(rows) }
    let touched = Set(tenants.filter { $0.value > change }.keys)
    let hasAdmins = admins > change
    let people = Set(hasAdmins ? rows.adminTokens.map(\.user) : [])
    return DirectoryChanges(
      DirectoryRows(
        change: rows.change, tenants: rows.tenants.filter { touched.contains($0.id) },
        projects: rows.projects.filter { touched.contains($0.tenant) },
        users: rows.users.filter { $0.tenant.map(touched.contains) == true || people.contains($0.id) },
        keys: rows.keys.filter { touched.contains($0.tenant) }, adminTokens: hasAdmins ? rows.adminTokens : [],
        bindings: rows.bindings.filter { people.contains($0.user) },
        overrides: rows.overrides.filter { touched.contains($0.tenant) }),
      tenants: touched, hasAdmins: hasAdmins)
  }

  private struct Override: Hashable {
    let tenant: TenantID
    let limit: LimitOverride
    init(_ row: (tenant: TenantID, limit: LimitOverride)) { (tenant, limit) = row }
  }

  private struct Standing: Hashable {
    let tenant: TenantID
    let standing: Tenancy.Standing
    init(_ tenant: Tenant) { (self.tenant, standing) = (tenant.id, tenant.standing) }
  }

  private static func difference<Row: Hashable>(_ before: [Row], _ after: [Row]) -> Set<Row> {
    before == after ? [] : Set(before).symmetricDifference(after)
  }
}
