internal import GRDB
internal import SealedLog
internal import Tenancy

/// Tables and statements of the log's index. Every query of records names its tenant first.
///
/// What META says has no columns: adding then parses nothing, and whoever lists reads it from META, which costs him
/// microseconds. Request ids are random: no tree is kept of them. A look-up, which people do, reads the keys in the heads
/// of one block after the other, newest first (some 2 µs for each block).
enum LogIndexSchema {
  /// `tenant` of a block is the id of its tenant's first stream. A stream's mark is empty until it has records. `heads`
  /// and `metadata` are those of ``LogIndexBlock``.
  static let sql = """
    CREATE TABLE IF NOT EXISTS log_stream (
      id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, tenant BLOB NOT NULL,
      epoch INTEGER, number INTEGER, frame INTEGER);
    CREATE INDEX IF NOT EXISTS log_stream_tenant ON log_stream (tenant);
    CREATE TABLE IF NOT EXISTS log_block (
      id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, stream INTEGER NOT NULL, epoch INTEGER NOT NULL,
      number INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, heads BLOB NOT NULL,
      metadata BLOB NOT NULL);
    CREATE INDEX IF NOT EXISTS log_block_last ON log_block (tenant, last)
    """

  // MARK: Adding

  static let next = "SELECT max(id) + 1 FROM log_block"
  static let stream = """
    SELECT *, (SELECT min(id) FROM log_stream AS other WHERE other.tenant = log_stream.tenant) AS first
    FROM log_stream WHERE name = ?
    """
  static let insertStream = "INSERT INTO log_stream (name, tenant) VALUES (?, ?)"
  static let move = "UPDATE log_stream SET epoch = ?, number = ?, frame = ? WHERE id = ?"
  static let put = """
    INSERT OR REPLACE INTO log_block (id, tenant, stream, epoch, number, first, last, heads, metadata)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    """
  static let drop = "DELETE FROM log_block WHERE id = ?"
  static let block = "SELECT * FROM log_block WHERE id = ? AND tenant = ?"
  /// Blocks in which a time of a tenant may lie.
  static let blocksAround = "SELECT * FROM log_block WHERE tenant = ?1 AND last >= ?2 AND first <= ?2"
  static let newestHeads = "SELECT id, heads FROM log_block ORDER BY id DESC"

  // MARK: Finding

  static let streams = "SELECT id, name FROM log_stream WHERE tenant = ?"
  static let forget = "DELETE FROM log_block WHERE tenant = ?"
  static let heads = "SELECT id, heads FROM log_block WHERE tenant = ? ORDER BY last DESC"

  /// Blocks by their latest record, newest first, behind the one given.
  static func page(
    _ tenant: Int64, _ filter: LogFilter, after: (last: Int64, id: Int64)?, limit: Int
  ) -> (String, StatementArguments) {
    var sql = "SELECT * FROM log_block WHERE tenant = ? AND last >= ? AND first < ?"
    var arguments: StatementArguments = [tenant, Int64(clamping: filter.from), Int64(clamping: filter.to)]
    if let cursor = filter.after {
      sql += " AND first <= ?"
      arguments += [Int64(clamping: cursor.time)]
    }
    if let after {
      sql += " AND (last, id) < (?, ?)"
      arguments += [after.last, after.id]
    }
    sql += " ORDER BY last DESC, id DESC LIMIT ?"
    arguments += [limit]
    return (sql, arguments)
  }

  static func mark(_ row: Row) -> IndexMark? {
    guard let epoch: Int64 = row["epoch"], let number: Int64 = row["number"], let frame: Int64 = row["frame"] else {
      return nil
    }
    return IndexMark(
      segment: SegmentName(
        epoch: UInt32(truncatingIfNeeded: epoch), number: UInt32(truncatingIfNeeded: number)),
      frame: UInt64(truncatingIfNeeded: frame))
  }
}
