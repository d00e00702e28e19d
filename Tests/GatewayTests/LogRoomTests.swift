import Inference
import Quotas
import SealedLog
import Testing

@testable import Gateway

/// Whose record finds no room in the log's queue waits its turn and is not refused, as long as anything moves.
struct LogRoomTests {
  private static let size = 20_000

  private func gate(_ change: (inout GateSetup) -> Void = { _ in }) throws -> TestGate {
    var setup = GateSetup()
    setup.limits.ownWorkBytes = 1024
    setup.writer.tenantQueueBytes = 50_000
    setup.writer.staleNanoseconds = 600_000_000_000  // a busy machine is no stuck log
    change(&setup)
    return try TestGate(setup)
  }

  private func large(_ gate: TestGate, _ text: String = "") -> TestGate.Call {
    gate.chat(Specimens.chat(text + String(repeating: "x", count: Self.size)))
  }

  private func stream(_ gate: TestGate) throws -> LogStream {
    let exchange = gate.begin(gate.chat("{}")).exchange
    defer { gate.pipeline.clientGone(exchange) }
    return try #require(exchange.caller).rules.stream
  }

  /// Takes room as other requests would, until so much is left.
  private func fill(_ gate: TestGate, _ stream: LogStream, leaving left: Int) -> Int {
    let bytes = 50_000 - left
    #expect(gate.log.takeRoom(bytes, of: stream) == .taken)
    return bytes
  }

  /// Lets the log's news and the ledger's come to the loop until so many requests are at the sender.
  private func sent(_ count: Int, by gate: TestGate) -> Bool {
    gate.confirm {
      gate.turnLedger()
      return gate.upstream.sent.count == count
    }
  }

  @Test(arguments: [false, true]) func waitsForRoomAndIsSentWithItsRecord(hasHelpers: Bool) throws {
    let gate = try gate { $0.hasHelpers = hasHelpers }
    let stream = try stream(gate)
    let taken = fill(gate, stream, leaving: 15_000)
    let clients = [gate.send(large(gate, "eins ")), gate.send(large(gate, "zwei "))]
    if hasHelpers {
      #expect(
        gate.holds(10) {
          _ = gate.takeBack { true }; return gate.pipeline.awaitingLog.count == 2
        })
    }
    #expect(gate.upstream.sent.isEmpty && clients.allSatisfy { !$0.isOver })
    #expect(gate.quotas.openReservations == 0, "it holds nothing that others could use")
    gate.log.giveRoom(taken, of: stream)
    #expect(gate.confirm { gate.takeBack { true } && gate.upstream.sent.count == 2 })
    // Who of two is first through the helpers is chance; without, they are sent in the order in which they came.
    let isInOrder = gate.upstream.sent.last?.text.contains("zwei ") == true
    #expect(isInOrder || hasHelpers)
    gate.answer(200, Specimens.plain())
    let last = clients[isInOrder ? 1 : 0]
    gate.finish(last)
    #expect(last.status == 200)
    let record = try gate.lastRecord()
    #expect(try RequestPayload(record.request ?? []).body == gate.upstream.sent.last?.body)
    #expect(gate.pipeline.awaitingLog.isEmpty)
  }

  @Test func aSmallRequestPassesThoseThatWait() throws {
    let gate = try gate()
    let stream = try stream(gate)
    _ = fill(gate, stream, leaving: 15_000)
    gate.send(large(gate))
    #expect(gate.upstream.sent.isEmpty)
    gate.send(gate.chat(Specimens.chat("kurz")))
    #expect(gate.upstream.sent.count == 1)
    gate.answer(200, Specimens.plain())
    #expect(gate.log.health.queueBytes < 50_000)
  }

  /// Room for a while is not taken by whoever comes just then.
  @Test func aLargeRequestDoesNotPassThoseThatWait() throws {
    let gate = try gate()
    let stream = try stream(gate)
    let taken = fill(gate, stream, leaving: 15_000)
    gate.send(large(gate, String(repeating: "y", count: 10_000)))
    gate.log.giveRoom(10_000, of: stream)
    let second = gate.send(large(gate))  // would fit
    #expect(gate.upstream.sent.isEmpty && !second.isOver && gate.pipeline.awaitingLog.count == 2)
    gate.log.giveRoom(taken - 10_000, of: stream)
    #expect(sent(2, by: gate))
    #expect(gate.upstream.sent.first?.text.contains("yyyy") == true)
  }

  @Test func isRefusedWhenNothingLeavesTheQueueForTooLong() throws {
    let gate = try gate()
    let stream = try stream(gate)
    let taken = fill(gate, stream, leaving: 15_000)
    let client = gate.send(large(gate))
    gate.clock.advance(milliseconds: 4_000)
    gate.pipeline.tick()
    // Another exchange goes through the log meanwhile: it moves.
    let other = gate.send(gate.chat(Specimens.chat("kurz")))
    gate.answer(200, Specimens.plain())
    gate.finish(other)
    #expect(gate.holds(10) { gate.log.health.queueBytes == taken })
    gate.pipeline.tick()
    gate.clock.advance(milliseconds: 5_000)
    gate.pipeline.tick()
    #expect(!client.isOver, "it is counted anew from there")
    gate.clock.advance(milliseconds: 1)
    gate.pipeline.tick()
    #expect(client.status == 503 && client.errorCode == "log_unavailable" && client.value("retry-after") != nil)
    #expect(gate.upstream.sent.count == 1 && gate.pipeline.awaitingLog.isEmpty)
    gate.log.giveRoom(taken, of: stream)
    let books = try gate.books()
    #expect(books.open == 0 && books.unbalanced == 0 && gate.pipeline.openExchanges == 0)
  }

  @Test func aClientThatGoesLeavesTheLineToTheOthers() throws {
    let gate = try gate()
    let stream = try stream(gate)
    let taken = fill(gate, stream, leaving: 15_000)
    let (exchange, _, _) = gate.begin(large(gate))
    gate.pipeline.run(exchange)
    gate.send(large(gate, "zwei "))
    gate.pipeline.clientGone(exchange)
    gate.log.giveRoom(taken, of: stream)
    #expect(sent(1, by: gate))
    #expect(gate.upstream.sent.first?.text.contains("zwei ") == true)
  }

  @Test func aStopRefusesThoseThatWait() throws {
    let gate = try gate()
    _ = fill(gate, try stream(gate), leaving: 15_000)
    let client = gate.send(large(gate))
    gate.pipeline.endAll()
    #expect(client.status == 503 && gate.upstream.sent.isEmpty && gate.pipeline.openExchanges == 0)
  }

  @Test func theRoomOfARequestThatIsRefusedIsOthers() throws {
    let gate = try gate { $0.tokensPerDay = 0 }
    for _ in 0..<4 { #expect(gate.send(large(gate)).errorCode == "insufficient_quota") }
    #expect(gate.log.drain() && gate.log.health.queueBytes == 0)
  }

  @Test func moreThanTheQueueEverHoldsIsRefusedAtOnce() throws {
    let gate = try gate()
    let client = gate.send(large(gate, String(repeating: "z", count: 40_000)))
    #expect(client.status == 503 && client.errorCode == "log_unavailable" && gate.upstream.sent.isEmpty)
  }

  /// Scanning and redacting it would be for nothing: not even its JSON is looked at.
  @Test func nothingLargeIsWorkedOnForALogThatIsStuck() throws {
    let gate = try gate()
    gate.log.stop()
    var call = large(gate)
    call.body[0] = 0x5B
    #expect(gate.send(call).errorCode == "log_unavailable")
    #expect(gate.send(gate.chat("[")).errorCode != "log_unavailable")
  }

  /// The record of an answer is tried again as soon as there is room, not at the next tick.
  @Test func theRecordOfAnAnswerIsWrittenWhenThereIsRoom() throws {
    let gate = try gate()
    let stream = try stream(gate)
    let client = gate.send(gate.chat(Specimens.chat("kurz")))
    #expect(gate.holds(10) { gate.log.health.queueBytes == 0 })
    let taken = fill(gate, stream, leaving: 0)
    gate.answer(200, Specimens.plain(String(repeating: "lang ", count: 4_000)))
    #expect(!gate.confirm(seconds: 0.02) { client.isOver })
    gate.log.giveRoom(taken, of: stream)
    gate.finish(client)
    #expect(client.status == 200 && gate.pipeline.unrecorded.isEmpty)
  }
}
