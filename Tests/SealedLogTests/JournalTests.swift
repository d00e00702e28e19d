import Foundation
import Synchronization
import Testing

@testable import SealedLog

@Test func strictIsConfirmedAfterTheDiskOnly() throws {
  let fixture = try LogFixture()
  let disk = try FaultyDisk(folder: fixture.log)
  let writer = try fixture.writer(disk: disk, journal: "\(fixture.root)/journal")
  let stream = try fixture.stream(durability: .strict)
  let first = entry(stream, 1, journal: [1, 2, 3])
  #expect(writer.append(first, loop: 0))
  #expect(fixture.confirmed.waits(for: 1))
  let synced = disk.synchronized.withLock { $0 }
  #expect(synced.filter { $0.contains(".thl") }.count >= 2, "once made, once for the record")
  #expect(synced.contains { $0.hasSuffix("journal") })
  disk.set { $0.synchronize = (EIO, "journal") }
  let second = entry(stream, 2, journal: [4])
  #expect(writer.append(second, loop: 0))
  #expect(holds { writer.health.queueBytes == 0 })
  #expect(fixture.confirmed.all == [1])
  // Another journal begins with what both came to.
  disk.set { $0.synchronize = nil }
  try writer.switchJournal(to: "\(fixture.root)/next", beginning: [1, 2, 3, 4])
  #expect(fixture.confirmed.waits(for: 2))
  #expect(fixture.confirmed.all == [1, 2])
  writer.stop()
}

@Test func aJournalThatCannotBeginLeavesTheOldOneInItsPlace() throws {
  let fixture = try LogFixture()
  let disk = try FaultyDisk(folder: fixture.log)
  let writer = try fixture.writer(disk: disk, journal: "\(fixture.root)/journal")
  let stream = try fixture.stream(durability: .strict)
  disk.set { $0.synchronize = (EIO, "journal-2") }
  #expect(throws: SealedLogError.self) { try writer.switchJournal(to: "\(fixture.root)/journal-2", beginning: [1]) }
  #expect(writer.health.state == .ok)
  #expect(access("\(fixture.root)/journal-2", F_OK) != 0, "a recovery would read it behind the old one")
  let first = entry(stream, 1, journal: [7])
  #expect(writer.append(first, loop: 0))
  #expect(fixture.confirmed.waits(for: 1))
  writer.stop()
  #expect(try readFile("\(fixture.root)/journal") == [7])
}

/// Its beginning is all that says what stood in the one before.
@Test func aJournalWithoutItsBeginningConfirmsNothing() throws {
  let fixture = try LogFixture()
  let disk = try FaultyDisk(folder: fixture.log)
  let writer = try fixture.writer(disk: disk, journal: "\(fixture.root)/journal")
  let stream = try fixture.stream(durability: .strict)
  disk.set { $0.synchronize = (EIO, "journal") }
  let first = entry(stream, 1, journal: [1])
  #expect(writer.append(first, loop: 0))
  #expect(holds { writer.health.queueBytes == 0 })
  #expect(throws: SealedLogError.self) { try writer.switchJournal(to: "\(fixture.root)/journal-2", beginning: [1]) }
  disk.set { $0.synchronize = nil }
  #expect(fixture.confirmed.all.isEmpty)
  try writer.switchJournal(to: "\(fixture.root)/journal-3", beginning: [1])
  #expect(fixture.confirmed.waits(for: 1))
  writer.stop()
}

@Test func journalBytesStandInTheJournalBeforeConfirmation() throws {
  let fixture = try LogFixture()
  let path = "\(fixture.root)/journal"
  let writer = try fixture.writer(journal: path)
  let stream = try fixture.stream()
  for number in 1...3 {
    let next = entry(stream, number, journal: [UInt8(number), UInt8(number)])
    #expect(writer.append(next, loop: 0))
    #expect(fixture.confirmed.waits(for: UInt64(number)))
    #expect(try readFile(path).count == 2 * number)
  }
  try writer.switchJournal(to: "\(path)-2", beginning: [9])
  let last = entry(stream, 4, journal: [4])
  #expect(writer.append(last, loop: 0))
  #expect(fixture.confirmed.waits(for: 4))
  writer.stop()
  #expect(try readFile(path) == [1, 1, 2, 2, 3, 3])
  #expect(try readFile("\(path)-2") == [9, 4])
}

@Test func aFullJournalConfirmsNothingAndRefusesNewRequests() throws {
  let fixture = try LogFixture()
  let disk = try FaultyDisk(folder: fixture.log)
  let writer = try fixture.writer(disk: disk, journal: "\(fixture.root)/journal")
  let stream = try fixture.stream()
  disk.set { $0.append = (ENOSPC, "journal") }
  let first = entry(stream, 1, journal: [1])
  #expect(writer.append(first, loop: 0))
  #expect(holds { writer.health.state != .ok })
  #expect(fixture.confirmed.all == [] && !writer.append(entry(stream, 2), loop: 0))
  disk.set { $0.append = nil }
  #expect(fixture.confirmed.waits(for: 1))
  #expect(holds { writer.append(entry(stream, 3), loop: 0) })
  writer.stop()
  #expect(try readFile("\(fixture.root)/journal") == [1])
}

/// A strict record is on the disk, the journal is not, and the segment is given up meanwhile: its copy is what counts.
@Test func whoWaitsForTheJournalIsToldOfTheCopy() throws {
  let fixture = try LogFixture()
  let disk = try FaultyDisk(folder: fixture.log)
  let writer = try fixture.writer(disk: disk, journal: "\(fixture.root)/journal")
  let stream = try fixture.stream(durability: .strict)
  func append(_ number: UInt8) {
    let entry = entry(stream, Int(number), journal: [number])
    #expect(writer.append(entry, loop: 0))
  }
  append(1)
  #expect(fixture.confirmed.waits(for: 1))
  disk.set {
    $0.append = (ENOSPC, "journal")
    $0.synchronize = (EIO, "1-1.thl")
  }
  append(2)
  #expect(holds { fixture.segments().count == 2 && fixture.isWritten(2, to: fixture.segments()[1]) })
  #expect(fixture.confirmed.all == [1])
  disk.set { $0.append = nil }
  #expect(fixture.confirmed.waits(for: 2))
  writer.stop()
  #expect(try readFile("\(fixture.root)/journal") == [1, 2], "once each")
}

/// Whoever goes on in another journal takes the old one away.
@Test func aNewJournalIsOnTheDiskBeforeAnybodyIsTold() throws {
  let fixture = try LogFixture()
  let disk = try FaultyDisk(folder: fixture.log)
  let writer = try fixture.writer(disk: disk, journal: "\(fixture.root)/journal")
  try writer.switchJournal(to: "\(fixture.root)/second", beginning: [7, 8])
  #expect(disk.synchronized.withLock { $0 } == ["\(fixture.root)/second"])
  disk.set { $0.synchronize = (EIO, "third") }
  #expect(throws: SealedLogError.self) { try writer.switchJournal(to: "\(fixture.root)/third", beginning: [9]) }
  disk.set { $0.synchronize = nil }
  try writer.switchJournal(to: "\(fixture.root)/fourth", beginning: [9])
  writer.stop()
}

/// A strict record is on the disk, the journal is not and will be another one, and meanwhile the segment is given up for
/// what came later.
@Test func whoWaitsForTheJournalAloneIsNotForgottenWithItsSegment() throws {
  let fixture = try LogFixture()
  let disk = try FaultyDisk(folder: fixture.log)
  let writer = try fixture.writer(disk: disk, journal: "\(fixture.root)/journal")
  let stream = try fixture.stream(durability: .strict)
  disk.set { $0.synchronize = (EIO, "journal") }
  #expect(writer.append(entry(stream, 1, journal: [1]), loop: 0))
  #expect(holds { writer.health.queueBytes == 0 })
  #expect(fixture.confirmed.all == [])
  disk.set { $0.synchronize = (EIO, "1-1.thl") }
  #expect(writer.append(entry(stream, 2), loop: 0))
  #expect(holds { fixture.segments().count == 2 })
  disk.set { $0.synchronize = nil }
  try writer.switchJournal(to: "\(fixture.root)/next", beginning: [1])
  #expect(fixture.confirmed.waits(for: 1) && fixture.confirmed.waits(for: 2))
  writer.stop()
}

/// The same, where its segment is given up without any copies, and the journal has not even taken its bytes.
@Test func whoWaitsForTheJournalAloneWaitsForItsBytes() throws {
  let fixture = try LogFixture()
  let disk = try FaultyDisk(folder: fixture.log)
  let writer = try fixture.writer(disk: disk, journal: "\(fixture.root)/journal")
  let stream = try fixture.stream(durability: .strict)
  #expect(writer.append(entry(stream, 1), loop: 0))
  #expect(fixture.confirmed.waits(for: 1))
  disk.set { $0.append = (ENOSPC, "journal") }
  #expect(writer.append(entry(stream, 2, journal: [2]), loop: 0))
  #expect(holds { fixture.isWritten(2, to: fixture.segments()[0]) && writer.health.queueBytes == 0 })
  let hasFailed = Flag()
  disk.set {
    $0.synchronize = (EIO, "1-1.thl")
    $0.whileSyncFails = {
      disk.set { $0.synchronize = nil }
      hasFailed.set()
    }
  }
  writer.roll(.first)
  #expect(holds { hasFailed.isSet })
  for number in 10...12 {  // some rounds
    let end = LogEntry(
      stream: try fixture.stream(.second), recordID: UInt128(number), metadata: Array("{}".utf8))
    #expect(writer.append(end, loop: 0))
    #expect(holds { writer.health.queueBytes == 0 })
  }
  #expect(fixture.confirmed.all == [1])
  disk.set { $0.append = nil }
  #expect(fixture.confirmed.waits(for: 2))
  writer.stop()
  #expect(try readFile("\(fixture.root)/journal") == [2])
}

/// The end of an exchange is on the disk, its beginning is not: it stands in the segment before, which fails in the same
/// round or has failed in the one before.
@Test(arguments: [false, true])
func anEndIsNotConfirmedBeforeItsBeginningIsOnTheDisk(isLater: Bool) throws {
  let fixture = try LogFixture()
  let disk = try FaultyDisk(folder: fixture.log)
  let writer = try fixture.writer(disk: disk)
  let stream = try fixture.stream(durability: .strict)
  #expect(writer.append(entry(stream, 1), loop: 0))
  #expect(fixture.confirmed.waits(for: 1))
  let end: @Sendable () -> Void = {
    writer.roll(.first)
    _ = holds { fixture.isEnded(fixture.segments()[0]) }
    _ = writer.append(
      LogEntry(stream: stream, recordID: 2, metadata: Array("{}".utf8), token: 2), loop: 0)
    _ = holds { fixture.segments().count == 2 && fixture.isWritten(2, to: fixture.segments()[1]) }
  }
  disk.set {
    $0.whileSyncing = {
      disk.set {
        $0.synchronize = (EIO, "1-1.thl")
        $0.whileSyncFails = {
          if isLater { end() }
          disk.set { $0.append = (ENOSPC, "1-2.thl") }  // where the beginning's copy goes
        }
      }
      _ = writer.append(LogEntry(stream: stream, recordID: 2, request: bytes(100), opensExchange: true), loop: 0)
      _ = holds { fixture.isWritten(2, to: fixture.segments()[0]) }
      if !isLater { end() }
    }
  }
  #expect(writer.append(entry(stream, 3), loop: 0))
  #expect(fixture.confirmed.waits(for: 3))
  #expect(holds { writer.health.state != .ok })
  disk.set { $0.synchronize = nil }
  for number in 4...5 {  // some rounds
    #expect(writer.append(entry(try fixture.stream(.second, durability: .strict), number), loop: 0))
    #expect(fixture.confirmed.waits(for: UInt64(number)))
  }
  #expect(fixture.confirmed.all == [1, 3, 4, 5])
  disk.set { $0.append = nil }
  #expect(fixture.confirmed.waits(for: 2))
  writer.stop()
  #expect(try fixture.reader().open(2, tenant: .first).request == bytes(100))
}
