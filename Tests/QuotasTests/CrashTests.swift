import Testing

@testable import Quotas

/// A crash in each state of a flight slot, with and without the flight table (I7).
struct CrashTests {
  enum Point: String, CaseIterable, Sendable {
    case reserved, sent, settledNotWritten, settledWritten, settledWrittenAndReported, confirmed, releasedNotWritten,
      releasedWritten, sentAndReleased
  }

  private static let actual = Actual(inputTokens: 6, outputTokens: 4, money: 50)
  private static let demand = Demand(inputTokens: 60, outputTokens: 40, money: 500)

  private static func crashed(at point: Point, power: Bool) throws -> (SimulatedNode, QuotaRecovery.Report) {
    let limits = [
      try Limit(
        scope: LimitScope(.tenant, 1), dimension: .tokens, kind: .budget(.day, zone: "UTC"), amount: 100_000, name: "a"),
      try Limit(
        scope: LimitScope(.key, 3), dimension: .money, kind: .budget(.total, zone: "UTC"), amount: 100_000, name: "b"),
      try Limit(scope: LimitScope(.key, 3), dimension: .tokens, kind: .rate(.minute), amount: 1_000, name: "c"),
    ]
    let node = try SimulatedNode(
      limits: limits, owner: UsageOwner(tenant: 1, project: 2, key: 3),
      clock: ManualQuotaClock(wallNanoseconds: 1_790_000_000_000_000_000))
    var attempt = try #require(node.reserve(demand, attempt: 42, actual: actual).0)
    if point != .reserved && point != .releasedNotWritten && point != .releasedWritten { node.send(&attempt) }
    switch point {
    case .reserved, .sent: break
    case .settledNotWritten: node.settle(&attempt)
    case .settledWritten, .confirmed:
      node.settle(&attempt)
      node.write()
    case .settledWrittenAndReported:
      node.settle(&attempt)
      try node.gate.flush()
    case .releasedNotWritten, .sentAndReleased: node.release(&attempt)
    case .releasedWritten:
      node.release(&attempt)
      node.write()
    }
    node.synced = .max
    let report = try node.restart(power ? .power : .kill, repeats: 1)
    return (node, report)
  }

  @Test(arguments: Point.allCases)
  func afterAKillEveryStateIsExact(point: Point) throws {
    let (node, report) = try Self.crashed(at: point, power: false)
    let rows = node.ledger.inner.rows.budgets.sorted { $0.dimension.rawValue < $1.dimension.rawValue }
    let isSettled: Bool
    switch point {
    case .settledNotWritten, .settledWritten, .settledWrittenAndReported, .confirmed: isSettled = true
    default: isSettled = false
    }
    let isCut = point == .sent
    #expect(rows.map(\.committed) == (isSettled ? [10, 50] : [0, 0]))
    #expect(rows.map(\.unreconciled) == (isCut ? [100, 500] : [0, 0]))
    #expect(rows.map(\.leased) == [0, 0])
    #expect(report.unreconciled == (isCut ? 1 : 0))
    #expect(report.lostLeases == 0)
    #expect(report.rateStart == .kept)
    // The rate remembers what was debited, and what was given back.
    let remaining = node.gate.status(node.account).tokens?.remaining
    #expect(remaining == (isSettled ? 990 : point == .reserved || isCut ? 900 : 1_000))
    let usage = try node.gate.usageReport(tenant: 1, from: .min, to: .max)
    #expect(
      usage.totals == (isSettled ? UsageTotals(requests: 1, inputTokens: 6, outputTokens: 4, money: 50) : .init()))
    #expect(usage.unreconciled.map(\.attempt) == (isCut ? [42] : []))
    if isCut {
      #expect(usage.unreconciled.first?.inputTokens == 60)
      let truth = UsageTotals(requests: 1, inputTokens: 7, outputTokens: 2, money: 33)
      #expect(try node.gate.reconcile(attempt: 42, actual: truth))
      #expect(try node.gate.usageReport(tenant: 1, from: .min, to: .max).totals == truth)
      #expect(node.ledger.inner.rows.budgets.map(\.unreconciled) == [0, 0])
      #expect(Set(node.ledger.inner.rows.budgets.map(\.committed)) == [9, 33])
    }
  }

  @Test(arguments: Point.allCases)
  func afterAPowerCutNothingIsCountedTooLittle(point: Point) throws {
    let (node, report) = try Self.crashed(at: point, power: true)
    let rows = node.ledger.inner.rows.budgets.sorted { $0.dimension.rawValue < $1.dimension.rawValue }
    let isKnown = point == .settledWritten || point == .settledWrittenAndReported || point == .confirmed
    #expect(rows.map(\.committed) == (isKnown ? [10, 50] : [0, 0]))
    for row in rows {
      #expect(row.leased == 0)
      #expect(row.unreconciled > 0, "the rest of the lease counts as spent")
      #expect(row.committed + row.unreconciled <= row.amount / 50 + 1_000, "and is no more than one lease")
    }
    #expect(report.lostLeases == 2)
    guard case .emptyAt = report.rateStart else {
      Issue.record("a bucket that nobody remembers must start empty")
      return
    }
    #expect(node.gate.status(node.account).tokens?.remaining == 0)
    node.clock.advance(nanoseconds: 30_000_000_000)
    #expect(node.gate.status(node.account).tokens?.remaining == 500)
  }

  @Test func aCleanStopStrandsNothing() throws {
    let limit = try Limit(
      scope: LimitScope(.tenant, 1), dimension: .tokens, kind: .budget(.day, zone: "UTC"), amount: 1_000, name: "a")
    let node = try SimulatedNode(
      limits: [limit], owner: UsageOwner(tenant: 1, project: 2, key: 3),
      clock: ManualQuotaClock(wallNanoseconds: 1_790_000_000_000_000_000))
    var attempt = try #require(node.reserve(Self.demand, attempt: 1, actual: Self.actual).0)
    node.send(&attempt)
    node.settle(&attempt)
    node.write()
    let report = try node.restart(.clean)
    #expect(report.unreconciled == 0 && report.settled == 0 && report.lostLeases == 0)
    let row = try #require(node.ledger.inner.rows.budgets.first)
    #expect(row.committed == 10 && row.leased == 0 && row.unreconciled == 0)
  }

  @Test func aFencedProcessSpendsNothingMore() throws {
    let limit = try Limit(
      scope: LimitScope(.tenant, 1), dimension: .tokens, kind: .budget(.day, zone: "UTC"), amount: 1_000, name: "a")
    let node = try SimulatedNode(
      limits: [limit], owner: UsageOwner(tenant: 1, project: 2, key: 3),
      clock: ManualQuotaClock(wallNanoseconds: 1_790_000_000_000_000_000))
    _ = try node.ledger.open(node: SimulatedNode.id, epoch: 9)
    let refusal = node.reserve(Self.demand, attempt: 1, actual: Self.actual).1
    #expect(refusal?.code == .ledgerUnavailable)
    #expect(!node.gate.isLedgerHealthy)
  }
}
