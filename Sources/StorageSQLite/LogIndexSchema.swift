internal import Foundation
internal import GRDB
internal import SealedLog
internal import Tenancy

/// Tables and statements of the log's index. Every query names its tenant first.
enum LogIndexSchema {
  static let sql = """
    CREATE TABLE IF NOT EXISTS log_record (
      tenant BLOB NOT NULL, record BLOB NOT NULL, request_id TEXT NOT NULL, time INTEGER NOT NULL,
      stream TEXT NOT NULL, epoch INTEGER NOT NULL, number INTEGER NOT NULL,
      project TEXT, key TEXT, user TEXT, alias TEXT, provider TEXT, model TEXT,
      tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL, cost INTEGER NOT NULL, status INTEGER,
      findings INTEGER NOT NULL, metadata BLOB NOT NULL,
      UNIQUE (tenant, record));
    CREATE INDEX IF NOT EXISTS log_record_time ON log_record (tenant, time, record);
    CREATE INDEX IF NOT EXISTS log_record_request ON log_record (tenant, request_id);
    CREATE TABLE IF NOT EXISTS log_mark (
      stream TEXT PRIMARY KEY, epoch INTEGER NOT NULL, number INTEGER NOT NULL, frame INTEGER NOT NULL) WITHOUT ROWID
    """

  static let insert = """
    INSERT OR REPLACE INTO log_record
      (tenant, record, request_id, time, stream, epoch, number, project, key, user, alias, provider, model,
       tokens_in, tokens_out, cost, status, findings, metadata)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    """

  static let mark = """
    INSERT INTO log_mark (stream, epoch, number, frame) VALUES (?, ?, ?, ?)
    ON CONFLICT (stream) DO UPDATE SET epoch = excluded.epoch, number = excluded.number, frame = excluded.frame
    WHERE (excluded.number, excluded.epoch, excluded.frame) > (number, epoch, frame)
    """

  private static func bytes(_ id: UInt128) -> Data { withUnsafeBytes(of: id.bigEndian) { Data($0) } }

  private static func id(_ data: Data) -> UInt128? {
    data.count == 16 ? data.reduce(into: UInt128(0)) { $0 = $0 << 8 | UInt128($1) } : nil
  }

  static func arguments(_ row: LogRow) -> StatementArguments {
    [
      Data(row.location.stream.tenant.bytes), bytes(row.location.recordID), row.requestID,
      Int64(truncatingIfNeeded: row.time), row.location.stream.description, Int64(row.location.segment.epoch),
      Int64(row.location.segment.number), row.project, row.key, row.user, row.alias, row.provider, row.model,
      row.tokensIn, row.tokensOut, row.cost, row.status, row.findings, Data(row.metadata),
    ]
  }

  static func list(_ tenant: TenantID, _ filter: LogFilter) -> (String, StatementArguments) {
    var sql = "SELECT * FROM log_record WHERE tenant = ? AND time >= ? AND time < ?"
    var arguments: StatementArguments = [
      Data(tenant.bytes), Int64(clamping: filter.from), Int64(clamping: filter.to),
    ]
    let texts: [(String, String?)] = [
      ("project", filter.project), ("key", filter.key), ("user", filter.user), ("alias", filter.alias),
      ("provider", filter.provider), ("model", filter.model),
    ]
    for (column, value) in texts {
      guard let value else { continue }
      sql += " AND \(column) = ?"
      arguments += [value]
    }
    if let status = filter.status {
      sql += " AND status = ?"
      arguments += [status]
    }
    if let findings = filter.findings {
      sql += " AND findings >= ?"
      arguments += [findings]
    }
    if let after = filter.after {
      sql += " AND (time, record) < (?, ?)"
      arguments += [Int64(clamping: after.time), bytes(after.recordID)]
    }
    sql += " ORDER BY time DESC, record DESC LIMIT ?"
    arguments += [min(max(filter.limit, 1), 1000)]
    return (sql, arguments)
  }

  /// Nil for a row of another tenant or one that nobody of ours wrote.
  static func row(_ row: Row, _ tenant: TenantID) -> LogRow? {
    guard let record = id(row["record"] as Data), let stream = StreamName(row["stream"] as String),
      stream.tenant == tenant
    else { return nil }
    let segment = SegmentName(
      epoch: UInt32(truncatingIfNeeded: row["epoch"] as Int64),
      number: UInt32(truncatingIfNeeded: row["number"] as Int64))
    return LogRow(
      location: LogLocation(recordID: record, stream: stream, segment: segment),
      time: UInt64(truncatingIfNeeded: row["time"] as Int64), requestID: row["request_id"], project: row["project"],
      key: row["key"], user: row["user"], alias: row["alias"], provider: row["provider"], model: row["model"],
      tokensIn: row["tokens_in"], tokensOut: row["tokens_out"], cost: row["cost"], status: row["status"],
      findings: row["findings"], metadata: Array(row["metadata"] as Data))
  }
}
