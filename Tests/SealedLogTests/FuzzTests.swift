import Foundation
import Tenancy
import Testing

@testable import SealedLog

@Test func damagedFilesNeverTrapAndNeverPassForWhole() throws {
  let fixture = try LogFixture()
  var options = WriterOptions()
  options.segmentFrames = 10
  options.checkpointNanoseconds = 0
  let writer = try fixture.writer(options: options)
  for number in 1...12 {
    let entry = LogEntry(
      stream: try fixture.stream(), recordID: UInt128(number),
      subjects: [Subject(.tag, id: "s\(number % 3)"), Subject(.user, id: "u")], request: bytes(400),
      response: bytes(70_000), metadata: Array("{\"n\":1}".utf8))
    #expect(writer.append(entry, loop: 0))
    #expect(writer.drain())
  }
  writer.stop()
  let paths = try allFiles(below: fixture.log).sorted()
  var random = SplitMix(state: 20_261_124)
  let disk = try PosixDisk(folder: fixture.root)
  for round in 0..<150 {
    let path = try #require(paths.randomElement(using: &random))
    let whole = try readFile(path)
    guard !whole.isEmpty else { continue }
    var file = whole
    switch Int.random(in: 0..<4, using: &random) {
    case 0:
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        file[Int.random(in: 0..<file.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
      }
    case 1: file.removeLast(Int.random(in: 1...file.count, using: &random))
    case 2:
      let at = Int.random(in: 0..<file.count, using: &random)
      let end = min(file.count, at + Int.random(in: 1...300, using: &random))
      for index in at..<end { file[index] = UInt8.random(in: 0...255, using: &random) }
    default:
      let at = Int.random(in: 0..<file.count, using: &random)
      file.insert(contentsOf: bytes(Int.random(in: 1...200, using: &random)), at: at)
    }
    guard file != whole else { continue }
    try writeFile(path, file)
    let result = try fixture.verify(withKeys: round % 3 == 0)
    if !path.hasSuffix("installation.pub") { #expect(result.exitCode != 0, "round \(round), \(path)") }
    let reader = fixture.reader()
    _ = try? reader.list(.first)
    for number in [1, 6, 12] { _ = try? reader.open(UInt128(number), tenant: .first) }
    if let last = fixture.segments().last, path == last {
      let copy = try fixture.copy()
      _ = try? StreamRecovery(log: copy, disk: disk, clock: .system, hasher: try MerkleHasher()).resume(
        StreamName(tenant: .first, node: LogFixture.node, mode: .managed))
      try FileManager.default.removeItem(atPath: copy)
    }
    try writeFile(path, whole)
  }
  #expect(try fixture.verify().exitCode == 0)
}

@Test func randomBytesAreNoFormat() {
  var random = SplitMix(state: 1)
  for round in 0..<2000 {
    var file = bytes(Int.random(in: 0..<600, using: &random), seed: UInt64(round))
    if round % 2 == 0, file.count > 12 { file.replaceSubrange(0..<8, with: SegmentHeader.magic) }
    if round % 3 == 0, file.count > 48 { file.replaceSubrange(0..<8, with: SidecarHeader.magic) }
    #expect(throws: SealedLogError.self) { try SegmentScan(file) }
    _ = try? Sidecar(file)
    _ = try? SidecarEntry(file[...])
    _ = try? FooterBody(file[...])
    _ = try? CheckpointNote(file)
    _ = try? StreamLister.read(file)
    _ = try? RequestPayload(file)
  }
}
