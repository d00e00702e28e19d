import Inference
import Quotas
import Testing

@testable import Gateway

/// A loop with turns: what a turn brings runs at its end, stage by stage for all.
struct TurnTests {
  /// A gate whose turns the test ends, with the ledger's leases at hand.
  private final class Turns {
    let gate: TestGate

    init(_ change: (inout GateSetup) -> Void = { _ in }) throws {
      var setup = GateSetup()
      change(&setup)
      gate = try TestGate(setup)
      gate.send(gate.chat(Specimens.chat()))  // brings the leases
      gate.pipeline.hasTurns = true
    }

    @discardableResult
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

  /// Of a burst a turn takes on what it bears; the next turns take on the rest, in its order.
  @Test func aTurnTakesOnOnlySoMuch() throws {
    let turns = try Turns { $0.limits.turnBytes = 2 * 2048 }
    let exchanges = (0..<5).map { _ in turns.arrive().exchange }
    var counts: [Int] = []
    repeat {
      turns.gate.pipeline.turnBegan()
      _ = turns.gate.pipeline.turnEnded()
      _ = turns.gate.pipeline.turnEnded()  // what is asked for twice in a turn is no turn of its own
      counts.append(turns.sent.count)
    } while turns.gate.pipeline.hasWaiting && counts.count < 10
    #expect(counts == [2, 4, 5])
    #expect(turns.sent.map { ObjectIdentifier($0.exchange) } == exchanges.map { ObjectIdentifier($0) })
  }

  /// Who sends a hundred requests at once has others' requests pass by.
  @Test func anotherTenantDoesNotWaitForABurst() throws {
    let turns = try Turns { $0.limits.turnBytes = 4 * 2048 }
    for _ in 0..<100 { turns.arrive() }
    turns.gate.pipeline.turnBegan()
    _ = turns.gate.pipeline.turnEnded()
    let other = turns.arrive().exchange
    other.caller = try turns.gate.anotherTenant()
    turns.gate.pipeline.turnBegan()
    _ = turns.gate.pipeline.turnEnded()
    #expect(turns.sent.contains { $0.exchange === other } && turns.gate.pipeline.hasWaiting)
  }

  @Test func aClientThatGoesWhileItWaitsForATurnHasNothingSent() throws {
    let turns = try Turns { $0.limits.turnBytes = 2048 }
    let all = (0..<3).map { _ in turns.arrive().exchange }
    _ = turns.gate.pipeline.turnEnded()
    turns.gate.pipeline.clientGone(all[1])
    turns.gate.pipeline.turnBegan()
    _ = turns.gate.pipeline.turnEnded()
    #expect(turns.sent.map { ObjectIdentifier($0.exchange) } == [all[0], all[2]].map { ObjectIdentifier($0) })
    #expect(!turns.gate.pipeline.hasWaiting)
  }

  /// What waits already is worked on; what comes is told to come again.
  @Test func aLateLoopRefusesWhatIsNew() throws {
    let turns = try Turns()
    let gate = turns.gate
    turns.arrive()
    gate.pipeline.isLate = true
    let chat = gate.send(gate.chat(Specimens.chat()))
    #expect(chat.status == 503 && chat.errorCode == "overloaded" && chat.value("retry-after") == "3")
    var messages = gate.chat(Dialects.body(.messages))
    messages.path = "/v1/messages"
    #expect(gate.send(messages).status == 529)
    for path in ["/v1/models", "/v1/files"] {
      #expect(gate.send(TestGate.Call(method: .get, path: path, key: gate.key, body: [])).status == 503)
    }
    #expect(gate.send(TestGate.Call(method: .get, path: "/livez", key: nil, body: [])).status == 200)
    _ = gate.pipeline.turnEnded()
    #expect(turns.sent.count == 1)
    var reading = LoopCounters.Reading()
    gate.pipeline.counters.add(to: &reading)
    #expect(reading.fired[FiredLimit.loopLag.rawValue] == 4)
    gate.pipeline.isLate = false
    turns.arrive()
    _ = gate.pipeline.turnEnded()
    #expect(turns.sent.count == 2)
  }

  /// A stop leaves nobody waiting.
  @Test func aStopTakesOnAllThatWaits() throws {
    let turns = try Turns { $0.limits.turnBytes = 2048 }
    let clients = (0..<5).map { _ in turns.arrive().client }
    _ = turns.gate.pipeline.turnEnded()
    turns.gate.pipeline.endAll()
    _ = turns.gate.pipeline.turnEnded()
    #expect(turns.gate.confirm { clients.allSatisfy(\.isOver) })
    #expect(clients.allSatisfy { $0.status == 503 } && turns.gate.pipeline.openExchanges == 0)
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

  /// The record of an answer is made at its turn's end: nobody can have waited for the log before.
  @Test func theLogsTimeBeginsAtTheTurnsEnd() throws {
    let turns = try Turns()
    let (_, client) = turns.arrive()
    _ = turns.gate.pipeline.turnEnded()
    turns.gate.answer(200, Specimens.plain())
    turns.gate.clock.advance(milliseconds: 10_000)
    turns.gate.pipeline.tick()
    #expect(!client.isOver)
    _ = turns.gate.pipeline.turnEnded()
    turns.gate.finish(client)
    #expect(client.status == 200)
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
