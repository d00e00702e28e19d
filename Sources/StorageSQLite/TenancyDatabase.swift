internal import GRDB
internal import Tenancy

/// One connection to `tenancy.sqlite`: WAL, synchronous=FULL, foreign keys on; turns SQLite's errors into the port's.
final class TenancyDatabase: Sendable {
  private let queue: DatabaseQueue
  private let lock: WriterLock

  init(path: String) throws(TenancyError) {
    var configuration = Configuration()
    configuration.journalMode = .wal
    configuration.busyMode = .timeout(5)
    configuration.label = "torhaus.tenancy"
    configuration.prepareDatabase { db in
      try db.execute(sql: "PRAGMA synchronous = FULL")
      try db.execute(sql: "PRAGMA secure_delete = ON")
    }
    guard let lock = WriterLock(path) else {
      throw TenancyError(.storage, "The tenancy store is not available.", detail: "no lock beside the file")
    }
    self.lock = lock
    do {
      queue = try lock.hold { () throws -> DatabaseQueue in
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        let migrator = TenancySchema.migrator
        if try queue.read(migrator.hasBeenSuperseded) {
          throw TenancyError(
            .newerSchema, "The tenancy store was written by a newer version. Start that version or restore a backup.")
        }
        try migrator.migrate(queue)
        return queue
      }
    } catch {
      throw Self.translated(error)
    }
  }

  func read<Value>(_ body: (Database) throws -> Value) throws(TenancyError) -> Value {
    do { return try queue.read(body) } catch { throw Self.translated(error) }
  }

  /// One transaction that leaves the change counter alone.
  func write<Value>(_ body: (Database) throws -> Value) throws(TenancyError) -> Value {
    do { return try lock.hold { try queue.write(body) } } catch { throw Self.translated(error) }
  }

  /// One transaction that raises the change counter.
  func change(_ body: (Database) throws -> Void) throws(TenancyError) {
    try write { db in
      try body(db)
      try db.execute(sql: "UPDATE counter SET change = change + 1 WHERE id = 1")
    }
  }

  private static func translated(_ error: any Error) -> TenancyError {
    if let error = error as? TenancyError { return error }
    guard let error = error as? DatabaseError else {
      return TenancyError(.storage, "The tenancy store is not available.", detail: "\(type(of: error))")
    }
    switch error.extendedResultCode {
    case .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY, .SQLITE_CONSTRAINT_ROWID:
      return TenancyError(.conflict, "That name or id is taken.", detail: error.message ?? "")
    case .SQLITE_CONSTRAINT_FOREIGNKEY:
      return .unknown("thing")
    default:
      return TenancyError(
        .storage, "The tenancy store is not available.",
        detail: "sqlite \(error.extendedResultCode.rawValue): \(error.message ?? "")")
    }
  }
}

extension Database {
  /// Runs a change that must hit a row; otherwise there is no such thing, or it is another's.
  func change(_ kind: String, _ sql: String, _ arguments: StatementArguments) throws {
    try execute(sql: sql, arguments: arguments)
    guard changesCount > 0 else { throw TenancyError.unknown(kind) }
  }

  func exists(_ sql: String, _ arguments: StatementArguments) throws -> Bool {
    try Row.fetchOne(self, sql: sql, arguments: arguments) != nil
  }
}
