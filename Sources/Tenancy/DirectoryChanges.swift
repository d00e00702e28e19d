/// What a ``Directory`` is amended by: the rows of all who have changed since an earlier reading, as they are now.
public struct DirectoryChanges: Sendable {
  /// Everything was read: who is not among the rows does not exist.
  public let isWhole: Bool
  /// Whose rows were read; one of them without a row of its own is gone.
  public let tenants: Set<TenantID>
  /// Whether all admin tokens were read, with their people and these people's bindings.
  public let hasAdmins: Bool
  public let rows: DirectoryRows

  /// Everything there is.
  public init(_ rows: DirectoryRows) {
    self.init(rows, tenants: Set(rows.tenants.map(\.id)), hasAdmins: true, isWhole: true)
  }

  /// Rows of these tenants and, if asked for, of all who administer.
  public init(_ rows: DirectoryRows, tenants: Set<TenantID>, hasAdmins: Bool) {
    self.init(rows, tenants: tenants, hasAdmins: hasAdmins, isWhole: false)
  }

  private init(_ rows: DirectoryRows, tenants: Set<TenantID>, hasAdmins: Bool, isWhole: Bool) {
    self.rows = rows
    self.tenants = tenants
    self.hasAdmins = hasAdmins
    self.isWhole = isWhole
  }
}
