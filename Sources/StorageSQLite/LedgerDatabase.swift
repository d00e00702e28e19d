internal import GRDB
internal import Quotas

/// One connection to `ledger.sqlite`: WAL, synchronous=FULL. Opens only what it understands.
final class LedgerDatabase: Sendable {
  private let queue: DatabaseQueue
  private let lock: WriterLock

  init(path: String) throws(QuotaError) {
    var configuration = Configuration()
    configuration.journalMode = .wal
    configuration.busyMode = .timeout(5)
    configuration.label = "torhaus.ledger"
    configuration.prepareDatabase { db in
      try db.execute(sql: "PRAGMA synchronous = FULL")
    }
    guard let lock = WriterLock(path) else { throw QuotaError(.ledgerUnavailable, "no lock beside \(path)") }
    self.lock = lock
    do {
      let queue = try lock.hold { () throws -> DatabaseQueue in
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        let migrator = LedgerSchema.migrator
        if try queue.read(migrator.hasBeenSuperseded) {
          throw QuotaError(.ledgerDamaged, "The ledger was written by a newer version; start that one.")
        }
        try migrator.migrate(queue)
        return queue
      }
      self.queue = queue
      let verdict = try queue.read { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") }
      guard verdict == "ok" else {
        throw QuotaError(.ledgerDamaged, "The ledger file is damaged (\(verdict ?? "")); run the doctor.")
      }
    } catch {
      throw Self.translated(error)
    }
  }

  func read<Value>(_ body: (Database) throws -> Value) throws(QuotaError) -> Value {
    do { return try queue.read(body) } catch { throw Self.translated(error) }
  }

  /// One transaction, durable when this returns.
  func write<Value>(_ body: (Database) throws -> Value) throws(QuotaError) -> Value {
    do { return try lock.hold { try queue.write(body) } } catch { throw Self.translated(error) }
  }

  private static func translated(_ error: any Error) -> QuotaError {
    if let error = error as? QuotaError { return error }
    guard let error = error as? DatabaseError else { return QuotaError(.ledgerUnavailable, "\(type(of: error))") }
    let detail = "sqlite \(error.extendedResultCode.rawValue): \(error.message ?? "")"
    switch error.resultCode {
    case .SQLITE_CORRUPT, .SQLITE_NOTADB: return QuotaError(.ledgerDamaged, detail)
    default: return QuotaError(.ledgerUnavailable, detail)
    }
  }
}

/// The ledger's tables. Limit ids are 64-bit patterns, other ids 16 bytes, times nanoseconds since 1970.
enum LedgerSchema {
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("ledger-1") { db in
      try db.execute(sql: tables)
    }
    migrator.registerMigration("ledger-2: attempts whose true cost came later") { db in
      try db.execute(sql: "CREATE TABLE corrected (attempt BLOB PRIMARY KEY) STRICT, WITHOUT ROWID")
    }
    return migrator
  }

  private static let tables = """
    CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), last_time INTEGER NOT NULL) STRICT;
    INSERT INTO state VALUES (1, 0);
    CREATE TABLE node (id BLOB PRIMARY KEY, epoch INTEGER NOT NULL, recovered INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE budget (
      limit_id INTEGER NOT NULL, start INTEGER NOT NULL, ends INTEGER NOT NULL, tenant BLOB NOT NULL,
      dimension INTEGER NOT NULL, amount INTEGER NOT NULL, committed INTEGER NOT NULL CHECK (committed >= 0),
      leased INTEGER NOT NULL CHECK (leased >= 0), unreconciled INTEGER NOT NULL CHECK (unreconciled >= 0),
      PRIMARY KEY (limit_id, start)) STRICT, WITHOUT ROWID;
    CREATE TABLE lease (
      id INTEGER PRIMARY KEY AUTOINCREMENT, limit_id INTEGER NOT NULL, start INTEGER NOT NULL, node BLOB NOT NULL,
      epoch INTEGER NOT NULL, granted INTEGER NOT NULL, settled INTEGER NOT NULL, is_open INTEGER NOT NULL,
      UNIQUE (limit_id, start, node, epoch)) STRICT;
    CREATE INDEX lease_open ON lease (node) WHERE is_open = 1;
    CREATE TABLE answered (
      node BLOB NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, outcome INTEGER NOT NULL,
      amount INTEGER NOT NULL, lease INTEGER, PRIMARY KEY (node, epoch, sequence)) STRICT, WITHOUT ROWID;
    CREATE TABLE cut_amount (
      attempt BLOB NOT NULL, lease INTEGER NOT NULL, limit_id INTEGER NOT NULL, start INTEGER NOT NULL,
      amount INTEGER NOT NULL, PRIMARY KEY (attempt, lease)) STRICT, WITHOUT ROWID;
    CREATE TABLE cut_attempt (
      attempt BLOB PRIMARY KEY, tenant BLOB NOT NULL, project BLOB, key BLOB, user BLOB, day INTEGER NOT NULL,
      input INTEGER NOT NULL, output INTEGER NOT NULL, money INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE INDEX cut_tenant ON cut_attempt (tenant);
    CREATE TABLE usage (
      tenant BLOB NOT NULL, day INTEGER NOT NULL, project BLOB NOT NULL, key BLOB NOT NULL, user BLOB NOT NULL,
      requests INTEGER NOT NULL, input INTEGER NOT NULL, output INTEGER NOT NULL, money INTEGER NOT NULL,
      PRIMARY KEY (tenant, day, project, key, user)) STRICT, WITHOUT ROWID;
    CREATE TABLE usage_mark (
      node BLOB NOT NULL, epoch INTEGER NOT NULL, tenant BLOB NOT NULL, through INTEGER NOT NULL,
      PRIMARY KEY (node, epoch, tenant)) STRICT, WITHOUT ROWID;
    """
}
