internal import Cryptography
internal import Foundation
internal import GRDB
package import Tenancy

/// Tenants, people, keys and roles in one SQLite file. What a call returned is on disk.
package final class TenancySQLiteStore: TenancyStore {
  private let database: TenancyDatabase

  /// Opens or makes the file and brings its schema up to date.
  /// - Throws: ``TenancyError`` with code `newer_schema` for a file of a newer version, `storage_unavailable` otherwise.
  package init(path: String) throws(TenancyError) { database = try TenancyDatabase(path: path) }

  // MARK: Tenants

  package func createTenant(_ tenant: Tenant) throws(TenancyError) {
    try TenancyRules.checkName(tenant.name)
    try database.change { db in
      try db.execute(
        sql: "INSERT INTO tenants VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        arguments: [
          tenant.id.blob, tenant.slug.text, tenant.name, tenant.standing.rawValue, tenant.policy, tenant.group,
          tenant.timeZone, tenant.currency, tenant.createdAt,
        ])
    }
  }

  package func tenants() throws(TenancyError) -> [Tenant] {
    try database.read { db in try Row.fetchAll(db, sql: "SELECT * FROM tenants ORDER BY slug").map(Tenant.init(row:)) }
  }

  package func tenant(_ id: TenantID) throws(TenancyError) -> Tenant {
    try tenant(where: "id = ?", [id.blob])
  }

  package func tenant(named slug: Slug) throws(TenancyError) -> Tenant { try tenant(where: "slug = ?", [slug.text]) }

  private func tenant(where condition: String, _ arguments: StatementArguments) throws(TenancyError) -> Tenant {
    try database.read { db in
      guard let row = try Row.fetchOne(db, sql: "SELECT * FROM tenants WHERE \(condition)", arguments: arguments)
      else { throw TenancyError.unknown("tenant") }
      return try Tenant(row: row)
    }
  }

  package func updateTenant(_ tenant: Tenant) throws(TenancyError) {
    try TenancyRules.checkName(tenant.name)
    try database.change { db in
      try db.change(
        "tenant", "UPDATE tenants SET slug = ?, name = ?, policy = ?, tag = ?, zone = ?, currency = ? WHERE id = ?",
        [
          tenant.slug.text, tenant.name, tenant.policy, tenant.group, tenant.timeZone, tenant.currency,
          tenant.id.blob,
        ])
    }
  }

  package func setStanding(_ standing: Standing, ofTenant id: TenantID) throws(TenancyError) {
    try database.change { db in
      try db.change("tenant", "UPDATE tenants SET standing = ? WHERE id = ?", [standing.rawValue, id.blob])
    }
  }

  package func deleteTenant(_ id: TenantID) throws(TenancyError) {
    try database.change { db in try db.change("tenant", "DELETE FROM tenants WHERE id = ?", [id.blob]) }
  }

  package func scoped(to tenant: TenantID) throws(TenancyError) -> any TenantStore {
    _ = try self.tenant(tenant)
    return TenancySQLiteTenant(database, tenant: tenant)
  }

  // MARK: The operator's people

  package func createOperator(_ user: User) throws(TenancyError) {
    guard user.tenant == nil else { throw TenancyError(.invalid, "An operator belongs to no tenant.") }
    try TenancyRules.checkName(user.name)
    try TenancyRules.checkName(user.email)
    try database.change { db in try user.insert(db) }
  }

  package func operators() throws(TenancyError) -> [User] {
    try database.read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM users WHERE tenant IS NULL ORDER BY email").map(User.init(row:))
    }
  }

  package func user(_ id: UserID) throws(TenancyError) -> User {
    try database.read { db in
      guard let row = try Row.fetchOne(db, sql: "SELECT * FROM users WHERE id = ?", arguments: [id.blob]) else {
        throw TenancyError.unknown("user")
      }
      return try User(row: row)
    }
  }

  package func setStanding(_ standing: Standing, ofOperator id: UserID) throws(TenancyError) {
    try database.change { db in
      try db.change(
        "user", "UPDATE users SET standing = ? WHERE id = ? AND tenant IS NULL", [standing.rawValue, id.blob])
    }
  }

  package func deleteOperator(_ id: UserID) throws(TenancyError) {
    try database.change { db in
      try db.change("user", "DELETE FROM users WHERE id = ? AND tenant IS NULL", [id.blob])
    }
  }

  package func createInstallationBinding(_ binding: RoleBinding) throws(TenancyError) {
    guard binding.scope == .installation else { throw .unknown("scope") }
    try TenancyRules.checkName(binding.role)
    try TenancyRules.checkName(binding.reason)
    try database.change { db in
      guard try db.exists("SELECT 1 FROM users WHERE id = ? AND tenant IS NULL", [binding.user.blob]) else {
        throw TenancyError.unknown("user")
      }
      try binding.insert(db)
    }
  }

  package func installationBindings() throws(TenancyError) -> [RoleBinding] {
    try database.read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM bindings WHERE tenant IS NULL ORDER BY granted_at, id")
        .map(RoleBinding.init(row:))
    }
  }

  package func deleteInstallationBinding(_ id: BindingID) throws(TenancyError) {
    try database.change { db in
      try db.change("binding", "DELETE FROM bindings WHERE id = ? AND tenant IS NULL", [id.blob])
    }
  }

  package func bindings(of user: UserID) throws(TenancyError) -> [RoleBinding] {
    try database.read { db in
      try Row.fetchAll(
        db, sql: "SELECT * FROM bindings WHERE user = ? ORDER BY granted_at, id", arguments: [user.blob]
      ).map(RoleBinding.init(row:))
    }
  }

  // MARK: Admin tokens

  package func createAdminToken(_ token: AdminToken) throws(TenancyError) {
    guard token.id.value != 0 else { throw TenancyError(.invalid, "A token needs a random id.") }
    try database.change { db in
      guard try db.exists("SELECT 1 FROM users WHERE id = ?", [token.user.blob]) else {
        throw TenancyError.unknown("user")
      }
      try db.execute(
        sql: "INSERT INTO admin_tokens VALUES (?, ?, ?, ?, ?)",
        arguments: [token.id.blob, token.user.blob, Data(token.digest.bytes), token.expires, token.createdAt])
    }
  }

  package func adminTokens(of user: UserID) throws(TenancyError) -> [AdminToken] {
    try database.read { db in
      try Row.fetchAll(
        db, sql: "SELECT * FROM admin_tokens WHERE user = ? ORDER BY created, id", arguments: [user.blob]
      ).map(AdminToken.init(row:))
    }
  }

  package func deleteAdminToken(_ id: AdminTokenID) throws(TenancyError) {
    try database.change { db in try db.change("token", "DELETE FROM admin_tokens WHERE id = ?", [id.blob]) }
  }

  package func pruneAdminTokens(now: Int64) throws(TenancyError) -> Int {
    try database.write { db in
      try db.execute(sql: "DELETE FROM admin_tokens WHERE expires <= ?", arguments: [now])
      let count = db.changesCount
      if count > 0 { try db.execute(sql: "UPDATE counter SET change = change + 1 WHERE id = 1") }
      return count
    }
  }

  // MARK: Policy sets and audit

  package func saveApplied(_ set: AppliedPolicySet) throws(TenancyError) {
    try database.write { db in
      try db.execute(
        sql: "INSERT INTO policy_sets (hash, content, applied, applied_by) VALUES (?, ?, ?, ?)",
        arguments: [set.hash, Data(set.content), set.appliedAt, set.appliedBy?.blob])
    }
  }

  package func appliedPolicySets(limit: Int) throws(TenancyError) -> [AppliedPolicySet] {
    try database.read { db in
      try Row.fetchAll(
        db, sql: "SELECT * FROM policy_sets ORDER BY sequence DESC LIMIT ?", arguments: [max(0, limit)]
      ).map(AppliedPolicySet.init(row:))
    }
  }

  package func appendAudit(_ row: AuditRow) throws(TenancyError) -> AuditRow {
    try database.write { db in
      try db.execute(
        sql: "INSERT INTO audit (at, actor, tenant, action, target, detail) VALUES (?, ?, ?, ?, ?, ?)",
        arguments: [row.at, row.actor, row.tenant?.blob, row.action, row.target, row.detail])
      return AuditRow(
        sequence: db.lastInsertedRowID, at: row.at, actor: row.actor, tenant: row.tenant, action: row.action,
        target: row.target, detail: row.detail)
    }
  }

  package func audit(before: Int64?, limit: Int) throws(TenancyError) -> [AuditRow] {
    try database.read { db in
      try Row.fetchAll(
        db, sql: "SELECT * FROM audit WHERE sequence < ? ORDER BY sequence DESC LIMIT ?",
        arguments: [before ?? .max, max(0, limit)]
      ).map(AuditRow.init(row:))
    }
  }

  // MARK: Directory

  package func loadAll() throws(TenancyError) -> DirectoryRows {
    try database.read { db in try DirectoryRows(all: db) }
  }

  package func changes(since change: Int64) throws(TenancyError) -> DirectoryChanges {
    try database.read { db in try DirectoryChanges(db, since: change) }
  }

  package func changeCounter() throws(TenancyError) -> Int64 {
    try database.read { db in try db.changeCounter() }
  }
}

extension User {
  func insert(_ db: Database) throws {
    try db.execute(
      sql: "INSERT INTO users VALUES (?, ?, ?, ?, ?, ?)",
      arguments: [id.blob, tenant?.blob, name, email, standing.rawValue, createdAt])
  }
}
