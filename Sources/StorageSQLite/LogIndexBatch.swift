internal import Foundation
internal import GRDB
internal import SealedLog
internal import Tenancy

/// Adds records within one transaction.
struct LogIndexBatch {
  private let database: Database
  private let insert: BareStatement
  private let dropRow: BareStatement
  private let dropFrame: BareStatement
  private var moved: Set<StreamName> = []

  static func add(_ records: [MetadataRecord], _ places: inout LogIndexPlaces, _ database: Database) throws {
    try places.load(database)
    var batch = try LogIndexBatch(database)
    var rest = records[...]
    while let first = rest.first {
      let run = rest.prefix { $0.stream == first.stream }
      rest = rest.dropFirst(run.count)
      try batch.add(run, of: first.stream, &places)
    }
    try batch.move(places)
  }

  private init(_ database: Database) throws {
    self.database = database
    insert = try BareStatement(database, LogIndexSchema.insert)
    dropRow = try BareStatement(database, LogIndexSchema.dropRow)
    dropFrame = try BareStatement(database, LogIndexSchema.dropFrame)
  }

  private mutating func add(
    _ run: ArraySlice<MetadataRecord>, of name: StreamName, _ places: inout LogIndexPlaces
  ) throws {
    var stream = try places.streams[name] ?? stream(name)
    let mark = stream.mark
    for record in run {
      let place = IndexMark(segment: record.segment, frame: record.frame)
      let copy = places.recent.add(record.recordID, row: places.next)
      try withUnsafeBytes(of: record.recordID.bigEndian) { id in
        if let copy {
          try drop(dropRow, stream, copy, id)
        } else if let mark, place <= mark {
          try drop(dropFrame, stream, Int64(truncatingIfNeeded: record.time), id)
        }
        try insert(record, as: places.next, stream, id)
      }
      places.next += 1
      stream.mark = max(stream.mark ?? place, place)
    }
    places.streams[name] = stream
    moved.insert(name)
  }

  private func insert(
    _ record: MetadataRecord, as row: Int64, _ stream: LogIndexPlaces.Stream, _ id: UnsafeRawBufferPointer
  ) throws {
    try record.json.withUnsafeBytes { json in
      insert.bind(
        row, stream.tenant, stream.id, RequestKey.of(record), Int64(truncatingIfNeeded: record.time),
        Int64(record.segment.epoch), Int64(record.segment.number))
      insert.bind(id, at: 8)
      insert.bind(json, at: 9)
      try insert.run()
    }
  }

  private func drop(
    _ statement: BareStatement, _ stream: LogIndexPlaces.Stream, _ number: Int64, _ id: UnsafeRawBufferPointer
  ) throws {
    statement.bind(stream.tenant, number)
    statement.bind(id, at: 3)
    try statement.run()
  }

  private func stream(_ name: StreamName) throws -> LogIndexPlaces.Stream {
    if let row = try Row.fetchOne(database, sql: LogIndexSchema.stream, arguments: [name.description]) {
      return LogIndexPlaces.Stream(id: row["id"], tenant: row["first"], mark: LogIndexSchema.mark(row))
    }
    try database.execute(
      sql: LogIndexSchema.insertStream, arguments: [name.description, Data(name.tenant.bytes)])
    return try stream(name)
  }

  private func move(_ places: LogIndexPlaces) throws {
    let statement = try database.cachedStatement(sql: LogIndexSchema.move)
    for name in moved {
      guard let stream = places.streams[name], let mark = stream.mark else { continue }
      try statement.execute(
        arguments: [
          Int64(mark.segment.epoch), Int64(mark.segment.number), Int64(truncatingIfNeeded: mark.frame), stream.id,
        ])
    }
  }
}
