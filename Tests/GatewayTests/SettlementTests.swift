import Inference
import Quotas
import Testing

@testable import Gateway

/// The table of settlements, row by row: what the ledger has booked after each way an exchange can end, and that it has
/// been booked once.
struct SettlementTests {
  /// What a row says of the books.
  struct Booked: Equatable {
    var exit: Exit
    var input: Int64
    var output: Int64
    var flags: SettlementFlags
    var status: Int
  }

  /// in_est: a third of the bytes sent, × 1.1.
  private static func estimate(_ gate: TestGate) -> Int64 {
    Int64(Double(gate.upstream.sent.last?.body.count ?? 0) * (1.0 / 3) * 1.1)
  }

  /// Runs to the end and compares every book with the row.
  private static func expect(
    _ gate: TestGate, _ row: Booked, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let books = try gate.books(sourceLocation: sourceLocation)
    let isReleased = row.exit == .notSent
    let money = row.input * 1_000 + row.output * 2_000
    #expect(books.open == 0, "a reservation stays open", sourceLocation: sourceLocation)
    #expect(books.reserved == 0, sourceLocation: sourceLocation)
    #expect(books.unbalanced == 0, "an attempt that did not end once", sourceLocation: sourceLocation)
    #expect(books.reserveCount == 1, sourceLocation: sourceLocation)
    #expect(books.settlements.count == (isReleased ? 0 : 1), sourceLocation: sourceLocation)
    #expect(books.releaseCount == (isReleased ? 1 : 0), sourceLocation: sourceLocation)
    #expect(
      books.totals
        == UsageTotals(requests: isReleased ? 0 : 1, inputTokens: row.input, outputTokens: row.output, money: money),
      sourceLocation: sourceLocation)
    #expect(books.tokens == row.input + row.output && books.money == money, sourceLocation: sourceLocation)
    if let settlement = books.settlements.first {
      #expect(settlement.exit == row.exit.rawValue, sourceLocation: sourceLocation)
      #expect(settlement.flags == row.flags, sourceLocation: sourceLocation)
    }
    let meta = try #require(books.metas.first, sourceLocation: sourceLocation)
    #expect(books.metas.count == 1, sourceLocation: sourceLocation)
    let recorded = Booked(
      exit: Exit(rawValue: UInt8(meta.exit)) ?? .crash, input: meta.tokens.input, output: meta.tokens.output,
      flags: SettlementFlags(rawValue: UInt16(meta.flags)), status: meta.status)
    #expect(recorded == row, "the record", sourceLocation: sourceLocation)
    #expect(meta.cost == money, sourceLocation: sourceLocation)
  }

  private static func sent(stream: Bool = false, _ change: (inout GateSetup) -> Void = { _ in }) throws -> (
    TestGate, RecordingClient
  ) {
    var setup = GateSetup()
    setup.limits.attempts = 1
    change(&setup)
    let gate = try TestGate(setup)
    let client = gate.send(gate.chat(Specimens.chat(stream: stream)))
    #expect(gate.upstream.sent.count == 1)
    return (gate, client)
  }

  private static func leave(_ gate: TestGate) {
    guard let exchange = gate.upstream.sent.last?.exchange else { return }
    gate.pipeline.clientGone(exchange)
  }

  // MARK: Rows 1 and 2: complete

  @Test(arguments: [false, true]) func completeWithUsageCostsTheUsage(stream: Bool) throws {
    let (gate, client) = try Self.sent(stream: stream)
    if stream {
      gate.answer(200, Specimens.stream(["Guten ", "Tag, gerne."]), kind: .eventStream)
    } else {
      gate.answer(200, Specimens.plain())
    }
    gate.finish(client)
    try Self.expect(gate, Booked(exit: .complete, input: 12, output: 5, flags: [], status: 200))
  }

  @Test(arguments: [false, true]) func completeWithoutUsageIsEstimated(stream: Bool) throws {
    let (gate, client) = try Self.sent(stream: stream)
    if stream {
      gate.answer(200, Specimens.stream(["Guten ", "Tag, gerne."], usage: false), kind: .eventStream)
    } else {
      gate.answer(200, Specimens.plain("Guten Tag, gerne.", usage: nil))
    }
    gate.finish(client)
    #expect(client.status == 200)
    try Self.expect(
      gate,
      Booked(exit: .completeUsageMissing, input: Self.estimate(gate), output: 5, flags: .estimated, status: 200))
  }

  @Test func embeddingsCostTheirInputAndNoOutput() throws {
    let gate = try TestGate()
    let client = gate.send(
      TestGate.Call(path: "/v1/embeddings", key: gate.key, body: Array(Specimens.embeddings().utf8)))
    gate.answer(200, Specimens.vector)
    gate.finish(client)
    try Self.expect(gate, Booked(exit: .complete, input: 7, output: 0, flags: [], status: 200))
  }

  // MARK: Row 12: figures beyond reason

  /// What media take is the provider's to say: beyond ten times the reservation it is believed as far as the model can
  /// read, and marked. Of text, and of what was written, it is not believed.
  @Test(
    arguments: [
      (true, 300, 5, true, SettlementFlags()), (true, 40_000, 5, true, [.suspect, .overdraft]),
      (true, 50_000, 5, true, [.suspect, .overdraft]),
      (true, 50_001, 5, false, .suspect), (false, 300, 5, true, []), (false, 40_000, 5, false, .suspect),
      (true, 300, 40_000, true, .suspect),
    ] as [(Bool, Int64, Int64, Bool, SettlementFlags)])
  func whatMediaTakeIsBelievedUpToTheContext(
    hasImage: Bool, input: Int64, output: Int64, isBelieved: Bool, flags: SettlementFlags
  ) throws {
    var setup = GateSetup()
    setup.redacts = false
    setup.candidates[0].context = 50_000
    let gate = try TestGate(setup)
    let image = #"{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},"#
    let client = gate.send(
      gate.chat(
        #"{"model":"chat","messages":[{"role":"user","content":[\#(hasImage ? image : ""){"type":"text","text":"Was ist auf diesem Bild zu sehen, und wer hat es gemacht?"}]}]}"#
      ))
    let usage = #""usage":{"prompt_tokens":\#(input),"completion_tokens":\#(output),"total_tokens":9}"#
    gate.answer(200, Specimens.plain("Ein Bild.", usage: usage))
    gate.finish(client)
    #expect(client.status == 200)
    let books = try gate.books()
    #expect(books.settlements.first?.flags == flags)
    #expect(books.totals.inputTokens == (isBelieved ? input : Self.estimate(gate)))
    #expect(books.totals.outputTokens == (output == 5 ? 5 : 3), "our own count of what came")
  }

  // MARK: Rows 3 to 5: nothing came of it

  @Test(arguments: [UpstreamEnd.notConnected, .addressRefused, .refused])
  func whatNeverLeftOrWasNeverLookedAtCostsNothing(end: UpstreamEnd) throws {
    let (gate, client) = try Self.sent()
    gate.end(end)
    gate.finish(client)
    #expect(client.status == 502)
    try Self.expect(gate, Booked(exit: .notSent, input: 0, output: 0, flags: .released, status: 502))
  }

  @Test func whatWaitedInVainForAConnectionCostsNothing() throws {
    let (gate, client) = try Self.sent()
    gate.end(.neverSent)
    gate.finish(client)
    #expect(client.status == 504)
    try Self.expect(gate, Booked(exit: .notSent, input: 0, output: 0, flags: .released, status: 504))
  }

  @Test(arguments: [(429, 429), (500, 502), (503, 502), (400, 400), (401, 502), (404, 502), (302, 502)])
  func anErrorStatusWithoutUsageCostsNothing(status: Int, told: Int) throws {
    let (gate, client) = try Self.sent()
    gate.answer(status, Specimens.refused)
    gate.finish(client)
    #expect(client.status == UInt16(told))
    try Self.expect(gate, Booked(exit: .upstreamError, input: 0, output: 0, flags: .upstreamError, status: told))
  }

  /// An object without figures tells nothing of use.
  @Test(arguments: ["{}", #"{"total_tokens":0}"#, #"{"prompt_tokens":null,"completion_tokens":null}"#])
  func anErrorWithoutFiguresCostsNothing(usage: String) throws {
    for status in [500, 200] {
      let (gate, client) = try Self.sent()
      gate.answer(status, #"{"error":{"message":"no","type":"server_error"},"usage":\#(usage)}"#)
      gate.finish(client)
      try Self.expect(gate, Booked(exit: .upstreamError, input: 0, output: 0, flags: .upstreamError, status: 502))
    }
  }

  @Test func anErrorStatusWithUsageCostsTheUsage() throws {
    let (gate, client) = try Self.sent()
    gate.answer(500, #"{"error":{"message":"no","type":"server_error"},\#(Specimens.usage)}"#)
    gate.finish(client)
    try Self.expect(
      gate, Booked(exit: .upstreamErrorWithUsage, input: 12, output: 5, flags: .upstreamError, status: 502))
  }

  // MARK: Rows 6 and 9: lost and cut

  @Test(arguments: [UpstreamEnd.cut, .timedOut], [false, true])
  func lostBeforeTheStatusLineIsEstimatedByTime(end: UpstreamEnd, stream: Bool) throws {
    let (gate, client) = try Self.sent(stream: stream)
    gate.clock.advance(milliseconds: 3_000)
    gate.end(end)
    gate.finish(client)
    let told = end == .cut ? 502 : 504
    #expect(client.status == UInt16(told))
    try Self.expect(
      gate,
      Booked(
        exit: .lostBeforeStatus, input: Self.estimate(gate), output: 120, flags: [.estimated, .unknownUpstream],
        status: told))
  }

  @Test func whatIsEstimatedByTimeNeverExceedsTheCap() throws {
    let (gate, client) = try Self.sent()
    gate.clock.advance(milliseconds: 60_000)
    gate.end(.timedOut)
    gate.finish(client)
    try Self.expect(
      gate,
      Booked(
        exit: .lostBeforeStatus, input: Self.estimate(gate), output: 500, flags: [.estimated, .unknownUpstream],
        status: 504))
  }

  @Test(arguments: [UpstreamEnd.cut, .timedOut, .complete]) func aCutStreamCostsWhatWasSeen(end: UpstreamEnd) throws {
    let (gate, client) = try Self.sent(stream: true)
    gate.head(200, .eventStream)
    gate.piece(Specimens.content("Guten Tag, gerne"))
    gate.end(end)
    gate.finish(client)
    #expect(client.wasAborted && !client.hasDone)
    try Self.expect(
      gate, Booked(exit: .upstreamCut, input: Self.estimate(gate), output: 4, flags: [.estimated, .cut], status: 200))
  }

  @Test func aStreamThatIsCutBehindItsUsageCostsTheUsage() throws {
    let (gate, client) = try Self.sent(stream: true)
    gate.head(200, .eventStream)
    gate.piece(Specimens.content("Guten Tag") + Specimens.usageEvent)
    gate.end(.cut)
    gate.finish(client)
    #expect(client.wasAborted)
    try Self.expect(gate, Booked(exit: .upstreamCut, input: 12, output: 5, flags: .cut, status: 200))
  }

  @Test func aDoneWithoutAFinishReasonIsACut() throws {
    let (gate, client) = try Self.sent(stream: true)
    gate.answer(200, Specimens.content("Guten Tag, gerne") + Specimens.done, kind: .eventStream)
    gate.finish(client)
    #expect(client.wasAborted && !client.hasDone)
    #expect(try gate.books().settlements.map(\.exit) == [Exit.upstreamCut.rawValue])
  }

  @Test func aPlainAnswerThatIsCutCostsWhatCameOfIt() throws {
    let (gate, client) = try Self.sent()
    gate.head(200)
    gate.piece(String(Specimens.plain(String(repeating: "Guten Tag. ", count: 20)).prefix(300)))
    gate.end(.cut)
    gate.finish(client)
    #expect(client.status == 502 && client.errorCode == "upstream_cut")
    let books = try gate.books()
    #expect(books.unbalanced == 0 && books.open == 0)
    #expect(books.totals.outputTokens > 0, "the provider wrote these words and bills them")
  }

  /// Status 200 is billed, whether or not anybody can read what came.
  @Test(arguments: [
    "{\"choices\":[{", "", "<html>Wi-Fi</html>", "{\"hello\":1}",
    "{\"object\":\"list\",\"data\":[{\"embedding\":[1]}]}",
  ])
  func anAnswerThatNobodyCanReadIsNotFree(body: String) throws {
    let (gate, client) = try Self.sent()
    gate.answer(200, body)
    gate.finish(client)
    #expect(client.status == 502 && client.errorCode == "upstream_error")
    let books = try gate.books()
    #expect(books.settlements.map(\.exit) == [Exit.upstreamCut.rawValue] && books.unbalanced == 0)
    #expect(books.totals.inputTokens == Self.estimate(gate))
    #expect(books.totals.outputTokens == Int64((body.utf8.count + 3) / 4))
  }

  @Test func aStreamThatIsNoneIsNotFree() throws {
    let (gate, client) = try Self.sent(stream: true)
    gate.head(200, .json)
    gate.finish(client)
    #expect(client.status == 502 && gate.upstream.cancelled == 1)
    #expect(try gate.books().settlements.map(\.exit) == [Exit.upstreamCut.rawValue])
  }

  // MARK: The last word of the dialect

  enum Afterwards: String, CaseIterable, Sendable { case silence, noise, cut, timedOut }

  /// Behind [DONE] the answer is whole, whatever its provider does; the client does not wait for it.
  @Test(arguments: Afterwards.allCases) func behindTheLastWordNothingCounts(_ what: Afterwards) throws {
    let (gate, client) = try Self.sent(stream: true)
    gate.head(200, .eventStream)
    gate.piece(Specimens.stream(["Guten Tag"]))
    switch what {
    case .silence: gate.pipeline.tick()
    case .noise:
      gate.piece(Specimens.content("zu viel") + "data: {\n\n")
      gate.pipeline.tick()
    case .cut: gate.end(.cut)
    case .timedOut: gate.end(.timedOut)
    }
    gate.finish(client)
    #expect(client.hasEnded && client.hasDone && !client.wasAborted && !client.text.contains("zu viel"))
    #expect(gate.upstream.cancelled == 1, "its connection is not used again")
    try Self.expect(gate, Booked(exit: .complete, input: 12, output: 5, flags: [], status: 200))
  }

  @Test func anErrorEventInAStreamEndsItWithWhatWasSeen() throws {
    let (gate, client) = try Self.sent(stream: true)
    gate.head(200, .eventStream)
    gate.piece(Specimens.content("Guten Tag, gerne"))
    gate.piece("data: \(Specimens.refused)\n\n")
    gate.finish(client)
    #expect(gate.upstream.cancelled == 1)
    #expect(client.wasAborted && !client.hasDone && client.errorCode == "upstream_error")
    let books = try gate.books()
    #expect(books.open == 0 && books.unbalanced == 0 && books.settlements.count == 1)
    #expect(books.totals.inputTokens == Self.estimate(gate) && books.totals.outputTokens == 4)
  }

  /// Row 9 is the provider's, row 10 is ours.
  @Test func anErrorEventOfTheProviderIsNoEndOfOurs() throws {
    let (gate, client) = try Self.sent(stream: true)
    gate.head(200, .eventStream)
    gate.piece(Specimens.content("Guten Tag, gerne") + "data: \(Specimens.refused)\n\n")
    gate.finish(client)
    #expect(try gate.books().settlements.map(\.exit) == [Exit.upstreamCut.rawValue])
  }

  // MARK: Rows 7 and 8: the client has gone

  @Test func aPlainAnswerNobodyWaitsForIsDrainedAndThenCancelled() throws {
    let (gate, _) = try Self.sent()
    Self.leave(gate)
    gate.clock.advance(milliseconds: 900)
    gate.pipeline.tick()
    #expect(gate.upstream.cancelled == 0, "it is waited for")
    gate.clock.advance(milliseconds: 1)
    gate.pipeline.tick()
    #expect(gate.upstream.cancelled == 1)
    gate.end(.complete)  // late news of a cancelled sender
    try Self.expect(
      gate,
      Booked(
        exit: .clientGoneEarly, input: Self.estimate(gate), output: 36, flags: [.estimated, .aborted], status: 499))
  }

  @Test(arguments: [false, true]) func anAnswerThatComesWhileItIsDrainedCostsItsUsage(stream: Bool) throws {
    let (gate, client) = try Self.sent(stream: stream)
    if stream { gate.head(200, .eventStream) }
    Self.leave(gate)
    gate.clock.advance(milliseconds: 800)
    if stream {
      gate.piece(Specimens.stream(["Guten Tag"]))
      gate.end(.complete)
    } else {
      gate.answer(200, Specimens.plain())
    }
    #expect(gate.upstream.cancelled == 0)
    let books = try gate.books()
    #expect(client.bytes.isEmpty)
    #expect(books.open == 0 && books.unbalanced == 0 && books.settlements.count == 1)
    #expect(books.totals.inputTokens == 12 && books.totals.outputTokens == 5)
    #expect(books.metas.map(\.status) == [499])
  }

  @Test(arguments: [false, true]) func whatWasDrainedIsMarkedAsAborted(stream: Bool) throws {
    let (gate, _) = try Self.sent(stream: stream)
    Self.leave(gate)
    if stream {
      gate.answer(200, Specimens.stream(["Guten Tag"]), kind: .eventStream)
    } else {
      gate.answer(200, Specimens.plain())
    }
    let settlement = try #require(try gate.books().settlements.first)
    #expect(settlement.flags.contains(.aborted))
    #expect([Exit.clientGone.rawValue, Exit.clientGoneEarly.rawValue].contains(settlement.exit))
  }

  /// Within a second of its client's going, not at the next look at all exchanges.
  @Test func aStreamNobodyReadsIsCancelledAfterAMoment() throws {
    let (gate, client) = try Self.sent(stream: true)
    gate.head(200, .eventStream)
    gate.piece(Specimens.content("Guten Tag, gerne"))
    let read = client.bytes.count
    Self.leave(gate)
    gate.piece(Specimens.content("8 bytes."))
    #expect(gate.upstream.wakes.map(\.milliseconds) == [900])
    gate.passWaits()
    #expect(gate.upstream.cancelled == 1 && client.bytes.count == read)
    // 24 bytes were seen, delivered or not, and ten tokens more may be on their way.
    try Self.expect(
      gate,
      Booked(exit: .clientGone, input: Self.estimate(gate), output: 16, flags: [.estimated, .aborted], status: 499))
  }

  @Test func aWaitThatIsOverChangesNothingOfAnAnswerThatCame() throws {
    let (gate, _) = try Self.sent()
    Self.leave(gate)
    gate.answer(200, Specimens.plain())
    gate.passWaits()
    #expect(gate.upstream.cancelled == 0)
    let books = try gate.books()
    #expect(books.settlements.count == 1 && books.open == 0 && books.totals.outputTokens == 5)
  }

  @Test func nobodyDrainsMoreThan256Tokens() throws {
    let (gate, _) = try Self.sent(stream: true)
    gate.head(200, .eventStream)
    gate.piece(Specimens.content("abcd"))
    Self.leave(gate)
    gate.piece(Specimens.content(String(repeating: "x", count: 1024)))
    #expect(gate.upstream.cancelled == 0)
    gate.piece(Specimens.content("y"))
    #expect(gate.upstream.cancelled == 1)
    try Self.expect(
      gate,
      Booked(
        exit: .clientGone, input: Self.estimate(gate), output: 258 + 10, flags: [.estimated, .aborted], status: 499))
  }

  /// Row 7, stream: as row 8, with nothing seen.
  @Test func aStreamWhoseClientLeavesBeforeTheFirstByteCostsTenTokens() throws {
    let (gate, _) = try Self.sent(stream: true)
    Self.leave(gate)
    gate.clock.advance(milliseconds: 901)
    gate.pipeline.tick()
    #expect(gate.upstream.cancelled == 1)
    try Self.expect(
      gate,
      Booked(
        exit: .clientGoneEarly, input: Self.estimate(gate), output: 10, flags: [.estimated, .aborted], status: 499))
  }

  @Test func aPausedStreamGoesOnWhenItsClientLeaves() throws {
    let (gate, client) = try Self.sent(stream: true)
    gate.head(200, .eventStream)
    client.heldBytes = 70_000
    gate.piece(Specimens.content("Guten Tag, gerne"))
    #expect(gate.upstream.paused == 1)
    Self.leave(gate)
    #expect(gate.upstream.resumed == 1)
    gate.piece(Specimens.event("{}", finish: #""stop""#) + Specimens.usageEvent + Specimens.done)
    gate.end(.complete)
    #expect(try gate.books().totals.outputTokens == 5)
  }

  // MARK: Row 10: ended by us

  @Test(arguments: [false, true]) func anExchangePastItsTimeIsEndedAndPaid(stream: Bool) throws {
    let (gate, client) = try Self.sent(stream: stream) { $0.limits.exchangeMilliseconds = 10_000 }
    if stream {
      gate.head(200, .eventStream)
      gate.piece(Specimens.content("Guten Tag, gerne"))
    }
    gate.clock.advance(milliseconds: 10_001)
    gate.pipeline.tick()
    #expect(gate.upstream.cancelled == 1)
    gate.finish(client)
    #expect(client.errorCode == "upstream_timeout")
    #expect(stream ? client.wasAborted && !client.hasDone : client.status == 504)
    let books = try gate.books()
    #expect(books.open == 0 && books.unbalanced == 0)
    #expect(books.settlements.map(\.exit) == [Exit.endedByGate.rawValue])
    #expect(books.settlements.allSatisfy { $0.flags.contains(.ended) })
    #expect(books.totals.outputTokens > 0, "what was sent is never free")
    #expect(!stream || books.totals.outputTokens == 4 + 10, "some was on its way")
  }

  /// Silence has begun the stream, not its provider: nobody knows what that has made until then.
  @Test func aStreamWithoutAByteOfItsProviderIsNotFree() throws {
    let (gate, client) = try Self.sent(stream: true) { $0.limits.exchangeMilliseconds = 60_000 }
    gate.clock.advance(milliseconds: 30_001)
    gate.pipeline.tick()
    #expect(client.status == 200)
    gate.clock.advance(milliseconds: 30_000)
    gate.pipeline.tick()
    gate.finish(client)
    #expect(client.wasAborted)
    let books = try gate.books()
    #expect(books.settlements.map(\.exit) == [Exit.endedByGate.rawValue])
    #expect(books.totals.outputTokens > 0)
  }

  /// Streams may last an hour, and longer than what Quotas would forget by itself.
  @Test func anOpenExchangeIsCountedAsLongAsItMayLast() throws {
    let (gate, _) = try Self.sent(stream: true) { $0.concurrency = 1 }
    gate.clock.advance(milliseconds: 3_599_000)
    gate.turnLedger()
    let second = gate.send(gate.chat(Specimens.chat()))
    #expect(second.status == 429 && gate.upstream.sent.count == 1)
  }

  // MARK: Rows 12 and 13: figures that cannot be, and more than was set aside

  @Test(arguments: [
    (#""prompt_tokens":-1,"completion_tokens":5"#, nil as Int64?, 5 as Int64?),
    (#""prompt_tokens":12,"completion_tokens":1.5"#, 12, nil),
    (#""prompt_tokens":12,"completion_tokens":99999999"#, 12, nil),
    (#""prompt_tokens":99999999,"completion_tokens":5"#, nil, 5),
    (#""prompt_tokens":12,"completion_tokens":1"#, 12, nil),
  ])
  func anAbsurdFigureIsReplacedByOurOwn(usage: String, input: Int64?, output: Int64?) throws {
    let (gate, client) = try Self.sent()
    gate.answer(
      200, Specimens.plain(String(repeating: "Guten Tag. ", count: 4).trimmingLast, usage: "\"usage\":{\(usage)}"))
    gate.finish(client)
    let books = try gate.books()
    #expect(books.totals.inputTokens == input ?? Self.estimate(gate))
    // 43 bytes of text: 11 tokens by our own count.
    #expect(books.totals.outputTokens == output ?? 11)
    #expect(books.settlements.allSatisfy { $0.flags.contains(.suspect) })
  }

  @Test func moreThanWasSetAsideIsPaidInFullAndMarked() throws {
    let (gate, client) = try Self.sent()
    gate.answer(
      200, Specimens.plain(usage: #""usage":{"prompt_tokens":12,"completion_tokens":900,"total_tokens":912}"#))
    gate.finish(client)
    let books = try gate.books()
    #expect(books.totals.outputTokens == 900 && books.tokens == 912)
    #expect(books.settlements.map(\.flags) == [.overdraft])
  }

  // MARK: Once

  @Test func newsAfterTheEndChangeNothing() throws {
    let (gate, client) = try Self.sent(stream: true)
    gate.answer(200, Specimens.stream(["Guten Tag"]), kind: .eventStream)
    gate.end(.cut)
    gate.piece(Specimens.content("mehr"))
    gate.head(500)
    Self.leave(gate)
    gate.clock.advance(milliseconds: 3_000)
    gate.pipeline.tick()
    let books = try gate.books()
    #expect(books.settlements.count == 1 && books.unbalanced == 0 && books.open == 0 && books.metas.count == 1)
    #expect(books.totals.outputTokens == 5)
    #expect(!client.text.contains("mehr"))
  }

  @Test func manyAtOnceAreEachSettledOnce() throws {
    let gate = try TestGate()
    var clients: [RecordingClient] = []
    for _ in 0..<40 { clients.append(gate.send(gate.chat(Specimens.chat()))) }
    #expect(gate.quotas.openReservations == 40)
    for (index, sent) in gate.upstream.sent.enumerated() {
      var head = UpstreamHead()
      head.status = index % 3 == 0 ? 500 : 200
      gate.pipeline.upstream(sent.exchange, answered: head)
      Array((index % 3 == 0 ? Specimens.refused : Specimens.plain()).utf8).withUnsafeBytes {
        gate.pipeline.upstream(sent.exchange, sent: $0)
      }
      gate.pipeline.upstream(sent.exchange, ended: .complete)
    }
    #expect(gate.confirm { clients.allSatisfy(\.isOver) })
    let books = try gate.books()
    #expect(books.open == 0 && books.unbalanced == 0 && books.settlements.count == 40 && books.metas.count == 40)
    #expect(books.totals.requests == 40 && books.totals.inputTokens == 26 * 12)
  }
}

extension String {
  /// Without its last character.
  fileprivate var trimmingLast: String { String(dropLast()) }
}
