import Inference
import JSONText
import Quotas
import Redaction
import Tenancy
import Testing

@testable import Gateway

/// People and policies change while requests run: each keeps what it began with, the next one sees the new.
struct SnapshotTests {
  @Test func aRevokedKeyIsRefusedFromTheSwapOn() throws {
    let gate = try TestGate()
    let running = gate.send(gate.chat(Specimens.chat()))
    gate.snapshots.swap(try gate.snapshot(revoked: true))
    let client = gate.send(gate.chat(Specimens.chat()))
    #expect(client.status == 401 && client.errorCode == "invalid_api_key")
    #expect(gate.upstream.sent.count == 1)
    gate.answer(200, Specimens.plain())
    gate.finish(running)
    #expect(running.status == 200, "what was admitted is finished")
    let books = try gate.books()
    #expect(books.open == 0 && books.settlements.count == 1)
  }

  @Test func aRequestKeepsTheSnapshotItBeganWith() throws {
    let gate = try TestGate()
    let (exchange, client, answered) = gate.begin(gate.chat(Specimens.chat()))
    #expect(!answered)
    gate.snapshots.swap(GatewaySnapshot())
    gate.pipeline.run(exchange)
    gate.turnLedger()
    #expect(gate.upstream.sent.count == 1)
    gate.answer(200, Specimens.plain())
    gate.finish(client)
    #expect(client.status == 200)
  }

  /// It may have waited for its body, for the ledger or for a provider: a revoked key sends nothing after a second.
  @Test func aRequestThatHasWaitedIsLookedAtOnceMore() throws {
    for revoked in [false, true] {
      let gate = try TestGate()
      let (exchange, client, _) = gate.begin(gate.chat(Specimens.chat()))
      gate.snapshots.swap(try gate.snapshot(revoked: revoked))
      gate.clock.advance(milliseconds: 1_000)
      gate.pipeline.run(exchange)
      gate.turnLedger()
      #expect(gate.upstream.sent.count == (revoked ? 0 : 1))
      if revoked {
        #expect(client.status == 401 && client.errorCode == "invalid_api_key")
        #expect(try gate.books().open == 0)
      }
    }
  }

  /// Two changes between two looks: the second snapshot may lie where the one was that was looked at.
  @Test func aSnapshotIsNotTakenForOneThatLayThere() throws {
    let gate = try TestGate()
    let (exchange, _, _) = gate.begin(gate.chat(Specimens.chat()))
    gate.pipeline.run(exchange)
    gate.turnLedger()
    gate.snapshots.swap(try gate.snapshot())
    #expect(gate.pipeline.isKeyGood(exchange) && gate.pipeline.isKeyGood(exchange))
    let place = ObjectIdentifier(gate.snapshots.current)
    gate.snapshots.swap(try gate.snapshot())
    var others: [GatewaySnapshot] = []
    while others.count < 100_000, ObjectIdentifier(gate.snapshots.current) != place {
      others.append(gate.snapshots.swap(GatewaySnapshot()))
    }
    #expect(!gate.pipeline.isKeyGood(exchange) && !gate.pipeline.isKeyGood(exchange))
  }

  @Test func anEmptySnapshotRefusesEveryKey() throws {
    let gate = try TestGate()
    gate.snapshots.swap(GatewaySnapshot())
    for path in ["/v1/chat/completions", "/v1/embeddings"] {
      #expect(gate.send(TestGate.Call(path: path, key: gate.key, body: [])).status == 401)
    }
    #expect(gate.send(TestGate.Call(method: .get, path: "/v1/models", key: gate.key, body: [])).status == 401)
    #expect(gate.upstream.sent.isEmpty)
  }

  /// A swap must not give a tenant a second budget.
  @Test func aNewSnapshotCountsOnTheSameBooks() throws {
    var setup = GateSetup()
    setup.concurrency = 1
    let gate = try TestGate(setup)
    let running = gate.send(gate.chat(Specimens.chat()))
    gate.snapshots.swap(try gate.snapshot())
    #expect(gate.send(gate.chat(Specimens.chat())).status == 429)
    gate.answer(200, Specimens.plain())
    gate.finish(running)
    gate.send(gate.chat(Specimens.chat()))
    #expect(gate.upstream.sent.count == 2)
  }

  /// An exchange object is used again: what it was before must not show in the next one's record.
  @Test func aReusedExchangeRemembersNothing() throws {
    var setup = GateSetup()
    setup.plan.bodyBytes = 4096
    let gate = try TestGate(setup)
    let first = gate.send(gate.chat(Specimens.chat(stream: true)))
    gate.answer(200, Specimens.stream(["a"]), kind: .eventStream)
    gate.finish(first)
    var large = gate.chat("")
    large.body = [UInt8](repeating: 0x20, count: 5_000)
    #expect(gate.send(large).status == 413)
    _ = try gate.books()
    let last = try #require(try gate.metas().last)
    #expect(last.status == 413)
    #expect(last.stream == 0, "the request before was a stream, this one was never read")
    #expect(last.provider == nil && last.findings.isEmpty)
    #expect(last.tokens.input == 0 && last.tokens.output == 0 && last.cost == 0)
  }

  @Test func whatTheCallerSentIsWipedAtTheEnd() throws {
    let gate = try TestGate()
    let client = gate.send(gate.chat(Specimens.chat()))
    let exchange = try #require(gate.upstream.sent.last).exchange
    gate.answer(200, Specimens.plain())
    gate.finish(client)
    #expect(exchange.credential.count == 0 && exchange.body.count == 0 && exchange.outgoing.count == 0)
    #expect(exchange.issued.isEmpty && exchange.answer.count == 0 && exchange.reply.count == 0)
    #expect(exchange.caller == nil && exchange.snapshot == nil)
  }
}
