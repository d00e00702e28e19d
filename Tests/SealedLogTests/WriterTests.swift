import Dispatch
import Foundation
import KeyProviders
import Synchronization
import Tenancy
import Testing

@testable import SealedLog

@Test func aFullQueueRefusesBeforeSendingButLetsExchangesEnd() throws {
  let fixture = try LogFixture()
  let disk = try FaultyDisk(folder: fixture.log)
  disk.set { $0.append = (ENOSPC, ".thl") }
  var options = WriterOptions()
  options.queueBytes = 100_000
  options.tenantQueueBytes = 25_000
  let writer = try fixture.writer(options: options, disk: disk)
  let stream = try fixture.stream()
  var taken = 0
  while taken < 100, writer.append(entry(stream, taken + 1, size: 1000), loop: 0) { taken += 1 }
  #expect(taken == 25_000 / 1512)
  #expect(writer.append(entry(try fixture.stream(.second), 500, size: 1000), loop: 0), "others go on")
  let end = LogEntry(stream: stream, recordID: 1, response: bytes(1000), metadata: Array("{}".utf8), token: 900)
  #expect(writer.append(end, loop: 0), "an open exchange may end")
  #expect(writer.health.queueBytes > 25_000)
  disk.set { $0.append = nil }
  #expect(fixture.confirmed.waits(for: 900))
  #expect(writer.drain())
  #expect(writer.health.queueBytes == 0 && writer.health.state == .ok)
  writer.stop()
  #expect(Set(fixture.confirmed.all) == Set((1...taken).map(UInt64.init) + [500, 900]))
  #expect(try fixture.verify().exitCode == 0)
}

@Test(arguments: [".thl", ".thk"])
func aFullDiskConfirmsNothingAndHealsWithoutRestart(file: String) throws {
  let fixture = try LogFixture()
  let disk = try FaultyDisk(folder: fixture.log)
  let writer = try fixture.writer(disk: disk)
  let stream = try fixture.stream()
  #expect(writer.append(entry(stream, 1), loop: 0))
  #expect(fixture.confirmed.waits(for: 1))
  #expect(writer.drain())
  disk.set {
    $0.append = (ENOSPC, file)
    $0.room = 33
  }
  let second = entry(stream, 2, subjects: [Subject(.tag, id: "new")])
  #expect(writer.append(second, loop: 0))
  #expect(holds { writer.health.state != .ok })
  #expect(fixture.confirmed.all == [1])
  #expect(try fixture.verify().exitCode == 0, "what a reader sees stays whole")
  disk.set { $0.append = nil }
  #expect(fixture.confirmed.waits(for: 2))
  #expect(holds { writer.health.state == .ok })
  writer.stop()
  #expect(try fixture.verify().findings == [])
  #expect(try fixture.reader().open(2, tenant: .first).request == bytes(100))
}

@Test func shortWritesAreContinued() throws {
  let fixture = try LogFixture()
  let disk = try FaultyDisk(folder: fixture.log)
  disk.set { $0.longestAppend = 7 }
  let writer = try fixture.writer(disk: disk)
  #expect(writer.append(entry(try fixture.stream(), 1, size: 5000), loop: 0))
  #expect(fixture.confirmed.waits(for: 1))
  writer.stop()
  #expect(try fixture.verify().exitCode == 0)
}

@Test func entriesOlderThanTwoSecondsMakeNewRequestsRefused() throws {
  let fixture = try LogFixture()
  let disk = try FaultyDisk(folder: fixture.log)
  disk.set { $0.append = (ENOSPC, TenantID.first.description) }
  let time = TestClock()
  let writer = try fixture.writer(disk: disk, clock: time.clock)
  let stream = try fixture.stream()
  #expect(writer.append(entry(stream, 1), loop: 0))
  #expect(holds { stream.settings.backlog.oldest.load(ordering: .relaxed) != 0 })
  time.advance(seconds: 1.9)
  #expect(writer.append(entry(stream, 2), loop: 0))
  time.advance(seconds: 0.2)
  #expect(!writer.append(entry(stream, 3), loop: 0))
  #expect(writer.append(entry(try fixture.stream(.second), 4), loop: 0), "other tenants are not affected")
  #expect(fixture.confirmed.waits(for: 4))
  disk.set { $0.append = nil }
  #expect(
    holds {
      time.advance(seconds: 0.2); return fixture.confirmed.all.contains(2)
    })
  #expect(holds { writer.append(entry(stream, 5), loop: 0) })
  writer.stop()
  #expect(!fixture.confirmed.all.contains(3))
}

@Test func segmentsRollBySizeAgeSettingsAndClockAndTheChainHolds() throws {
  let fixture = try LogFixture()
  let time = TestClock()
  var options = WriterOptions()
  options.segmentBytes = 6_000
  let writer = try fixture.writer(options: options, clock: time.clock)
  var number = 0
  func next(_ durability: Durability = .buffered) throws {
    number += 1
    // A sync during which the clock was set forward looks for a moment as if it hung.
    let stream = try fixture.stream(durability: durability)
    #expect(holds { writer.append(entry(stream, number), loop: 0) })
    #expect(fixture.confirmed.waits(for: UInt64(number)))
    #expect(writer.drain())
  }
  try next()
  #expect(fixture.segments().count == 1)
  time.advance(seconds: 3601)
  try next()
  #expect(fixture.segments().count == 2)
  try next(.strict)
  #expect(fixture.segments().count == 3)
  time.jumpWall(seconds: 60)
  try next(.strict)
  #expect(fixture.segments().count == 4)
  for _ in 1...45 { try next(.strict) }
  #expect(fixture.segments().count > 5)
  writer.stop()
  #expect(try fixture.verify().findings == [])
  for index in 1...number { #expect(try fixture.reader().open(UInt128(index), tenant: .first).request == bytes(100)) }
}

/// With thousands of tenants descriptors are for others, too.
@Test func ofTooManySegmentsThoseEndThatWereNotUsedForLongest() throws {
  let fixture = try LogFixture()
  let time = TestClock()
  var options = WriterOptions()
  options.openSegments = 2
  let writer = try fixture.writer(options: options, clock: time.clock)
  let tenants = (1...5).map { TenantID($0) }
  func write(_ number: Int, to tenant: TenantID) throws {
    #expect(writer.append(entry(try fixture.stream(tenant), number), loop: 0))
    #expect(fixture.confirmed.waits(for: UInt64(number)))
    time.advance(seconds: 0.01)
  }
  for (index, tenant) in tenants.enumerated() { try write(index + 1, to: tenant) }
  try write(6, to: tenants[0])
  #expect(writer.drain())
  time.advance(seconds: 1.5)
  func ended() throws -> [TenantID] {
    try tenants.filter { tenant in
      let path = try #require(fixture.segments(tenant).first)
      return try SegmentScan(readFile(path)).footer != nil
    }
  }
  #expect(holds { (try? ended().count) ?? 0 >= 3 })
  #expect(try ended() == Array(tenants[1...3]))
  try write(7, to: tenants[1])
  #expect(fixture.segments(tenants[1]).count == 2)
  writer.stop()
  #expect(try fixture.verify().findings == [])
  #expect(try fixture.reader().open(2, tenant: tenants[1]).request == bytes(100))
}

/// Its successor was made ahead when the tenant was busy; nobody has written since.
@Test func whatWasMadeAheadForAQuietStreamIsGivenUp() throws {
  let fixture = try LogFixture()
  let time = TestClock()
  let writer = try fixture.writer(clock: time.clock)
  #expect(writer.append(entry(try fixture.stream(), 1), loop: 0))
  #expect(fixture.confirmed.waits(for: 1))
  time.advance(seconds: 3000)
  let stream = try fixture.stream()
  // A sync during which the clock was set forward looks for a moment as if it hung.
  #expect(holds { writer.append(entry(stream, 2), loop: 0) })
  #expect(fixture.confirmed.waits(for: 2))
  #expect(holds { fixture.segments().count == 2 })
  #expect(writer.drain())
  time.advance(seconds: 700)
  #expect(holds { (try? SegmentScan(readFile(fixture.segments()[0])).footer) != nil })
  time.advance(seconds: 2)
  #expect(holds { fixture.segments().count == 1 })
  #expect(holds { writer.append(entry(stream, 3), loop: 0) })
  #expect(fixture.confirmed.waits(for: 3))
  #expect(fixture.segments().count == 2)
  writer.stop()
  #expect(try fixture.verify().findings == [])
  for number in 1...3 { #expect(try fixture.reader().open(UInt128(number), tenant: .first).request == bytes(100)) }
}

@Test func theBeginningOfAnExchangeWaitsForItsEndOrALittleWhile() throws {
  let fixture = try LogFixture()
  let time = TestClock()
  let writer = try fixture.writer(clock: time.clock)
  func begin(_ number: Int, _ tenant: TenantID) throws -> LogEntry {
    LogEntry(stream: try fixture.stream(tenant), recordID: UInt128(number), request: bytes(100), opensExchange: true)
  }
  func end(_ number: Int, _ tenant: TenantID) throws -> LogEntry {
    LogEntry(
      stream: try fixture.stream(tenant), recordID: UInt128(number), response: bytes(50), metadata: Array("{}".utf8),
      token: UInt64(number))
  }
  #expect(writer.append(try begin(1, .first), loop: 0))
  #expect(writer.append(try begin(2, .second), loop: 0))
  #expect(writer.append(try end(1, .first), loop: 0))
  #expect(fixture.confirmed.waits(for: 1))
  #expect(try fixture.reader().open(1, tenant: .first).request == bytes(100), "written before its end was confirmed")
  #expect(fixture.segments(.second).isEmpty, "nobody waits for it")
  time.advance(seconds: 0.02)
  #expect(holds { !fixture.segments(.second).isEmpty })
  #expect(writer.append(try begin(3, .first), loop: 0))
  writer.stop()
  #expect(try fixture.reader().open(2, tenant: .second).request == bytes(100))
  #expect(try fixture.reader().open(3, tenant: .first).request == bytes(100))
  #expect(try fixture.verify().exitCode == 0)
}

@Test func aKeyProviderThatIsAwayStopsNoOpenSegment() throws {
  let fixture = try LogFixture()
  let time = TestClock()
  let writer = try fixture.writer(clock: time.clock)
  let stream = try fixture.stream()
  let other = try fixture.stream(.second)
  #expect(writer.append(entry(stream, 1), loop: 0))
  #expect(fixture.confirmed.waits(for: 1))
  fixture.provider.setAway(true)
  #expect(writer.append(entry(stream, 2), loop: 0))
  #expect(fixture.confirmed.waits(for: 2))
  writer.roll(.first)
  #expect(writer.append(entry(stream, 3), loop: 0), "its erasure key is cached")
  #expect(fixture.confirmed.waits(for: 3))
  #expect(writer.append(entry(other, 4), loop: 0), "waits for its key")
  #expect(holds { writer.health.state != .ok })
  #expect(!fixture.confirmed.all.contains(4))
  fixture.provider.setAway(false)
  #expect(
    holds {
      time.advance(seconds: 0.2); return fixture.confirmed.all.contains(4)
    })
  writer.stop()
  #expect(try fixture.verify().exitCode == 0)
}

@Test func stoppingWritesWhatIsQueuedAndRefusesTheRest() throws {
  let fixture = try LogFixture()
  let writer = try fixture.writer()
  let stream = try fixture.stream()
  for number in 1...50 { #expect(writer.append(entry(stream, number), loop: 0)) }
  writer.stop()
  #expect(fixture.confirmed.all.count == 50)
  #expect(!writer.append(entry(stream, 51), loop: 0))
  let file = try readFile(try #require(fixture.segments().last))
  let scan = try SegmentScan(file)
  let footer = try FooterBody(file[try #require(scan.footer).body])
  #expect(footer.reason == .stop && footer.frames == 51)
  #expect(try fixture.verify().findings == [])
}

@Test func manyTenantsAndLoopsLoseNothing() throws {
  let fixture = try LogFixture()
  var options = WriterOptions()
  options.loops = 4
  options.segmentBytes = 50_000
  let writer = try fixture.writer(options: options)
  let tenants = (0..<12).map { TenantID(UInt128($0) + 1) }
  let streams = try tenants.map { try fixture.stream($0) }
  let threads = DispatchGroup()
  for loop in 0..<4 {
    DispatchQueue.global().async(group: threads) {
      for number in 0..<300 {
        let id = loop * 1000 + number + 1
        let next = entry(streams[number % 12], id, size: 400, metadata: Array("{}".utf8))
        while !writer.append(next, loop: loop) {}
      }
    }
  }
  threads.wait()
  #expect(writer.drain(seconds: 30))
  writer.stop()
  let expected = (0..<4).flatMap { loop in (1...300).map { UInt64(loop * 1000 + $0) } }
  #expect(fixture.confirmed.all.sorted() == expected)
  let result = try fixture.verify()
  #expect(result.findings == [] && result.streams == 12)
}

/// A megabyte of one tenant and a line of another, queued in this order in one batch.
@Test func aSmallEntryIsConfirmedBeforeTheLargeOneOfAnother() throws {
  let fixture = try LogFixture()
  let (reached, go) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
  let isHeld = Atomic<Bool>(false)
  var options = WriterOptions()
  options.staleNanoseconds = .max
  options.onMetadata = { records in
    guard records.contains(where: { $0.recordID == 2 }), !isHeld.exchange(true, ordering: .relaxed) else { return }
    reached.signal()
    go.wait()
  }
  let writer = try fixture.writer(options: options)
  let (first, second) = (try fixture.stream(), try fixture.stream(.second))
  #expect(writer.append(entry(second, 1), loop: 0) && fixture.confirmed.waits(for: 1))
  #expect(
    writer.append(LogEntry(stream: first, recordID: 2, metadata: Array("{}".utf8), token: 2), loop: 0))
  reached.wait()
  for number in [3, 4] { #expect(writer.append(entry(first, number, size: 1 << 20), loop: 0)) }
  #expect(writer.append(entry(second, 5), loop: 0))
  go.signal()
  #expect(fixture.confirmed.waits(for: 4) && fixture.confirmed.waits(for: 5))
  writer.stop()
  #expect(fixture.confirmed.all == [1, 2, 5, 3, 4])
  #expect(try fixture.verify().exitCode == 0)
}

/// While megabytes are sealed, entries of other streams come, are written and confirmed, and those of the same stream wait.
@Test func whatComesInTheMiddleOfALargeEntryIsWrittenOnce() throws {
  let fixture = try LogFixture()
  let writer = try fixture.writer()
  let (first, second) = (try fixture.stream(), try fixture.stream(.second))
  for (number, stream) in [(1, first), (2, second)] {
    #expect(writer.append(entry(stream, number), loop: 0) && fixture.confirmed.waits(for: UInt64(number)))
  }
  var number = 2
  for round in 1...3 {
    #expect(writer.append(entry(first, round * 1000, size: 4 << 20), loop: 0))
    // Until the large one is through, which takes milliseconds, small ones of both go in.
    repeat {
      number += 1
      #expect(writer.append(entry(number % 2 == 0 ? first : second, number), loop: 0))
      #expect(number % 2 == 0 || fixture.confirmed.waits(for: UInt64(number)))
    } while !fixture.confirmed.all.contains(UInt64(round * 1000)) && number < 900
    #expect(fixture.confirmed.waits(for: UInt64(round * 1000)))
  }
  #expect(writer.drain())
  writer.stop()
  let confirmed = fixture.confirmed.all
  #expect(Set(confirmed) == Set((1...number).map(UInt64.init) + [1000, 2000, 3000]))
  #expect(confirmed.count == Set(confirmed).count, "nothing is written twice")
  #expect(try fixture.verify().exitCode == 0)
}

/// The kernel takes milliseconds for megabytes: who comes meanwhile is written between two pieces.
@Test func whatComesWhileMegabytesAreWrittenDoesNotWaitForAllOfThem() throws {
  let fixture = try LogFixture()
  let disk = try FaultyDisk(folder: fixture.log)
  let writer = try fixture.writer(disk: disk)
  let (first, second) = (try fixture.stream(), try fixture.stream(.second))
  for (number, stream) in [(1, first), (2, second)] {
    #expect(writer.append(entry(stream, number), loop: 0) && fixture.confirmed.waits(for: UInt64(number)))
  }
  let isTaken = Flag()
  disk.set {
    $0.whileAppending = ("\(TenantID.first)", { if writer.append(entry(second, 4), loop: 0) { isTaken.set() } })
  }
  #expect(writer.append(entry(first, 3, size: 4 << 20), loop: 0))
  #expect(fixture.confirmed.waits(for: 3) && fixture.confirmed.waits(for: 4))
  #expect(isTaken.isSet && fixture.confirmed.all == [1, 2, 4, 3])
  writer.stop()
  #expect(try fixture.verify().exitCode == 0)
  #expect(try fixture.reader().open(3, tenant: .first).request == bytes(4 << 20))
}

/// A segment that was made stays the next one, whatever keeps its first frame from being made.
@Test func aSegmentThatCouldNotBeginBeginsLater() throws {
  let fixture = try LogFixture()
  let fails = Flag()
  fails.set()
  let confirmed = fixture.confirmed
  let writer = try LogWriter(
    folder: fixture.log, node: LogFixture.node, epoch: 1, keys: fixture.provider, journal: nil,
    random: { (count) throws(SealedLogError) in
      // The frames' random bytes come in pieces of this size.
      if count == 128, fails.isSet {
        fails.clear()
        throw SealedLogError(.cryptoFailed, "No random bytes.")
      }
      return (0..<count).map { _ in UInt8.random(in: 0...255) }
    },
    onConfirmed: { confirmed.add($0, $1) })
  #expect(writer.append(entry(try fixture.stream(), 1), loop: 0))
  #expect(confirmed.waits(for: 1))
  writer.stop()
  #expect(!fails.isSet && fixture.segments().count == 1)
  #expect(try fixture.verify().findings == [])
}
