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
    /// The stream's newest block, while it is so small that more is added to it rather than to a new one.
    var small: (block: Int64, segment: SegmentName)?
  }

  var streams: [StreamName: Stream] = [:]
  var recent = LogIndexRecentRecords()
  /// The next block's number; 0 before the file was asked.
  var next: Int64 = 0
  /// Changes when another connection has written.
  private var version: Int64 = -1

  /// Another process that writes to the file, too, may have moved everything.
  mutating func forgetIfWrittenByOthers(_ database: Database) throws {
    let found = try Int64.fetchOne(database.cachedStatement(sql: "PRAGMA data_version")) ?? -1
    guard found != version else { return }
    self = LogIndexPlaces()
    version = found
  }

  mutating func load(_ database: Database) throws {
    guard next == 0 else { return }
    next = try Int64.fetchOne(database, sql: LogIndexSchema.next) ?? 1
    var blocks: [(id: Int64, records: [UInt128])] = []
    var count = 0
    let rows = try Row.fetchCursor(database, sql: LogIndexSchema.newestHeads)
    while count < LogIndexRecentRecords.bound, let row = try rows.next() {
      let heads: Data = row[1]
      let records = heads.withUnsafeBytes { LogIndexBlock.heads($0).map(\.recordID) }
      blocks.append((row[0], records))
      count += records.count
    }
    for block in blocks.reversed() {
      for record in block.records { _ = recent.add(record, block: block.id) }
    }
  }
}

/// The blocks of the records added last. A record that is written anew, because the segment it stood in failed, comes
/// again under another time soon after its first copy: the writer keeps what is not yet synced, seconds at most.
struct LogIndexRecentRecords: Sendable {
  static let bound = 49_152  // half of four megabytes, as dictionaries grow

  private var newer: [UInt128: Int64] = [:]
  private var older: [UInt128: Int64] = [:]

  /// - Returns: The block of an earlier copy.
  mutating func add(_ record: UInt128, block: Int64) -> Int64? {
    if newer.count == Self.bound {
      older = newer
      newer.removeAll(keepingCapacity: true)
    }
    return newer.updateValue(block, forKey: record) ?? older[record]
  }
}
