internal import Foundation
internal import GRDB
internal import SealedLog

/// A row of `log_block`.
struct LogIndexRow: Sendable {
  let id: Int64
  let stream: Int64
  let segment: SegmentName
  /// The latest time of a record.
  let last: Int64
  /// Nil for bytes that nobody of ours wrote.
  let block: LogIndexBlock?

  init(_ row: Row) {
    id = row["id"]
    stream = row["stream"]
    segment = SegmentName(
      epoch: UInt32(truncatingIfNeeded: row["epoch"] as Int64),
      number: UInt32(truncatingIfNeeded: row["number"] as Int64))
    last = row["last"]
    block = LogIndexBlock(heads: Array(row["heads"] as Data), metadata: Array(row["metadata"] as Data))
  }

  static func one(_ id: Int64, tenant: Int64, _ database: Database) throws -> LogIndexRow? {
    // Asked for each stream of a batch: compiling the question costs more than its answer.
    let statement = try database.cachedStatement(sql: LogIndexSchema.block)
    return try Row.fetchOne(statement, arguments: [id, tenant]).map(LogIndexRow.init)
  }

  static func all(_ database: Database, _ sql: String, _ arguments: StatementArguments) throws -> [LogIndexRow] {
    try Row.fetchAll(database, sql: sql, arguments: arguments).map(LogIndexRow.init)
  }
}
