internal import Foundation
internal import GRDB
internal import Tenancy

/// One tenant's part of the file: every statement names the tenant, so a foreign row is never touched.
final class TenancySQLiteTenant: TenantStore {
  let tenant: TenantID
  private let database: TenancyDatabase
  private let me: Data

  init(_ database: TenancyDatabase, tenant: TenantID) {
    self.database = database
    self.tenant = tenant
    self.me = tenant.blob
  }

  private func all<Value>(_ sql: String, _ make: (Row) throws -> Value) throws(TenancyError) -> [Value] {
    try database.read { db in try Row.fetchAll(db, sql: sql, arguments: [me]).map(make) }
  }

  private func one<Value>(_ kind: String, _ sql: String, _ id: Data, _ make: (Row) throws -> Value)
    throws(TenancyError) -> Value
  {
    try database.read { db in
      guard let row = try Row.fetchOne(db, sql: sql, arguments: [me, id]) else { throw TenancyError.unknown(kind) }
      return try make(row)
    }
  }

  // MARK: Projects

  func createProject(_ project: Project) throws(TenancyError) {
    guard project.tenant == tenant else { throw .unknown("tenant") }
    try TenancyRules.checkName(project.name)
    try database.change { db in
      try db.execute(
        sql: "INSERT INTO projects VALUES (?, ?, ?, ?, ?)",
        arguments: [project.id.blob, me, project.slug.text, project.name, project.createdAt])
    }
  }

  func projects() throws(TenancyError) -> [Project] {
    try all("SELECT * FROM projects WHERE tenant = ? ORDER BY slug", Project.init(row:))
  }

  func project(_ id: ProjectID) throws(TenancyError) -> Project {
    try one("project", "SELECT * FROM projects WHERE tenant = ? AND id = ?", id.blob, Project.init(row:))
  }

  func updateProject(_ project: Project) throws(TenancyError) {
    try TenancyRules.checkName(project.name)
    try database.change { db in
      try db.change(
        "project", "UPDATE projects SET slug = ?, name = ? WHERE tenant = ? AND id = ?",
        [project.slug.text, project.name, me, project.id.blob])
    }
  }

  func deleteProject(_ id: ProjectID) throws(TenancyError) {
    try database.change { db in
      try db.execute(
        sql: "DELETE FROM overrides WHERE tenant = ? AND key IN (SELECT id FROM keys WHERE tenant = ? AND project = ?)",
        arguments: [me, me, id.blob])
      try db.change("project", "DELETE FROM projects WHERE tenant = ? AND id = ?", [me, id.blob])
    }
  }

  // MARK: Keys

  func createKey(_ key: APIKey) throws(TenancyError) {
    try TenancyRules.check(key, in: tenant)
    try database.change { db in
      try checkOwners(of: key, db)
      try key.insert(db)
    }
  }

  func keys() throws(TenancyError) -> [APIKey] {
    try all("SELECT * FROM keys WHERE tenant = ? ORDER BY created, id", APIKey.init(row:))
  }

  func key(_ id: KeyID) throws(TenancyError) -> APIKey {
    try one("key", "SELECT * FROM keys WHERE tenant = ? AND id = ?", id.blob, APIKey.init(row:))
  }

  func revokeKey(_ id: KeyID, at now: Int64) throws(TenancyError) {
    try database.change { db in
      try db.change(
        "key", "UPDATE keys SET revoked = ifnull(revoked, ?) WHERE tenant = ? AND id = ?", [now, me, id.blob])
    }
  }

  func rotateKey(_ old: KeyID, to successor: APIKey, overlapEnds: Int64) throws(TenancyError) {
    try TenancyRules.check(successor, in: tenant)
    try database.change { db in
      guard
        let row = try Row.fetchOne(
          db, sql: "SELECT * FROM keys WHERE tenant = ? AND id = ?", arguments: [me, old.blob])
      else { throw TenancyError.unknown("key") }
      let before = try APIKey(row: row)
      guard before.revokedAt == nil else { throw TenancyError(.conflict, "A revoked key cannot be rotated.") }
      guard before.project == successor.project else {
        throw TenancyError(.invalid, "A key is rotated inside its project.")
      }
      try checkOwners(of: successor, db)
      try successor.insert(db)
      // The limits of the old key go on with the new one.
      try db.execute(
        sql: """
          INSERT INTO overrides SELECT tenant, ?, dimension, value FROM overrides WHERE tenant = ? AND key = ?
          """, arguments: [successor.id.blob, me, old.blob])
      try db.execute(
        sql: "UPDATE keys SET expires = min(ifnull(expires, ?), ?) WHERE tenant = ? AND id = ?",
        arguments: [overlapEnds, overlapEnds, me, old.blob])
    }
  }

  private func checkOwners(of key: APIKey, _ db: Database) throws {
    guard try db.exists("SELECT 1 FROM projects WHERE tenant = ? AND id = ?", [me, key.project.blob]) else {
      throw TenancyError.unknown("project")
    }
    if let user = key.user, try !db.exists("SELECT 1 FROM users WHERE tenant = ? AND id = ?", [me, user.blob]) {
      throw TenancyError.unknown("user")
    }
  }

  // MARK: People

  func createUser(_ user: User) throws(TenancyError) {
    guard user.tenant == tenant else { throw .unknown("tenant") }
    try TenancyRules.checkName(user.name)
    try TenancyRules.checkName(user.email)
    try database.change { db in try user.insert(db) }
  }

  func users() throws(TenancyError) -> [User] {
    try all("SELECT * FROM users WHERE tenant = ? ORDER BY email", User.init(row:))
  }

  func user(_ id: UserID) throws(TenancyError) -> User {
    try one("user", "SELECT * FROM users WHERE tenant = ? AND id = ?", id.blob, User.init(row:))
  }

  func updateUser(_ user: User) throws(TenancyError) {
    try TenancyRules.checkName(user.name)
    try TenancyRules.checkName(user.email)
    try database.change { db in
      try db.change(
        "user", "UPDATE users SET name = ?, email = ? WHERE tenant = ? AND id = ?",
        [user.name, user.email, me, user.id.blob])
    }
  }

  func setStanding(_ standing: Standing, ofUser id: UserID) throws(TenancyError) {
    try database.change { db in
      try db.change(
        "user", "UPDATE users SET standing = ? WHERE tenant = ? AND id = ?", [standing.rawValue, me, id.blob])
    }
  }

  func deleteUser(_ id: UserID, at now: Int64) throws(TenancyError) {
    try database.change { db in
      try db.change("user", "DELETE FROM users WHERE tenant = ? AND id = ?", [me, id.blob])
      try db.execute(
        sql: "UPDATE keys SET revoked = ifnull(revoked, ?) WHERE tenant = ? AND user = ?",
        arguments: [now, me, id.blob])
    }
  }

  // MARK: Roles

  func createBinding(_ binding: RoleBinding) throws(TenancyError) {
    try TenancyRules.check(binding, in: tenant)
    try database.change { db in
      guard
        try db.exists(
          "SELECT 1 FROM users WHERE id = ? AND (tenant = ? OR tenant IS NULL)", [binding.user.blob, me])
      else { throw TenancyError.unknown("user") }
      if case .project(_, let project) = binding.scope {
        guard try db.exists("SELECT 1 FROM projects WHERE tenant = ? AND id = ?", [me, project.blob]) else {
          throw TenancyError.unknown("project")
        }
      }
      try binding.insert(db)
    }
  }

  func bindings() throws(TenancyError) -> [RoleBinding] {
    try all("SELECT * FROM bindings WHERE tenant = ? ORDER BY granted_at, id", RoleBinding.init(row:))
  }

  func deleteBinding(_ id: BindingID) throws(TenancyError) {
    try database.change { db in
      try db.change("binding", "DELETE FROM bindings WHERE tenant = ? AND id = ?", [me, id.blob])
    }
  }

  // MARK: Limits

  func setOverride(_ limit: LimitOverride) throws(TenancyError) {
    try database.change { db in
      if let key = limit.key, try !db.exists("SELECT 1 FROM keys WHERE tenant = ? AND id = ?", [me, key.blob]) {
        throw TenancyError.unknown("key")
      }
      try db.execute(
        sql: "INSERT OR REPLACE INTO overrides VALUES (?, ?, ?, ?)",
        arguments: [me, limit.key?.blob ?? Data(), limit.dimension.rawValue, limit.value])
    }
  }

  func overrides() throws(TenancyError) -> [LimitOverride] {
    try all("SELECT * FROM overrides WHERE tenant = ? ORDER BY key, dimension", LimitOverride.init(row:))
  }

  func removeOverride(key: KeyID?, dimension: LimitOverride.Dimension) throws(TenancyError) {
    try database.change { db in
      try db.change(
        "limit", "DELETE FROM overrides WHERE tenant = ? AND key = ? AND dimension = ?",
        [me, key?.blob ?? Data(), dimension.rawValue])
    }
  }

  // MARK: Sealed keys

  func setSealedKey(_ bytes: [UInt8], named name: String) throws(TenancyError) {
    try TenancyRules.checkName(name)
    try database.write { db in
      try db.execute(
        sql: "INSERT OR REPLACE INTO sealed_keys VALUES (?, ?, ?)", arguments: [me, name, Data(bytes)])
    }
  }

  func sealedKey(named name: String) throws(TenancyError) -> [UInt8] {
    try database.read { db in
      guard
        let bytes = try Data.fetchOne(
          db, sql: "SELECT bytes FROM sealed_keys WHERE tenant = ? AND name = ?", arguments: [me, name])
      else { throw TenancyError.unknown("key") }
      return Array(bytes)
    }
  }

  func sealedKeyNames() throws(TenancyError) -> [String] {
    try all("SELECT name FROM sealed_keys WHERE tenant = ? ORDER BY name") { $0["name"] }
  }

  func deleteSealedKey(named name: String) throws(TenancyError) {
    try database.write { db in
      try db.change("key", "DELETE FROM sealed_keys WHERE tenant = ? AND name = ?", [me, name])
    }
  }

  // MARK: Audit

  func audit(before: Int64?, limit: Int) throws(TenancyError) -> [AuditRow] {
    try database.read { db in
      try Row.fetchAll(
        db, sql: "SELECT * FROM audit WHERE tenant = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?",
        arguments: [me, before ?? .max, max(0, limit)]
      ).map(AuditRow.init(row:))
    }
  }
}
