internal import Foundation
internal import GRDB
internal import SealedLog
internal import Tenancy

/// Adds records within one transaction: gathers a block for each stream and puts it into the file when it is full, when
/// its segment ends, and at the end.
struct LogIndexBatch {
  /// Smaller blocks are added to later: streams with few records would else have a block for each.
  private static let smallBytes = 4096

  private struct Gathering {
    let id: Int64
    let tenant: Int64
    let stream: Int64
    let segment: SegmentName
    var block = LogIndexBlock()
  }

  private let database: Database
  private let put: BareStatement
  private let drop: BareStatement
  private var gathering: [StreamName: Gathering] = [:]
  private var moved: Set<StreamName> = []

  static func add(_ records: [MetadataRecord], _ places: inout LogIndexPlaces, _ database: Database) throws {
    try places.load(database)
    var batch = try LogIndexBatch(database)
    var rest = records[...]
    while let first = rest.first {
      let run = rest.prefix { $0.stream == first.stream && $0.segment == first.segment }
      rest = rest.dropFirst(run.count)
      try batch.add(run, of: first.stream, first.segment, &places)
    }
    try batch.putAll(&places)
    try batch.move(places)
  }

  private init(_ database: Database) throws {
    self.database = database
    put = try BareStatement(database, LogIndexSchema.put)
    drop = try BareStatement(database, LogIndexSchema.drop)
  }

  private mutating func add(
    _ run: ArraySlice<MetadataRecord>, of name: StreamName, _ segment: SegmentName, _ places: inout LogIndexPlaces
  ) throws {
    var stream = try places.streams[name] ?? stream(name)
    let mark = stream.mark
    var open = try take(name, segment, stream, &places)
    for record in run {
      if open.block.isFull {
        try write(open)
        open = begin(segment, stream, &places)
      }
      let place = IndexMark(segment: segment, frame: record.frame)
      let copy = places.recent.add(record.recordID, block: open.id)
      if copy != nil || mark.map({ place <= $0 }) ?? false {
        // What is gathered may hold the earlier copy, so it goes to the file first.
        try write(open)
        try putAll(&places)
        try dropCopies(of: record, in: copy, stream)
        open = begin(segment, stream, &places)
        _ = places.recent.add(record.recordID, block: open.id)
      }
      open.block.append(
        LogIndexBlock.Head(time: record.time, recordID: record.recordID, key: RequestKey.of(record)),
        json: record.json)
      stream.mark = max(stream.mark ?? place, place)
    }
    gathering[name] = open
    places.streams[name] = stream
    moved.insert(name)
  }

  // MARK: Blocks

  /// The block that the next record of a stream goes into.
  private mutating func take(
    _ name: StreamName, _ segment: SegmentName, _ stream: LogIndexPlaces.Stream, _ places: inout LogIndexPlaces
  ) throws -> Gathering {
    if let open = gathering.removeValue(forKey: name) {
      if open.segment == segment { return open }
      try write(open)
    } else if let small = stream.small, small.segment == segment,
      let block = try LogIndexRow.one(small.block, tenant: stream.tenant, database)?.block
    {
      return Gathering(id: small.block, tenant: stream.tenant, stream: stream.id, segment: segment, block: block)
    }
    return begin(segment, stream, &places)
  }

  private func begin(
    _ segment: SegmentName, _ stream: LogIndexPlaces.Stream, _ places: inout LogIndexPlaces
  ) -> Gathering {
    defer { places.next += 1 }
    return Gathering(id: places.next, tenant: stream.tenant, stream: stream.id, segment: segment)
  }

  private mutating func putAll(_ places: inout LogIndexPlaces) throws {
    for (name, open) in gathering {
      try write(open)
      places.streams[name]?.small = open.block.bytes < Self.smallBytes ? (open.id, open.segment) : nil
    }
    gathering.removeAll(keepingCapacity: true)
  }

  private func write(_ open: Gathering) throws {
    guard open.block.count > 0 else { return }
    let times = open.block.times
    put.bind(
      open.id, open.tenant, open.stream, Int64(open.segment.epoch), Int64(open.segment.number),
      Int64(clamping: times.from), Int64(clamping: times.to))
    try open.block.heads.withUnsafeBytes { heads in
      try open.block.metadata.withUnsafeBytes { metadata in
        put.bind(heads, at: 8)
        put.bind(metadata, at: 9)
        try put.run()
      }
    }
  }

  /// - Parameter copy: The block of the earlier copy, if that is known; a frame that is read again has the time it had.
  private func dropCopies(of record: MetadataRecord, in copy: Int64?, _ stream: LogIndexPlaces.Stream) throws {
    let rows =
      if let copy { try [LogIndexRow.one(copy, tenant: stream.tenant, database)].compactMap(\.self) } else {
        try LogIndexRow.all(
          database, LogIndexSchema.blocksAround, [stream.tenant, Int64(clamping: record.time)])
      }
    for row in rows {
      guard let block = row.block else { continue }
      let rest = block.without(record.recordID)
      if rest.count == 0 {
        drop.bind(row.id)
        try drop.run()
      } else if rest.count < block.count {
        try write(
          Gathering(id: row.id, tenant: stream.tenant, stream: row.stream, segment: row.segment, block: rest))
      }
    }
  }

  // MARK: Streams

  private func stream(_ name: StreamName) throws -> LogIndexPlaces.Stream {
    if let row = try Row.fetchOne(database, sql: LogIndexSchema.stream, arguments: [name.description]) {
      return LogIndexPlaces.Stream(id: row["id"], tenant: row["first"], mark: LogIndexSchema.mark(row))
    }
    try database.execute(
      sql: LogIndexSchema.insertStream, arguments: [name.description, Data(name.tenant.bytes)])
    return try stream(name)
  }

  private func move(_ places: LogIndexPlaces) throws {
    let statement = try BareStatement(database, LogIndexSchema.move)
    for name in moved {
      guard let stream = places.streams[name], let mark = stream.mark else { continue }
      statement.bind(
        Int64(mark.segment.epoch), Int64(mark.segment.number), Int64(truncatingIfNeeded: mark.frame), stream.id)
      try statement.run()
    }
  }
}
