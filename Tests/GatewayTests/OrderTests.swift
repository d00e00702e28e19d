import Glibc
import Inference
import Quotas
import Redaction
import Routing
import SealedLog
import Testing

@testable import Gateway

/// No stage is passed over: what cannot be done refuses before anything is sent.
struct OrderTests {
  @Test func whatIsSentIsReservedAndRecordedBefore() throws {
    let gate = try TestGate()
    var seen: (open: Int, queued: Int, records: Int)?
    gate.upstream.onSend = { [unowned gate] in
      seen = (gate.quotas.openReservations, gate.log.health.queueBytes, 0)
    }
    // The disk stands, so that what is queued cannot be gone before it is looked at.
    gate.disk.set(.hangs)
    let client = gate.send(gate.chat(Specimens.chat()))
    #expect(gate.upstream.sent.count == 1)
    #expect(seen?.open == 1)
    #expect((seen?.queued ?? 0) > gate.upstream.sent[0].body.count, "the request's record is in the queue")
    gate.disk.set(.works)
    gate.answer(200, Specimens.plain())
    gate.finish(client)
    let books = try gate.books()
    #expect(books.reserveCount == 1 && books.unbalanced == 0 && books.open == 0)
  }

  /// A request waits for the ledger at most its time, and others pass meanwhile.
  @Test func aRequestWaitsForTheLedgerAndNotForEver() throws {
    let gate = try TestGate()
    let (exchange, client, _) = gate.begin(gate.chat(Specimens.chat()))
    gate.pipeline.run(exchange)
    #expect(!client.isOver && gate.upstream.sent.isEmpty)
    gate.clock.advance(milliseconds: 5_000)
    gate.pipeline.tick()
    #expect(!client.isOver)
    gate.clock.advance(milliseconds: 1)
    gate.pipeline.tick()
    #expect(client.status == 503 && client.errorCode == "ledger_unavailable")
    gate.turnLedger()  // a late answer finds nobody
    #expect(gate.upstream.sent.isEmpty && gate.quotas.openReservations == 0)
  }

  @Test func withoutTheLedgerNothingIsSent() throws {
    let gate = try TestGate()
    gate.ledger.fail(with: QuotaError(.ledgerUnavailable))
    let client = gate.send(gate.chat(Specimens.chat()))
    #expect(client.status == 503 && client.errorCode == "ledger_unavailable")
    #expect(client.value("retry-after") != nil)
    #expect(gate.upstream.sent.isEmpty && gate.quotas.openReservations == 0)
    gate.ledger.fail(with: nil)
    gate.clock.advance(milliseconds: 2_000)
    gate.send(gate.chat(Specimens.chat()))
    #expect(gate.upstream.sent.count == 1, "it is back")
  }

  enum LogFault: String, CaseIterable, Sendable {
    case stopped, queueFull, journalFails, diskFull, diskHangs, syncHangs
  }

  /// In the mode `off` no content is kept, and the decision and the money still are.
  @Test(arguments: LogFault.allCases, ContentMode.allCases.filter { $0 != .writeOnly })
  func withoutTheLogNothingIsSent(_ fault: LogFault, mode: ContentMode) throws {
    var setup = GateSetup()
    setup.mode = mode
    setup.writer.staleNanoseconds = 50_000_000
    if fault == .queueFull { setup.writer.queueBytes = 256 }
    let gate = try TestGate(setup)
    switch fault {
    case .queueFull: break
    case .stopped: gate.log.stop()
    case .journalFails, .diskFull, .diskHangs, .syncHangs:
      let first = gate.send(gate.chat(Specimens.chat()))
      gate.answer(200, Specimens.plain())
      gate.finish(first)
      // One exchange meets the fault with its last record; the next ones must be refused.
      gate.send(gate.chat(Specimens.chat()))
      switch fault {
      case .journalFails: gate.disk.set(.fails(errno: ENOSPC, path: TestGate.journalName))
      case .diskFull: gate.disk.set(.fails(errno: ENOSPC, path: "/"))
      case .syncHangs: gate.disk.set(.hangsAtSync)
      default: gate.disk.set(.hangs)
      }
      gate.answer(200, Specimens.plain())
      #expect(gate.upstream.sent.count == 2)
      #expect(gate.holds(10) { gate.log.health.state != .ok })
      // Entries count as stale after 50 milliseconds of the writer's own clock.
      let met = ContinuousClock.now
      #expect(gate.holds(10) { ContinuousClock.now - met > .milliseconds(120) })
      #expect(gate.send(TestGate.Call(method: .get, path: "/readyz", body: [])).status == 503)
    }
    let before = (gate.upstream.sent.count, gate.quotas.openReservations)
    let client = gate.send(gate.chat(Specimens.chat()))
    #expect(client.status == 503 && client.errorCode == "log_unavailable")
    #expect(gate.upstream.sent.count == before.0, "nothing was sent")
    #expect(gate.quotas.openReservations == before.1, "nothing stays set aside")
    gate.disk.set(.works)
  }

  /// A fallback is a call to a provider like any other.
  @Test func aSecondAttemptNeedsTheLogToo() throws {
    var setup = GateSetup()
    setup.candidates = [.init(provider: "first"), .init(provider: "second")]
    setup.writer.staleNanoseconds = 50_000_000
    let gate = try TestGate(setup)
    let client = gate.send(gate.chat(Specimens.chat()))
    let exchange = try #require(gate.upstream.sent.last).exchange
    #expect(gate.holds(10) { gate.log.health.queueBytes == 0 })
    gate.disk.set(.fails(errno: ENOSPC, path: TestGate.journalName))
    gate.send(gate.chat(Specimens.chat()))  // meets the fault
    #expect(gate.holds(10) { gate.log.health.state != .ok })
    gate.pipeline.upstream(exchange, ended: .notConnected)
    #expect(gate.upstream.sent.map(\.target.provider) == ["first", "first"])
    #expect(client.isOver && client.status == 503 && client.errorCode == "log_unavailable")
    gate.disk.set(.works)
  }

  @Test func aRefusalForWantOfTheLogGivesEverythingBack() throws {
    var setup = GateSetup()
    setup.concurrency = 1
    let gate = try TestGate(setup)
    gate.log.stop()
    for _ in 0..<3 { #expect(gate.send(gate.chat(Specimens.chat())).errorCode == "log_unavailable") }
    let usage = try gate.quotas.usage(limits: try setup.quotaLimits().map(\.id))
    #expect(usage.allSatisfy { $0.reserved == 0 && $0.committed == 0 })
  }

  @Test func aFaultInRedactionRefuses() throws {
    var setup = GateSetup()
    setup.patterns = FailingPatterns()
    let gate = try TestGate(setup)
    let client = gate.send(gate.chat(Specimens.chat()))
    #expect(client.status == 503 && client.errorCode == "redaction_unavailable")
    #expect(client.value("retry-after") != nil)
    #expect(gate.upstream.sent.isEmpty && gate.quotas.openReservations == 0)
  }

  @Test func aBlockRefusesAndNamesTheClassOnly() throws {
    var setup = GateSetup()
    setup.action = .block
    let gate = try TestGate(setup)
    let client = gate.send(gate.chat(Specimens.chat()))
    #expect(client.status == 400 && client.errorCode == "content_policy_violation")
    #expect(client.text.contains("email") && !client.text.contains(Specimens.mail))
    #expect(gate.upstream.sent.isEmpty && gate.quotas.openReservations == 0)
    let books = try gate.books()
    #expect(books.metas.map(\.status) == [400], "a refusal is a decision and is recorded")
  }

  @Test(arguments: [
    ("US", nil as String?, "compliance.countries"), ("NO", "2026-11-23", "compliance.agreement-expired"),
  ])
  func withoutACandidateThatComplianceAllowsTheRuleIsNamed(country: String, expires: String?, rule: String) throws {
    var setup = GateSetup()
    setup.candidates = [
      .init(provider: "first", country: country, agreementExpires: expires),
      .init(provider: "second", country: country, agreementExpires: expires),
    ]
    let gate = try TestGate(setup)
    let client = gate.send(gate.chat(Specimens.chat()))
    #expect(client.status == 403 && client.errorCode == "data_residency_mismatch")
    #expect(client.text.contains("(rule \(rule))"))
    #expect(!client.text.contains("first") && !client.text.contains("second"), "the rule, never the provider")
    #expect(gate.upstream.sent.isEmpty && gate.quotas.openReservations == 0)
  }

  @Test func anAgreementHoldsThroughItsLastDay() throws {
    var setup = GateSetup()
    setup.candidates = [.init(provider: "first", agreementExpires: "2026-11-24")]
    let gate = try TestGate(setup)
    gate.send(gate.chat(Specimens.chat()))
    #expect(gate.upstream.sent.count == 1)
    gate.clock.advance(milliseconds: 12 * 3_600_000)
    #expect(gate.send(gate.chat(Specimens.chat())).status == 403)
    #expect(gate.upstream.sent.count == 1)
  }

  @Test func aRoleWithoutPermissionIsRefusedWithItsRule() throws {
    var setup = GateSetup()
    setup.role = "reader"
    let gate = try TestGate(setup)
    let client = gate.send(gate.chat(Specimens.chat()))
    #expect(client.status == 403 && client.errorCode == "policy_denied")
    #expect(client.text.contains("(rule roles.reader)"))
    #expect(gate.upstream.sent.isEmpty)
  }

  @Test func aGateThatStartsTakesNothing() throws {
    let gate = try TestGate(isServing: false)
    let client = gate.send(gate.chat(Specimens.chat()))
    #expect(client.status == 503 && client.errorCode == "overloaded")
    #expect(gate.upstream.sent.isEmpty)
  }

  /// Its clients have not been told to go elsewhere yet; at the end nothing is sent any more.
  @Test func aGateThatDrainsServesUntilItEnds() throws {
    let gate = try TestGate()
    gate.readiness.markDraining()
    #expect(gate.send(TestGate.Call(method: .get, path: "/readyz", body: [])).status == 503)
    let served = gate.send(gate.chat(Specimens.chat()))
    gate.answer(200, Specimens.plain())
    gate.finish(served)
    #expect(served.status == 200)
    gate.pipeline.endAll()
    let client = gate.send(gate.chat(Specimens.chat()))
    #expect(client.status == 503 && client.errorCode == "overloaded")
    #expect(gate.upstream.sent.count == 1)
  }

  @Test func aClientThatLeavesWhileItWaitsLeavesNothingBehind() throws {
    let gate = try TestGate()
    let (exchange, _, _) = gate.begin(gate.chat(Specimens.chat()))
    gate.pipeline.run(exchange)
    gate.pipeline.clientGone(exchange)
    gate.turnLedger()
    #expect(gate.upstream.sent.isEmpty)
    let books = try gate.books()
    #expect(books.open == 0 && books.reserved == 0 && books.metas.map(\.status) == [499])
  }
}
