internal import Batches
internal import GRDB

/// One connection to `batches.sqlite`: WAL, synchronous=FULL; what is dropped is overwritten.
final class BatchDatabase: Sendable {
  private let queue: DatabaseQueue
  private let lock: WriterLock

  init(path: String) throws(BatchStoreError) {
    var configuration = Configuration()
    configuration.journalMode = .wal
    configuration.busyMode = .timeout(5)
    configuration.label = "torhaus.batches"
    configuration.prepareDatabase { db in
      try db.execute(sql: "PRAGMA synchronous = FULL")
      try db.execute(sql: "PRAGMA secure_delete = ON")
    }
    guard let lock = WriterLock(path) else { throw BatchStoreError("no lock beside \(path)") }
    self.lock = lock
    do {
      queue = try lock.hold { () throws -> DatabaseQueue in
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        let migrator = BatchSchema.migrator
        if try queue.read(migrator.hasBeenSuperseded) {
          throw BatchStoreError("The store of batches was written by a newer version; start that one.")
        }
        try migrator.migrate(queue)
        return queue
      }
    } catch { throw Self.translated(error) }
  }

  func read<Value>(_ body: (Database) throws -> Value) throws(BatchStoreError) -> Value {
    do { return try queue.read(body) } catch { throw Self.translated(error) }
  }

  /// One transaction, durable when this returns.
  func write<Value>(_ body: (Database) throws -> Value) throws(BatchStoreError) -> Value {
    do { return try lock.hold { try queue.write(body) } } catch { throw Self.translated(error) }
  }

  private static func translated(_ error: any Error) -> BatchStoreError {
    if let error = error as? BatchStoreError { return error }
    guard let error = error as? DatabaseError else { return BatchStoreError("\(type(of: error))") }
    return BatchStoreError("sqlite \(error.extendedResultCode.rawValue): \(error.message ?? "")")
  }
}

/// The tables of `batches.sqlite`. Ids are 16 bytes, times seconds since 1970; of content there are sealed bytes alone.
enum BatchSchema {
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("batches-1") { db in try db.execute(sql: tables) }
    return migrator
  }

  private static let tables = """
    CREATE TABLE file (
      id BLOB PRIMARY KEY NOT NULL, tenant BLOB NOT NULL, project BLOB NOT NULL, created INTEGER NOT NULL,
      bytes INTEGER NOT NULL, lines INTEGER NOT NULL, route TEXT NOT NULL, alias TEXT NOT NULL, provider TEXT NOT NULL,
      model TEXT NOT NULL, remote TEXT NOT NULL, input INTEGER NOT NULL, output INTEGER NOT NULL,
      longest INTEGER NOT NULL, pseudonymised INTEGER NOT NULL, originals BLOB) STRICT;
    CREATE INDEX file_owner ON file (tenant, project, created);
    CREATE INDEX file_remote ON file (provider, remote);
    CREATE INDEX file_originals ON file (created) WHERE originals IS NOT NULL;
    CREATE TABLE batch (
      id BLOB PRIMARY KEY NOT NULL, tenant BLOB NOT NULL, project BLOB NOT NULL, created INTEGER NOT NULL,
      file BLOB NOT NULL, route TEXT NOT NULL, alias TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
      pseudonymised INTEGER NOT NULL, booking BLOB NOT NULL, input_rate INTEGER NOT NULL,
      cached_rate INTEGER NOT NULL, output_rate INTEGER NOT NULL, remote TEXT, output TEXT,
      output_deleted INTEGER NOT NULL, errors TEXT, errors_deleted INTEGER NOT NULL, state TEXT NOT NULL,
      answered INTEGER, is_over INTEGER NOT NULL, booked INTEGER NOT NULL) STRICT;
    CREATE INDEX batch_owner ON batch (tenant, project, created);
    CREATE INDEX batch_remote ON batch (provider, remote);
    CREATE INDEX batch_created ON batch (created);
    """
}
