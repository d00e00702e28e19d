internal import Foundation
internal import GRDB
internal import Tenancy

extension Database {
  func changeCounter() throws -> Int64 { try Int64.fetchOne(self, sql: "SELECT change FROM counter") ?? 0 }
}

extension DirectoryRows {
  /// Everything there is.
  init(all db: Database) throws {
    self.init(change: try db.changeCounter())
    try addTenants(db, "")
    users = try Row.fetchAll(db, sql: "SELECT * FROM users").map(User.init(row:))
    adminTokens = try Row.fetchAll(db, sql: "SELECT * FROM admin_tokens").map(AdminToken.init(row:))
    bindings = try Row.fetchAll(db, sql: "SELECT * FROM bindings").map(RoleBinding.init(row:))
  }

  /// One tenant's rows.
  mutating func add(_ tenant: Data, _ db: Database) throws {
    try addTenants(db, "= ?", [tenant])
    // As the index has it.
    let people = try Row.fetchCursor(
      db, sql: "SELECT * FROM users WHERE ifnull(tenant, x'') = ?", arguments: [tenant])
    while let row = try people.next() { users.append(try User(row: row)) }
  }

  /// All admin tokens, with their people and these people's bindings.
  mutating func addAdmins(_ db: Database) throws {
    adminTokens = try Row.fetchAll(db, sql: "SELECT * FROM admin_tokens").map(AdminToken.init(row:))
    let holders = "(SELECT user FROM admin_tokens)"
    users += try Row.fetchAll(db, sql: "SELECT * FROM users WHERE id IN \(holders)").map(User.init(row:))
    bindings = try Row.fetchAll(db, sql: "SELECT * FROM bindings WHERE user IN \(holders)").map(RoleBinding.init(row:))
  }

  /// - Parameter whose: What their tenant's id is; all of them if empty.
  private mutating func addTenants(_ db: Database, _ whose: String, _ arguments: StatementArguments = []) throws {
    func rows(_ table: String, _ id: String = "tenant", _ condition: String = "") throws -> RowCursor {
      let conditions = [whose.isEmpty ? "" : "\(id) \(whose)", condition].filter { !$0.isEmpty }
      let filter = conditions.isEmpty ? "" : " WHERE \(conditions.joined(separator: " AND "))"
      return try Row.fetchCursor(db, sql: "SELECT * FROM \(table)\(filter)", arguments: arguments)
    }
    let tenants = try rows("tenants", "id")
    while let row = try tenants.next() { self.tenants.append(try Tenant(row: row)) }
    let projects = try rows("projects")
    while let row = try projects.next() { self.projects.append(try Project(row: row)) }
    let keys = try rows("keys", "tenant", "revoked IS NULL")
    while let row = try keys.next() { self.keys.append(try APIKey(row: row)) }
    let overrides = try rows("overrides")
    while let row = try overrides.next() { self.overrides.append((try row.id("tenant"), try LimitOverride(row: row))) }
  }
}

extension DirectoryChanges {
  /// So many tenants at once are read faster with all the others.
  private static let most = 256

  init(_ db: Database, since: Int64) throws {
    var rows = DirectoryRows(change: try db.changeCounter())
    let touched = try Data.fetchAll(
      db, sql: "SELECT tenant FROM touched WHERE change > ? LIMIT ?", arguments: [since, Self.most + 1])
    guard since > 0, since <= rows.change, touched.count <= Self.most else {
      self.init(try DirectoryRows(all: db))
      return
    }
    let tenants = touched.filter { !$0.isEmpty }
    for tenant in tenants { try rows.add(tenant, db) }
    let hasAdmins = tenants.count < touched.count
    if hasAdmins { try rows.addAdmins(db) }
    self.init(rows, tenants: Set(try tenants.map { try TenantID(blob: $0) }), hasAdmins: hasAdmins)
  }
}
