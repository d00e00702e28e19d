internal import SealedLog
internal import Tenancy

/// Brings a tenant's records into order of time, newest first, from blocks whose times may overlap.
struct LogIndexListing {
  /// Blocks read at once.
  static let page = 8

  private let filter: LogFilter
  private let limit: Int
  /// Records that an older block may still come between.
  private var pending: [MetadataRecord] = []
  private(set) var rows: [LogRow] = []
  /// Behind which block the next page begins.
  private(set) var position: (last: Int64, id: Int64)?

  init(_ filter: LogFilter) {
    self.filter = filter
    limit = min(max(filter.limit, 1), 1000)
  }

  /// - Parameter blocks: The next page.
  /// - Returns: Whether another page is needed.
  mutating func add(_ blocks: [LogIndexRow], _ streams: [Int64: StreamName]) -> Bool {
    for row in blocks {
      position = (row.last, row.id)
      settle { $0.time > UInt64(clamping: row.last) }
      if rows.count == limit { return false }
      if let stream = streams[row.stream], let block = row.block { gather(block, stream, row.segment) }
    }
    if blocks.count == Self.page { return true }
    settle { _ in true }
    return false
  }

  private mutating func gather(_ block: LogIndexBlock, _ stream: StreamName, _ segment: SegmentName) {
    for index in 0..<block.count {
      let head = block[index]
      guard head.time >= filter.from, head.time < filter.to,
        filter.after.map({ (head.time, head.recordID) < ($0.time, $0.recordID) }) ?? true
      else { continue }
      pending.append(block.record(index, stream, segment))
    }
  }

  /// Takes over what surely comes next, as far as the filter takes it.
  private mutating func settle(_ isSettled: (MetadataRecord) -> Bool) {
    pending.sort { ($0.time, $0.recordID) > ($1.time, $1.recordID) }
    let settled = pending.firstIndex { !isSettled($0) } ?? pending.count
    for record in pending[..<settled] where rows.count < limit {
      let row = LogRow(record)
      if filter.accepts(row) { rows.append(row) }
    }
    pending.removeFirst(settled)
  }
}
