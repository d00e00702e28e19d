import Cryptography
import Tenancy
import Testing

@testable import SealedLog

private let edges = [
  0, 1, 251, 252, 253, 254, 507, 508, 509, 4095, 4096, 65_531, 65_532, 65_533, 65_535, 65_536, 65_537, 131_071,
  131_072, 131_073, 200_000,
]

@Test func everySizeAroundTheEdgesComesBackByteForByte() throws {
  let fixture = try LogFixture()
  let writer = try fixture.writer()
  let stream = try fixture.stream()
  for (index, size) in edges.enumerated() {
    #expect(
      writer.append(
        LogEntry(
          stream: stream, recordID: UInt128(index + 1), subjects: [Subject(.tag, id: "p\(index % 3)")],
          request: bytes(size, seed: 1), response: bytes(size, seed: 2), metadata: Array("{\"v\":1}".utf8),
          token: UInt64(index + 1)), loop: 0))
  }
  #expect(fixture.confirmed.waits(for: UInt64(edges.count)))
  #expect(writer.drain())
  let reader = fixture.reader()
  for (index, size) in edges.enumerated() {  // while the writer still has the segment open
    let record = try reader.open(UInt128(index + 1), tenant: .first)
    #expect(record.request == bytes(size, seed: 1), "\(size)")
    #expect(record.response == bytes(size, seed: 2), "\(size)")
    #expect(record.isComplete)
  }
  #expect(try fixture.verify().exitCode == 0)
  writer.stop()
  #expect(try fixture.verify().findings == [])
  #expect(try reader.open(3, tenant: .first).metadata == Array("{\"v\":1}".utf8))
}

@Test(arguments: [0, 1, 2, 3, 8])
func recordsOpenWhateverTheNumberOfSubjects(count: Int) throws {
  let fixture = try LogFixture()
  let writer = try fixture.writer()
  let subjects = (0..<count).map { Subject(.tag, id: "person \($0)") }
  for turn in 1...2 {
    #expect(
      writer.append(
        LogEntry(
          stream: try fixture.stream(), recordID: UInt128(turn), subjects: turn == 1 ? subjects : subjects.reversed(),
          request: bytes(100), token: UInt64(turn)), loop: 0))
  }
  #expect(fixture.confirmed.waits(for: 2))
  writer.stop()
  for turn in 1...2 { #expect(try fixture.reader().open(UInt128(turn), tenant: .first).request == bytes(100)) }
  let sidecar = try Sidecar(try readFile(LogLayout.sidecar(of: try #require(fixture.segments().first))))
  #expect(sidecar.entries.count == (count == 0 ? 1 : count == 1 ? 1 : count + 1))
}

@Test func moreThanEightSubjectsAreRefused() throws {
  let fixture = try LogFixture()
  let writer = try fixture.writer()
  defer { writer.stop() }
  let subjects = (0..<9).map { Subject(.tag, id: "person \($0)") }
  #expect(!writer.append(LogEntry(stream: try fixture.stream(), recordID: 1, subjects: subjects), loop: 0))
  #expect(!writer.append(LogEntry(stream: try fixture.stream(), recordID: 1), loop: 1))
}

@Test func partsOfAStreamedAnswerInSeveralEntriesAreOneAnswer() throws {
  let fixture = try LogFixture()
  let writer = try fixture.writer()
  let stream = try fixture.stream()
  let pieces = [bytes(4096, seed: 1), bytes(70_000, seed: 2), bytes(10, seed: 3)]
  let starts: [UInt16] = [0, 1, 3]
  for (index, piece) in pieces.enumerated() {
    let entry = LogEntry(
      stream: stream, recordID: 9, request: index == 0 ? bytes(5) : nil, response: piece, responseIsAssembled: true,
      responseFirstPart: starts[index], responseIsLast: index == 2, token: UInt64(index + 1))
    #expect(writer.append(entry, loop: 0))
    if index == 1 {
      #expect(fixture.confirmed.waits(for: 2))
      #expect(try !fixture.reader().open(9, tenant: .first).isComplete)
    }
  }
  #expect(fixture.confirmed.waits(for: 3))
  let record = try fixture.reader().open(9, tenant: .first)
  #expect(record.response == pieces.flatMap { $0 } && record.isComplete && record.responseIsAssembled)
  writer.stop()
}

@Test func contentOffKeepsMetadataOnly() throws {
  let fixture = try LogFixture()
  let writer = try fixture.writer()
  let stream = try fixture.stream(mode: .off)
  #expect(
    writer.append(
      LogEntry(
        stream: stream, recordID: 4, subjects: [Subject(.user, id: "u")], request: bytes(10), response: bytes(10),
        metadata: Array("{}".utf8), token: 1), loop: 0))
  #expect(fixture.confirmed.waits(for: 1))
  writer.stop()
  let record = try fixture.reader().open(4, tenant: .first)
  #expect(record.request == nil && record.response == nil && record.metadata == Array("{}".utf8))
  #expect(try fixture.reader().list(.first).map(\.recordID) == [4])
  let file = try readFile(try #require(fixture.segments(mode: .off).first))
  #expect(try SegmentScan(file).frames.allSatisfy { $0.header.type.isClear || $0.header.type == .metadata })
}

@Test func unknownAndForeignRecordsAreTheSameNotFound() throws {
  let fixture = try LogFixture()
  let writer = try fixture.writer()
  #expect(
    writer.append(LogEntry(stream: try fixture.stream(.first), recordID: 1, request: bytes(9), token: 1), loop: 0))
  #expect(
    writer.append(LogEntry(stream: try fixture.stream(.second), recordID: 2, request: bytes(9), token: 2), loop: 0))
  #expect(fixture.confirmed.waits(for: 1) && fixture.confirmed.waits(for: 2))
  writer.stop()
  let reader = fixture.reader()
  #expect(throws: SealedLogError.notFound) { try reader.open(2, tenant: .first) }
  #expect(throws: SealedLogError.notFound) { try reader.open(77, tenant: .first) }
  let foreign = LogLocation(
    recordID: 2, stream: StreamName(tenant: .second, node: LogFixture.node, mode: .managed),
    segment: SegmentName(epoch: 1, number: 1))
  #expect(throws: SealedLogError.notFound) { try reader.open(2, tenant: .first, at: foreign) }
}

@Test func plaintextNeverReachesTheDisk() throws {
  let fixture = try LogFixture()
  let writer = try fixture.writer()
  let canary = "CANARY-" + "4711-canary"
  #expect(
    writer.append(
      LogEntry(
        stream: try fixture.stream(), recordID: 1, subjects: [Subject(.tag, id: canary), Subject(.user, id: "x")],
        request: Array(canary.utf8), response: Array(canary.utf8), metadata: Array("{\"a\":\"\(canary)\"}".utf8),
        token: 1), loop: 0))
  #expect(fixture.confirmed.waits(for: 1))
  writer.stop()
  let needle = Array(canary.utf8)
  for path in try allFiles(below: fixture.root) {
    #expect(try !readFile(path).contains(needle), "\(path)")
    #expect(!path.contains(canary))
  }
}

@Test func noNonceIsUsedTwiceUnderOneKey() throws {
  let fixture = try LogFixture()
  var options = WriterOptions()
  options.segmentBytes = 20_000
  for epoch in 1...2 {
    let writer = try fixture.writer(epoch: UInt32(epoch), options: options)
    for index in 1...200 {
      let token = UInt64(epoch * 1000 + index)
      #expect(
        writer.append(
          LogEntry(
            stream: try fixture.stream(index % 2 == 0 ? .first : .second), recordID: UInt128(token),
            subjects: [Subject(.tag, id: "s\(index % 5)")], request: bytes(300), metadata: Array("{}".utf8),
            token: token), loop: 0))
    }
    #expect(writer.drain())
    writer.stop()
  }
  var seen: Set<[UInt8]> = []
  var ids: Set<UInt128> = []
  var count = 0
  for path in fixture.segments(.first) + fixture.segments(.second) {
    let file = try readFile(path)
    let scan = try SegmentScan(file)
    #expect(ids.insert(scan.header.fields.segment.value).inserted)
    for frame in scan.frames where !frame.header.type.isClear {
      var key = scan.header.fields.segment.bytes
      key.append(little: frame.header.slot)
      key += file[frame.offset + 44..<frame.offset + 48] + file[frame.offset + 8..<frame.offset + 16]
      #expect(seen.insert(key).inserted)
      count += 1
    }
  }
  #expect(count == 800 && ids.count > 8)
  #expect(try fixture.verify().exitCode == 0)
}
