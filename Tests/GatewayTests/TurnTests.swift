import Quotas
import Testing

@testable import Gateway

/// A loop with turns: what a turn brings runs at its end, stage by stage for all.
struct TurnTests {
  /// A gate whose turns the test ends, with the ledger's leases at hand.
  private final class Turns {
    let gate: TestGate

    init() throws {
      gate = try TestGate()
      gate.send(gate.chat(Specimens.chat()))  // brings the leases
      gate.pipeline.hasTurns = true
    }

    func arrive(_ body: String = Specimens.chat()) -> (exchange: Exchange, client: RecordingClient) {
      let (exchange, client, _) = gate.begin(gate.chat(body))
      gate.pipeline.run(exchange)
      return (exchange, client)
    }

    /// Requests sent since the first.
    var sent: [RecordingUpstream.Sent] { Array(gate.upstream.sent.dropFirst()) }
  }

  @Test func allThatATurnBringsIsSentAtItsEndInOrder() throws {
    let turns = try Turns()
    let exchanges = (0..<3).map { _ in turns.arrive().exchange }
    #expect(turns.sent.isEmpty)
    _ = turns.gate.pipeline.turnEnded()
    #expect(turns.sent.map { ObjectIdentifier($0.exchange) } == exchanges.map { ObjectIdentifier($0) })
    _ = turns.gate.pipeline.turnEnded()
    #expect(turns.sent.count == 3, "an empty turn sends nothing again")
  }

  @Test func oneThatIsRefusedHoldsUpNobody() throws {
    let turns = try Turns()
    let good = turns.arrive()
    let bad = turns.arrive("{")
    let other = turns.arrive()
    _ = turns.gate.pipeline.turnEnded()
    #expect(bad.client.status == 400 && bad.client.errorCode == "invalid_json")
    #expect(turns.sent.count == 2 && !good.client.isOver && !other.client.isOver)
  }

  /// The exchange is given to the next request at once; it must not be run for the one that has gone.
  @Test func aClientThatGoesBeforeTheEndOfItsTurnHasNothingSent() throws {
    let turns = try Turns()
    let gone = turns.arrive()
    turns.gate.pipeline.clientGone(gone.exchange)
    let next = turns.arrive()
    _ = turns.gate.pipeline.turnEnded()
    #expect(turns.sent.count == 1 && turns.sent.first?.exchange === next.exchange)
    #expect(!gone.client.isOver && turns.gate.quotas.openReservations == 2, "the first of all, and the next")
  }

  /// Later stages do not take up what waits for the ledger: its news do, once.
  @Test func whatWaitsForTheLedgerIsSentOnceByItsNews() throws {
    let gate = try TestGate()
    gate.pipeline.hasTurns = true
    let (exchange, _, _) = gate.begin(gate.chat(Specimens.chat()))
    gate.pipeline.run(exchange)
    _ = gate.pipeline.turnEnded()
    #expect(gate.upstream.sent.isEmpty && exchange.stage == .reserve)
    gate.turnLedger()
    #expect(gate.upstream.sent.count == 1)
    _ = gate.pipeline.turnEnded()
    #expect(gate.upstream.sent.count == 1)
  }

  /// A stop in the middle of a turn: what has just arrived is refused, what was under way is ended, and all is settled.
  @Test func aStopEndsWhatTheTurnHasBrought() throws {
    let turns = try Turns()
    let (_, client) = turns.arrive()
    turns.gate.pipeline.endAll()
    _ = turns.gate.pipeline.turnEnded()
    turns.gate.finish(client)
    #expect(client.status == 503 && turns.sent.isEmpty && turns.gate.upstream.cancelled == 1)
    let books = try turns.gate.books()
    #expect(books.open == 0 && books.unbalanced == 0 && turns.gate.pipeline.openExchanges == 0)
  }

  /// Its body, or the ledger's answer, comes while the last ones are being settled: the provider must not be called then.
  @Test func nothingIsSentAfterTheStop() throws {
    let turns = try Turns()
    let (late, _, _) = turns.gate.begin(turns.gate.chat(Specimens.chat()))
    turns.gate.pipeline.endAll()
    turns.gate.pipeline.run(late)
    _ = turns.gate.pipeline.turnEnded()
    #expect(turns.sent.isEmpty)
  }

  @Test func whatWaitsForTheLedgerIsRefusedAtTheStop() throws {
    let gate = try TestGate()
    gate.pipeline.hasTurns = true
    let (exchange, client, _) = gate.begin(gate.chat(Specimens.chat()))
    gate.pipeline.run(exchange)
    _ = gate.pipeline.turnEnded()
    gate.pipeline.endAll()
    #expect(client.status == 503)
    gate.turnLedger()
    _ = gate.pipeline.turnEnded()
    #expect(gate.upstream.sent.isEmpty && gate.pipeline.openExchanges == 0)
  }

  /// Nobody waits for the writer before the turn is over, and then it is woken.
  @Test func anAnswerIsConfirmedAfterItsTurn() throws {
    let turns = try Turns()
    let (_, client) = turns.arrive()
    _ = turns.gate.pipeline.turnEnded()
    turns.gate.answer(200, Specimens.plain())
    _ = turns.gate.pipeline.turnEnded()
    turns.gate.finish(client)
    #expect(client.status == 200)
  }
}
