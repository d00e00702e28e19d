import EventLoop
import Routing
import Testing

@testable import Gateway
@testable import Upstream

/// The pool's seconds are told by the test; sockets and libcurl are real.
@Suite("Providers that say nothing", .timeLimit(.minutes(1)))
struct DeadlineTests {
  private final class Ears: UpstreamDelegate {
    var ends: [UpstreamEnd] = []
    func upstream(_ exchange: Exchange, answered head: UpstreamHead) {}
    func upstream(_ exchange: Exchange, sent bytes: UnsafeRawBufferPointer) {}
    func upstream(_ exchange: Exchange, ended end: UpstreamEnd) { ends.append(end) }
    func woken(_ exchange: Exchange) {}
  }

  /// Sends requests to a provider that never answers and lets `seconds` pass.
  /// - Parameter overTLS: The second and the third wait for what the first will learn, and it learns nothing.
  /// - Returns: How those ended that did. The loop does not turn meanwhile, so nothing ever leaves.
  private func ends(
    after seconds: Int, requests: UInt64 = 1, overTLS: Bool = false, limits: Limits = Limits(), paused: Bool = false,
    timeouts: ProviderTimeouts = .init()
  ) async throws -> [UpstreamEnd] {
    let provider = SilentProvider()
    let port = provider.port
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    let ends = try await loop.run {
      let ears = Ears()
      let pool = UpstreamPool(loop: loop, limits: limits, delegate: ears)
      let target = UpstreamTarget(
        provider: "silent", url: "\(overTLS ? "https" : "http")://127.0.0.1:\(port)/v1", headerLines: [],
        poolKey: "silent", networks: house, limits: limits, timeouts: timeouts)
      let exchanges = (1...requests).map { ticket in
        let exchange = Exchange()
        exchange.ticket = ticket
        return exchange
      }
      for exchange in exchanges {
        pool.send(exchange, to: target, body: UnsafeRawBufferPointer(start: nil, count: 0))
        if paused { pool.pause(exchange) }
      }
      for _ in 0..<seconds { pool.tick() }
      let ends = ears.ends
      for exchange in exchanges { pool.cancel(exchange) }
      pool.stop()
      return ends
    }
    _ = provider
    return ends
  }

  private static let impatient = {
    var limits = Limits()
    limits.firstByteMilliseconds = 2_000
    return limits
  }()

  @Test func aRequestWithoutAFirstByteEndsAtItsDeadlineAndOnce() async throws {
    #expect(try await ends(after: 2, limits: Self.impatient).isEmpty)
    #expect(try await ends(after: 9, limits: Self.impatient) == [.neverSent])
  }

  /// The provider's record beats the gateway's own limits; the whole has a deadline that no pause lifts.
  @Test func theRecordsTimesAreKept() async throws {
    #expect(try await ends(after: 9, timeouts: ProviderTimeouts(firstByte: 2_000)) == [.neverSent])
    let total = ProviderTimeouts(total: 5_000)
    #expect(try await ends(after: 5, paused: true, timeouts: total).isEmpty)
    #expect(try await ends(after: 6, paused: true, timeouts: total) == [.neverSent])
  }

  /// What libcurl has noted in the turn that ends the pool is nobody's: not told, and no trap.
  @Test func aPoolThatStopsTellsNothing() async throws {
    let provider = SilentProvider()
    let port = provider.port
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    let ears = try await loop.run {
      let ears = Ears()
      let pool = UpstreamPool(loop: loop, limits: Limits(), delegate: ears)
      let exchange = Exchange()
      exchange.ticket = 7
      let target = UpstreamTarget(
        provider: "silent", url: "http://127.0.0.1:\(port)/v1", headerLines: [], poolKey: "silent", networks: house,
        limits: Limits())
      pool.send(exchange, to: target, body: UnsafeRawBufferPointer(start: nil, count: 0))
      pool.stop()
      pool.send(exchange, to: target, body: UnsafeRawBufferPointer(start: nil, count: 0))
      while pool.endTurn() {}
      return LoopBound((ears, pool), loop)
    }
    let ends = try await loop.run { ears.value.0.ends }
    #expect(ends.isEmpty)
    _ = provider
  }

  /// Who is not read has an excuse for its silence.
  @Test func aPausedRequestIsNotTimed() async throws {
    #expect(
      try await ends(after: 9, limits: Self.impatient, paused: true, timeouts: .init(connect: 20_000)).isEmpty)
  }

  private func ends(
    ofThreeAfter seconds: Int, connections: Int, timeouts: ProviderTimeouts = .init(connect: 3_000)
  ) async throws -> [UpstreamEnd] {
    var limits = Limits()
    limits.connections = connections
    return try await ends(after: seconds, requests: 3, overTLS: true, limits: limits, timeouts: timeouts)
  }

  /// Whoever waits behind a connection that never comes about has the time of one, not of one after the other.
  @Test(arguments: [(4, 0), (5, 3)]) func whatIsNotSentFailsLikeItsConnection(seconds: Int, ended: Int) async throws {
    #expect(
      try await ends(ofThreeAfter: seconds, connections: 100) == Array(repeating: .notConnected, count: ended))
  }

  /// There the provider is not to blame: its other deadlines hold, and those alone.
  @Test func whoWaitsForAFreeConnectionIsNotTimedByIt() async throws {
    #expect(try await ends(ofThreeAfter: 30, connections: 1).isEmpty)
    let late = ProviderTimeouts(connect: 3_000, firstByte: 20_000)
    #expect(
      try await ends(ofThreeAfter: 30, connections: 1, timeouts: late)
        == Array(repeating: .neverSent, count: 3))
  }

  /// Without TLS no connection can be shared: nobody waits until another's answer is over.
  @Test func withoutTLSRequestsDoNotWaitForEachOther() async throws {
    let provider = SilentProvider()
    let port = provider.port
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    let pool = try await loop.run {
      let ears = Ears()
      let pool = UpstreamPool(loop: loop, limits: Limits(), delegate: ears)
      let target = UpstreamTarget(
        provider: "silent", url: "http://127.0.0.1:\(port)/v1", headerLines: [], poolKey: "silent", networks: house,
        limits: Limits())
      for ticket in 1...3 as ClosedRange<UInt64> {
        let exchange = Exchange()
        exchange.ticket = ticket
        pool.send(exchange, to: target, body: UnsafeRawBufferPointer(start: nil, count: 0))
      }
      return LoopBound((pool, ears), loop)
    }
    for _ in 0..<3 { #expect(provider.takeConnection(), "each has its own") }
    try await loop.run { pool.value.0.stop() }
  }
}
