internal import Foundation
internal import GRDB
internal import SealedLog
internal import Tenancy

/// What adding knows by heart instead of asking the file for each record. Read anew after a transaction that failed.
struct LogIndexPlaces: Sendable {
  struct Stream: Sendable {
    let id: Int64
    /// The number that stands for the stream's tenant.
    let tenant: Int64
    /// Nothing of the stream is in the index behind this.
    var mark: IndexMark?
  }

  var streams: [StreamName: Stream] = [:]
  var recent = LogIndexRecentRows()
  /// The next row's number; 0 before the file was asked.
  var next: Int64 = 0

  mutating func load(_ database: Database) throws {
    guard next == 0 else { return }
    next = try Int64.fetchOne(database, sql: LogIndexSchema.next) ?? 1
    let first = next - Int64(LogIndexRecentRows.bound)
    let rows = try Row.fetchCursor(
      database, sql: "SELECT id, record FROM log_record WHERE id >= ? ORDER BY id", arguments: [first])
    while let row = try rows.next() {
      if let record = LogIndexSchema.record(row, 1) { _ = recent.add(record, row: row[0]) }
    }
  }
}

/// The rows added last, by their records. A record that is written anew, because the segment it stood in failed, comes
/// again under another time soon after its first copy: the writer keeps what is not yet synced, seconds at most.
struct LogIndexRecentRows: Sendable {
  static let bound = 24_576  // half of two megabytes, as dictionaries grow

  private var newer: [UInt128: Int64] = [:]
  private var older: [UInt128: Int64] = [:]

  /// - Returns: The row of an earlier copy.
  mutating func add(_ record: UInt128, row: Int64) -> Int64? {
    if newer.count == Self.bound {
      older = newer
      newer.removeAll(keepingCapacity: true)
    }
    return newer.updateValue(row, forKey: record) ?? older[record]
  }
}
