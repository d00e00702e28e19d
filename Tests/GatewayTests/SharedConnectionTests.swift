import Inference
import Quotas
import Routing
import Testing

@testable import Gateway

/// A provider's streams over HTTP/2 share a connection, and libcurl can pause none of them alone. What a slow client
/// does not take waits at the gateway instead, is counted, and has a bound.
struct SharedConnectionTests {
  enum Answer: String, CaseIterable, Sendable { case stream, sound }

  private static func sent(_ answer: Answer, _ change: (inout GateSetup) -> Void = { _ in }) throws
    -> (gate: TestGate, client: RecordingClient, exchange: Exchange)
  {
    var setup = GateSetup()
    setup.limits.attempts = 1
    if answer == .sound {
      setup.wires = [.speech]
      setup.unit = UnitPrice(.character, amount: 15_000_000_000)
    }
    change(&setup)
    let gate = try TestGate(setup)
    let speech = #"{"model":"chat","voice":"alloy","input":"Guten Tag"}"#
    let client =
      answer == .stream
      ? gate.send(gate.chat(Specimens.chat(stream: true)))
      : gate.send(TestGate.Call(path: "/v1/audio/speech", key: gate.key, body: Array(speech.utf8)))
    let exchange = try #require(gate.upstream.sent.last).exchange
    var head = UpstreamHead()
    head.status = 200
    head.kind = answer == .stream ? .eventStream : .sound(.mpeg)
    head.isHTTP2 = true
    head.hasTakenRequest = true
    gate.pipeline.upstream(exchange, answered: head)
    return (gate, client, exchange)
  }

  private static func piece(_ gate: TestGate, _ answer: Answer) {
    gate.piece(answer == .stream ? Specimens.content("Guten Tag, gerne") : "sound")
  }

  @Test(arguments: Answer.allCases) func aSlowClientPausesNobody(answer: Answer) throws {
    let (gate, client, exchange) = try Self.sent(answer)
    let before = gate.pipeline.bodies.held
    client.heldBytes = 65_536
    Self.piece(gate, answer)
    #expect(gate.pipeline.bodies.held == before, "so much any connection may hold")
    for waiting in [65_537, 500_000, 300_000] {
      client.heldBytes = waiting
      Self.piece(gate, answer)
      #expect(gate.pipeline.bodies.held == before + waiting)
    }
    client.heldBytes = 100_000
    gate.pipeline.clientProgress(exchange)
    #expect(gate.pipeline.bodies.held == before + 100_000)
    client.heldBytes = 65_536
    gate.pipeline.clientProgress(exchange)
    #expect(gate.pipeline.bodies.held == before)
    #expect(gate.upstream.paused == 0 && gate.upstream.resumed == 0 && gate.upstream.cancelled == 0)
    client.heldBytes = 0
    if answer == .stream {
      gate.piece(Specimens.event("{}", finish: #""stop""#) + Specimens.usageEvent + Specimens.done)
    }
    gate.end(.complete)
    gate.finish(client)
    #expect(client.hasEnded && !client.wasAborted)
    #expect(gate.pipeline.bodies.held == 0)
  }

  @Test(arguments: Answer.allCases) func beyondItsBoundTheAnswerEnds(answer: Answer) throws {
    let (gate, client, _) = try Self.sent(answer) {
      $0.limits.heldStreamBytes = answer == .stream ? 200_000 : 100_000
      $0.limits.answerBytes = 200_000  // sound is not asked for twice
    }
    client.heldBytes = 200_000
    Self.piece(gate, answer)
    #expect(gate.upstream.cancelled == 0)
    client.heldBytes = 200_001
    Self.piece(gate, answer)
    #expect(gate.upstream.cancelled == 1 && gate.upstream.paused == 0)
    Self.piece(gate, answer)
    client.heldBytes = 0  // it has taken all of it
    gate.finish(client)
    #expect(client.wasAborted && !client.hasEnded)
    if answer == .stream { #expect(client.errorCode == "overloaded" && !client.hasDone) }
    let books = try gate.books()
    #expect(books.settlements.map(\.exit) == [Exit.endedByGate.rawValue] && books.unbalanced == 0)
    #expect(books.money > 0, "what was sent is never free")
    #expect(gate.pipeline.bodies.held == 0)
  }

  /// With the last word all of it is here, and nothing is gained by ending it.
  @Test func aStreamThatIsOverIsNotEndedForItsSize() throws {
    let (gate, client, _) = try Self.sent(.stream) { $0.limits.heldStreamBytes = 200_000 }
    client.heldBytes = 300_000
    gate.piece(Specimens.event("{}", finish: #""stop""#) + Specimens.usageEvent + Specimens.done)
    #expect(gate.upstream.cancelled == 0)
    gate.end(.complete)
    gate.finish(client)
    #expect(client.hasEnded && !client.wasAborted && client.hasDone)
  }

  /// Many slow clients of one tenant have its share of memory and no more, however few each of them has.
  @Test func whereTheTenantsMemoryIsFullTheAnswerEnds() throws {
    let (gate, client, _) = try Self.sent(.stream) {
      $0.limits.heldBodiesBytesPerTenant = 150_000
      $0.plan.bodyBytes = 100_000
    }
    client.heldBytes = 100_000
    Self.piece(gate, .stream)
    #expect(gate.upstream.cancelled == 0)
    client.heldBytes = 160_000
    Self.piece(gate, .stream)
    #expect(gate.upstream.cancelled == 1)
    client.heldBytes = 0
    gate.finish(client)
    #expect(client.wasAborted && client.errorCode == "overloaded")
    #expect(gate.pipeline.bodies.held == 0)
  }
}
