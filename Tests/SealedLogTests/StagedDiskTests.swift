import Dispatch
import Foundation
import Staging
import Synchronization
import Tenancy
import Testing

@testable import SealedLog

/// A disk whose files take bytes by way of memory: what stands where, before and after a flush, a fault and a death.
struct StagedDiskTests {
  private let fixture: LogFixture
  private let under: FaultyDisk
  private let disk: StagedDisk

  init() throws {
    fixture = try LogFixture()
    under = try FaultyDisk(folder: fixture.log)
    disk = try Self.staged(under, fixture)
  }

  private static func staged(_ under: any LogDisk, _ fixture: LogFixture, halfBytes: Int = 1 << 20) throws -> StagedDisk
  {
    StagedDisk(
      under, memory: try StagedMemory(path: fixture.root + "/staged", halfBytes: halfBytes), base: fixture.root,
      retryNanoseconds: 0)
  }

  private func path(_ name: String) -> String { "\(fixture.log)/\(name)" }

  private func file(_ name: String) throws -> any SegmentFile {
    let file = try disk.create(path(name))
    file.goByMemory()
    return file
  }

  private func append(_ file: any SegmentFile, _ text: String) -> Int {
    Array(text.utf8).withUnsafeBytes { file.append($0) }
  }

  private func text(_ name: String) throws -> String { String(decoding: try readFile(path(name)), as: UTF8.self) }

  /// The process has died, and the next one begins.
  @discardableResult
  private func replay() throws -> StagedReplay.Report {
    try StagedReplay.run(fixture.root + "/staged", into: fixture.root)
  }

  @Test func whatIsAppendedIsInTheFileAfterAFlushOrAReplay() throws {
    let file = try file("a.thl")
    #expect(append(file, "one ") == 4 && append(file, "two ") == 4)
    #expect(try text("a.thl") == "")
    disk.flush()
    #expect(try text("a.thl") == "one two ")
    #expect(append(file, "three") == 5)
    #expect(try text("a.thl") == "one two ")
    try replay()
    #expect(try text("a.thl") == "one two three")
  }

  @Test func aSyncWritesFirst() throws {
    let file = try file("a.thl")
    #expect(append(file, "x") == 1)
    #expect(file.synchronize() == 0)
    #expect(try text("a.thl") == "x")
    #expect(append(file, "y") == 1)
    #expect(disk.synchronizeVolume() == 0)
    #expect(try text("a.thl") == "xy")
    #expect(under.synchronized.withLock { $0.count } == 1)
  }

  @Test func whatHasNoRoomIsWrittenAtOnceAndBehindTheRest() throws {
    let disk = try Self.staged(under, fixture, halfBytes: 4096)
    let file = try disk.create(path("a.thl"))
    #expect(append(file, "first ") == 6)
    #expect(try text("a.thl") == "first ", "nobody has said that it may go by memory")
    file.goByMemory()
    let long = String(repeating: "x", count: 5000)
    #expect(!disk.takesAtOnce(long.utf8.count) && disk.takesAtOnce(100) && file.takesAtOnce(100))
    #expect(append(file, long) == 5000)
    #expect(try text("a.thl") == "first " + long)
    for number in 0..<100 { #expect(append(file, "\(number % 10)") == 1) }
    disk.flush()
    #expect(try text("a.thl").count == 5106)
  }

  @Test func aFileWithoutRoomOnTheVolumeStagesNothing() throws {
    under.set { $0.cannotAllocate = true }
    let file = try file("a.thl")
    #expect(!file.takesAtOnce(1))
    #expect(append(file, "x") == 1)
    #expect(try text("a.thl") == "x")
    under.set { $0.append = (ENOSPC, "a.thl") }
    #expect(append(file, "y") == -Int(ENOSPC), "a full disk shows when bytes are appended")
  }

  @Test func roomIsAllocatedAheadAsTheFileGrows() throws {
    let file = try file("a.thl")
    let piece = String(repeating: "x", count: 100_000)
    for _ in 0..<20 {
      #expect(append(file, piece) == piece.utf8.count)
      disk.flush()
      #expect(file.takesAtOnce(100_000))
    }
  }

  @Test func aFileThatCannotBeWrittenSaysSoAndHoldsUpNobodyElse() throws {
    let (bad, good) = (try file("bad.thl"), try file("good.thl"))
    #expect(append(bad, "lost") == 4 && append(good, "kept ") == 5)
    under.set { $0.append = (EIO, "bad.thl") }
    #expect(bad.synchronize() == EIO)
    #expect(append(bad, "more") == -Int(EIO) && !bad.takesAtOnce(1))
    #expect(disk.synchronizeVolume() != 0)
    #expect(append(good, "too") == 3 && good.synchronize() == 0)
    #expect(try text("good.thl") == "kept too")
    bad.close()
    #expect(append(good, " still") == 6 && good.takesAtOnce(1), "staged again")
    #expect(try text("good.thl") == "kept too")
    #expect(try replay().bytes == 6)
    #expect(try text("good.thl") == "kept too still")
    #expect(try text("bad.thl") == "", "whoever closed it has gone on elsewhere")
  }

  @Test func aWriteThatHealsLosesNothing() throws {
    let file = try file("a.thl")
    #expect(append(file, "one ") == 4)
    under.set {
      $0.append = (EIO, "a.thl")
      $0.room = 2
    }
    disk.flush()
    #expect(try text("a.thl") == "", "no half of it stays")
    under.set { $0.append = nil }
    #expect(file.synchronize() == 0)
    #expect(append(file, "two") == 3)
    disk.flush()
    #expect(try text("a.thl") == "one two")
  }

  @Test func whatCouldNotBeCutIsCutBeforeTheNextWrite() throws {
    let file = try file("a.thl")
    #expect(append(file, "one") == 3)
    under.set {
      $0.append = (EIO, "a.thl")
      $0.room = 2
      $0.uncut = 1
    }
    disk.flush()
    #expect(try text("a.thl") == "on")
    under.set { $0.append = nil }
    disk.flush()
    #expect(try text("a.thl") == "one")
  }

  @Test func aFaultSurvivesTheDeathOfTheProcess() throws {
    let (bad, good) = (try file("bad.thl"), try file("good.thl"))
    #expect(append(bad, "confirmed") == 9 && append(good, "x") == 1)
    under.set { $0.append = (EIO, "bad.thl") }
    disk.flush()
    #expect(append(good, "y") == 1)
    try replay()
    #expect(try text("bad.thl") == "confirmed")
    #expect(try text("good.thl") == "xy")
  }

  /// Who appends cuts the file back to where it was after an error; what is confirmed and not yet written lies before that.
  @Test func anAppendAfterAFaultMakesNoHole() throws {
    let file = try file("a.thl")
    #expect(append(file, "confirmed ") == 10)
    under.set { $0.append = (EIO, "a.thl") }
    disk.flush()
    var isRagged = false
    #expect(file.appendAll(Array("new".utf8), at: 10, isRagged: &isRagged) == EIO)
    #expect(try text("a.thl") == "" && file.synchronize() == EIO)
    #expect(file.appendAll(Array("new".utf8), at: 10, isRagged: &isRagged) == EIO)
    under.set { $0.append = nil }
    disk.flush()
    #expect(file.appendAll(Array("new".utf8), at: 10, isRagged: &isRagged) == 0)
    #expect(file.synchronize() == 0)
    #expect(try text("a.thl") == "confirmed new")
  }

  @Test func whatCameWhileAWriteFailedWaitsForWhatIsBeforeIt() throws {
    let file = try file("a.thl")
    let long = String(repeating: "x", count: 150_000)
    #expect(append(file, long) == long.utf8.count)
    under.set {
      $0.append = (EIO, "a.thl")
      $0.whileAppending = ("a.thl", { #expect(self.append(file, "young") == 5) })
    }
    disk.flush()
    under.set { $0.room = 10 }
    disk.flush()
    under.set { $0.appendsBeforeFault = 1 }
    disk.flush()
    #expect(try text("a.thl") == "")
    try replay()
    #expect(try text("a.thl") == long + "young")
  }

  @Test func afterAFaultRoomIsAskedForAnew() throws {
    let file = try file("a.thl")
    #expect(append(file, "one ") == 4)
    under.set { $0.append = (ENOSPC, "a.thl") }
    disk.flush()
    under.set {
      $0.append = nil
      $0.cannotAllocate = true
    }
    disk.flush()
    #expect(try text("a.thl") == "one ")
    #expect(!file.takesAtOnce(10) && append(file, "two") == 3)
    #expect(try text("a.thl") == "one two", "written at once: nobody keeps room for it")
  }

  @Test func aClosedFileKeepsNothingAllocated() throws {
    let file = try file("a.thl")
    #expect(append(file, "x") == 1)
    file.close()
    var status = stat()
    #expect(stat(path("a.thl"), &status) == 0 && status.st_size == 1 && status.st_blocks <= 8)
  }

  @Test func whoAsksCanWaitUntilItStandsInTheFiles() throws {
    #expect(disk.isFlushed(to: disk.flushMark))
    let file = try file("a.thl")
    #expect(append(file, "x") == 1)
    let mark = disk.flushMark
    #expect(!disk.isFlushed(to: mark))
    under.set { $0.append = (EIO, "a.thl") }
    disk.flush()
    #expect(!disk.isFlushed(to: mark))
    under.set { $0.append = nil }
    disk.flush()
    #expect(disk.isFlushed(to: mark) && disk.isFlushed(to: disk.flushMark))
  }

  @Test func whatWasCutDoesNotComeBack() throws {
    let (file, bad) = (try file("a.thl"), try file("bad.thl"))
    #expect(append(file, "one two") == 7 && append(bad, "x") == 1)
    under.set { $0.append = (EIO, "bad.thl") }  // the half cannot be emptied
    #expect(file.truncate(to: 3) == 0)
    #expect(append(file, " three") == 6)
    #expect(file.truncate(to: 3) == 0)
    try replay()
    #expect(try text("a.thl") == "one")
  }

  @Test func whatWasStuckAndIsCutDoesNotComeBackEither() throws {
    let file = try file("a.thl")
    #expect(append(file, "one two") == 7)
    under.set { $0.append = (EIO, "a.thl") }
    disk.flush()
    under.set { $0.append = nil }
    disk.flush()
    #expect(try text("a.thl") == "one two")
    #expect(file.truncate(to: 3) == 0)
    try replay()
    #expect(try text("a.thl") == "one")
  }

  @Test func piecesGoToTheNewName() throws {
    let file = try file("a.thl.made")
    #expect(append(file, "one ") == 4)
    try disk.rename(path("a.thl.made"), to: path("a.thl"))
    #expect(append(file, "two") == 3)
    try replay()
    #expect(try text("a.thl") == "one two")
  }

  @Test func anOpenedFileGoesOnAtItsEnd() throws {
    try writeFile(path("a.thj"), Array("old ".utf8))
    let file = try disk.open(path("a.thj"))
    file.goByMemory()
    #expect(append(file, "new") == 3)
    #expect(try text("a.thj") == "old ")
    file.close()
    #expect(try text("a.thj") == "old new")
  }

  @Test func filesOutsideOfTheFolderAreWrittenAtOnce() throws {
    let outside = fixture.root + "-outside"
    defer { try? FileManager.default.removeItem(atPath: outside) }
    let file = try disk.create(outside)
    file.goByMemory()
    #expect(append(file, "x") == 1)
    #expect(try readFile(outside) == Array("x".utf8))
  }

  // MARK: With a writer on it

  private func entry(_ number: Int, _ tenant: TenantID = .first, size: Int = 300) throws -> LogEntry {
    LogEntry(
      stream: try fixture.stream(tenant), recordID: UInt128(number), subjects: [Subject(.tag, id: "s\(number % 3)")],
      request: bytes(size), metadata: Array("{\"n\":\(number)}".utf8), journal: [UInt8(truncatingIfNeeded: number)],
      token: UInt64(number))
  }

  /// The folder as a process leaves it that dies now.
  private func image() throws -> String {
    let copy = fixture.root + "-killed"
    try? FileManager.default.removeItem(atPath: copy)
    try FileManager.default.copyItem(atPath: fixture.root, toPath: copy)
    return copy
  }

  @Test func whatALoopHasWrittenItselfSurvivesTheProcess() throws {
    var options = WriterOptions()
    options.syncIntervalNanoseconds = 60_000_000_000  // nobody flushes
    let writer = try fixture.writer(options: options, disk: disk, journal: fixture.root + "/journal")
    #expect(writer.append(try entry(1), loop: 0))
    #expect(fixture.confirmed.waits(for: 1), "the first one waits for its segment")
    var told: [UInt64] = []
    for number in 2...20 {
      let before = told.count
      #expect(writer.append(try entry(number), loop: 0, wakes: false))
      writer.endTurn(loop: 0, confirmed: &told)
      #expect(holds { told.count > before || fixture.confirmed.all.contains(UInt64(number)) })
    }
    #expect(told.count > 10, "the loop itself has written most of them")
    let copy = try image()
    defer { try? FileManager.default.removeItem(atPath: copy) }
    #expect(try readFile(copy + "/journal").count < 20)
    try StagedReplay.run(copy + "/staged", into: copy)
    #expect(try readFile(copy + "/journal") == (1...20).map { UInt8($0) })
    #expect([0, 2].contains(try fixture.verify(copy + "/log", withKeys: true).exitCode))
    let reader = fixture.reader(copy + "/log")
    for number in 1...20 { #expect(try reader.open(UInt128(number), tenant: .first).request == bytes(300)) }
    writer.stop()
    #expect(try fixture.verify(withKeys: true).findings == [])
  }

  @Test func aSegmentThatCannotBeWrittenIsWrittenAnewFromItsCopies() throws {
    let writer = try fixture.writer(disk: disk)
    for (number, tenant) in [(1, TenantID.first), (2, .second)] {
      #expect(writer.append(try entry(number, tenant), loop: 0))
      #expect(fixture.confirmed.waits(for: UInt64(number)))
    }
    #expect(writer.drain())
    let broken = try #require(fixture.segments(.first).first)
    under.set { $0.append = (EIO, broken) }
    for (number, tenant) in [(3, TenantID.first), (4, .second)] {
      #expect(writer.append(try entry(number, tenant), loop: 0))
      #expect(fixture.confirmed.waits(for: UInt64(number)))
    }
    #expect(writer.drain())
    writer.stop()
    #expect(fixture.segments(.first).count == 2)
    let reader = fixture.reader()
    for number in [1, 3] { #expect(try reader.open(UInt128(number), tenant: .first).request == bytes(300)) }
    for number in [2, 4] { #expect(try reader.open(UInt128(number), tenant: .second).request == bytes(300)) }
  }

  /// Where this test hangs, an event loop would.
  @Test func aDiskThatHangsHoldsUpNoLoop() throws {
    let time = TestClock()
    let disk = try Self.staged(under, fixture, halfBytes: 65_536)
    let writer = try fixture.writer(disk: disk, clock: time.clock, journal: fixture.root + "/journal")
    #expect(writer.append(try entry(1), loop: 0))
    #expect(fixture.confirmed.waits(for: 1))
    #expect(writer.drain())
    let end = DispatchSemaphore(value: 0)
    under.set { $0.hang = end }
    let stream = try fixture.stream()
    var (told, taken): ([UInt64], UInt64) = ([], 1)
    let refused = holds {
      guard let next = try? entry(Int(taken) + 1) else { return true }
      guard writer.append(next, loop: 0, wakes: false) else { return true }
      taken += 1
      writer.endTurn(loop: 0, confirmed: &told)
      if taken % 100 == 0 { time.advance(seconds: 1) }
      return writer.isStuck(stream)
    }
    #expect(refused, "new requests are told")
    #expect(told.count > 10 && told.count < taken, "memory has an end")
    under.set { $0.hang = nil }
    end.signal()
    #expect(writer.drain())
    writer.stop()
    #expect((told + fixture.confirmed.all).sorted() == Array(1...taken))
    #expect(try fixture.verify(withKeys: true).findings == [])
  }

  /// The end of a segment asks the disk for all that is staged: a turn that would bring it is the thread's.
  @Test func norDoesASegmentThatEndsInTheMiddleOfATurn() throws {
    var options = WriterOptions()
    options.segmentBytes = 16_000
    let writer = try fixture.writer(options: options, disk: disk)
    #expect(writer.append(try entry(1), loop: 0))
    #expect(fixture.confirmed.waits(for: 1))
    #expect(writer.drain())
    let end = DispatchSemaphore(value: 0)
    under.set { $0.hang = end }
    for number in 2...30 { #expect(writer.append(try entry(number), loop: 0, wakes: false)) }
    var told: [UInt64] = []
    writer.endTurn(loop: 0, confirmed: &told)
    under.set { $0.hang = nil }
    end.signal()
    for number in 2...30 { #expect(told.contains(UInt64(number)) || fixture.confirmed.waits(for: UInt64(number))) }
    writer.stop()
    #expect(fixture.segments().count > 1)
    #expect(try fixture.verify(withKeys: true).findings == [])
  }

  @Test func aJournalThatCannotBeWrittenAtTheEndIsLeftInMemory() throws {
    let journal = fixture.root + "/journal"
    let writer = try fixture.writer(disk: disk, journal: journal)
    #expect(writer.append(try entry(1), loop: 0))
    #expect(fixture.confirmed.waits(for: 1) && writer.drain())
    under.set { $0.append = (EROFS, "/journal") }
    #expect(writer.append(try entry(2), loop: 0))
    #expect(fixture.confirmed.waits(for: 2))
    writer.stop()
    #expect(!writer.isFlushed)
    #expect(try readFile(journal) == [1])
    try replay()
    #expect(try readFile(journal) == [1, 2])
  }

  /// The next segment's START counts what stands in the one before it.
  @Test func aSegmentThatCannotBeWrittenHasNoSuccessorYet() throws {
    var options = WriterOptions()
    options.syncIntervalNanoseconds = 60_000_000_000
    let writer = try fixture.writer(options: options, disk: disk)
    #expect(writer.append(try entry(1), loop: 0))
    #expect(fixture.confirmed.waits(for: 1))
    let first = try #require(fixture.segments().first)
    under.set { $0.append = (EIO, first) }
    writer.roll(.first)
    #expect(holds { writer.health.state != .ok })
    #expect(writer.append(try entry(2), loop: 0))
    under.set { $0.append = nil }
    #expect(fixture.confirmed.waits(for: 2))
    writer.stop()
    #expect(fixture.segments().count == 2)
    #expect(try fixture.verify(withKeys: true).findings == [])
    for number in 1...2 { #expect(try fixture.reader().open(UInt128(number), tenant: .first).request == bytes(300)) }
  }

  @Test func loopsAndThreadsLoseNothingTogether() throws {
    var options = WriterOptions()
    options.loops = 4
    options.syncIntervalNanoseconds = 1_000_000
    let writer = try fixture.writer(options: options, disk: disk)
    let (log, told) = (fixture, Confirmed())
    let tenants = [TenantID.first, .second]
    for tenant in tenants { _ = try log.stream(tenant) }
    DispatchQueue.concurrentPerform(iterations: 4) { loop in
      var own: [UInt64] = []
      for number in 0..<250 {
        let name = loop * 250 + number + 1
        guard let entry = try? entry(name, tenants[number % 2], size: number % 50 == 0 ? 300_000 : 200) else {
          continue
        }
        while !writer.append(entry, loop: loop, wakes: false) { writer.endTurn(loop: loop, confirmed: &own) }
        writer.endTurn(loop: loop, confirmed: &own)
      }
      told.add(loop, own)
    }
    #expect(writer.drain(seconds: 30))
    writer.stop()
    #expect((told.all + fixture.confirmed.all).sorted() == (1...1000).map(UInt64.init), "each once")
    #expect(try fixture.verify(withKeys: true).findings == [])
  }
}
