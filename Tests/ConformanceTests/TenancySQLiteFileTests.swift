import Cryptography
import Foundation
import GRDB
import StorageSQLite
import Tenancy
import Testing

/// What only a file can show: it outlives the process, refuses newer versions, holds no key.
@Suite struct TenancySQLiteFileTests {
  private func inFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "tenancy-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.appending(path: "tenancy.db").path)
  }

  private func tenant() throws -> Tenant {
    Tenant(id: TenantID(1), slug: try #require(Slug("one")), name: "One", policy: "base@1", createdAt: 0)
  }

  @Test func aReopenedFileHasEverything() throws {
    try inFolder { path in
      let counter: Int64
      do {
        let store = try TenancySQLiteStore(path: path)
        try store.createTenant(tenant())
        counter = try store.changeCounter()
      }
      let store = try TenancySQLiteStore(path: path)
      #expect(try store.tenants() == [tenant()])
      #expect(try store.changeCounter() == counter)
    }
  }

  @Test func aFileOfANewerVersionIsRefused() throws {
    try inFolder { path in
      _ = try TenancySQLiteStore(path: path)
      let queue = try DatabaseQueue(path: path)
      try queue.write { db in try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('999 from the future')") }
      try queue.close()
      #expect {
        try TenancySQLiteStore(path: path)
      } throws: { ($0 as? TenancyError)?.code == .newerSchema }
    }
  }

  @Test func aFileThatIsNoDatabaseIsRefused() throws {
    try inFolder { path in
      try Data(repeating: 0x41, count: 4096).write(to: URL(filePath: path))
      #expect {
        try TenancySQLiteStore(path: path)
      } throws: { ($0 as? TenancyError)?.code == .storage }
    }
  }

  @Test func theFileIsInWriteAheadMode() throws {
    try inFolder { path in
      let store = try TenancySQLiteStore(path: path)
      try store.createTenant(tenant())
      let queue = try DatabaseQueue(path: path)
      #expect(try queue.read { try String.fetchOne($0, sql: "PRAGMA journal_mode") } == "wal")
    }
  }

  @Test func noKeyRestsInTheFile() throws {
    try inFolder { path in
      let store = try TenancySQLiteStore(path: path)
      try store.createTenant(tenant())
      let handle = try store.scoped(to: TenantID(1))
      try handle.createProject(
        Project(id: ProjectID(2), tenant: TenantID(1), slug: #require(Slug("p")), name: "P", createdAt: 0))
      let pepper = try HMACKey([UInt8](repeating: 3, count: 32))
      let (text, token) = try KeyToken.generate(.apiKey, random: SecureBytes.random)
      try handle.createKey(
        APIKey(
          id: KeyID(token.id), tenant: TenantID(1), project: ProjectID(2), name: "k", role: "app",
          digest: try KeyToken.digest(of: text, pepper: pepper), createdAt: 0))
      let app = RoleCatalog([try Role(name: "app", scope: .project, permissions: .chat)])
      let directory = Directory(try store.loadAll(), roles: app)
      #expect(text.withUnsafeBytes { directory.authenticate($0, pepper: pepper, now: 0) }?.keyName == "k")
      let secret = Data(text[30..<80])
      for suffix in ["", "-wal"] {
        guard let bytes = try? Data(contentsOf: URL(filePath: path + suffix)) else { continue }
        #expect(bytes.range(of: secret) == nil)
      }
    }
  }

  @Test func aFileFromBeforeChangesWereMarkedIsTakenOver() throws {
    try inFolder { path in
      do { try TenancySQLiteStore(path: path).createTenant(tenant()) }
      let queue = try DatabaseQueue(path: path)
      try queue.write { db in
        for name in try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE type = 'trigger'") {
          try db.execute(sql: "DROP TRIGGER \(name)")
        }
        try db.execute(sql: "DROP TABLE touched")
        try db.execute(sql: "DELETE FROM grdb_migrations WHERE identifier LIKE '002%'")
      }
      try queue.close()
      let store = try TenancySQLiteStore(path: path)
      let known = try store.changeCounter()
      #expect(try store.changes(since: known).tenants.isEmpty)
      try store.setStanding(.suspended, ofTenant: TenantID(1))
      let changes = try store.changes(since: known)
      #expect(!changes.isWhole)
      #expect(changes.rows.tenants.map(\.standing) == [.suspended])
    }
  }

  /// Of an older version, say, during a hot restart; and whatever the statement says about conflicts.
  @Test(arguments: ["UPDATE", "UPDATE OR IGNORE", "UPDATE OR REPLACE", "UPDATE OR FAIL"])
  func whatAnotherProcessWritesIsMarked(update: String) throws {
    try inFolder { path in
      let store = try TenancySQLiteStore(path: path)
      try store.createTenant(tenant())
      let known = try store.changeCounter()
      let queue = try DatabaseQueue(path: path)
      try queue.write { db in
        try db.execute(sql: "\(update) tenants SET standing = 'suspended'")
        try db.execute(sql: "UPDATE counter SET change = change + 1 WHERE id = 1")
      }
      try queue.close()
      let changes = try store.changes(since: known)
      #expect(changes.tenants == [TenantID(1)])
      #expect(changes.rows.tenants.map(\.standing) == [.suspended])
    }
  }
}
