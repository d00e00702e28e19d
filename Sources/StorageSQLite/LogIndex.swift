internal import Foundation
internal import GRDB
package import SealedLog
internal import Synchronization
package import Tenancy

/// The log's index in SQLite: `index.sqlite`, one connection a process, rebuildable from the segments.
package final class LogIndex: LogIndexing {
  /// Raised when the tables change: the file is then made anew and filled from the segments.
  private static let version = 4

  private let queue: DatabaseQueue
  private let lock: WriterLock
  private let places = Mutex(LogIndexPlaces())

  /// Opens or makes the file. One that is damaged or of another version is begun anew.
  package init(path: String) throws(SealedLogError) {
    guard let lock = WriterLock(path) else { throw SealedLogError(.diskFailed, "The log's index failed.") }
    self.lock = lock
    do {
      queue = try lock.hold { () throws -> DatabaseQueue in
        do { return try Self.open(path) } catch {
          for ending in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + ending) }
          return try Self.open(path)
        }
      }
    } catch { throw Self.failed(error) }
  }

  private static func open(_ path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.prepareDatabase { database in
      // Large pages: most are filled once, and each costs two calls. A batch fits into the cache of 8 MiB, and what many
      // batches wrote into a page goes to the file once for 32 MiB of WAL.
      try database.execute(
        sql: """
          PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
          PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = 2000
          """)
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

  private func read<Value: Sendable>(_ body: (Database) throws -> Value) throws(SealedLogError) -> Value {
    do { return try queue.read(body) } catch { throw Self.failed(error) }
  }

  package func add(_ records: [MetadataRecord]) throws(SealedLogError) {
    try places.withLock { (places) throws(SealedLogError) in
      do {
        try lock.hold {
          try queue.write { database in
            try places.forgetIfWrittenByOthers(database)
            try LogIndexBatch.add(records, &places, database)
          }
        }
      } catch {
        places = LogIndexPlaces()
        throw Self.failed(error)
      }
    }
  }

  package func mark(of stream: StreamName) throws(SealedLogError) -> IndexMark? {
    try read { database in
      try Row.fetchOne(database, sql: LogIndexSchema.stream, arguments: [stream.description])
        .flatMap(LogIndexSchema.mark)
    }
  }

  package func list(_ tenant: TenantID, _ filter: LogFilter) throws(SealedLogError) -> [LogRow] {
    // At one time: a block that is added to in between would move behind the place that was read already.
    try read { database in
      let (number, streams) = try Self.streams(of: tenant, database)
      var listing = LogIndexListing(filter)
      while true {
        let (sql, arguments) = LogIndexSchema.page(
          number, filter, after: listing.position, limit: LogIndexListing.page)
        guard listing.add(try LogIndexRow.all(database, sql, arguments), streams) else { return listing.rows }
      }
    }
  }

  package func lookup(requestID: String, tenant: TenantID) throws(SealedLogError) -> LogRow {
    let row = try read { database in
      let (number, streams) = try Self.streams(of: tenant, database)
      return try Self.find(requestID, number, streams, database)
    }
    guard let row, !requestID.isEmpty else { throw SealedLogError(.notFound, "No such record.") }
    return row
  }

  private static func find(
    _ requestID: String, _ tenant: Int64, _ streams: [Int64: StreamName], _ database: Database
  ) throws -> LogRow? {
    let key = RequestKey.of(requestID)
    let rows = try Row.fetchCursor(database, sql: LogIndexSchema.heads, arguments: [tenant])
    while let row = try rows.next() {
      let mayHold = try row.withUnsafeData(atIndex: 1) { data in
        data?.withUnsafeBytes { LogIndexBlock.heads($0).contains { $0.key == key } } ?? false
      }
      guard mayHold,
        let found = try LogIndexRow.one(row[0], tenant: tenant, database), let stream = streams[found.stream],
        let block = found.block
      else { continue }
      for index in 0..<block.count where block[index].key == key {
        let row = LogRow(block.record(index, stream, found.segment))
        if row.requestID == requestID { return row }
      }
    }
    return nil
  }

  package func forget(_ tenant: TenantID) throws(SealedLogError) {
    do {
      try lock.hold {
        try queue.write { database in
          let (number, _) = try Self.streams(of: tenant, database)
          try database.execute(sql: LogIndexSchema.forget, arguments: [number])
        }
      }
    } catch { throw Self.failed(error) }
  }

  /// A tenant's streams by their ids, and the number that stands for it in its records; 0 when it has none.
  private static func streams(of tenant: TenantID, _ database: Database) throws -> (Int64, [Int64: StreamName]) {
    var streams: [Int64: StreamName] = [:]
    for row in try Row.fetchAll(database, sql: LogIndexSchema.streams, arguments: [Data(tenant.bytes)]) {
      guard let stream = StreamName(row[1] as String), stream.tenant == tenant else { continue }
      streams[row[0]] = stream
    }
    return (streams.keys.min() ?? 0, streams)
  }
}
