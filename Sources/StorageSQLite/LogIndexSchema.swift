internal import Foundation
internal import GRDB
internal import SealedLog
internal import Tenancy

/// Tables and statements of the log's index. Every query of records names its tenant first.
///
/// What META says has no columns: adding then parses nothing, and whoever lists reads it from META, which costs him
/// microseconds.
///
/// Request ids are random. An index over all of them would dirty a page per record once it is large; in
/// `log_record_request` each block of consecutive rows is sorted for itself: adding touches the last block only, and a
/// look-up, which people do, asks one block after the other (2 µs for each 16,384 records).
enum LogIndexSchema {
  /// Rows of a block, log2.
  private static let blockBits = 14

  /// `tenant` of a record is the id of its tenant's first stream. A stream's mark is empty until it has records.
  static let sql = """
    CREATE TABLE IF NOT EXISTS log_stream (
      id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, tenant BLOB NOT NULL,
      epoch INTEGER, number INTEGER, frame INTEGER);
    CREATE INDEX IF NOT EXISTS log_stream_tenant ON log_stream (tenant);
    CREATE TABLE IF NOT EXISTS log_record (
      id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, stream INTEGER NOT NULL, key INTEGER NOT NULL,
      time INTEGER NOT NULL, epoch INTEGER NOT NULL, number INTEGER NOT NULL, record BLOB NOT NULL,
      metadata BLOB NOT NULL);
    CREATE INDEX IF NOT EXISTS log_record_time ON log_record (tenant, time, record);
    CREATE INDEX IF NOT EXISTS log_record_request ON log_record (id >> \(blockBits), tenant, key)
    """

  // MARK: Adding

  static let next = "SELECT max(id) + 1 FROM log_record"
  static let stream = """
    SELECT *, (SELECT min(id) FROM log_stream AS other WHERE other.tenant = log_stream.tenant) AS first
    FROM log_stream WHERE name = ?
    """
  static let insertStream = "INSERT INTO log_stream (name, tenant) VALUES (?, ?)"
  static let move = "UPDATE log_stream SET epoch = ?, number = ?, frame = ? WHERE id = ?"
  static let insert = """
    INSERT INTO log_record (id, tenant, stream, key, time, epoch, number, record, metadata)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    """
  static let dropRow = "DELETE FROM log_record WHERE tenant = ?1 AND id = ?2 AND record = ?3"
  /// A frame that is read again has the time it had.
  static let dropFrame = "DELETE FROM log_record WHERE tenant = ?1 AND time = ?2 AND record = ?3"

  // MARK: Finding

  static let streams = "SELECT id, name FROM log_stream WHERE tenant = ?"
  static let forget = "DELETE FROM log_record WHERE tenant = ?"
  private static let columns = "log_record.stream, time, epoch, number, record, metadata"

  static let lookup = """
    WITH RECURSIVE block (n) AS
      (SELECT max(id) >> \(blockBits) FROM log_record UNION ALL SELECT n - 1 FROM block WHERE n > 0)
    SELECT \(columns) FROM block CROSS JOIN log_record
    WHERE tenant = ? AND id >> \(blockBits) = n AND key = ? ORDER BY time DESC
    """

  /// A page in order of time; what else the filter asks is for the caller to see.
  static func page(_ tenant: Int64, _ filter: LogFilter, limit: Int) -> (String, StatementArguments) {
    var sql = "SELECT \(columns) FROM log_record WHERE tenant = ? AND time >= ? AND time < ?"
    var arguments: StatementArguments = [tenant, Int64(clamping: filter.from), Int64(clamping: filter.to)]
    if let after = filter.after {
      sql += " AND (time, record) < (?, ?)"
      arguments += [Int64(clamping: after.time), withUnsafeBytes(of: after.recordID.bigEndian) { Data($0) }]
    }
    sql += " ORDER BY time DESC, record DESC LIMIT ?"
    arguments += [limit]
    return (sql, arguments)
  }

  // MARK: Rows

  /// Nil for a row that nobody of ours wrote.
  static func row(_ row: Row, _ streams: [Int64: StreamName]) -> LogRow? {
    guard let stream = streams[row[0]], let cursor = cursor(row) else { return nil }
    return LogRow(
      MetadataRecord(
        stream: stream, segment: segment(row[2], row[3]), frame: 0, time: cursor.time, recordID: cursor.recordID,
        json: Array(row[5] as Data)))
  }

  /// The place of a row among its tenant's.
  static func cursor(_ row: Row) -> LogFilter.Cursor? {
    record(row, 4).map { LogFilter.Cursor(time: UInt64(truncatingIfNeeded: row[1] as Int64), recordID: $0) }
  }

  static func record(_ row: Row, _ column: Int) -> UInt128? {
    let bytes: Data = row[column]
    guard bytes.count == 16 else { return nil }
    return UInt128(bigEndian: bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt128.self) })
  }

  static func mark(_ row: Row) -> IndexMark? {
    guard let epoch: Int64 = row["epoch"], let number: Int64 = row["number"], let frame: Int64 = row["frame"] else {
      return nil
    }
    return IndexMark(segment: segment(epoch, number), frame: UInt64(truncatingIfNeeded: frame))
  }

  private static func segment(_ epoch: Int64, _ number: Int64) -> SegmentName {
    SegmentName(epoch: UInt32(truncatingIfNeeded: epoch), number: UInt32(truncatingIfNeeded: number))
  }
}
