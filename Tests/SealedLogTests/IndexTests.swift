import Foundation
import StorageSQLite
import Synchronization
import Tenancy
import Testing

@testable import SealedLog

/// The index in memory: what the suite compares SQLite with.
final class MemoryLogIndex: LogIndexing {
  private struct State: Sendable {
    var rows: [TenantID: [UInt128: LogRow]] = [:]
    var marks: [StreamName: IndexMark] = [:]
  }

  private let state = Mutex(State())

  func add(_ records: [MetadataRecord]) throws(SealedLogError) {
    state.withLock { state in
      for record in records {
        state.rows[record.stream.tenant, default: [:]][record.recordID] = LogRow(record)
        let mark = IndexMark(segment: record.segment, frame: record.frame)
        if let known = state.marks[record.stream], (known.segment, known.frame) > (mark.segment, mark.frame) {
          continue
        }
        state.marks[record.stream] = mark
      }
    }
  }

  func mark(of stream: StreamName) throws(SealedLogError) -> IndexMark? { state.withLock { $0.marks[stream] } }

  func list(_ tenant: TenantID, _ filter: LogFilter) throws(SealedLogError) -> [LogRow] {
    let rows = state.withLock { Array(($0.rows[tenant] ?? [:]).values) }
    let found = rows.filter { row in
      row.time >= filter.from && row.time < filter.to && filter.alias.map { row.alias == $0 } ?? true
        && filter.provider.map { row.provider == $0 } ?? true && filter.model.map { row.model == $0 } ?? true
        && filter.project.map { row.project == $0 } ?? true && filter.key.map { row.key == $0 } ?? true
        && filter.user.map { row.user == $0 } ?? true && filter.status.map { row.status == $0 } ?? true
        && filter.findings.map { row.findings >= Int64($0) } ?? true
        && filter.after.map { (row.time, row.location.recordID) < ($0.time, $0.recordID) } ?? true
    }
    return Array(
      found.sorted { ($0.time, $0.location.recordID) > ($1.time, $1.location.recordID) }
        .prefix(min(max(filter.limit, 1), 1000)))
  }

  func lookup(requestID: String, tenant: TenantID) throws(SealedLogError) -> LogRow {
    let row = state.withLock { ($0.rows[tenant] ?? [:]).values.first { $0.requestID == requestID } }
    guard let row, !requestID.isEmpty else { throw .notFound }
    return row
  }

  func forget(_ tenant: TenantID) throws(SealedLogError) { state.withLock { $0.rows[tenant] = nil } }
}

enum IndexKind: CaseIterable { case memory, sqlite }

private func makeIndex(_ kind: IndexKind, _ fixture: LogFixture) throws -> any LogIndexing {
  switch kind {
  case .memory: MemoryLogIndex()
  case .sqlite: try LogIndex(path: "\(fixture.root)/index.sqlite")
  }
}

private func record(_ tenant: TenantID, _ number: Int, _ json: String = "") -> MetadataRecord {
  let text =
    json.isEmpty
    ? """
    {"v":1,"request_id":"req_\(number)","alias":"\(number % 2 == 0 ? "even" : "odd")","provider":"p","model":"m",
     "project":"pr","key":"k","user":"u\(number % 3)","tokens":{"input":\(number),"output":2},"cost":\(number * 10),
     "status":\(number % 5 == 0 ? 500 : 200),"findings":{"email":\(number % 4),"iban":1}}
    """ : json
  return MetadataRecord(
    stream: StreamName(tenant: tenant, node: LogFixture.node, mode: .managed),
    segment: SegmentName(epoch: 1, number: UInt32(1 + number / 10)), frame: UInt64(number % 10),
    time: UInt64(1000 + number), recordID: UInt128(number), json: Array(text.utf8))
}

@Test(arguments: IndexKind.allCases)
func rowsAreFoundByFilterPageAndRequest(kind: IndexKind) throws {
  let fixture = try LogFixture()
  let index = try makeIndex(kind, fixture)
  try index.add((1...40).map { record(.first, $0) })
  try index.add([record(.second, 1000)])
  try index.add([record(.first, 7)])  // again, as after a crash
  let all = try index.list(.first, LogFilter())
  #expect(all.map(\.location.recordID) == (1...40).reversed().map { UInt128($0) })
  var filter = LogFilter()
  filter.alias = "odd"
  filter.user = "u1"
  #expect(try index.list(.first, filter).map { Int($0.tokensIn) } == [37, 31, 25, 19, 13, 7, 1])
  filter = LogFilter()
  filter.from = 1010
  filter.to = 1012
  #expect(try index.list(.first, filter).map(\.requestID) == ["req_11", "req_10"])
  filter = LogFilter()
  filter.status = 500
  filter.findings = 4
  #expect(try index.list(.first, filter).map(\.cost) == [350, 150])
  filter = LogFilter()
  filter.limit = 15
  var seen: [LogRow] = []
  while true {
    let page = try index.list(.first, filter)
    seen += page
    guard let last = page.last else { break }
    filter.after = LogFilter.Cursor(time: last.time, recordID: last.location.recordID)
  }
  #expect(seen == all)
  let found = try index.lookup(requestID: "req_7", tenant: .first)
  #expect(
    found.location
      == LogLocation(
        recordID: 7, stream: record(.first, 7).stream, segment: SegmentName(epoch: 1, number: 1)))
  for (request, tenant) in [("req_1000", TenantID.first), ("req_7", .second), ("nothing", .first), ("", .first)] {
    #expect(throws: SealedLogError(.notFound, "No such record.")) {
      try index.lookup(requestID: request, tenant: tenant)
    }
  }
  #expect(
    try index.mark(of: record(.first, 1).stream) == IndexMark(segment: SegmentName(epoch: 1, number: 5), frame: 0))
  #expect(try index.mark(of: StreamName(tenant: .first, node: LogFixture.node, mode: .off)) == nil)
  try index.forget(.first)
  #expect(try index.list(.first, LogFilter()).isEmpty && index.list(.second, LogFilter()).count == 1)
}

@Test(arguments: IndexKind.allCases)
func strangeMetadataIsIndexedWithoutItsFields(kind: IndexKind) throws {
  let index = try makeIndex(kind, try LogFixture())
  for (number, json) in [
    "no json", "[]", "{\"request_id\":7,\"cost\":\"x\",\"tokens\":[1]}", "{\"findings\":{\"a\":1e300}}",
  ]
  .enumerated() {
    try index.add([record(.first, number + 1, json)])
    let row = try #require(try index.list(.first, LogFilter()).first)
    #expect(row.requestID == "" && row.metadata == Array(json.utf8))
  }
}

@Test(arguments: IndexKind.allCases)
func strangeMetadataNeitherFailsAFilterNorFitsIt(kind: IndexKind) throws {
  let index = try makeIndex(kind, try LogFixture())
  let plain = "{\"v\":1,\"request_id\":\"good\",\"alias\":\"a\",\"status\":200,\"findings\":{\"email\":2}}"
  let strange = [
    "", "no json", "{", "[]", "null", plain + "}", String(plain.dropLast()), "{\"alias\":[\"a\"],\"status\":\"200\"}",
    "{\"v\":1,\"request_id\":\"good", "{\"findings\":[9],\"alias\":7}", "{\"findings\":{\"a\":\"9\"}}",
  ]
  for (number, json) in strange.enumerated() {
    let base = record(.first, number + 1)
    try index.add([
      MetadataRecord(
        stream: base.stream, segment: base.segment, frame: base.frame, time: base.time, recordID: base.recordID,
        json: Array(json.utf8))
    ])
  }
  try index.add([record(.first, 100, plain)])
  #expect(try index.list(.first, LogFilter()).count == strange.count + 1)
  var (alias, status, findings) = (LogFilter(), LogFilter(), LogFilter())
  alias.alias = "a"
  status.status = 200
  findings.findings = 1
  for filter in [alias, status, findings] {
    #expect(try index.list(.first, filter).map(\.location.recordID) == [100])
  }
  #expect(try index.lookup(requestID: "good", tenant: .first).location.recordID == 100)
}

@Test(arguments: IndexKind.allCases)
func theLaterCopyOfARecordWins(kind: IndexKind) throws {
  let index = try makeIndex(kind, try LogFixture())
  try index.add((1...3).map { record(.first, $0) })
  let first = record(.first, 2)
  let copy = MetadataRecord(
    stream: first.stream, segment: SegmentName(epoch: 1, number: 2), frame: 1, time: 5000, recordID: 2,
    json: first.json)
  try index.add([record(.first, 4), copy, record(.first, 3)])
  let rows = try index.list(.first, LogFilter())
  #expect(rows.map(\.location.recordID) == [2, 4, 3, 1])
  #expect(rows.first?.location.segment == copy.segment && rows.first?.time == 5000)
  #expect(try index.lookup(requestID: "req_2", tenant: .first) == rows.first)
  #expect(try index.mark(of: copy.stream) == IndexMark(segment: copy.segment, frame: 1))
}

@Test(arguments: IndexKind.allCases)
func manyRecordsAreFilteredAndLookedUp(kind: IndexKind) throws {
  let index = try makeIndex(kind, try LogFixture())
  let count = 20_000
  for start in stride(from: 1, to: count, by: 5000) { try index.add((start..<start + 5000).map { record(.first, $0) }) }
  var filter = LogFilter()
  filter.limit = 3
  filter.status = 500
  filter.findings = 4
  filter.to = 4000  // three pages hold none
  filter.from = 900
  #expect(try index.list(.first, filter).map { Int($0.location.recordID) } == [2995, 2975, 2955])
  filter.user = "nobody"
  #expect(try index.list(.first, filter).isEmpty)
  for number in [1, 16_383, 16_384, count] {
    #expect(try index.lookup(requestID: "req_\(number)", tenant: .first).location.recordID == UInt128(number))
  }
}

/// Two streams of one tenant, whose times cross: what one transaction brings is interleaved, and so are their blocks.
@Test(arguments: IndexKind.allCases)
func recordsOfSeveralStreamsAreListedInOrderOfTime(kind: IndexKind) throws {
  let index = try makeIndex(kind, try LogFixture())
  var random = SplitMix(state: 11)
  let others = StreamName(tenant: .first, node: LogFixture.node, mode: .off)
  var times: [UInt128: UInt64] = [:]
  var number = 0
  for _ in 0..<60 {
    let batch = (0..<Int.random(in: 1...40, using: &random)).map { _ in
      number += 1
      let base = record(.first, number)
      let time = UInt64(1000 + number * 10 - Int.random(in: 0..<400, using: &random))
      times[base.recordID] = time
      return MetadataRecord(
        stream: Bool.random(using: &random) ? others : base.stream, segment: base.segment, frame: base.frame,
        time: time, recordID: base.recordID, json: base.json)
    }
    try index.add(batch)
  }
  let expected = times.sorted { ($0.value, $0.key) > ($1.value, $1.key) }.map(\.key)
  for (limit, status) in [(1, nil), (7, nil), (100, 500), (1000, nil)] as [(Int, Int?)] {
    var filter = LogFilter()
    filter.limit = limit
    filter.status = status
    var seen: [UInt128] = []
    while let last = try index.list(.first, filter).map({ row in
      seen.append(row.location.recordID)
      return LogFilter.Cursor(time: row.time, recordID: row.location.recordID)
    }).last { filter.after = last }
    #expect(seen == (status == nil ? expected : expected.filter { $0 % 5 == 0 }))
  }
}

/// Records one at a time share blocks; copies leave the block they were in, whether it is full, small or in the same
/// batch.
@Test(arguments: IndexKind.allCases)
func copiesLeaveTheBlocksTheyWereIn(kind: IndexKind) throws {
  let index = try makeIndex(kind, try LogFixture())
  for number in 1...30 { try index.add([record(.first, number)]) }
  try index.add((31...600).map { record(.first, $0) })
  func copy(_ number: Int) -> MetadataRecord {
    let base = record(.first, number)
    return MetadataRecord(
      stream: base.stream, segment: SegmentName(epoch: 2, number: 1), frame: UInt64(number), time: base.time + 10_000,
      recordID: base.recordID, json: base.json)
  }
  let copied = [3, 30, 31, 256, 600]
  try index.add(copied.map(copy) + [record(.first, 601), copy(601)])
  var filter = LogFilter()
  filter.limit = 1000
  let rows = try index.list(.first, filter).map { Int($0.location.recordID) }
  let moved = copied + [601]
  #expect(rows == moved.reversed() + (1...600).reversed().filter { !moved.contains($0) })
  for number in moved {
    #expect(try index.lookup(requestID: "req_\(number)", tenant: .first).location.segment.epoch == 2)
  }
  try index.forget(.first)
  try index.add([record(.first, 700)])
  #expect(try index.list(.first, filter).count == 1)
}

@Test func aReopenedIndexGoesOnWhereItWas() throws {
  let fixture = try LogFixture()
  let path = "\(fixture.root)/index.sqlite"
  try LogIndex(path: path).add([record(.second, 1), record(.first, 1), record(.first, 2)])
  let again = try LogIndex(path: path)
  #expect(try again.mark(of: record(.first, 1).stream) == IndexMark(segment: record(.first, 2).segment, frame: 2))
  let rewritten = record(.first, 2)
  try again.add([
    record(.first, 1), record(.first, 3),
    MetadataRecord(
      stream: rewritten.stream, segment: SegmentName(epoch: 2, number: 2), frame: 1, time: 9000, recordID: 2,
      json: rewritten.json),
  ])
  #expect(try again.list(.first, LogFilter()).map(\.location.recordID) == [2, 3, 1])
  #expect(try again.list(.second, LogFilter()).map(\.location.recordID) == [1])
}

/// Two processes write while one relieves the other: what one knows by heart, the other may have moved.
@Test func twoWritersOfOneFileLoseNothingAndDoubleNothing() throws {
  let fixture = try LogFixture()
  let path = "\(fixture.root)/index.sqlite"
  let (old, new) = (try LogIndex(path: path), try LogIndex(path: path))
  for round in 0..<20 {
    let number = round * 10
    try old.add([record(.first, number + 1), record(.first, number + 2)])
    try new.add([record(.second, number + 5), record(.second, number + 6)])
    // The newcomer reads from disk what its predecessor adds itself.
    try new.add([record(.first, number + 2), record(.first, number + 3)])
    try old.add([record(.first, number + 3), record(.first, number + 4)])
  }
  var filter = LogFilter()
  filter.limit = 1000
  let expected = (0..<20).flatMap { round in (1...4).map { round * 10 + $0 } }
  for index in [old, new] {
    #expect(try index.list(.first, filter).map { Int($0.location.recordID) } == expected.reversed())
    #expect(try index.list(.second, filter).count == 40)
    #expect(try index.mark(of: record(.first, 1).stream)?.frame == record(.first, 194).frame)
  }
}

@Test(arguments: [
  ("{\"v\":1,\"request_id\":\"req_1\"}", "req_1"), ("{\"v\":1,\"request_id\":\"r\\u0065q\",\"a\":1}", "req"),
  ("{ \"v\" : 1, \"request_id\" : \"req_1\" }", "req_1"), ("{\"request_id\":\"é\"}", "é"),
])
func theKeyOfMetadataIsThatOfItsRequest(json: String, requestID: String) {
  #expect(RequestKey.of(record(.first, 1, json)) == RequestKey.of(requestID))
}

@Test(arguments: ["{\"v\":1,\"request_id\":\"", "{\"v\":1,\"request_id\":\"\"}", "{\"v\":1}", "no json"])
func aRecordWithoutARequestHasAKeyOfItsOwn(json: String) {
  #expect(RequestKey.of(record(.first, 7, json)) == 7)
}

@Test func plainMetadataReadsAsAWholeJSONReaderReadsIt() throws {
  var random = SplitMix(state: 5)
  let values = [
    "1", "0", "-7", "9223372036854775807", "\"x\"", "\"\"", "{}", "{\"input\":3,\"output\":4}", "{\"a\":-1}",
  ]
  let strange = [
    "01", "1.5", "1e3", "true", "null", "[1]", "\"a\\n\"", "99999999999999999999", "{\"a\":{}}", "{\"a\":\"b\"}", "",
    "-",
  ]
  let keys = ["request_id", "alias", "tokens", "cost", "status", "findings", "user", "other"]
  var plain = 0
  for _ in 0..<3000 {
    let all = Bool.random(using: &random) ? values : values + strange
    let fields = keys.shuffled(using: &random).prefix(Int.random(in: 0...8, using: &random)).map {
      "\"\($0)\" : \(all.randomElement(using: &random) ?? "")"
    }
    var text = Array("{\(fields.joined(separator: " ,"))} ".utf8)
    if Int.random(in: 0..<4, using: &random) == 0 { text.removeLast(Int.random(in: 1...text.count, using: &random)) }
    let record = record(.first, 1, text.isEmpty ? " " : String(decoding: text, as: UTF8.self))
    if MetadataScanner(record.json) != nil { plain += 1 }
    #expect(LogRow(record) == LogRow(decoding: record), "\(String(decoding: record.json, as: UTF8.self))")
  }
  #expect(plain > 1000)
}

@Test func whatWasNotIndexedBeforeACrashIsMadeUpForAtStart() throws {
  let fixture = try LogFixture()
  let writer = try fixture.writer()
  for number in 1...30 {
    let entry = LogEntry(
      stream: try fixture.stream(number % 2 == 0 ? .first : .second), recordID: UInt128(number), request: bytes(30),
      metadata: Array("{\"v\":1,\"request_id\":\"req_\(number)\"}".utf8))
    #expect(writer.append(entry, loop: 0))
  }
  #expect(writer.drain())
  let path = "\(fixture.root)/index.sqlite"
  let first = try LogIndex(path: path)
  let half = try fixture.reader().list(.first).reversed().prefix(5)
  try first.add(Array(half))
  let indexer = try LogIndexer(index: first, reader: fixture.reader())
  #expect(holds { indexer.isCurrent })
  #expect(try first.list(.first, LogFilter()).count == 15 && first.list(.second, LogFilter()).count == 15)
  let row = try first.lookup(requestID: "req_8", tenant: .first)
  #expect(try fixture.reader().open(row.location.recordID, tenant: .first, at: row.location).request == bytes(30))
  indexer.stop()
  writer.stop()
  // a file that is no database is begun anew
  try writeFile(path + "-2", Array("this is no database, it is a text of some length".utf8))
  let second = try LogIndex(path: path + "-2")
  let again = try LogIndexer(index: second, reader: fixture.reader())
  #expect(holds { again.isCurrent })
  again.stop()
  #expect(try second.list(.first, LogFilter()).count == 15)
}

@Test func theWriterFeedsTheIndex() throws {
  let fixture = try LogFixture()
  let index = try LogIndex(path: "\(fixture.root)/index.sqlite")
  let indexer = try LogIndexer(index: index, reader: fixture.reader())
  var options = WriterOptions()
  options.onMetadata = { indexer.feed($0) }
  let writer = try fixture.writer(options: options)
  for number in 1...100 {
    #expect(
      writer.append(
        LogEntry(
          stream: try fixture.stream(), recordID: UInt128(number),
          metadata: Array("{\"request_id\":\"r\(number)\"}".utf8)), loop: 0))
  }
  #expect(writer.drain() && holds { indexer.isCurrent })
  #expect(try index.list(.first, LogFilter()).count == 100)
  #expect(try index.lookup(requestID: "r77", tenant: .first).location.recordID == 77)
  writer.stop()
  indexer.stop()
  #expect(indexer.health == nil)
}
