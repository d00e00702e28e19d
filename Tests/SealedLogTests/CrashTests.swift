import Foundation
import Tenancy
import Testing

@testable import SealedLog

private func recover(_ folder: String) throws -> ResumePoint {
  try StreamRecovery(
    log: folder, disk: try PosixDisk(folder: folder), clock: .system, hasher: try MerkleHasher()
  ).resume(StreamName(tenant: .first, node: LogFixture.node, mode: .managed))
}

@Test func aCrashAtEveryByteOfTheLastBatchLosesNothingBefore() throws {
  let fixture = try LogFixture()
  var options = WriterOptions()
  options.checkpointNanoseconds = .max
  let writer = try fixture.writer(options: options)
  func append(_ number: Int) throws {
    let entry = LogEntry(
      stream: try fixture.stream(), recordID: UInt128(number), subjects: [Subject(.tag, id: "s\(number)")],
      request: bytes(300), metadata: Array("{\"n\":\(number)}".utf8), token: UInt64(number))
    #expect(writer.append(entry, loop: 0))
    #expect(fixture.confirmed.waits(for: UInt64(number)))
  }
  for number in 1...3 { try append(number) }
  #expect(writer.drain())
  // The one checkpoint is there before what is cut below: signed later, it would state more than there is.
  let stream = StreamName(tenant: .first, node: LogFixture.node, mode: .managed)
  #expect(holds { Files.exists(LogLayout.checkpoint(fixture.log, stream)) })
  let path = try #require(fixture.segments().first)
  let whole = try readFile(path).count
  try append(4)
  #expect(writer.drain())
  // stands for the killed process: nothing is ended here
  let killed = try fixture.copy("killed")
  let file = try readFile(try #require(fixture.segments(in: killed).first))
  #expect(file.count > whole)
  let point = try SegmentScan(Array(file[..<whole]))
  #expect(point.tail == .clean)
  for length in whole...file.count {
    try writeFile(try #require(fixture.segments(in: killed).first), Array(file[..<length]))
    let before = try fixture.verify(killed, withKeys: false)
    #expect(before.exitCode == 2, "\(length): \(before.findings)")
    let resumed = try recover(killed)
    let after = try fixture.verify(killed, withKeys: length % 50 == 0)
    #expect(after.exitCode == 2, "\(length): \(after.findings)")
    #expect(try recover(killed) == resumed, "recovery must be repeatable")
    if length % 25 == 0 || length == file.count {
      for number in 1...3 {
        #expect(try fixture.reader(killed).open(UInt128(number), tenant: .first).request == bytes(300))
      }
    }
  }
  #expect(try fixture.reader(killed).open(4, tenant: .first).request == bytes(300))
  writer.stop()
}

@Test func theNextProcessGoesOnWithTheTreeAfterACrash() throws {
  let fixture = try LogFixture()
  let writer = try fixture.writer()
  for number in 1...5 {
    let entry = LogEntry(
      stream: try fixture.stream(), recordID: UInt128(number), request: bytes(50), token: UInt64(number))
    #expect(writer.append(entry, loop: 0))
  }
  #expect(writer.drain())
  var killed = try fixture.copy("killed 1")
  writer.stop()
  for (epoch, torn) in [(UInt32(2), 7), (3, 0), (4, 400), (5, 60)] {
    let last = try #require(fixture.segments(in: killed).last)
    try writeFile(last, try readFile(last) + bytes(torn))
    let confirmed = Confirmed()
    let next = try LogWriter(
      folder: killed, node: LogFixture.node, epoch: epoch, keys: fixture.provider, journal: nil,
      onConfirmed: { confirmed.add($0, $1) })
    #expect(
      next.append(
        LogEntry(stream: try fixture.stream(), recordID: UInt128(100 + epoch), request: bytes(60), token: 1), loop: 0))
    #expect(confirmed.waits(for: 1) && next.drain())
    let result = try fixture.verify(killed)
    #expect(result.exitCode == 2, "\(epoch): \(result.findings)")
    for recovered in 2...epoch {
      #expect(try fixture.reader(killed).open(UInt128(100 + recovered), tenant: .first).request == bytes(60))
    }
    #expect(try fixture.reader(killed).open(4, tenant: .first).request == bytes(50))
    let again = "\(fixture.root)/killed \(epoch)"
    try FileManager.default.copyItem(atPath: killed, toPath: again)
    next.stop()
    killed = again
  }
}

@Test func aRecoveryIsAFindingUntilTwoSegmentsHaveGoneOnFromIt() throws {
  let fixture = try LogFixture()
  func run(_ folder: String, epoch: UInt32) throws -> LogWriter {
    let confirmed = Confirmed()
    let writer = try LogWriter(
      folder: folder, node: LogFixture.node, epoch: epoch, keys: fixture.provider, journal: nil,
      onConfirmed: { confirmed.add($0, $1) })
    #expect(
      writer.append(
        LogEntry(stream: try fixture.stream(), recordID: UInt128(epoch), request: bytes(60), token: 1), loop: 0))
    #expect(confirmed.waits(for: 1) && writer.drain())
    return writer
  }
  var writer = try run(fixture.log, epoch: 1)
  var log = try fixture.copy("killed 1")
  writer.stop()
  // Recovered by epoch 2, which is killed in turn and recovered by epoch 3
  writer = try run(log, epoch: 2)
  #expect(try fixture.verify(log).exitCode == 2)
  log = try {
    let again = "\(fixture.root)/killed 2"
    try FileManager.default.copyItem(atPath: log, toPath: again)
    return again
  }()
  writer.stop()
  writer = try run(log, epoch: 3)
  var result = try fixture.verify(log)
  #expect(result.exitCode == 2, "\(result.findings)")
  #expect(result.findings.count == 1 && result.notes.count == 1, "the first is old by now: \(result)")
  writer.stop()
  result = try fixture.verify(log)
  #expect(result.exitCode == 2, "\(result.findings)")
  writer = try run(log, epoch: 4)
  for isRunning in [true, false] {
    if !isRunning { writer.stop() }
    result = try fixture.verify(log)
    #expect(result.exitCode == 0, "\(result.findings)")
    #expect(result.notes.count == 2)
  }
  #expect(String(decoding: result.json, as: UTF8.self).contains("was recovered after an unclean stop; 3 segments"))
  // Without what has gone on from it the recovery is a finding again, and the break another
  let segments = fixture.segments(in: log)
  #expect(segments.count >= 4)
  try FileManager.default.removeItem(atPath: segments[2])
  result = try fixture.verify(log)
  #expect(result.exitCode == 5)
  #expect(result.findings.contains { $0.code == .torn })
}

@Test func aSegmentMadeAheadAndNeverUsedIsNoFinding() throws {
  let fixture = try LogFixture()
  var options = WriterOptions()
  options.segmentBytes = 4_000
  let writer = try fixture.writer(options: options)
  for number in 1...4 {
    let entry = LogEntry(stream: try fixture.stream(), recordID: UInt128(number), request: bytes(500))
    #expect(writer.append(entry, loop: 0))
    #expect(writer.drain())
  }
  let killed = try fixture.copy("killed")
  writer.stop()
  // The copy may have met the next segment while it was being made; here only the one below is to be so
  for path in fixture.segments(in: killed) where try readFile(path).count < SegmentHeader.leastBytes {
    try FileManager.default.removeItem(atPath: path)
  }
  for cut in [5, 100, 400] {  // a header that never became whole
    let name = "\(fixture.segments(in: killed).last.map { String($0.dropLast(5)) } ?? "")9.thl"
    try writeFile(name, Array(try readFile(try #require(fixture.segments(in: killed).first))[..<cut]))
    let result = try fixture.verify(killed)
    #expect([0, 2].contains(result.exitCode) || cut == 400, "\(result.findings)")
    _ = try recover(killed)
    try FileManager.default.removeItem(atPath: name)
  }
}

@Test func goodFramesBehindBadBytesAreQuarantinedAndKept() throws {
  let fixture = try LogFixture()
  let writer = try fixture.writer()
  for number in 1...5 {
    #expect(
      writer.append(LogEntry(stream: try fixture.stream(), recordID: UInt128(number), request: bytes(50)), loop: 0))
  }
  #expect(writer.drain())
  let killed = try fixture.copy("killed")
  writer.stop()
  let path = try #require(fixture.segments(in: killed).first)
  var file = try readFile(path)
  file[try SegmentScan(file).frames[2].offset + 70] ^= 1
  try writeFile(path, file)
  let resumed = try recover(killed)
  #expect(resumed.predecessorPoisoned && resumed.tree.end == 2)
  #expect(try readFile(path) == file)
  #expect(try fixture.verify(killed).exitCode == 3)
}
