import EventLoop
import Glibc
import Routing
import Testing

@testable import Gateway
@testable import Upstream

extension KeptConnections {
  fileprivate func knows(_ name: ConnectionName) -> Bool { find(name) != nil }
  fileprivate func isHTTP2(_ name: ConnectionName) -> Bool { find(name)?.isHTTP2 ?? false }
  /// One that is not known is a new one.
  fileprivate func isQuiet(_ name: ConnectionName) -> Bool { find(name)?.isQuiet ?? true }
}

@Suite("Kept connections")
struct KeptConnectionsTests {
  private static let name = ConnectionName(localPort: 40_000, address: "192.0.2.1", port: 443)

  /// Two ends of a connection; the first is ours.
  private static func pair() -> (ours: Int32, theirs: Int32) {
    var ends: [Int32] = [-1, -1]
    _ = socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends)
    return (ends[0], ends[1])
  }

  enum Behaviour: String, CaseIterable, Sendable { case silent, says, hangsUp, saysAndHangsUp }

  /// What was said after the last answer would be taken for the next one, which may be another tenant's.
  @Test(arguments: Behaviour.allCases) func onlyASilentOneIsUsedAgain(_ behaviour: Behaviour) async throws {
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    let quiet = try await loop.run {
      let kept = KeptConnections(loop: loop)
      let (ours, theirs) = Self.pair()
      defer { close(ours) }
      kept.keep(ours, as: Self.name)
      if behaviour == .says || behaviour == .saysAndHangsUp { _ = send(theirs, "HTTP", 4, 0) }
      if behaviour == .hangsUp || behaviour == .saysAndHangsUp { close(theirs) }
      defer { if behaviour == .silent || behaviour == .says { close(theirs) } }
      return [kept.isQuiet(Self.name), kept.isQuiet(Self.name)]
    }
    #expect(quiet == [behaviour == .silent, behaviour == .silent], "and looking takes nothing away")
  }

  /// Frames between answers are usual there; the end of TLS, as each version has it, is the end.
  @Test(
    arguments: [
      ([], true), ([23, 3, 3, 0, 26], true), ([23, 3, 3, 0, 19], false), ([21, 3, 3, 0, 26], false),
      ([23, 3, 3], true),
      ([23, 3, 3, 0, 2, 9, 9, 23, 3, 3, 0, 19], false), ([23, 3, 3, 255, 255, 9, 9, 23, 3, 3, 0, 19], true),
    ] as [([UInt8], Bool)])
  func ofHTTP2OnlyAFarewellCounts(said: [UInt8], isGood: Bool) async throws {
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    let quiet = try await loop.run {
      let kept = KeptConnections(loop: loop)
      let (ours, theirs) = Self.pair()
      defer { close(ours) }
      kept.keep(ours, as: Self.name, isHTTP2: true)
      _ = send(theirs, said, said.count, 0)
      let before = [kept.isQuiet(Self.name), kept.isQuiet(Self.name)]
      close(theirs)
      return before + [said.isEmpty && kept.isQuiet(Self.name)]
    }
    #expect(quiet == [isGood, isGood, false])
  }

  @Test func aNewConnectionIsNotJudgedAndAClosedOneIsForgotten() async throws {
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    let seen = try await loop.run {
      let kept = KeptConnections(loop: loop)
      let (ours, theirs) = Self.pair()
      defer {
        close(ours)
        close(theirs)
      }
      let nowhere = ConnectionName(localPort: 0, address: Self.name.address, port: Self.name.port)
      var seen = [kept.knows(Self.name), kept.isQuiet(Self.name)]
      kept.keep(-1, as: Self.name)
      kept.keep(ours, as: nowhere)
      seen.append(kept.knows(Self.name) || kept.knows(nowhere))
      kept.keep(ours, as: Self.name)
      _ = send(theirs, "x", 1, 0)
      seen += [kept.knows(Self.name), kept.isQuiet(Self.name)]
      kept.closed(ours)
      return seen + [kept.knows(Self.name), kept.isQuiet(Self.name)]
    }
    #expect(seen == [false, true, false, true, false, false, true])
  }

  /// Linux gives one local port to connections to different destinations.
  @Test(
    arguments: [
      ConnectionName(localPort: 40_000, address: "192.0.2.2", port: 443),
      ConnectionName(localPort: 40_000, address: "192.0.2.1", port: 8443),
      ConnectionName(localPort: 40_001, address: "192.0.2.1", port: 443),
    ])
  func eachHasALifeOfItsOwn(other: ConnectionName) async throws {
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    let seen = try await loop.run {
      let kept = KeptConnections(loop: loop)
      let (ours, theirs) = Self.pair()
      let (second, far) = Self.pair()
      defer { for descriptor in [ours, theirs, second, far] { close(descriptor) } }
      kept.keep(ours, as: Self.name, isHTTP2: true)
      var seen = [kept.knows(other), kept.isHTTP2(other)]
      kept.keep(second, as: other)
      _ = send(far, "HTTP", 4, 0)
      seen += [kept.isQuiet(Self.name), kept.isQuiet(other), kept.isHTTP2(Self.name), kept.isHTTP2(other)]
      kept.closed(second)
      return seen + [kept.knows(Self.name), kept.isHTTP2(Self.name), kept.knows(other)]
    }
    #expect(seen == [false, false, true, false, true, false, true, true, false])
  }

  private final class Ears: UpstreamDelegate {
    var ended: ((UpstreamEnd) -> Void)?
    func upstream(_ exchange: Exchange, answered head: UpstreamHead) {}
    func upstream(_ exchange: Exchange, sent bytes: UnsafeRawBufferPointer) {}
    func upstream(_ exchange: Exchange, ended end: UpstreamEnd) { ended?(end) }
    func woken(_ exchange: Exchange) {}
  }

  /// A pool before a provider that is always willing.
  private struct Asker: Sendable {
    let provider = PoliteProvider()
    let loop: EventLoop
    private let bound: LoopBound<(ears: Ears, pool: UpstreamPool)>

    init() async throws {
      let loop = try EventLoop(name: "test")
      self.loop = loop
      provider.start()
      bound = try await loop.run {
        let ears = Ears()
        return LoopBound((ears, UpstreamPool(loop: loop, limits: Limits(), delegate: ears)), loop)
      }
    }

    func ask(_ ticket: UInt64, account: String = "polite") async -> UpstreamEnd {
      let target = UpstreamTarget(
        provider: "polite", url: "http://127.0.0.1:\(provider.port)/v1", headerLines: [], poolKey: account,
        networks: house, limits: Limits())
      return await withCheckedContinuation { continuation in
        loop.execute {
          bound.value.ears.ended = { continuation.resume(returning: $0) }
          let exchange = Exchange()
          exchange.ticket = ticket
          bound.value.pool.send(exchange, to: target, body: UnsafeRawBufferPointer(start: nil, count: 0))
        }
      }
    }

    func onPool<Value: Sendable>(_ work: @escaping @Sendable (UpstreamPool) -> Value) async throws -> Value {
      try await loop.run { work(bound.value.pool) }
    }

    func end() async throws {
      try await onPool { $0.stop() }
      provider.stop()
      loop.stop()
    }
  }

  /// libcurl would choose it for every request to come, and each would need a new one.
  @Test(.timeLimit(.minutes(1))) func oneThatIsNotFitForUseIsClosed() async throws {
    let asker = try await Asker()
    var connections: [Int] = []
    for ticket in 1...5 as ClosedRange<UInt64> {
      #expect(await asker.ask(ticket) == .complete)
      connections.append(asker.provider.connections)
      if ticket == 2 { asker.provider.babble(on: 0) }
    }
    #expect(connections == [1, 1, 2, 2, 2])
    try await asker.end()
  }

  /// An account that a reload has taken away is never called again, and no request closes its connections.
  @Test(.timeLimit(.minutes(1))) func thoseOfAnAccountThatNobodyUsesAreClosed() async throws {
    let asker = try await Asker()
    #expect(await asker.ask(1, account: "old") == .complete)
    try await asker.onPool { pool in for _ in 0..<500 { pool.tick() } }
    #expect(await asker.ask(2, account: "new") == .complete)
    let left = try await asker.onPool { pool in
      for _ in 0..<200 { pool.tick() }
      return pool.poolCount
    }
    #expect(left == 1)
    #expect(await asker.ask(3, account: "new") == .complete)
    #expect(asker.provider.connections == 2, "the other account's connection is still there")
    #expect(await asker.ask(4, account: "old") == .complete)
    #expect(asker.provider.connections == 3)
    try await asker.end()
  }
}
