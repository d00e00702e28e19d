internal import Foundation
internal import GRDB
package import SealedLog
package import Tenancy

/// The log's index in SQLite: `index.sqlite`, one connection, rebuildable from the segments.
package final class LogIndex: LogIndexing {
  /// Raised when the tables change: the file is then made anew and filled from the segments.
  private static let version = 2

  private let queue: DatabaseQueue

  /// Opens or makes the file. One that is damaged or of another version is begun anew.
  package init(path: String) throws(SealedLogError) {
    do { queue = try Self.open(path) } catch {
      for ending in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + ending) }
      do { queue = try Self.open(path) } catch { throw Self.failed(error) }
    }
  }

  private static func open(_ path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY")
    }
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    try queue.write { database in
      let found = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
      guard found == 0 || found == version else { throw DatabaseError(resultCode: .SQLITE_MISMATCH) }
      try database.execute(sql: LogIndexSchema.sql + "; PRAGMA user_version = \(version)")
    }
    return queue
  }

  private static func failed(_ error: any Error) -> SealedLogError {
    SealedLogError(
      .diskFailed, "The log's index failed.", detail: "\((error as? DatabaseError)?.resultCode.rawValue ?? -1)")
  }

  private func write<Value: Sendable>(_ body: (Database) throws -> Value) throws(SealedLogError) -> Value {
    do { return try queue.write(body) } catch { throw Self.failed(error) }
  }

  private func read<Value: Sendable>(_ body: (Database) throws -> Value) throws(SealedLogError) -> Value {
    do { return try queue.read(body) } catch { throw Self.failed(error) }
  }

  package func add(_ records: [MetadataRecord]) throws(SealedLogError) {
    try write { database in
      let insert = try database.cachedStatement(sql: LogIndexSchema.insert)
      let mark = try database.cachedStatement(sql: LogIndexSchema.mark)
      var newest: [StreamName: MetadataRecord] = [:]
      for record in records {
        try insert.execute(arguments: LogIndexSchema.arguments(LogRow(record)))
        if let known = newest[record.stream], (known.segment, known.frame) > (record.segment, record.frame) { continue }
        newest[record.stream] = record
      }
      for (stream, record) in newest {
        try mark.execute(arguments: [
          stream.description, Int64(record.segment.epoch), Int64(record.segment.number),
          Int64(truncatingIfNeeded: record.frame),
        ])
      }
    }
  }

  package func mark(of stream: StreamName) throws(SealedLogError) -> IndexMark? {
    try read { database in
      try Row.fetchOne(
        database, sql: "SELECT epoch, number, frame FROM log_mark WHERE stream = ?", arguments: [stream.description]
      ).map { row in
        IndexMark(
          segment: SegmentName(
            epoch: UInt32(truncatingIfNeeded: row["epoch"] as Int64),
            number: UInt32(truncatingIfNeeded: row["number"] as Int64)),
          frame: UInt64(truncatingIfNeeded: row["frame"] as Int64))
      }
    }
  }

  package func list(_ tenant: TenantID, _ filter: LogFilter) throws(SealedLogError) -> [LogRow] {
    let (sql, arguments) = LogIndexSchema.list(tenant, filter)
    return try read { database in
      try Row.fetchAll(database, sql: sql, arguments: arguments).compactMap { LogIndexSchema.row($0, tenant) }
    }
  }

  package func lookup(requestID: String, tenant: TenantID) throws(SealedLogError) -> LogRow {
    let found = try read { database in
      try Row.fetchOne(
        database,
        sql: "SELECT * FROM log_record WHERE tenant = ? AND request_id = ? ORDER BY time DESC LIMIT 1",
        arguments: [Data(tenant.bytes), requestID]
      ).flatMap { LogIndexSchema.row($0, tenant) }
    }
    guard let found, !requestID.isEmpty else { throw SealedLogError(.notFound, "No such record.") }
    return found
  }

  package func forget(_ tenant: TenantID) throws(SealedLogError) {
    try write { database in
      try database.execute(sql: "DELETE FROM log_record WHERE tenant = ?", arguments: [Data(tenant.bytes)])
    }
  }
}
