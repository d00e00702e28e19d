import Dispatch
import Foundation
import Synchronization
import Tenancy
import Testing

@testable import SealedLog

/// A sync is a flush of the disk. Where one takes longer than entries take to come, the next one followed at once, and so
/// on for as long as there was anything to do.
@Test func whatComesDuringASyncWaitsForTheTimeOfTheNext() throws {
  let fixture = try LogFixture()
  let disk = try FaultyDisk(folder: fixture.log)
  var options = WriterOptions()
  options.syncIntervalNanoseconds = 3600 * 1_000_000_000
  let writer = try fixture.writer(options: options, disk: disk)
  let strict = try fixture.stream(durability: .strict)
  let buffered = try fixture.stream(.second)
  let confirmed = fixture.confirmed
  func next(_ number: Int, _ stream: LogStream) {
    #expect(writer.append(entry(stream, number), loop: 0) && confirmed.waits(for: UInt64(number)))
  }
  next(1, strict)
  next(2, buffered)
  func syncs() -> Int {
    disk.synchronized.withLock { $0.filter { $0.contains("\(TenantID.second)") && $0.contains(".thl") }.count }
  }
  let before = syncs()
  disk.set {
    $0.whileSyncing = {
      for number in 3...4 where writer.append(entry(buffered, number), loop: 0) {
        _ = confirmed.waits(for: UInt64(number))
      }
    }
  }
  next(5, strict)
  next(6, buffered)
  next(7, strict)
  #expect(confirmed.all == [1, 2, 3, 4, 5, 6, 7])
  #expect(syncs() - before == 2, "each with those who could not wait")
  writer.stop()
  #expect(try fixture.verify().exitCode == 0)
}

/// Entries take up room in the queue until they are synced: of megabytes the sync comes before its time.
@Test func muchIsSyncedAtOnce() throws {
  let fixture = try LogFixture()
  var options = WriterOptions()
  options.syncIntervalNanoseconds = 3600 * 1_000_000_000
  let writer = try fixture.writer(options: options)
  let stream = try fixture.stream()
  for number in 1...6 {
    #expect(writer.append(entry(stream, number, size: 1 << 20), loop: 0))
    #expect(fixture.confirmed.waits(for: UInt64(number)))
  }
  #expect(holds { writer.health.queueBytes < 3 << 20 }, "of a segment that was dirty already, too")
  writer.stop()
  #expect(try fixture.verify().exitCode == 0)
}

/// What is written while a sync fails has its segment synced once more: by then the segment is given up, and its files
/// may be closed and their numbers others'.
@Test(arguments: [(Durability.buffered, ".thl"), (.strict, ".thl"), (.strict, ".thk"), (.buffered, ".thk")])
func aGivenUpSegmentIsNeverSyncedAgain(durability: Durability, file: String) throws {
  let fixture = try LogFixture()
  let disk = try FaultyDisk(folder: fixture.log)
  let writer = try fixture.writer(disk: disk)
  let stream = try fixture.stream(durability: durability)
  #expect(writer.append(entry(stream, 1), loop: 0))
  #expect(fixture.confirmed.waits(for: 1))
  #expect(writer.drain())
  disk.set {
    $0.synchronize = (EIO, "1-1\(file)")
    $0.whileSyncFails = {
      let third = entry(stream, 3, subjects: [Subject(.tag, id: "third")])  // the sidecar grows, too
      _ = writer.append(third, loop: 0)
      _ = holds { fixture.segments().first.map { fixture.isWritten(3, to: $0) } ?? false }
    }
  }
  let second = entry(stream, 2, subjects: [Subject(.tag, id: "second")])
  #expect(writer.append(second, loop: 0))
  #expect(fixture.confirmed.waits(for: 2) && fixture.confirmed.waits(for: 3))
  #expect(writer.drain())
  writer.stop()
  let faults = disk.synchronized.withLock { $0.filter { $0.contains(" ") } }
  #expect(faults == [])
  for number in 1...3 { #expect(try fixture.reader().open(UInt128(number), tenant: .first).request == bytes(100)) }
  #expect(try fixture.verify().exitCode == 2, "the given up segment is a recovered one")
}

@Test func aFailedSyncPoisonsTheSegmentAndWritesItsCopiesAnew() throws {
  let fixture = try LogFixture()
  let disk = try FaultyDisk(folder: fixture.log)
  let writer = try fixture.writer(disk: disk)
  let stream = try fixture.stream()
  #expect(writer.append(entry(stream, 1), loop: 0))
  #expect(fixture.confirmed.waits(for: 1))
  #expect(writer.drain())
  disk.set { $0.synchronize = (EIO, "1-1.thl") }
  #expect(writer.append(entry(stream, 2), loop: 0))
  #expect(fixture.confirmed.waits(for: 2))
  #expect(holds { fixture.segments().count == 2 })
  #expect(writer.append(entry(stream, 3), loop: 0))
  #expect(fixture.confirmed.waits(for: 3))
  #expect(writer.drain())
  writer.stop()
  #expect(!disk.synchronized.withLock { $0.contains { $0.hasPrefix("AFTER-FAILURE") } })
  #expect(fixture.confirmed.all == [1, 2, 3], "nobody is told twice")
  let result = try fixture.verify()
  #expect(result.exitCode == 2, "\(result.findings)")
  for number in 1...3 { #expect(try fixture.reader().open(UInt128(number), tenant: .first).request == bytes(100)) }
}
