import Dispatch
import Foundation
import Glibc
import Synchronization
import Tenancy
import Testing

@testable import SealedLog

/// A process may be killed between any two of its writes, and in the middle of each: what it leaves is an intact log or one
/// with a torn tail, never one that looks changed, and nothing of it that was confirmed is gone.
struct KilledTests {
  private let fixture: LogFixture
  private let time = TestClock()
  private let tenants = [TenantID.first, .second]

  init() throws { fixture = try LogFixture() }

  private func entry(_ number: Int, _ tenant: TenantID = .first, size: Int = 300, strict: Bool = false) throws
    -> LogEntry
  {
    LogEntry(
      stream: try fixture.stream(tenant, durability: strict ? .strict : .buffered), recordID: UInt128(number),
      subjects: [Subject(.tag, id: "s\(number % 3)")], request: bytes(size),
      metadata: Array("{\"n\":\(number)}".utf8), token: UInt64(number))
  }

  private struct Written {
    let tenant: TenantID
    let size: Int
  }

  /// Everything that a short life of a writer does: first segments, rolls, checkpoints in the folder and in segments, a
  /// payload in two parts, settings that change, an orderly end.
  private func life(_ disk: TracingDisk) throws -> [UInt64: Written] {
    var options = WriterOptions()
    options.segmentBytes = 5_000
    options.checkpointNanoseconds = 0
    options.checkpointFrameNanoseconds = 0
    options.syncIntervalNanoseconds = 1_000_000
    let confirmed = fixture.confirmed
    let writer = try LogWriter(
      folder: fixture.log, node: LogFixture.node, epoch: 1, keys: fixture.provider, journal: nil, clock: time.clock,
      options: options, disk: disk,
      onConfirmed: { loop, tokens in
        disk.confirm(tokens)
        confirmed.add(loop, tokens)
      })
    var written: [UInt64: Written] = [:]
    for number in 1...9 {
      let tenant = tenants[number % 4 == 0 ? 1 : 0]
      let size = number == 5 ? 70_000 : 300
      written[UInt64(number)] = Written(tenant: tenant, size: size)
      #expect(writer.append(try entry(number, tenant, size: size, strict: number == 7), loop: 0))
      guard number % 3 != 0 else { continue }  // comes with the next one
      #expect(
        holds {
          time.advance(seconds: 0.2)
          return confirmed.all.contains(UInt64(number))
        })
      #expect(writer.drain())
    }
    writer.stop()
    return written
  }

  /// Where a write is broken off: around the parts of a frame, and at the ends of pages, which is where the kernel does.
  private func torn(_ count: Int) -> [Int] {
    let pages = stride(from: 4096, to: count, by: 16 * 4096)
    return Set([1, 53, count - 1] + pages).filter { $0 > 0 && $0 < count }.sorted()
  }

  private var folder: String { "\(fixture.root)/killed" }

  private func lay(_ image: FolderImage) throws {
    try? FileManager.default.removeItem(atPath: folder)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try image.store(from: fixture.log, to: folder)
  }

  private func verify(_ place: String, withKeys: Bool = false) throws {
    let result = try fixture.verify(folder, withKeys: withKeys)
    #expect([0, 2].contains(result.exitCode), "\(place): \(result.findings)")
  }

  /// Verifies what a killed process has left, lets the next one go on from it, and verifies again.
  private func check(_ image: FolderImage, _ written: [UInt64: Written], _ place: String) throws {
    try lay(image)
    try verify(place)
    try goOn(place)
    try verify("\(place), gone on", withKeys: true)
    var whole: Set<UInt128> = []
    for path in tenants.flatMap({ fixture.segments($0, in: folder) }) {
      guard let scan = try? SegmentScan(try readFile(path)) else { continue }
      for frame in scan.frames where frame.header.type == .metadata { whole.insert(frame.header.record) }
    }
    for token in image.confirmed {
      #expect(whole.contains(UInt128(token)), "\(place): \(token) was confirmed and is gone")
    }
    #expect(try allFiles(below: folder).filter { $0.hasSuffix(LogLayout.unnamedSuffix) } == [])
  }

  private func goOn(_ place: String) throws {
    let confirmed = Confirmed()
    let next = try LogWriter(
      folder: folder, node: LogFixture.node, epoch: 2, keys: fixture.provider, journal: nil, clock: time.clock,
      onConfirmed: { confirmed.add($0, $1) })
    for (index, tenant) in tenants.enumerated() { #expect(next.append(try entry(100 + index, tenant), loop: 0)) }
    for index in tenants.indices { #expect(confirmed.waits(for: UInt64(100 + index)), "\(place)") }
    next.stop()
  }

  /// The recovery of what a killed process has left is killed in turn, anywhere, and done again.
  private func checkRecovery(_ image: FolderImage, _ place: String) throws {
    try lay(image)
    let (points, steps) = try recover()
    try verify("\(place), recovered")
    var partly = FolderImage(image, movedFrom: fixture.log, to: folder)
    for (index, step) in steps.enumerated() {
      for broken in [partly] + partly.torn(step, at: torn) {
        try? FileManager.default.removeItem(atPath: folder)
        try broken.store(from: folder, to: folder)
        try verify("\(place), killed in step \(index) of the recovery")
        #expect(try recover().points == points, "\(place): recovery is repeatable")
        try verify("\(place), recovered at the second try")
      }
      partly.apply(step)
    }
  }

  private func recover() throws -> (points: [ResumePoint], steps: [TracingDisk.Step]) {
    let disk = try TracingDisk(folder: folder)
    let recovery = StreamRecovery(log: folder, disk: disk, clock: time.clock, hasher: try MerkleHasher())
    let points = try tenants.map {
      try recovery.resume(StreamName(tenant: $0, node: LogFixture.node, mode: .managed))
    }
    return (points, disk.all)
  }

  /// Every moment takes minutes: with `TORHAUS_EVERY_MOMENT` in the environment. Else each thirteenth is looked at, and the
  /// recovery of a few is killed in turn.
  private func checkAll(_ disk: TracingDisk, _ written: [UInt64: Written]) throws {
    let stride = getenv("TORHAUS_EVERY_MOMENT") == nil ? 13 : 1
    var image = FolderImage()
    var moments = 0
    func look(_ image: FolderImage, _ place: String) throws {
      moments += 1
      guard moments % stride == 0 else { return }
      try check(image, written, place)
      if moments / stride % 7 == 0 { try checkRecovery(image, place) }
    }
    for (index, step) in disk.all.enumerated() {
      for (number, broken) in image.torn(step, at: torn).enumerated() {
        try look(broken, "in step \(index), \(step.kind), \(number)")
      }
      image.apply(step)
      try look(image, "after step \(index), \(step.kind)")
    }
    #expect(image.confirmed.sorted() == written.keys.sorted())
  }

  @Test func everyMomentLeavesALogThatHasLostNothing() throws {
    let disk = try TracingDisk(folder: fixture.log)
    let written = try life(disk)
    #expect(fixture.segments().count >= 3 && disk.all.count > 40)
    try checkAll(disk, written)
  }

  /// A sync fails while there are confirmed records that only the kernel has: they are written anew before what holds them
  /// is cut.
  @Test(arguments: [
    (2, 0),  // synced when it is made, and then no more: nothing is on the disk, so it is emptied
    (3, 2),  // with the first record, too
  ]) func aDiskFaultAndAKillTogetherLoseNothing(failing: Int, found: Int) throws {
    let syncs = Count()
    let disk = try TracingDisk(folder: fixture.log) { step in
      guard case .synchronize(let path) = step, path.contains("\(TenantID.first)"), path.contains("1-1.thl") else {
        return 0
      }
      return syncs.next() == failing ? EIO : 0
    }
    let written = try life(disk)
    #expect(try fixture.verify().exitCode == found, "a segment was given up")
    try checkAll(disk, written)
  }

  /// Nothing of a segment is on the disk, and the next one cannot be written yet: the records are where they were confirmed.
  @Test func whatTheFirstSyncFailsOfStaysUntilItIsWrittenAnew() throws {
    let disk = try FaultyDisk(folder: fixture.log)
    let confirmed = fixture.confirmed
    disk.set {
      $0.append = (ENOSPC, "1-2.thl")
      $0.synchronize = (EIO, "1-1.thl")
      $0.syncsBeforeFault = 1  // when it is made
    }
    let writer = try fixture.writer(disk: disk)
    #expect(writer.append(try entry(1), loop: 0) && confirmed.waits(for: 1))
    #expect(holds { writer.health.state != .ok })
    let killed = try FolderImage(reading: fixture.log)
    try lay(killed)
    #expect(try fixture.reader(folder).open(1, tenant: .first).request == bytes(300))
    try verify("killed")
    try goOn("killed")
    try verify("killed, gone on", withKeys: true)
    #expect(try fixture.reader(folder).open(1, tenant: .first).request == bytes(300))
    disk.set { $0.append = nil }
    #expect(writer.drain())
    writer.stop()
    #expect(try fixture.verify().findings == [])
    #expect(try fixture.reader().open(1, tenant: .first).request == bytes(300))
  }

  /// The same when the process is stopped: a full disk may keep it from writing the copies until its time is over.
  @Test(.timeLimit(.minutes(1))) func whatCannotBeWrittenAnewStaysAtAStop() throws {
    let disk = try FaultyDisk(folder: fixture.log)
    let writer = try fixture.writer(disk: disk, clock: time.clock)
    func append(_ number: Int) throws {
      #expect(writer.append(try entry(number), loop: 0) && fixture.confirmed.waits(for: UInt64(number)))
    }
    try append(1)
    #expect(writer.drain())
    disk.set {
      $0.synchronize = (EIO, "1-1.thl")
      $0.append = (ENOSPC, "1-2.thl")
      $0.appendsBeforeFault = 1  // its header
    }
    try append(2)
    #expect(
      holds {
        time.advance(seconds: 0.2)
        return writer.health.state != .ok
      })
    let stopping = DispatchGroup()
    DispatchQueue.global().async(group: stopping) { writer.stop() }
    #expect(
      holds {
        time.advance(seconds: 0.5)
        return stopping.wait(timeout: .now()) == .success
      })
    for number in 1...2 { #expect(try fixture.reader().open(UInt128(number), tenant: .first).request == bytes(300)) }
    #expect([0, 2].contains(try fixture.verify().exitCode))
  }

  /// A segment was given up, its copies stand in the next one, and the process was killed before it could empty the first:
  /// what the checkpoint says of the second is no contradiction of the first. Two of different processes are a fork.
  @Test func twoSegmentsFromOnePlaceAreATornOneOfOneProcessOnly() throws {
    var options = WriterOptions()
    options.checkpointNanoseconds = 0
    let disk = try FaultyDisk(folder: fixture.log)
    disk.set {
      $0.append = (ENOSPC, "1-2.thl")
      $0.synchronize = (EIO, "1-1.thl")
      $0.syncsBeforeFault = 1
    }
    let writer = try fixture.writer(options: options, disk: disk)
    #expect(writer.append(try entry(1), loop: 0) && fixture.confirmed.waits(for: 1))
    #expect(holds { writer.health.state != .ok })
    let first = try #require(fixture.segments().first)
    let given = try readFile(first)
    disk.set { $0.append = nil }
    let stream = StreamName(tenant: .first, node: LogFixture.node, mode: .managed)
    let checkpoint = LogLayout.checkpoint(fixture.log, stream)
    #expect(writer.drain() && holds { Files.exists(checkpoint) })
    var image = try FolderImage(reading: fixture.log)
    writer.stop()
    #expect(try readFile(first).count < given.count)
    image.apply(.replace(first, given))
    try lay(image)
    let result = try fixture.verify(folder)
    #expect(Set(result.findings.map(\.code)) == [.torn], "\(result.findings)")
    #expect(result.findings.contains { $0.segment == "1-1" && $0.text.contains("1-2 was written instead") })
    // The same place, another process
    let (other, confirmed) = ("\(fixture.root)/other", Confirmed())
    let fork = try LogWriter(
      folder: other, node: LogFixture.node, epoch: 2, keys: fixture.provider, journal: nil,
      onConfirmed: { confirmed.add($0, $1) })
    #expect(fork.append(try entry(3), loop: 0) && confirmed.waits(for: 3))
    fork.stop()
    for path in try allFiles(below: folder) where path.contains("1-2.") || path.hasSuffix("checkpoint") {
      try FileManager.default.removeItem(atPath: path)
    }
    for path in try allFiles(below: other) where path.contains("2-1.") {
      let name = (path as NSString).lastPathComponent
      let place = (fixture.segments(in: folder)[0] as NSString).deletingLastPathComponent
      try writeFile("\(place)/\(name)", try readFile(path))
    }
    #expect(try fixture.verify(folder).exitCode == 5)
  }

  /// With one that was killed before segments got their names when they are whole, and with a disk that has lost its end.
  @Test func aSegmentWithoutAWholeHeaderIsNoChangedOne() throws {
    let writer = try fixture.writer(clock: time.clock)
    #expect(writer.append(try entry(1), loop: 0) && fixture.confirmed.waits(for: 1) && writer.drain())
    let image = try FolderImage(reading: fixture.log)
    writer.stop()
    let segment = try #require(fixture.segments().first)
    let header = Array(try readFile(segment).prefix(try SegmentScan(try readFile(segment)).header.bytes.count))
    for count in [0, 5, 191, 400, header.count - 1] {
      try lay(image)
      let unfinished = folder + String(segment.dropFirst(fixture.log.count)).replacing("1-1.thl", with: "1-2.thl")
      try writeFile(unfinished, Array(header.prefix(count)))
      try verify("\(count) bytes")
      try goOn("\(count) bytes")
      try verify("\(count) bytes, gone on", withKeys: true)
      #expect(fixture.segments(in: folder).count == 3)
    }
  }

  /// Files of a process that is making a segment are its own; those of one that was killed are taken away.
  @Test func whatNeverGotItsNameIsTakenAway() throws {
    let disk = try PosixDisk(folder: fixture.log)
    let stream = StreamName(tenant: .first, node: LogFixture.node, mode: .managed)
    let day = "\(LogLayout.folder(fixture.log, stream))/2026-11-29"
    try Files.makeFolders(day)
    let owned = try disk.create("\(day)/1-1.thl.made")
    try disk.create("\(day)/1-1.thk.made").close()
    let recovery = StreamRecovery(log: fixture.log, disk: disk, clock: time.clock, hasher: try MerkleHasher())
    #expect(try recovery.resume(stream) == ResumePoint())
    #expect(try Files.names(in: day) == ["1-1.thl.made"])
    owned.close()
    _ = try recovery.resume(stream)
    #expect(try Files.names(in: day) == [])
  }

  @Test func aNameThatIsTakenIsNotWrittenOver() throws {
    let disk = try PosixDisk(folder: fixture.log)
    try writeFile("\(fixture.log)/old", [1])
    try writeFile("\(fixture.log)/new", [2])
    #expect(throws: SealedLogError.self) { try disk.rename("\(fixture.log)/new", to: "\(fixture.log)/old") }
    #expect(try readFile("\(fixture.log)/old") == [1])
  }
}

/// How often something has happened.
private final class Count: Sendable {
  private let count = Mutex(0)
  var value: Int { count.withLock { $0 } }
  func next() -> Int {
    count.withLock { count in
      count += 1
      return count
    }
  }
}

private final class Findings: Sendable {
  private let held = Mutex<[LogVerification.Finding]>([])
  var all: [LogVerification.Finding] { held.withLock { $0 } }
  func add(_ more: [LogVerification.Finding]) { held.withLock { $0 += more } }
}

/// A verification reads for a while, and the log goes on meanwhile.
@Test func verifyingWhileSegmentsRollFindsNothing() throws {
  let fixture = try LogFixture()
  var options = WriterOptions()
  options.segmentBytes = 4_000
  options.checkpointNanoseconds = 0
  options.checkpointFrameNanoseconds = 0
  options.syncIntervalNanoseconds = 1_000_000
  let writer = try fixture.writer(options: options)
  let stream = try fixture.stream()
  let isOver = Flag()
  let verified = DispatchGroup()
  let found = Findings()
  let pass = DispatchSemaphore(value: 0)
  DispatchQueue.global().async(group: verified) {
    while !isOver.isSet {
      let result = try? fixture.verify(withKeys: false)
      found.add(result?.findings ?? [])
      pass.signal()
    }
  }
  for number in 1...240 {
    // The log may not outgrow its verification, which takes longer the longer it is.
    if number % 20 == 0 { pass.wait() }
    let entry = LogEntry(
      stream: stream, recordID: UInt128(number), subjects: [Subject(.tag, id: "s\(number % 5)")], request: bytes(600),
      metadata: Array("{}".utf8), token: UInt64(number))
    #expect(writer.append(entry, loop: 0))
    if number % 10 == 0 { #expect(fixture.confirmed.waits(for: UInt64(number))) }
  }
  isOver.set()
  verified.wait()
  writer.stop()
  #expect(fixture.segments().count > 20)
  #expect(found.all == [])
  #expect(try fixture.verify().findings == [])
}

/// Only part of an append was written, and it could not be cut off either: nothing is written behind it.
@Test func nothingIsWrittenBehindHalfAFrame() throws {
  let fixture = try LogFixture()
  let disk = try FaultyDisk(folder: fixture.log)
  let writer = try fixture.writer(disk: disk, journal: "\(fixture.root)/journal")
  let stream = try fixture.stream()
  func entry(_ number: Int) -> LogEntry {
    LogEntry(
      stream: stream, recordID: UInt128(number), subjects: [Subject(.tag, id: "s\(number)")], request: bytes(300),
      metadata: Array("{}".utf8), journal: bytes(40, seed: UInt64(number)), token: UInt64(number))
  }
  #expect(writer.append(entry(1), loop: 0) && fixture.confirmed.waits(for: 1))
  for (number, file) in [(2, ".thl"), (3, ".thk"), (4, "journal")] {
    disk.set {
      $0.append = (EIO, file)
      $0.room = 13
      $0.uncut = 3
    }
    #expect(writer.append(entry(number), loop: 0))
    #expect(holds { disk.faults.withLock { $0.uncut < 2 } }, "\(file)")
    disk.set { $0.append = nil }
    #expect(fixture.confirmed.waits(for: UInt64(number)), "\(file)")
  }
  writer.stop()
  #expect(try readFile("\(fixture.root)/journal") == (1...4).flatMap { bytes(40, seed: UInt64($0)) })
  #expect(try fixture.verify().findings == [])
  for number in 1...4 { #expect(try fixture.reader().open(UInt128(number), tenant: .first).request == bytes(300)) }
}

extension TracingDisk.Step {
  /// Without the bytes.
  fileprivate var kind: String {
    switch self {
    case .create(let path): "create \(path.suffix(16))"
    case .append(let path, let bytes): "append \(bytes.count) to \(path.suffix(16))"
    case .cut(let path, let length): "cut \(path.suffix(16)) to \(length)"
    case .synchronize(let path): "synchronize \(path.suffix(16))"
    case .rename(let path, _): "rename \(path.suffix(16))"
    case .replace(let path, _): "replace \(path.suffix(16))"
    case .remove(let path): "remove \(path.suffix(16))"
    case .confirm(let tokens): "confirm \(tokens)"
    }
  }
}
