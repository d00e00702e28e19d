import Inference
import Quotas
import SealedLog
import Testing

@testable import Gateway

/// Acknowledged means written: the last bytes of an answer wait for the log.
struct ConfirmationTests {
  @Test(arguments: [Durability.buffered, .strict]) func aPlainAnswerWaitsForItsRecord(durability: Durability) throws {
    var setup = GateSetup()
    setup.durability = durability
    let gate = try TestGate(setup)
    let client = gate.send(gate.chat(Specimens.chat()))
    gate.answer(200, Specimens.plain())
    #expect(client.answers == 0)
    #expect(gate.awaitWithheldConfirmation())
    #expect(client.answers == 0, "the loop has not been told")
    gate.finish(client)
    #expect(client.status == 200)
  }

  @Test func anErrorOfTheProviderWaitsForItsRecordToo() throws {
    let gate = try TestGate()
    let client = gate.send(gate.chat(Specimens.chat()))
    gate.answer(500, Specimens.refused)
    #expect(client.answers == 0)
    gate.finish(client)
    #expect(client.status == 502)
  }

  @Test func aStreamsLastBytesWaitForItsRecord() throws {
    let gate = try TestGate()
    let client = gate.send(gate.chat(Specimens.chat(stream: true)))
    gate.answer(200, Specimens.stream(["Guten ", "Tag"]), kind: .eventStream)
    #expect(client.text.contains("Tag") && client.text.contains(#""finish_reason":"stop""#))
    #expect(!client.hasDone && !client.hasEnded)
    #expect(gate.awaitWithheldConfirmation())
    #expect(!client.hasDone && !client.hasEnded)
    gate.finish(client)
    #expect(client.text.hasSuffix(Specimens.done) && client.hasEnded && !client.wasAborted)
  }

  @Test func whileTheDiskHangsNothingIsAcknowledged() throws {
    let gate = try TestGate()
    let client = gate.send(gate.chat(Specimens.chat(stream: true)))
    #expect(gate.holds(10) { gate.log.health.queueBytes == 0 })
    gate.disk.set(.hangs)
    gate.answer(200, Specimens.stream(["Guten Tag"]), kind: .eventStream)
    #expect(!gate.confirm(seconds: 0.05) { client.isOver })
    gate.disk.set(.works)
    gate.finish(client)
    #expect(client.hasDone)
  }

  @Test(arguments: [false, true]) func aConfirmationThatNeverComesEndsTheAnswerAsAnError(stream: Bool) throws {
    let gate = try TestGate()
    let client = gate.send(gate.chat(Specimens.chat(stream: stream)))
    if stream {
      gate.answer(200, Specimens.stream(["Guten Tag"]), kind: .eventStream)
    } else {
      gate.answer(200, Specimens.plain())
    }
    gate.clock.advance(milliseconds: 5_000)
    gate.pipeline.tick()
    #expect(!client.isOver, "until then it waits")
    gate.clock.advance(milliseconds: 1)
    gate.pipeline.tick()
    #expect(client.isOver && client.errorCode == "log_unavailable")
    #expect(!client.hasDone && !client.hasEnded)
    if stream {
      #expect(client.wasAborted)
      #expect(client.text.split(separator: "\n\n").last?.hasPrefix("data: {\"error\":") == true)
    } else {
      #expect(client.status == 503 && client.value("retry-after") != nil)
      #expect(!client.text.contains("Guten Tag"))
    }
    let answered = client.bytes
    let books = try gate.books()
    #expect(client.bytes == answered, "a late confirmation adds nothing")
    #expect(books.open == 0 && books.unbalanced == 0)
    #expect(books.totals.inputTokens == 12 && books.totals.outputTokens == 5, "what was used is paid")
  }

  @Test func anExchangeWhoseClientLeftWhileItsRecordIsWrittenEndsQuietly() throws {
    let gate = try TestGate()
    let client = gate.send(gate.chat(Specimens.chat()))
    gate.answer(200, Specimens.plain())
    let exchange = try #require(gate.upstream.sent.last).exchange
    gate.pipeline.clientGone(exchange)
    let books = try gate.books()
    #expect(client.answers == 0 && books.open == 0 && books.settlements.count == 1 && books.unbalanced == 0)
  }

  /// The queue has room for the request and never for the answer's record.
  @Test func anAnswerLargerThanTheLogsQueueIsRefusedAndItsReservationIsSettled() throws {
    var setup = GateSetup()
    setup.writer.queueBytes = 4096
    let gate = try TestGate(setup)
    let client = gate.send(gate.chat(Specimens.chat()))
    #expect(gate.upstream.sent.count == 1)
    gate.answer(200, Specimens.plain(String(repeating: "Guten Tag. ", count: 1_000)))
    gate.clock.advance(milliseconds: 5_001)
    gate.pipeline.tick()
    #expect(client.status == 503 && client.errorCode == "log_unavailable")
    _ = try gate.books()
    #expect(gate.quotas.openReservations == 0, "a slot that nobody frees is lost for the life of the process")
    #expect(try gate.metas().count == 1, "metadata has room and is money's record")
  }

  /// What the log's queue refuses for a moment is offered again.
  @Test func aFullQueueIsTriedAgainUntilTheDeadline() throws {
    var setup = GateSetup()
    setup.writer.queueBytes = 16_384
    let gate = try TestGate(setup)
    let first = gate.send(gate.chat(Specimens.chat()))
    #expect(gate.holds(10) { gate.log.health.queueBytes == 0 })
    gate.disk.set(.hangs)
    // Fills the queue with the beginnings of others.
    var others = 0
    while others < 64, gate.send(gate.chat(Specimens.chat(String(repeating: "x", count: 3_000)))).answers == 0 {
      others += 1
    }
    guard let exchange = gate.upstream.sent.first?.exchange else { return }
    var head = UpstreamHead()
    head.status = 200
    gate.pipeline.upstream(exchange, answered: head)
    Array(Specimens.plain(String(repeating: "Guten Tag. ", count: 600)).utf8).withUnsafeBytes {
      gate.pipeline.upstream(exchange, sent: $0)
    }
    gate.pipeline.upstream(exchange, ended: .complete)
    #expect(first.answers == 0)
    gate.disk.set(.works)
    #expect(gate.holds(10) { gate.log.health.queueBytes == 0 })
    gate.pipeline.tick()
    gate.finish(first)
    #expect(first.status == 200)
  }
}
