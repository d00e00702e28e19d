import Inference
import Quotas
import Routing
import SealedLog
import Testing

@testable import Gateway

/// Another candidate is tried before the first byte only, under the same compliance, with books of its own.
struct FallbackTests {
  private static func gate(_ change: (inout GateSetup) -> Void = { _ in }) throws -> TestGate {
    var setup = GateSetup()
    setup.candidates = [.init(provider: "first"), .init(provider: "second")]
    change(&setup)
    return try TestGate(setup)
  }

  private static func providers(_ gate: TestGate) -> [String] { gate.upstream.sent.map(\.target.provider) }

  @Test func theSecondIsAskedWithABodyOfItsOwn() throws {
    let gate = try Self.gate()
    let client = gate.send(gate.chat(Specimens.chat()))
    gate.answer(500, Specimens.refused)
    #expect(Self.providers(gate) == ["first", "second"])
    let (first, second) = (gate.upstream.sent[0].text, gate.upstream.sent[1].text)
    #expect(second.contains(#""model":"second-model""#) && !second.contains(Specimens.mail))
    #expect(second == first.replacing("first-model", with: "second-model"), "the same redaction, the same placeholder")
    let placeholder = try #require(second.firstMatch(of: /\[EMAIL_[0-9a-z]{8}\]/)).output
    gate.answer(200, Specimens.plain("An \(placeholder)"))
    gate.finish(client)
    #expect(client.status == 200 && client.text.contains(Specimens.mail))
    let books = try gate.books()
    #expect(books.reserveCount == 2 && books.unbalanced == 0 && books.open == 0)
    #expect(books.settlements.map(\.exit) == [Exit.upstreamError.rawValue, Exit.complete.rawValue])
    #expect(books.totals.inputTokens == 12 && books.totals.outputTokens == 5)
    #expect(books.metas.count == 1 && books.metas[0].provider == "second" && books.metas[0].attempt == 1)
  }

  /// What was lowered to fit once is lowered again for the next candidate, and said only of the one that answers.
  @Test(arguments: [(Int64(700), "256"), (1_000_000, "500")]) func aLimitIsLoweredForEach(tokens: Int64, limit: String)
    throws
  {
    let gate = try Self.gate {
      $0.plan.clamp = .always
      $0.tokensPerDay = tokens
    }
    let body = Specimens.chat(String(repeating: "x", count: 300), more: #""max_tokens":9999,"#)
    let client = gate.send(gate.chat(body))
    gate.answer(500, Specimens.refused)
    #expect(Self.providers(gate) == ["first", "second"], "\(client.text)")
    #expect(gate.upstream.sent.allSatisfy { $0.text.contains(#""max_completion_tokens":\#(limit)"#) })
    gate.answer(200, Specimens.plain())
    gate.finish(client)
    #expect(client.status == 200 && client.value("x-torhaus-clamped") == "max_completion_tokens=\(limit)")
    #expect(try gate.books().unbalanced == 0)
  }

  @Test(arguments: [
    (408, true), (409, true), (429, true), (500, true), (502, true), (503, true), (401, true), (400, false),
    (413, false), (422, false),
  ])
  func onlyWhatAnotherMayDoBetterIsTriedAgain(status: Int, isTried: Bool) throws {
    let gate = try Self.gate()
    let client = gate.send(gate.chat(Specimens.chat()))
    gate.answer(status, Specimens.refused)
    #expect(Self.providers(gate) == (isTried ? ["first", "second"] : ["first"]))
    if !isTried {
      gate.finish(client)
      #expect(client.status == 400)
    }
  }

  @Test(arguments: [UpstreamEnd.notConnected, .addressRefused, .timedOut, .cut])
  func aFailureBeforeTheFirstByteIsTriedAgain(end: UpstreamEnd) throws {
    let gate = try Self.gate()
    let client = gate.send(gate.chat(Specimens.chat(stream: true)))
    gate.end(end)
    #expect(Self.providers(gate) == ["first", "second"])
    gate.answer(200, Specimens.stream(["Hallo"]), kind: .eventStream)
    gate.finish(client)
    #expect(client.hasEnded && client.hasDone && client.answers == 1)
    #expect(try gate.books().unbalanced == 0)
  }

  @Test(arguments: [UpstreamEnd.timedOut, .cut, .complete])
  func afterTheFirstByteNobodyElseIsAsked(end: UpstreamEnd) throws {
    let gate = try Self.gate()
    let client = gate.send(gate.chat(Specimens.chat(stream: true)))
    gate.head(200, .eventStream)
    gate.piece(Specimens.content("Hal"))
    gate.end(end)
    gate.finish(client)
    #expect(Self.providers(gate) == ["first"])
    #expect(client.wasAborted && !client.hasDone && !client.hasEnded)
    #expect(client.errorCode != nil)
  }

  @Test func theSecondMustMeetThePolicyToo() throws {
    let gate = try Self.gate { $0.candidates[1].country = "US" }
    let client = gate.send(gate.chat(Specimens.chat()))
    gate.answer(500, Specimens.refused)
    gate.finish(client)
    #expect(Self.providers(gate) == ["first"])
    #expect(client.status == 502 && client.errorCode == "upstream_error", "the client is told what went wrong")
    #expect(try gate.books().open == 0)
  }

  /// What an error is, its status and first bytes say: its body may go on for ever.
  @Test(arguments: [500, 400]) func anErrorBodyWithoutEndIsNotWaitedFor(status: Int) throws {
    let gate = try Self.gate { setup in
      setup.candidates = [GateSetup.Candidate(provider: "first")]
      setup.limits.errorBytes = 1_000
    }
    let client = gate.send(gate.chat(Specimens.chat()))
    gate.head(status)
    gate.piece(String(repeating: "x", count: 900))
    #expect(gate.upstream.cancelled == 0)
    gate.piece(String(repeating: "x", count: 200))
    #expect(gate.upstream.cancelled == 1)
    gate.end(.complete)  // late news of a cancelled sender
    gate.finish(client)
    #expect(client.status == (status == 500 ? 502 : 400))
    let books = try gate.books()
    #expect(books.open == 0 && books.unbalanced == 0)
  }

  @Test func anAgreementThatEndsBetweenTwoAttemptsCounts() throws {
    let gate = try Self.gate { $0.candidates[1].agreementExpires = "2026-11-24" }
    let client = gate.send(gate.chat(Specimens.chat()))
    gate.clock.advance(milliseconds: 12 * 3_600_000)
    gate.end(.timedOut)
    gate.finish(client)
    #expect(Self.providers(gate) == ["first"])
    #expect(client.status == 504)
  }

  @Test func theFirstThatPolicyForbidsIsPassedOver() throws {
    let gate = try Self.gate { $0.candidates[0].country = "US" }
    gate.send(gate.chat(Specimens.chat()))
    #expect(Self.providers(gate) == ["second"])
  }

  @Test func noMoreThanThreeAreTried() throws {
    let gate = try Self.gate { setup in
      setup.candidates = ["a1", "a2", "a3", "a4", "a5"].map { GateSetup.Candidate(provider: $0) }
    }
    let client = gate.send(gate.chat(Specimens.chat()))
    for _ in 0..<4 where !client.isOver { gate.answer(500, Specimens.refused) }
    gate.finish(client)
    #expect(Self.providers(gate) == ["a1", "a2", "a3"])
    #expect(client.status == 502)
    let books = try gate.books()
    #expect(books.reserveCount == 3 && books.unbalanced == 0 && books.open == 0)
  }

  @Test func aSecondAttemptThatTheBudgetRefusesIsNotSent() throws {
    // Room for one worst case: the first attempt's timeout is paid and stands in the second one's way.
    let probe = try TestGate()
    probe.send(probe.chat(Specimens.chat()))
    let worst = try #require(try probe.quotas.usage(limits: try GateSetup().quotaLimits().map(\.id)).first).reserved
    let gate = try Self.gate { $0.tokensPerDay = worst }
    let client = gate.send(gate.chat(Specimens.chat()))
    #expect(Self.providers(gate) == ["first"])
    gate.end(.timedOut)
    gate.finish(client)
    #expect(client.status == 429)
    #expect(Self.providers(gate) == ["first"])
    let books = try gate.books()
    #expect(books.open == 0 && books.unbalanced == 0 && books.reserved == 0)
    #expect(books.tokens > 0 && books.tokens == books.totals.inputTokens + books.totals.outputTokens)
    // A sent attempt cost something: the record of the request must not say that it was never sent and cost nothing.
    #expect(books.metas.map(\.cost).reduce(0, +) == books.money, "the record's cost is what the ledger booked")
  }

  /// What an attempt cost is held in the flight table until the SETTLE record is written, refused afterwards or not.
  @Test func aPaidAttemptIsHeldUntilItsSettlementIsWritten() throws {
    let gate = try Self.gate { $0.candidates[1].country = "US" }
    let client = gate.send(gate.chat(Specimens.chat()))
    #expect(gate.holds(10) { gate.log.health.queueBytes == 0 })
    gate.disk.set(.hangs)
    gate.clock.advance(milliseconds: 1_000)
    gate.end(.timedOut)
    #expect(gate.quotas.openReservations == 1, "a crash now would forget what the first attempt cost")
    gate.disk.set(.works)
    gate.finish(client)
    #expect(try gate.books().open == 0)
  }

  @Test func aFailingProviderIsTakenOutAndComesBack() throws {
    let gate = try TestGate()
    for _ in 0..<5 {
      let client = gate.send(gate.chat(Specimens.chat()))
      gate.answer(500, Specimens.refused)
      gate.finish(client)
      #expect(client.status == 502)
    }
    #expect(gate.upstream.sent.count == 5)
    let refused = gate.send(gate.chat(Specimens.chat()))
    #expect(refused.status == 503 && refused.errorCode == "no_route" && gate.upstream.sent.count == 5)
    gate.clock.advance(milliseconds: 5_001)
    let client = gate.send(gate.chat(Specimens.chat()))
    gate.answer(200, Specimens.plain())
    gate.finish(client)
    #expect(client.status == 200)
    gate.send(gate.chat(Specimens.chat()))
    #expect(gate.upstream.sent.count == 7, "closed again")
  }

  enum Probe: String, CaseIterable, Sendable {
    case refusedByQuota, clientLeaves, clientLeavesWhileWaiting, streamFails, encodedAnswer
  }

  /// The one attempt that tests a provider may end in ways that tell nothing of it; the next one must be let through.
  @Test(arguments: Probe.allCases) func aProbeThatTellsNothingDoesNotLockTheProviderOut(_ probe: Probe) throws {
    var setup = GateSetup()
    if probe == .refusedByQuota { setup.requestsPerMinute = 5 }
    let gate = try TestGate(setup)
    for _ in 0..<5 {
      let client = gate.send(gate.chat(Specimens.chat()))
      gate.answer(500, Specimens.refused)
      gate.finish(client)
    }
    gate.clock.advance(milliseconds: 5_001)
    let call = gate.chat(Specimens.chat(stream: probe == .streamFails))
    switch probe {
    case .refusedByQuota: #expect(gate.send(call).status == 429)
    case .clientLeavesWhileWaiting:
      gate.send(call)
      guard let exchange = gate.upstream.sent.last?.exchange else { return }
      gate.pipeline.clientGone(exchange)
      gate.clock.advance(milliseconds: 2_001)
      gate.pipeline.tick()
    case .clientLeaves:
      gate.send(call)
      guard let exchange = gate.upstream.sent.last?.exchange else { return }
      gate.head(200)
      gate.pipeline.clientGone(exchange)
      gate.clock.advance(milliseconds: 2_001)
      gate.pipeline.tick()
    case .streamFails:
      let client = gate.send(call)
      gate.head(200, .eventStream)
      gate.piece("data: {\"error\":{\"message\":\"no\",\"type\":\"server_error\"}}\n\n")
      gate.finish(client)
    case .encodedAnswer:
      let client = gate.send(call)
      guard let exchange = gate.upstream.sent.last?.exchange else { return }
      var head = UpstreamHead()
      head.status = 200
      head.isEncoded = true
      gate.pipeline.upstream(exchange, answered: head)
      gate.finish(client)
    }
    // Long after any pause of a breaker.
    gate.clock.advance(milliseconds: 600_000)
    let before = gate.upstream.sent.count
    let client = gate.send(gate.chat(Specimens.chat()))
    #expect(gate.upstream.sent.count == before + 1, "\(client.status) \(client.errorCode ?? "")")
  }
}
