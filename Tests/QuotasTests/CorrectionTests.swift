import Synchronization
import Testing

@testable import Quotas

/// What was settled at its worst case and is corrected later.
struct CorrectionTests {
  private static let start: Int64 = 1_790_000_000_000_000_000
  private static let owner = UsageOwner(tenant: 1, project: 2, key: 3, user: 4)
  private static let demand = Demand(inputTokens: 60, outputTokens: 40, money: 1_000)

  private static func node(_ amount: Int64) throws -> SimulatedNode {
    let limit = try Limit(
      scope: LimitScope(.tenant, 1), dimension: .tokens, kind: .budget(.day, zone: "UTC"), amount: amount,
      name: "tokens per day")
    return try SimulatedNode(
      limits: [limit], owner: owner, clock: ManualQuotaClock(wallNanoseconds: start))
  }

  /// Settled at the worst case.
  private static func settled(_ node: SimulatedNode, _ id: UInt128) throws -> Booking {
    let attempt = node.reserve(
      demand, attempt: id,
      actual: Actual(
        inputTokens: demand.inputTokens, outputTokens: demand.outputTokens, money: demand.money, flags: .estimated)
    ).0
    var open = try #require(attempt)
    let booking = try #require(node.gate.booking(of: open.reservation))
    node.send(&open)
    node.settle(&open)
    node.write()
    return booking
  }

  private static let actual = UsageTotals(requests: 1, inputTokens: 6, outputTokens: 4, money: 100)

  @Test func aBookingSaysWhatWasSetAsideAndWhere() throws {
    let node = try Self.node(100)
    let booking = try Self.settled(node, 5)
    #expect(booking.attempt == 5 && booking.owner == Self.owner)
    #expect(booking.shares.map(\.amount) == [100])
    #expect(booking.totals == UsageTotals(requests: 1, inputTokens: 60, outputTokens: 40, money: 1_000))
    #expect(node.gate.booking(of: Reservation()) == nil)
  }

  @Test func whatIsGivenBackIsFreeAndCountedOnce() throws {
    let node = try Self.node(100)
    let booking = try Self.settled(node, 5)
    for _ in 0..<3 { try node.gate.correct(booking, to: Self.actual) }
    let row = try #require(try node.gate.usage(limits: booking.limits(of: node)).first)
    #expect(row.committed == 10)
    let report = try node.gate.usageReport(tenant: 1, from: 0, to: .max)
    #expect(report.totals == Self.actual)
    node.clock.advance(nanoseconds: 1_100_000_000)
    #expect(
      node.reserve(
        Demand(inputTokens: 90, outputTokens: 0, money: 0), attempt: 6,
        actual: Actual(inputTokens: 1, outputTokens: 0, money: 0)
      ).0 != nil)
  }

  /// The headers of the next answer count what is used in truth.
  @Test func whatIsLeftIsToldAsTheBooksHaveIt() throws {
    let node = try Self.node(1_000)
    let booking = try Self.settled(node, 5)
    #expect(node.gate.status(node.account, visible: .tenant).tokens?.remaining == 900)
    try node.gate.correct(booking, to: Self.actual)
    #expect(node.gate.status(node.account, visible: .tenant).tokens?.remaining == 990)
  }

  /// After the transaction, too: then it has happened, and nobody knows.
  @Test(arguments: [FlakyLedger.Mode.failsBefore, .failsAfter])
  func aLedgerThatIsAwayIsAskedAgain(mode: FlakyLedger.Mode) throws {
    let node = try Self.node(100)
    let booking = try Self.settled(node, 5)
    node.ledger.set(mode)
    #expect(throws: QuotaError.self) { try node.gate.correct(booking, to: Self.actual) }
    node.ledger.set(.works)
    try node.gate.correct(booking, to: Self.actual)
    #expect(try node.gate.usageReport(tenant: 1, from: 0, to: .max).totals == Self.actual)
  }

  private static func committed(_ node: SimulatedNode, _ booking: Booking) throws -> (Int64, unreconciled: Int64) {
    let row = try #require(try node.gate.usage(limits: booking.limits(of: node)).first)
    return (row.committed, row.unreconciled)
  }

  @Test(arguments: [SimulatedNode.Stop.kill, .power, .clean])
  func noStopTakesACorrectionBack(stop: SimulatedNode.Stop) throws {
    let node = try Self.node(1_000)
    let booking = try Self.settled(node, 5)
    _ = try Self.settled(node, 6)
    try node.gate.correct(booking, to: Self.actual)
    _ = try Self.settled(node, 7)
    if stop == .kill { try node.roll() }  // the new journal begins with totals from behind the correction
    _ = try Self.settled(node, 8)
    try node.restart(stop)
    try node.gate.correct(booking, to: UsageTotals(requests: 1))
    #expect(try Self.committed(node, booking).0 == 310)
    #expect(try node.gate.usageReport(tenant: 1, from: 0, to: .max).totals.inputTokens == 186)
  }

  @Test(arguments: [true, false]) func whatACrashHasCutIsCorrectedAllTheSame(isSettled: Bool) throws {
    let node = try Self.node(100)
    let attempt = node.reserve(
      Self.demand, attempt: 5, actual: Actual(inputTokens: 60, outputTokens: 40, money: 1_000, flags: .estimated)
    ).0
    var open = try #require(attempt)
    let booking = try #require(node.gate.booking(of: open.reservation))
    node.send(&open)
    if isSettled { node.settle(&open) }  // and its record was not written
    try node.restart(.kill)
    #expect(try Self.committed(node, booking) == (isSettled ? (100, 0) : (0, 100)))
    for _ in 0..<2 { try node.gate.correct(booking, to: Self.actual) }
    #expect(try Self.committed(node, booking) == (10, 0))
    let report = try node.gate.usageReport(tenant: 1, from: 0, to: .max)
    #expect(report.totals == Self.actual && report.unreconciled.isEmpty)
  }

  @Test func figuresThatNoSumMayBeMadeOfAreCut() throws {
    let node = try Self.node(100)
    let booking = try Self.settled(node, 5)
    try node.gate.correct(
      booking, to: UsageTotals(requests: 1, inputTokens: .max, outputTokens: .min, money: .max))
    let totals = try node.gate.usageReport(tenant: 1, from: 0, to: .max).totals
    #expect(totals.inputTokens == Amount.ceiling && totals.outputTokens == 0 && totals.money == Amount.ceiling)
  }
}

extension Booking {
  fileprivate func limits(of node: SimulatedNode) -> [UInt64] {
    node.account.tenant.state.withLock { $0.budgetLimits.map(\.id) }
  }
}
