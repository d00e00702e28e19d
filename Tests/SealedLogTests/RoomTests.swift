import Tenancy
import Testing

@testable import SealedLog

/// Room in the queue for entries to come.
struct RoomTests {
  private let fixture: LogFixture

  init() throws { fixture = try LogFixture() }

  private func writer(told: @escaping @Sendable (Int) -> Void) throws -> LogWriter {
    var options = WriterOptions()
    options.loops = 3
    options.queueBytes = 100_000
    options.tenantQueueBytes = 25_000
    let confirmed = fixture.confirmed
    return try LogWriter(
      folder: fixture.log, node: LogFixture.node, epoch: 1, keys: fixture.provider, journal: nil, options: options,
      onRoom: told, onConfirmed: { confirmed.add($0, $1) })
  }

  private func request(_ stream: LogStream, _ number: Int, size: Int, room: Int? = nil) -> LogEntry {
    LogEntry(
      stream: stream, recordID: UInt128(number), request: bytes(size), token: UInt64(number), opensExchange: true,
      room: room)
  }

  @Test func roomIsTakenOncePerTenantAndInAll() throws {
    let writer = try writer { _ in }
    let streams = try (1...5).map { try fixture.stream(TenantID(UInt128($0))) }
    #expect(writer.takeRoom(25_001, of: streams[0]) == .refused, "never")
    for stream in streams[..<4] {
      #expect(writer.takeRoom(20_000, of: stream) == .taken)
      #expect(writer.takeRoom(5_001, of: stream) == .full)
      #expect(writer.hasRoom(for: 5_001, of: stream) == .full)
      #expect(writer.takeRoom(5_000, of: stream) == .taken)
    }
    #expect(writer.takeRoom(1, of: streams[4]) == .full && writer.hasRoom(for: 1, of: streams[4]) == .full)
    writer.giveRoom(5_000, of: streams[0])
    #expect(writer.takeRoom(5_000, of: streams[4]) == .taken)
    writer.stop()
    #expect(writer.takeRoom(1, of: streams[0]) == .refused)
  }

  @Test func anEntryFillsTheRoomThatWasTakenForIt() throws {
    let writer = try writer { _ in }
    let stream = try fixture.stream()
    for (number, size) in [(1, 20_000), (2, 100), (3, 27_000)] {  // as thought, less, more
      #expect(writer.takeRoom(21_000, of: stream) == .taken)
      #expect(writer.append(request(stream, number, size: size, room: 21_000), loop: 0), "\(size)")
      #expect(fixture.confirmed.waits(for: UInt64(number)) && writer.drain())
      #expect(writer.health.queueBytes == 0)
    }
    #expect(writer.takeRoom(21_000, of: stream) == .taken)
    #expect(!writer.append(request(stream, 4, size: 40_000, room: 21_000), loop: 0), "far more")
    #expect(writer.health.queueBytes == 21_000, "the room is still its exchange's")
    writer.giveRoom(21_000, of: stream)
    writer.stop()
    #expect(try fixture.verify().findings == [])
  }

  @Test func whatEndsAnExchangeMayBeLargerThanATenantsPart() throws {
    let writer = try writer { _ in }
    let stream = try fixture.stream()
    func end(_ number: Int, size: Int) -> LogEntry {
      LogEntry(stream: stream, recordID: UInt128(number), response: bytes(size), token: UInt64(number))
    }
    #expect(writer.takeRoom(24_999, of: stream) == .taken)
    #expect(!writer.append(end(2, size: 130_000), loop: 0), "more than all may have")
    #expect(writer.append(end(1, size: 60_000), loop: 0))
    #expect(fixture.confirmed.waits(for: 1) && writer.drain(seconds: 0.01) == false)
    #expect(holds { writer.health.queueBytes == 24_999 })
    writer.giveRoom(24_999, of: stream)
    writer.stop()
    #expect(try fixture.reader().open(1, tenant: .first).response == bytes(60_000))
  }

  @Test func whoWaitsIsToldOnceWhenSomethingIsWritten() throws {
    let told = Confirmed()
    let writer = try writer { told.add(0, [UInt64($0)]) }
    let stream = try fixture.stream()
    #expect(writer.append(request(stream, 1, size: 100), loop: 0))
    #expect(fixture.confirmed.waits(for: 1) && writer.drain())
    #expect(told.all == [], "nobody waits")
    let before = writer.progress
    writer.awaitRoom(loop: 2)
    #expect(writer.append(request(stream, 2, size: 100), loop: 1))
    #expect(fixture.confirmed.waits(for: 2) && told.waits(for: 2) && writer.drain())
    #expect(writer.progress > before)
    #expect(writer.append(request(stream, 3, size: 100), loop: 1))
    #expect(fixture.confirmed.waits(for: 3) && writer.drain())
    writer.awaitRoom(loop: 1)
    writer.giveRoom(0, of: stream)
    #expect(told.waits(for: 1) && told.all == [2, 1])
    writer.stop()
  }
}
