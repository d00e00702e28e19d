import Inference
import Quotas
import Routing
import Testing

@testable import Gateway

/// The same provider once more, where there is no other and it is safe; and providers that have had enough.
struct RetryTests {
  private static func gate(_ change: (inout GateSetup) -> Void = { _ in }) throws -> TestGate {
    var setup = GateSetup()
    change(&setup)
    return try TestGate(setup)
  }

  private static func providers(_ gate: TestGate) -> [String] { gate.upstream.sent.map(\.target.provider) }

  @Test func aProviderThatAsksForAMomentIsAskedAgainWithBooksOfItsOwn() throws {
    let gate = try Self.gate()
    let client = gate.send(gate.chat(Specimens.chat()))
    gate.answer(503, Specimens.refused, retryAfter: 2)
    #expect(Self.providers(gate) == ["first"] && !client.isOver)
    let wait = try #require(gate.upstream.wakes.first?.milliseconds)
    #expect((2_000...2_100).contains(wait))
    gate.passWaits()
    #expect(Self.providers(gate) == ["first", "first"])
    let (first, second) = (gate.upstream.sent[0].text, gate.upstream.sent[1].text)
    #expect(first == second, "the same redaction, the same placeholder")
    gate.answer(200, Specimens.plain())
    gate.finish(client)
    #expect(client.status == 200)
    let books = try gate.books()
    #expect(books.reserveCount == 2 && books.unbalanced == 0 && books.open == 0)
    #expect(books.settlements.map(\.exit) == [Exit.upstreamError.rawValue, Exit.complete.rawValue])
    #expect(books.metas.count == 1 && books.metas[0].attempt == 1)
  }

  @Test func aConnectionThatNeverStoodIsTriedAgain() throws {
    let gate = try Self.gate()
    let client = gate.send(gate.chat(Specimens.chat()))
    for _ in 0..<2 {
      gate.end(.notConnected)
      gate.passWaits()
    }
    #expect(gate.upstream.sent.count == 3)
    gate.end(.notConnected)
    gate.finish(client)
    #expect(gate.upstream.sent.count == 3 && client.status == 502, "three in all")
    let books = try gate.books()
    #expect(books.reserveCount == 3 && books.unbalanced == 0 && books.totals.requests == 0)
  }

  /// Nobody knows whether these were carried out.
  @Test(arguments: [UpstreamEnd.timedOut, .cut, .tooLarge, .addressRefused])
  func whatMayHaveBeenCarriedOutIsNotRepeated(end: UpstreamEnd) throws {
    let gate = try Self.gate()
    let client = gate.send(gate.chat(Specimens.chat()))
    gate.end(end)
    gate.finish(client)
    #expect(gate.upstream.sent.count == 1 && gate.upstream.wakes.isEmpty && client.status >= 500)
  }

  @Test func anErrorThatWasPaidForIsNotRepeated() throws {
    let gate = try Self.gate()
    let client = gate.send(gate.chat(Specimens.chat()))
    gate.answer(503, #"{"error":{"message":"no","type":"server_error"},\#(Specimens.usage)}"#)
    gate.finish(client)
    #expect(gate.upstream.sent.count == 1 && client.status == 502)
  }

  @Test func anotherProviderIsAskedAtOnceAndBeforeTheSame() throws {
    let gate = try Self.gate { $0.candidates = [.init(provider: "first"), .init(provider: "second")] }
    gate.send(gate.chat(Specimens.chat()))
    gate.answer(503, Specimens.refused, retryAfter: 1)
    #expect(Self.providers(gate) == ["first", "second"] && gate.upstream.wakes.isEmpty)
  }

  @Test func theBudgetEndsRetriesBeforeTheyBecomeTheLoad() throws {
    let gate = try Self.gate()
    var repeated = 0
    for _ in 0..<40 {
      let client = gate.send(gate.chat(Specimens.chat()))
      // A limit is no failure of the provider: its breaker stays closed.
      gate.answer(429, Specimens.refused, retryAfter: 1)
      while !gate.upstream.wakes.isEmpty {
        repeated += 1
        gate.passWaits()
        gate.answer(429, Specimens.refused, retryAfter: 1)
      }
      gate.finish(client)
      #expect(client.status == 429)
      gate.clock.advance(milliseconds: 1_000)
    }
    #expect((3...30).contains(repeated), "\(repeated)")
    #expect(gate.upstream.sent.count == 40 + repeated)
  }

  @Test func anAgreementThatEndsDuringTheWaitTakesTheRouteOut() throws {
    let gate = try Self.gate { $0.candidates[0].agreementExpires = "2026-11-24" }
    let client = gate.send(gate.chat(Specimens.chat()))
    gate.answer(503, Specimens.refused)
    gate.clock.advance(milliseconds: 12 * 3_600_000)
    gate.passWaits()
    gate.finish(client)
    #expect(gate.upstream.sent.count == 1 && client.status >= 400)
    #expect(try gate.books().open == 0)
  }

  enum Interruption: String, CaseIterable, Sendable { case clientLeaves, gateEnds, lateWake }

  @Test(arguments: Interruption.allCases) func aWaitThatIsInterruptedLeavesNothingOpen(_ what: Interruption) throws {
    let gate = try Self.gate()
    let client = gate.send(gate.chat(Specimens.chat()))
    gate.answer(503, Specimens.refused, retryAfter: 1)
    let wake = try #require(gate.upstream.takeWakes().first)
    switch what {
    case .clientLeaves: gate.pipeline.clientGone(wake.exchange)
    case .gateEnds:
      gate.pipeline.endAll()
      gate.finish(client)
      #expect(client.status == 503)
    case .lateWake:
      gate.pipeline.clientGone(wake.exchange)
      gate.pipeline.woken(wake.exchange)
    }
    #expect(gate.upstream.sent.count == 1)
    let books = try gate.books()
    #expect(books.open == 0 && books.unbalanced == 0 && gate.confirm { gate.pipeline.openExchanges == 0 })
  }

  // MARK: A provider's own limits

  @Test func aProviderThatHasHadEnoughIsLeftAloneUntilItSays() throws {
    let gate = try Self.gate()
    let first = gate.send(gate.chat(Specimens.chat()))
    gate.answer(429, Specimens.refused, retryAfter: 30)
    gate.finish(first)
    #expect(first.status == 429)
    gate.clock.advance(milliseconds: 29_000)
    let second = gate.send(gate.chat(Specimens.chat()))
    #expect(second.status == 429 && second.errorCode == "upstream_rate_limited" && gate.upstream.sent.count == 1)
    gate.clock.advance(milliseconds: 1_001)
    gate.send(gate.chat(Specimens.chat()))
    #expect(gate.upstream.sent.count == 2)
  }

  /// No request is left for eight seconds.
  private static var nothingLeft: ProviderRest {
    var rest = ProviderRest()
    for (name, value) in [("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "8s")] {
      Array(name.utf8).withUnsafeBytes { name in
        Array(value.utf8).withUnsafeBytes { rest.note(name: name, value: $0) }
      }
    }
    return rest
  }

  /// Whoever waited would be refused by what the provider has said of itself.
  @Test func nobodyWaitsForAProviderThatRestsLonger() throws {
    let gate = try Self.gate()
    let client = gate.send(gate.chat(Specimens.chat()))
    gate.head(429, retryAfter: 1, rest: Self.nothingLeft)
    gate.piece(Specimens.refused)
    gate.end(.complete)
    #expect(gate.upstream.wakes.isEmpty)
    gate.finish(client)
    #expect(client.status == 429)
  }

  @Test func aGoodAnswerThatSaysNothingIsLeftPutsItToRestToo() throws {
    let gate = try Self.gate { $0.candidates = [.init(provider: "first"), .init(provider: "second")] }
    let client = gate.send(gate.chat(Specimens.chat()))
    gate.head(200, rest: Self.nothingLeft)
    gate.piece(Specimens.plain())
    gate.end(.complete)
    gate.finish(client)
    #expect(client.status == 200)
    gate.send(gate.chat(Specimens.chat()))
    gate.clock.advance(milliseconds: 8_001)
    gate.send(gate.chat(Specimens.chat()))
    #expect(Self.providers(gate) == ["first", "second", "first"])
  }

  @Test func aFullProviderIsPassedOverAndSaysSo() throws {
    let gate = try Self.gate { $0.candidates[0].concurrency = 2 }
    let first = gate.send(gate.chat(Specimens.chat()))
    gate.send(gate.chat(Specimens.chat()))
    let third = gate.send(gate.chat(Specimens.chat()))
    #expect(third.status == 503 && third.errorCode == "no_route" && gate.upstream.sent.count == 2)
    gate.answer(200, Specimens.plain())  // the second one's
    _ = first
    gate.send(gate.chat(Specimens.chat()))
    #expect(gate.upstream.sent.count == 3, "a place is free from the provider's last byte on")
  }

  /// A place that an attempt took is given back once, however it ends.
  @Test(arguments: [UpstreamEnd.complete, .notConnected, .timedOut, .cut, .tooLarge, .addressRefused])
  func aPlaceIsAlwaysGivenBack(end: UpstreamEnd) throws {
    let gate = try Self.gate {
      $0.candidates[0].concurrency = 1
      $0.limits.attempts = 1
    }
    for _ in 0..<3 {
      let client = gate.send(gate.chat(Specimens.chat()))
      if end == .complete { gate.answer(400, Specimens.refused) } else { gate.end(end) }
      gate.finish(client)
    }
    #expect(gate.upstream.sent.count == 3)
    gate.send(gate.chat(Specimens.chat()))
    #expect(gate.upstream.sent.count == 4)
    #expect(gate.send(gate.chat(Specimens.chat())).errorCode == "no_route", "and once only")
  }

  @Test func whoHasTheLeastUnderWayIsAsked() throws {
    let gate = try Self.gate {
      $0.order = .leastOutstanding
      $0.candidates = [.init(provider: "a"), .init(provider: "b"), .init(provider: "c", weight: 2)]
    }
    for _ in 0..<40 { gate.send(gate.chat(Specimens.chat())) }
    let counts = Dictionary(Self.providers(gate).map { ($0, 1) }, uniquingKeysWith: +)
    #expect(counts == ["a": 10, "b": 10, "c": 20])
  }
}
