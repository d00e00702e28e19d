import Cryptography
import Foundation
import KeyProviders
import Tenancy
import Testing

@testable import SealedLog

/// A log with two tenants, three ended segments each, of which every test damages a copy.
private func damagedLog(_ damage: (LogFixture, String) throws -> Void) throws -> (LogVerification, LogVerification) {
  let fixture = try LogFixture()
  var options = WriterOptions()
  options.segmentFrames = 8
  options.checkpointNanoseconds = 0
  let writer = try fixture.writer(options: options)
  for index in 1...10 {
    for tenant in [TenantID.first, .second] {
      let entry = LogEntry(
        stream: try fixture.stream(tenant), recordID: UInt128(index), subjects: [Subject(.tag, id: "s\(index % 3)")],
        request: bytes(300), metadata: Array("{\"n\":\(index)}".utf8))
      #expect(writer.append(entry, loop: 0))
      #expect(writer.drain())
    }
  }
  writer.stop()
  #expect(fixture.segments(.first).count >= 3)
  #expect(try fixture.verify().findings == [])
  let copy = try fixture.copy()
  try damage(fixture, copy)
  return (try fixture.verify(copy), try fixture.verify(copy, withKeys: false))
}

private func edit(_ path: String, _ change: (inout [UInt8], SegmentScan) throws -> Void) throws {
  var file = try readFile(path)
  let scan = try SegmentScan(file)
  try change(&file, scan)
  try writeFile(path, file)
}

/// Makes a frame's checksum right again, as an attacker would.
private func mend(_ file: inout [UInt8], _ frame: SegmentScan.Frame) {
  let crc = file[frame.offset..<frame.end - 4].withUnsafeBytes { CRC32C.checksum($0) }
  withUnsafeBytes(of: crc.littleEndian) { file.replaceSubrange(frame.end - 4..<frame.end, with: $0) }
}

enum Region: Int, CaseIterable {
  case length = 0
  case type = 4
  case flags = 5
  case part = 6
  case seq = 8
  case time = 16
  case record = 24
  case slot = 40
  case random = 44
  case ciphertext = 60
}

@Test(arguments: Region.allCases)
func aFlippedBitInAFrameIsModified(region: Region) throws {
  let (withKeys, without) = try damagedLog { fixture, copy in
    try edit(fixture.segments(in: copy)[1]) { file, scan in file[scan.frames[3].offset + region.rawValue] ^= 1 }
  }
  #expect(withKeys.exitCode == 3 && without.exitCode == 3)
}

@Test(arguments: Region.allCases.filter { $0 != .length })
func aFlippedBitWithAMendedChecksumIsModified(region: Region) throws {
  let (withKeys, without) = try damagedLog { fixture, copy in
    try edit(fixture.segments(in: copy)[1]) { file, scan in
      file[scan.frames[3].offset + region.rawValue] ^= 1
      mend(&file, scan.frames[3])
    }
  }
  #expect(withKeys.exitCode == 3 && without.exitCode == 3)
}

@Test func aFlippedTagOrChecksumIsModified() throws {
  for back in [1, 5] {
    let (withKeys, without) = try damagedLog { fixture, copy in
      try edit(fixture.segments(in: copy)[0]) { file, scan in file[scan.frames[2].end - back] ^= 1 }
    }
    #expect(withKeys.exitCode == 3 && without.exitCode == 3)
  }
}

@Test(arguments: [0, 8, 12, 14, 15, 16, 32, 48, 64, 68, 72, 80, 112, 144, 148, 149, 150, 160, 200, 300, 330, 700, 1500])
func aFlippedHeaderBitIsModified(offset: Int) throws {
  let (withKeys, without) = try damagedLog { fixture, copy in
    try edit(fixture.segments(in: copy)[1]) { file, _ in file[offset] ^= 1 }
  }
  #expect(withKeys.exitCode == 3 && without.exitCode == 3)
}

@Test func swappedFramesAreModified() throws {
  let (withKeys, without) = try damagedLog { fixture, copy in
    try edit(fixture.segments(in: copy)[0]) { file, scan in
      let (first, second) = (scan.frames[1], scan.frames[3])
      #expect(first.header.length == second.header.length)
      let held = Array(file[first.offset..<first.end])
      file.replaceSubrange(first.offset..<first.end, with: file[second.offset..<second.end])
      file.replaceSubrange(second.offset..<second.end, with: held)
    }
  }
  #expect(withKeys.exitCode == 3 && without.exitCode == 3)
}

@Test func aFrameMovedToAnotherTenantIsModified() throws {
  let (withKeys, without) = try damagedLog { fixture, copy in
    let source = try readFile(fixture.segments(.second, in: copy)[0])
    let frame = try SegmentScan(source).frames[1]
    try edit(fixture.segments(.first, in: copy)[0]) { file, scan in
      let target = scan.frames[1]
      #expect(target.header.length == frame.header.length)
      file.replaceSubrange(target.offset..<target.end, with: source[frame.offset..<frame.end])
    }
  }
  #expect(withKeys.exitCode == 3 && without.exitCode == 3)
}

@Test func anAbsentTailIsTruncated() throws {
  for frames in 1...3 {
    let (withKeys, without) = try damagedLog { fixture, copy in
      let last = try #require(fixture.segments(in: copy).last)
      try edit(last) { file, scan in file.removeSubrange(scan.frames[scan.frames.count - frames].offset...) }
    }
    #expect(withKeys.exitCode == 4 && without.exitCode == 4)
  }
}

@Test func anAbsentTailOfAnEarlierSegmentIsTruncated() throws {
  let (withKeys, without) = try damagedLog { fixture, copy in
    try edit(fixture.segments(in: copy)[0]) { file, scan in file.removeSubrange(scan.frames[4].offset...) }
  }
  #expect(withKeys.exitCode == 4 && without.exitCode == 4)
}

@Test(arguments: [0, 1])
func anAbsentSegmentIsAGap(index: Int) throws {
  let (withKeys, without) = try damagedLog { fixture, copy in
    let path = fixture.segments(in: copy)[index]
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.removeItem(atPath: LogLayout.sidecar(of: path))
  }
  #expect(withKeys.exitCode == 5 && without.exitCode == 5)
}

@Test func anAbsentLastSegmentIsTruncated() throws {
  let (withKeys, _) = try damagedLog { fixture, copy in
    try FileManager.default.removeItem(atPath: try #require(fixture.segments(in: copy).last))
  }
  #expect(withKeys.exitCode == 4)
}

@Test func anAbsentStreamIsAGap() throws {
  let (withKeys, without) = try damagedLog { _, copy in
    try FileManager.default.removeItem(atPath: "\(copy)/\(TenantID.second)")
  }
  #expect(withKeys.exitCode == 5 && without.exitCode == 5)
}

@Test func aForgedStreamListOrCheckpointIsModified() throws {
  for name in ["streams", "\(TenantID.first)/\(LogFixture.node)-managed/checkpoint"] {
    let (_, without) = try damagedLog { _, copy in
      var file = try readFile("\(copy)/\(name)")
      let digit = try #require(file.firstIndex { (0x30...0x38).contains($0) })
      file[digit] += 1
      try writeFile("\(copy)/\(name)", file)
    }
    #expect(without.exitCode == 3, "\(name)")
  }
}

@Test func aRolledBackLogIsTruncatedAgainstAWitness() throws {
  let fixture = try LogFixture()
  var options = WriterOptions()
  options.checkpointNanoseconds = 0
  let writer = try fixture.writer(options: options)
  let checkpoint = "\(fixture.log)/\(TenantID.first)/\(LogFixture.node)-managed/checkpoint"
  #expect(writer.append(LogEntry(stream: try fixture.stream(), recordID: 1, request: bytes(9)), loop: 0))
  #expect(writer.drain() && holds { Files.exists(checkpoint) })
  let old = try fixture.copy()
  #expect(writer.append(LogEntry(stream: try fixture.stream(), recordID: 2, request: bytes(9)), loop: 0))
  writer.stop()
  let key = try fixture.provider.installationKey()
  let witness = try readFile(checkpoint)
  #expect(LogVerify.verify(folder: fixture.log, installationKey: key, witness: [witness]).exitCode == 0)
  #expect(LogVerify.verify(folder: old, installationKey: key).exitCode == 2)
  #expect(LogVerify.verify(folder: old, installationKey: key, witness: [witness]).exitCode == 4)
}

@Test func aCheckForOneTenantTellsNothingOfAnother() throws {
  let fixture = try LogFixture()
  let writer = try fixture.writer()
  for number in 1...7 {
    let stream = try fixture.stream(number == 1 ? .first : .second)
    #expect(writer.append(LogEntry(stream: stream, recordID: UInt128(number), request: bytes(99)), loop: 0))
  }
  writer.stop()
  func check(_ tenant: TenantID?) throws -> LogVerification {
    LogVerify.verify(folder: fixture.log, tenant: tenant, installationKey: try fixture.provider.installationKey())
  }
  let (alone, other, all) = (try check(.first), try check(.second), try check(nil))
  #expect(alone.streams == 1 && other.streams == 1 && all.streams == 2)
  #expect(alone.segments + other.segments == all.segments)
  #expect(alone.frames + other.frames == all.frames && alone.frames < other.frames)
  #expect(alone.exitCode == 0 && other.exitCode == 0)
  // The other's log is changed, then gone: this one's check is the same, word for word
  let path = try #require(fixture.segments(.second).first)
  var file = try readFile(path)
  file[file.count / 2] ^= 1
  try writeFile(path, file)
  #expect(try check(.first) == alone)
  #expect(try check(.second).exitCode == 3 && check(nil).exitCode == 3)
  try FileManager.default.removeItem(atPath: "\(fixture.log)/\(TenantID.second)")
  #expect(try check(.first) == alone)
  #expect(try check(.second).exitCode == 5 && check(nil).exitCode == 5)
  // A tenant without a log has none, and that is no finding
  let nobody = try check(TenantID(7))
  #expect(nobody.exitCode == 0 && nobody.streams == 0 && nobody.frames == 0)
}

@Test func anotherInstallationsLogIsModified() throws {
  let fixture = try LogFixture()
  let writer = try fixture.writer()
  #expect(writer.append(LogEntry(stream: try fixture.stream(), recordID: 1, request: bytes(9)), loop: 0))
  writer.stop()
  let other = try LogFixture().provider.installationKey()
  #expect(LogVerify.verify(folder: fixture.log, installationKey: other).exitCode == 3)
  #expect(LogVerify.verify(folder: "\(fixture.root)/nothing").exitCode == 1)
}

@Test(arguments: [0, 10, 30, 40, 44])
func aFlippedSidecarHeaderBitIsModified(offset: Int) throws {
  let (withKeys, _) = try damagedLog { fixture, copy in
    let path = LogLayout.sidecar(of: fixture.segments(in: copy)[1])
    var file = try readFile(path)
    file[offset] ^= 1
    try writeFile(path, file)
  }
  // with another version the erasure key is one that does not exist
  #expect([3, 6].contains(withKeys.exitCode))
  if offset != 40 { #expect(withKeys.exitCode == 3) }
}

@Test(arguments: [0, 1, 2])
func aFlippedSidecarEntryIsModified(entry: Int) throws {
  for offset in [0, 4, 6, 10, 30, 100, 112] {
    let (withKeys, without) = try damagedLog { fixture, copy in
      let path = LogLayout.sidecar(of: fixture.segments(in: copy)[0])
      var file = try readFile(path)
      file[48 + 120 * entry + offset] ^= 1
      try writeFile(path, file)
    }
    #expect(withKeys.exitCode == 3 && without.exitCode == 3, "\(offset)")
  }
}

@Test func aForgedSidecarEntryIsModified() throws {
  let (withKeys, _) = try damagedLog { fixture, copy in
    let path = LogLayout.sidecar(of: fixture.segments(in: copy)[0])
    var file = try readFile(path)
    let entry = try SidecarEntry(file[48..<168])
    var body = entry.body
    body[20] ^= 1
    let forged = SidecarEntry(
      slot: entry.slot, kind: entry.kind, count: entry.count, expires: entry.expires, tag: entry.tag, body: body)
    file.replaceSubrange(48..<168, with: forged.bytes)
    try writeFile(path, file)
  }
  #expect(withKeys.exitCode == 3)
}

@Test func anAbsentSidecarIsModified() throws {
  let (withKeys, without) = try damagedLog { fixture, copy in
    try FileManager.default.removeItem(atPath: LogLayout.sidecar(of: fixture.segments(in: copy)[0]))
  }
  #expect(withKeys.exitCode == 3 && without.exitCode == 3)
}

@Test func aDroppedEntryIsErasedAndNothingElseIsLost() throws {
  let (withKeys, without) = try damagedLog { fixture, copy in
    let path = LogLayout.sidecar(of: fixture.segments(in: copy)[0])
    var file = try readFile(path)
    #expect(try SidecarEntry(file[48..<168]).kind == .subject)
    file.removeSubrange(48..<168)
    try writeFile(path, file)
    #expect(throws: SealedLogError.self) { try fixture.reader(copy).open(1, tenant: .first) }
    #expect(try fixture.reader(copy).open(2, tenant: .first).request == bytes(300))
  }
  #expect(withKeys.exitCode == 6 && without.exitCode == 6 && withKeys.erasedEntries == 1)
}

@Test func worstFindingIsTheExitCode() {
  func code(_ codes: LogVerification.Code...) -> Int {
    var result = LogVerification()
    result.findings = codes.map { LogVerification.Finding(code: $0, stream: "", segment: "", text: "") }
    return result.exitCode
  }
  #expect(code() == 0)
  #expect(code(.erased) == 6)
  #expect(code(.erased, .torn) == 2)
  #expect(code(.torn, .gap) == 5)
  #expect(code(.gap, .truncated) == 4)
  #expect(code(.truncated, .modified, .erased) == 3)
}

/// What the installation signs it vouches for: a list that somebody has changed is not signed anew with what is added.
@Test func aForgedStreamListIsNotSignedAnew() throws {
  let fixture = try LogFixture()
  let writer = try fixture.writer()
  #expect(writer.append(LogEntry(stream: try fixture.stream(), recordID: 1, request: bytes(9)), loop: 0))
  #expect(writer.drain())
  writer.stop()
  let path = LogLayout.streamList(fixture.log)
  let list = try readFile(path)
  var forged = list
  let digit = try #require(forged.firstIndex { (0x30...0x38).contains($0) })
  forged[digit] += 1
  try writeFile(path, forged)
  let next = try fixture.writer(epoch: 2)
  let entry = LogEntry(stream: try fixture.stream(.second), recordID: 2, request: bytes(9), token: 2)
  #expect(next.append(entry, loop: 0))
  #expect(
    holds {
      guard case .failing(let reason) = next.health.state else { return false }
      return reason.contains("stream list")
    })
  #expect(try readFile(path) == forged)
  #expect(fixture.confirmed.all == [])
  try writeFile(path, list)
  #expect(fixture.confirmed.waits(for: 2), "and goes on when it is the true one again")
  next.stop()
  #expect(try fixture.verify().findings == [])
}

/// A list of before is signed, too. What shows its age: the streams that are there, and witnesses of those that are not.
@Test func aRolledBackStreamListIsFound() throws {
  let fixture = try LogFixture()
  var options = WriterOptions()
  options.checkpointNanoseconds = 0
  let writer = try fixture.writer(options: options)
  #expect(writer.append(LogEntry(stream: try fixture.stream(), recordID: 1, request: bytes(9)), loop: 0))
  #expect(writer.drain())
  let list = try readFile(LogLayout.streamList(fixture.log))
  #expect(writer.append(LogEntry(stream: try fixture.stream(.second), recordID: 2, request: bytes(9)), loop: 0))
  let second = StreamName(tenant: .second, node: LogFixture.node, mode: .managed)
  let checkpoint = LogLayout.checkpoint(fixture.log, second)
  #expect(writer.drain() && holds { Files.exists(checkpoint) })
  writer.stop()
  let witness = try readFile(checkpoint)
  let key = try fixture.provider.installationKey()
  func found(_ tenant: TenantID? = nil, witness: [[UInt8]] = []) -> Int {
    LogVerify.verify(folder: fixture.log, tenant: tenant, installationKey: key, witness: witness).exitCode
  }
  #expect(found(witness: [witness]) == 0)
  try writeFile(LogLayout.streamList(fixture.log), list)
  #expect(found() == 4 && found(.second) == 4 && found(.first) == 0)
  try FileManager.default.removeItem(atPath: "\(fixture.log)/\(TenantID.second)")
  #expect(found(witness: [witness]) == 5 && found(.second, witness: [witness]) == 5)
  #expect(found(.first, witness: [witness]) == 0, "nothing is told of another's")
}
