import Foundation
import Inference
import JSONText
import Quotas
import Testing

@testable import Gateway

/// Bodies in memory are counted for the process and for their tenant, and every end of an exchange gives its bytes back.
struct BodyMemoryTests {
  private func gate(all: Int, perTenant: Int) throws -> TestGate {
    var setup = GateSetup()
    setup.limits.heldBodiesBytes = all
    setup.limits.heldBodiesBytesPerTenant = perTenant
    return try TestGate(setup)
  }

  private func held(_ gate: TestGate) -> (loop: Int, tenant: Int) {
    (gate.pipeline.bodies.held, gate.pipeline.services.bodies.share(of: GateSetup.tenant).bytes)
  }

  /// A chat whose body has its memory, as the front end leaves it before the stages run.
  private func open(_ gate: TestGate, _ body: String = Specimens.chat()) -> (
    exchange: Exchange, client: RecordingClient
  )? {
    let call = gate.chat(body)
    let (exchange, client, answered) = gate.begin(call)
    guard !answered, gate.pipeline.hold(exchange, bodyBytes: call.body.count) else { return nil }
    return (exchange, client)
  }

  @Test func ofTwoLoopsTheFirstOnesShareIsKept() {
    let (first, second) = (TenantBodies(limit: 1), TenantBodies(limit: 1))
    let known = KnownShare()
    let before = known.share
    let (mine, others) = (known.keep(first), known.keep(second))
    let after = known.share
    #expect(before == nil && mine === first && others === first && after === first)
  }

  @Test func aShareIsLetGo() {
    weak var kept: TenantBodies?
    do {
      let known = KnownShare()
      let share = TenantBodies(limit: 1)
      kept = share
      _ = known.keep(share)
      _ = known.keep(share)
    }
    #expect(kept == nil)
  }

  @Test(arguments: [(599, true), (600, true), (601, false)]) func theTenantsLimitIs429(bytes: Int, fits: Bool) throws {
    let gate = try gate(all: 10_000, perTenant: 600)
    let (exchange, client, _) = gate.begin(gate.chat(""))
    #expect(gate.pipeline.hold(exchange, bodyBytes: bytes) == fits)
    guard !fits else { return }
    #expect(client.status == 429 && client.errorCode == "rate_limit_exceeded" && client.value("retry-after") == "2")
    #expect(held(gate) == (0, 0))
    #expect(gate.pipeline.services.bodies.reading.refusedPerTenant == 1)
  }

  @Test(arguments: [(599, true), (600, true), (601, false)]) func theProcessLimitIs503(bytes: Int, fits: Bool) throws {
    let gate = try gate(all: 600, perTenant: 10_000)
    let (exchange, client, _) = gate.begin(gate.chat(""))
    #expect(gate.pipeline.hold(exchange, bodyBytes: bytes) == fits)
    guard !fits else { return }
    #expect(client.status == 503 && client.errorCode == "overloaded" && client.value("retry-after") != nil)
    #expect(held(gate) == (0, 0))
    #expect(gate.pipeline.services.bodies.reading.refused == 1)
  }

  @Test func aBodyThatGrowsIsRefusedWhereItNoLongerFits() throws {
    let gate = try gate(all: 10_000, perTenant: 600)
    let (exchange, client, _) = gate.begin(gate.chat(""))
    #expect(gate.pipeline.hold(exchange, bodyBytes: 400) && gate.pipeline.hold(exchange, bodyBytes: 200))
    #expect(held(gate) == (600, 600))
    #expect(!gate.pipeline.hold(exchange, bodyBytes: 1))
    #expect(client.status == 429 && held(gate) == (0, 0))
  }

  enum End: CaseIterable {
    case answered, streamed, refusedBody, refusedLater, clientGoneBefore, clientGoneAfter, upstreamCut, unreachable
  }

  @Test(arguments: End.allCases) func everyEndGivesTheBytesBack(end: End) throws {
    let gate = try gate(all: 1 << 20, perTenant: 1 << 20)
    let body =
      switch end {
      case .refusedBody: "nonsense"
      case .refusedLater: #"{"model":"nothing","messages":[{"role":"user","content":"x"}]}"#
      default: Specimens.chat(stream: end == .streamed)
      }
    let (exchange, client) = try #require(open(gate, body))
    #expect(held(gate).loop == body.utf8.count && held(gate).tenant == body.utf8.count)
    if end == .clientGoneBefore {
      gate.pipeline.clientGone(exchange)
      #expect(held(gate) == (0, 0))
      return
    }
    gate.pipeline.run(exchange)
    gate.turnLedger()
    switch end {
    case .answered: gate.answer(200, Specimens.plain())
    case .streamed:
      gate.head(200, .eventStream)
      gate.piece(Specimens.stream(["Guten", " Tag"]))
      gate.end(.complete)
    case .clientGoneAfter:
      gate.pipeline.clientGone(exchange)
      gate.answer(200, Specimens.plain())
    case .upstreamCut:
      gate.head(200)
      gate.piece("{")
      gate.end(.cut)
    case .unreachable:
      // A wait may be none at all: then the next attempt is under way already.
      for _ in 0..<gate.pipeline.limits.attempts {
        gate.end(.notConnected)
        gate.passWaits()
      }
    case .refusedBody, .refusedLater: #expect(gate.upstream.sent.isEmpty)
    case .clientGoneBefore: break
    }
    if end == .clientGoneAfter {
      #expect(gate.confirm { gate.pipeline.openExchanges == 0 })
    } else if !client.isOver {
      gate.finish(client)
    }
    #expect(gate.pipeline.openExchanges == 0)
    #expect(held(gate) == (0, 0))
  }

  /// Thousands of streams are open at a time, for minutes: from their first byte on they have no request in memory.
  @Test(arguments: [true, false]) func anOpenStreamHoldsNoRequest(hasTaken: Bool) throws {
    let gate = try gate(all: 1 << 20, perTenant: 1 << 20)
    let body = Specimens.chat(stream: true)
    let (exchange, client) = try #require(open(gate, body))
    gate.pipeline.run(exchange)
    gate.turnLedger()
    gate.head(200, .eventStream, hasTakenRequest: hasTaken)
    #expect(held(gate).loop == (hasTaken ? 0 : body.utf8.count))
    #expect(held(exchange) == 0 || !hasTaken)
    gate.piece(Specimens.content("Guten"))
    #expect(held(exchange) == 0 || !hasTaken, "what goes to the client is on its way")
    gate.piece(Specimens.stream([" Tag"]))
    gate.end(.complete)
    gate.finish(client)
    #expect(client.text.contains("Guten") && client.text.contains("[DONE]"))
    #expect(gate.pipeline.openExchanges == 0 && held(gate) == (0, 0))
  }

  /// Bytes of what a request had, and of what an answer's pieces are made in.
  private func held(_ exchange: Exchange) -> Int {
    let arenas = [
      exchange.body, exchange.outgoing, exchange.credential, exchange.anthropicVersion, exchange.anthropicBetas,
      exchange.fields, exchange.answer, exchange.reply,
    ]
    return arenas.reduce(exchange.scan.segments.capacity) { $0 + $1.capacity }
  }

  /// What goes upstream is a second copy, and counts once whatever is tried with it; a small one is not worth a count.
  @Test(arguments: [(60_000, false), (100_000, false), (100_000, true)]) func whatGoesUpstreamIsCounted(
    text: Int, isStream: Bool
  ) throws {
    let gate = try gate(all: 1 << 20, perTenant: 1 << 20)
    let body = Specimens.chat(String(repeating: "x", count: text), stream: isStream)
    let (exchange, client) = try #require(open(gate, body))
    gate.pipeline.run(exchange)
    gate.turnLedger()
    let both = body.utf8.count * (text > 65_536 ? 2 : 1)
    #expect(held(gate) == (both, both))
    gate.end(.notConnected)
    gate.passWaits()
    #expect(held(gate) == (both, both), "the second attempt writes into the same memory")
    if isStream {
      gate.head(200, .eventStream, hasTakenRequest: true)
      #expect(held(gate) == (0, 0))
      gate.piece(Specimens.stream(["Guten Tag"]))
      gate.end(.complete)
    } else {
      gate.answer(200, Specimens.plain())
    }
    gate.finish(client)
    #expect(client.status == 200 && held(gate) == (0, 0))
  }

  @Test func anAnswerInMemoryKeepsNewBodiesOut() throws {
    let gate = try gate(all: 10_000, perTenant: 2_000)
    let (exchange, client) = try #require(open(gate))
    gate.pipeline.run(exchange)
    gate.turnLedger()
    gate.head(200)
    gate.piece(Specimens.plain(String(repeating: "x", count: 3_000)))
    #expect(held(gate).tenant > 3_000)
    #expect(open(gate) == nil)
    gate.end(.complete)
    gate.finish(client)
    #expect(client.status == 200)
    #expect(held(gate) == (0, 0))
    #expect(open(gate) != nil)
  }

  @Test func whatATenantHoldsBeyondItsShareIsInItsOwnWayOnly() throws {
    let gate = try gate(all: 10_000, perTenant: 2_000)
    let (exchange, client) = try #require(open(gate))
    gate.pipeline.run(exchange)
    gate.turnLedger()
    gate.head(200)
    gate.piece(Specimens.plain(String(repeating: "x", count: 12_000)))
    let bodies = gate.pipeline.services.bodies
    #expect(held(gate).loop == 2_000 && held(gate).tenant > 12_000)
    #expect(bodies.reading.beyondShares == held(gate).tenant - 2_000)
    let (own, refused, _) = gate.begin(gate.chat(""))
    #expect(!gate.pipeline.hold(own, bodyBytes: 1) && refused.status == 429)
    let (other, _, _) = gate.begin(gate.chat(""))
    other.caller = try gate.anotherTenant()
    #expect(gate.pipeline.hold(other, bodyBytes: 1_900))
    gate.end(.complete)
    gate.finish(client)
    #expect(client.status == 200 && held(gate) == (1_900, 0) && bodies.reading.beyondShares == 0)
    gate.pipeline.clientGone(other)
    #expect(held(gate) == (0, 0))
  }

  /// Where one exchange of the largest size is 5,000 bytes.
  private func narrow(all: Int, perTenant: Int) throws -> TestGate {
    var setup = GateSetup()
    setup.limits.heldBodiesBytes = all
    setup.limits.heldBodiesBytesPerTenant = perTenant
    setup.limits.answerBytes = 4_000
    setup.limits.bodyBytes = 500
    setup.limits.heldHighBytes = 1_000
    return try TestGate(setup)
  }

  /// Nobody can refuse an answer before it comes: what waits of many ends those that come on top.
  @Test(arguments: [(2_000, 100_000, UInt16(429)), (100_000, 2_000, 503)])
  func answersThatMemoryDoesNotBearEnd(perTenant: Int, all: Int, status: UInt16) throws {
    let gate = try narrow(all: all, perTenant: perTenant)
    let (first, waiting) = try #require(open(gate))
    gate.pipeline.run(first)
    gate.turnLedger()
    gate.head(200)
    let (second, client) = try #require(open(gate))
    gate.pipeline.run(second)
    gate.turnLedger()
    gate.head(200)
    let answer = Array(Specimens.plain(String(repeating: "x", count: 3_500)).utf8)
    answer.withUnsafeBytes { gate.pipeline.upstream(first, sent: $0) }
    let bound = 7_000 - held(gate).tenant - 20  // a loop takes of the process in steps
    gate.piece(answer[..<bound])
    #expect(client.status == 0 && gate.upstream.cancelled == 0, "all that may be")
    gate.piece(answer[bound...])
    gate.finish(client)
    #expect(client.status == status && gate.upstream.cancelled == 1)
    #expect(client.value("retry-after") != nil)
    // The other one's answer is untouched.
    gate.pipeline.upstream(first, ended: .complete)
    gate.turnLedger()
    gate.finish(waiting)
    #expect(waiting.status == 200 && held(gate) == (0, 0))
    let books = try gate.books()
    #expect(books.settlements.map(\.exit) == [Exit.endedByGate.rawValue, Exit.complete.rawValue])
  }

  /// Small answers are no relief, and an error tells what to try next.
  @Test(arguments: [(UInt16(200), 900), (500, 3_000)])
  func whatEndsNothingElseDoesNotEnd(status: UInt16, bytes: Int) throws {
    let gate = try narrow(all: 100_000, perTenant: 2_000)
    let (exchange, client) = try #require(open(gate))
    gate.pipeline.run(exchange)
    gate.turnLedger()
    gate.pipeline.holdUnasked(exchange, 10_000)
    gate.head(Int(status))
    gate.piece(
      status == 200 ? Specimens.plain(String(repeating: "x", count: 700)) : String(repeating: "x", count: bytes))
    #expect(gate.upstream.cancelled == 0)
    gate.pipeline.clientGone(exchange)
    gate.end(.complete)
    #expect(gate.confirm { gate.pipeline.openExchanges == 0 })
    #expect(held(gate) == (0, 0) && client.status == 0)
  }

  /// Also who takes all of it at once has it kept for the log.
  @Test func whatIsKeptOfStreamsEndsThoseThatMemoryDoesNotBear() throws {
    let gate = try narrow(all: 1 << 20, perTenant: 100_000)
    let (exchange, client) = try #require(open(gate, Specimens.chat(stream: true)))
    gate.pipeline.run(exchange)
    gate.turnLedger()
    gate.head(200, .eventStream)
    let piece = Specimens.content(String(repeating: "x", count: 10_000))
    for number in 1...19 {
      gate.piece(piece)
      #expect(held(gate).tenant > 10_000 * number - 16_384)
      #expect(gate.upstream.cancelled == 0)
    }
    gate.piece(piece)
    #expect(gate.upstream.cancelled == 1)
    gate.finish(client)
    #expect(client.text.contains("rate_limit_exceeded") && !client.hasDone)
    #expect(gate.pipeline.openExchanges == 0 && held(gate) == (0, 0))
    #expect(try gate.books().settlements.map(\.exit) == [Exit.endedByGate.rawValue])
  }

  /// A Responses client reads each text three times, so its translator keeps what the log keeps once more.
  @Test func whatATranslationKeepsIsCounted() throws {
    var setup = GateSetup()
    setup.limits.heldBodiesBytes = 1 << 20
    setup.limits.heldBodiesBytesPerTenant = 1 << 20
    setup.wires = [.messages]
    let gate = try TestGate(setup)
    var call = gate.chat(Dialects.body(.responses, stream: true))
    call.path = "/v1/responses"
    let client = gate.send(call)
    gate.head(200, .eventStream)
    let text = String(repeating: "x", count: 30_000)
    let stream = try #require(Dialects.stream(.messages, [text, text]))
    let end = try #require(stream.range(of: "event: content_block_stop"))
    gate.piece(String(stream[..<end.lowerBound]))
    #expect(held(gate).tenant > 4 * 30_000)
    gate.piece(String(stream[end.lowerBound...]))
    gate.end(.complete)
    gate.finish(client)
    #expect(client.status == 200 && gate.pipeline.openExchanges == 0 && held(gate) == (0, 0))
  }

  /// An event has up to a megabyte, and may be long in coming.
  @Test func whatHasComeOfAnEventIsCounted() throws {
    let gate = try gate(all: 1 << 20, perTenant: 1 << 20)
    let (exchange, client) = try #require(open(gate, Specimens.chat(stream: true)))
    gate.pipeline.run(exchange)
    gate.turnLedger()
    gate.head(200, .eventStream)
    let stream = Specimens.stream([String(repeating: "x", count: 90_000)])
    gate.piece(String(stream.prefix(50_000)))
    #expect(held(gate).tenant > 40_000)
    gate.piece(String(stream.dropFirst(50_000)))
    gate.end(.complete)
    gate.finish(client)
    #expect(client.hasDone && gate.pipeline.openExchanges == 0 && held(gate) == (0, 0))
  }

  /// What a loop takes beyond its tenant's share another may give; what all of them count is what is within.
  @Test(arguments: [1, 2, 3]) func whatLoopsCountAddsUpBeyondAShare(seed: UInt64) {
    var limits = Limits()
    limits.heldBodiesBytes = 1 << 20
    limits.heldBodiesBytesPerTenant = 5_000
    let memory = BodyMemory(limits)
    let share = memory.share(of: GateSetup.tenant)
    let loops = (0..<3).map { _ in LoopBodies(memory) }
    var open: [(loop: Int, exchange: Exchange)] = []
    var random = RandomBytes(seed)
    for _ in 0..<10_000 {
      let (loop, choice) = (random.next(3), random.next(4))
      if choice < 2 || open.isEmpty {
        let exchange = Exchange()
        exchange.bodyShare = share
        if choice == 0 {
          loops[loop].force(1 + random.next(3_000), for: exchange)
        } else {
          _ = loops[loop].take(1 + random.next(3_000), for: exchange)
        }
        open.append((loop, exchange))
      } else {
        let (loop, exchange) = open.remove(at: random.next(open.count))
        loops[loop].giveAll(of: exchange)
      }
      #expect(share.bytes == open.reduce(0) { $0 + $1.exchange.heldBytes })
      #expect(loops.reduce(0) { $0 + $1.held } == min(share.bytes, 5_000))
      #expect(memory.reading.beyondShares == max(0, share.bytes - 5_000))
    }
    for (loop, exchange) in open { loops[loop].giveAll(of: exchange) }
    #expect(loops.reduce(0) { $0 + $1.held } == 0 && memory.reading.beyondShares == 0)
    #expect(memory.reading.bytes <= 3 * 2 * memory.step)
  }

  private struct RandomBytes {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
  }

  /// The exchange is over; what its client has not taken lies in memory all the same.
  @Test(arguments: [(65_536, false), (65_537, true)]) func whatASlowClientHasNotTakenIsCountedOn(
    waiting: Int, isKept: Bool
  ) throws {
    let gate = try gate(all: 1 << 24, perTenant: 1 << 24)
    let (exchange, client) = try #require(open(gate))
    gate.pipeline.run(exchange)
    gate.turnLedger()
    client.heldBytes = waiting
    gate.answer(200, Specimens.plain(String(repeating: "x", count: 100_000)))
    gate.finish(client)
    #expect(gate.pipeline.openExchanges == 0)
    #expect((client.lease != nil) == isKept)
    #expect(held(gate) == (isKept ? (waiting, waiting) : (0, 0)))
    client.lease?.shrink(to: 40_000)
    #expect(held(gate) == (isKept ? (40_000, 40_000) : (0, 0)))
    client.lease = nil
    #expect(held(gate) == (0, 0))
  }

  @Test func anOrdinaryAnswerLeavesNothingToCount() throws {
    let gate = try gate(all: 1 << 24, perTenant: 1 << 24)
    let (exchange, client) = try #require(open(gate))
    gate.pipeline.run(exchange)
    gate.turnLedger()
    client.heldBytes = 1 << 20  // of answers before
    gate.answer(200, Specimens.plain())
    gate.finish(client)
    #expect(client.lease == nil && held(gate) == (0, 0))
  }

  // MARK: What lies ready

  /// Hundreds of exchanges wait for later requests, and nobody counts what they hold.
  @Test func anExchangeThatIsOverKeepsLittle() throws {
    let gate = try TestGate()
    let (refused, client, _) = gate.begin(gate.chat(Self.texts(20_000)))
    gate.pipeline.run(refused)
    #expect(client.status == 404)
    expectLittle(refused)
    let body = Specimens.chat(String(repeating: "a@b.example ", count: 3_000))
    let (exchange, answered, _) = gate.begin(gate.chat(body))
    gate.pipeline.run(exchange)
    gate.turnLedger()
    gate.answer(200, Specimens.plain(String(repeating: "x", count: 100_000)))
    gate.finish(answered)
    #expect(answered.status == 200)
    expectLittle(exchange)
  }

  private func expectLittle(_ exchange: Exchange, sourceLocation: SourceLocation = #_sourceLocation) {
    let arenas = [exchange.body, exchange.outgoing, exchange.answer, exchange.reply, exchange.fields]
    #expect(arenas.allSatisfy { $0.capacity <= 16_384 }, sourceLocation: sourceLocation)
    #expect(exchange.scan.segments.capacity <= 1_024, sourceLocation: sourceLocation)
  }

  /// A body of so many texts beside the two of its message and the name that nobody knows.
  private static func texts(_ count: Int) -> String {
    let list = Array(repeating: #""a""#, count: count).joined(separator: ",")
    return #"{"model":"nothing","messages":[{"role":"user","content":"x"}],"x":[\#(list)]}"#
  }

  @Test(arguments: [(99_998, 404), (99_999, 400)]) func aBodyOfTooManyTextsIsRefused(
    count: Int, status: UInt16
  ) throws {
    let gate = try TestGate()
    let client = gate.send(gate.chat(Self.texts(count)))
    #expect(client.status == status)
    #expect(client.text.contains("100000 texts") == (status == 400))
  }

  @Test(arguments: [(99_999, 404), (100_000, 400), (100_001, 400)]) func soAreThoseOfACallsArguments(
    count: Int, status: UInt16
  ) throws {
    let gate = try TestGate()
    let list = Array(repeating: #"\"a\""#, count: count).joined(separator: ",")
    let call = #"{"type":"function","function":{"arguments":"[\#(list)]"}}"#
    let client = gate.send(
      gate.chat(#"{"model":"nothing","messages":[{"role":"assistant","content":"x","tool_calls":[\#(call)]}]}"#))
    #expect(client.status == status, "\(client.text)")
    #expect(client.text.contains("100000 texts") == (status == 400))
  }

  /// Loops take in steps; together they never have more than there is, and nothing is lost on the way.
  @Test(arguments: [1, 2, 3]) func severalLoopsShareOneLimit(seed: UInt64) {
    var limits = Limits()
    limits.heldBodiesBytes = 10_000
    let memory = BodyMemory(limits)
    let loops = (0..<3).map { _ in LoopBodies(memory) }
    var open: [(loop: Int, exchange: Exchange)] = []
    var state = seed
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    var refusals = 0
    for _ in 0..<20_000 {
      if random(2) == 0 || open.isEmpty {
        let (loop, exchange) = (random(3), Exchange())
        if case .taken = loops[loop].take(1 + random(900), for: exchange) {
          open.append((loop, exchange))
        } else {
          refusals += 1
          #expect(exchange.heldBytes == 0)
        }
      } else {
        let (loop, exchange) = open.remove(at: random(open.count))
        loops[loop].giveAll(of: exchange)
      }
      #expect(loops.reduce(0) { $0 + $1.held } == open.reduce(0) { $0 + $1.exchange.heldBytes })
      #expect(loops.reduce(0) { $0 + $1.held } <= 10_000 && memory.reading.bytes <= 10_000)
    }
    #expect(refusals > 0)
    for (loop, exchange) in open { loops[loop].giveAll(of: exchange) }
    #expect(loops.allSatisfy { $0.held == 0 })
    // What is left is the loops' spare, at most two steps each.
    #expect(memory.reading.bytes <= 3 * 2 * memory.step)
  }

  /// MiB of the machine, of all bodies, of one tenant's; and connections.
  private static let machines: [[Int]] = [
    [65_536, 512, 128, 10_000], [1_024, 256, 64, 4_096], [128, 32, 8, 512], [16, 8, 8, 64], [1, 8, 8, 16],
  ]

  @Test(arguments: machines) func theMachinesMemoryLowersThem(mebibytes: [Int]) {
    let mebibyte = 1_048_576
    var limits = Limits()
    limits.fit(memoryBytes: mebibytes[0] * mebibyte)
    #expect(limits.heldBodiesBytes == mebibytes[1] * mebibyte)
    #expect(limits.heldBodiesBytesPerTenant == mebibytes[2] * mebibyte)
    #expect(limits.connections == mebibytes[3])
  }

  /// A translated answer repeats its request: that copy is held as long as the stream, which silence begins before its
  /// provider does.
  @Test(arguments: [false, true]) func whatAnAnswerRepeatsIsCounted(begunBySilence: Bool) throws {
    var setup = GateSetup()
    setup.wires = [.chat]
    let gate = try TestGate(setup)
    let instructions = String(repeating: "kurz ", count: 1_000)
    let body = #"{"model":"chat","stream":true,"instructions":"\#(instructions)","input":"Hallo"}"#
    let call = TestGate.Call(path: "/v1/responses", key: gate.key, body: Array(body.utf8))
    let (exchange, client, _) = gate.begin(call)
    #expect(gate.pipeline.hold(exchange, bodyBytes: call.body.count))
    gate.pipeline.run(exchange)
    gate.turnLedger()
    #expect(held(gate).loop == call.body.count)
    if begunBySilence {
      gate.clock.advance(milliseconds: 30_001)
      gate.pipeline.tick()
    }
    gate.head(200, .eventStream)
    // In the place of the request, which has left.
    #expect(held(gate).loop >= instructions.utf8.count)
    #expect(held(gate).tenant == held(gate).loop)
    gate.piece(Specimens.stream(["Gern"]))
    gate.end(.complete)
    gate.finish(client)
    #expect(client.hasEnded && held(gate) == (0, 0))
  }
}
