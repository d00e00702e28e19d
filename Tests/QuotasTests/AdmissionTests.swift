import Synchronization
import Testing

@testable import Quotas

struct AdmissionTests {
  private static let start: Int64 = 1_790_000_000_000_000_000
  private static let owner = UsageOwner(tenant: 1, project: 2, key: 3, user: 4)
  private static let demand = Demand(inputTokens: 60, outputTokens: 40, money: 1_000)

  private static func limit(
    _ level: LimitScope.Level, _ dimension: Dimension, _ kind: Limit.Kind, _ amount: Int64, _ mode: LimitMode = .hard
  ) throws -> Limit {
    try Limit(
      scope: LimitScope(level, UInt128(level.rawValue)), dimension: dimension, kind: kind, amount: amount, mode: mode,
      name: "\(dimension) of \(level)")
  }

  private static func node(_ limits: [Limit]) throws -> SimulatedNode {
    try SimulatedNode(limits: limits, owner: owner, clock: ManualQuotaClock(wallNanoseconds: start))
  }

  private static func take(_ node: SimulatedNode, _ id: UInt128, _ demand: Demand = AdmissionTests.demand) -> (
    SimulatedAttempt?, QuotaRefusal?
  ) {
    node.reserve(demand, attempt: id, actual: Actual(inputTokens: 6, outputTokens: 4, money: 100))
  }

  @Test(arguments: 0..<8)
  func aRefusalByAnyLimitTakesFromNone(tight: Int) throws {
    let kinds: [(LimitScope.Level, Dimension, Limit.Kind)] = [
      (.tenant, .tokens, .budget(.day, zone: "UTC")), (.tenant, .money, .budget(.month, zone: "UTC")),
      (.project, .tokens, .budget(.week, zone: "UTC")), (.user, .requests, .budget(.total, zone: "UTC")),
      (.key, .tokens, .rate(.minute)), (.key, .requests, .rate(.hour)), (.tenant, .concurrency, .concurrent),
      (.key, .outputTokens, .budget(.day, zone: "UTC")),
    ]
    let limits = try kinds.enumerated().map { index, kind in
      // Room for exactly two, except in the tight one: for one.
      let worst = Self.demand[kind.1]
      return try Self.limit(kind.0, kind.1, kind.2, index == tight ? worst : worst * 2)
    }
    let node = try Self.node(limits)
    var (first, _) = Self.take(node, 1)
    #expect(first != nil)
    func picture() -> [Int64] {
      node.account.tenant.state.withLock { state in
        state.budgets.flatMap { [$0.settled, $0.reserved] } + state.rates.map(\.bucket.arrival)
          + state.concurrencies.map(\.count)
      }
    }
    let before = picture()
    let (second, refusal) = Self.take(node, 2)
    #expect(second == nil)
    #expect(refusal?.limitID == limits[tight].id)
    #expect(refusal?.limitName == limits[tight].name)
    #expect((1...60).contains(refusal?.retryAfterSeconds ?? 0))
    #expect(picture() == before)
    // What is given back is there again.
    if var attempt = first {
      node.release(&attempt)
      first = attempt
    }
    node.write()
    #expect(Self.take(node, 3).0 != nil)
  }

  @Test func openReservationsAreRetriedAndSpentBudgetsAreNot() throws {
    let node = try Self.node([try Self.limit(.tenant, .tokens, .budget(.day, zone: "UTC"), 100)])
    guard var attempt = Self.take(node, 1).0 else {
      Issue.record("the first must pass")
      return
    }
    let open = Self.take(node, 2).1
    #expect(open?.code == .rateLimitExceeded && open?.shouldRetry == true)
    node.send(&attempt)
    attempt = SimulatedAttempt(
      id: 1, reservation: attempt.reservation, demand: attempt.demand,
      actual: Actual(inputTokens: 60, outputTokens: 40, money: 0), leases: [])
    node.settle(&attempt)
    let spent = Self.take(node, 3).1
    #expect(spent?.code == .insufficientQuota && spent?.shouldRetry == false)
    #expect(spent?.resetText == "2026-09-22T00:00:00Z")
    #expect(spent?.kind == .tokens)
    node.clock.advance(nanoseconds: 86_400_000_000_000)
    #expect(Self.take(node, 4).0 != nil, "a new day")
  }

  @Test(arguments: [LimitMode.soft, .shadow])
  func softAndShadowLimitsCountAndNeverBlock(mode: LimitMode) throws {
    let limits = [
      try Self.limit(.key, .tokens, .budget(.day, zone: "UTC"), 100, mode),
      try Self.limit(.key, .requests, .rate(.minute), 1, mode),
      try Self.limit(.key, .concurrency, .concurrent, 1, mode),
    ]
    let node = try Self.node(limits)
    for id in 1...20 {
      guard var attempt = Self.take(node, UInt128(id)).0 else {
        Issue.record("blocked at \(id)")
        return
      }
      node.send(&attempt)
      node.settle(&attempt)
      node.write()
    }
    try node.gate.flush()
    #expect(try node.gate.usage(limits: [limits[0].id]).first?.committed == 200)
    let warning = node.gate.status(node.account).warning
    #expect(warning == (mode == .soft ? .init(limitName: limits[0].name, percent: 200) : nil))
    node.ledger.set(.failsBefore)
    node.clock.advance(nanoseconds: 2 * 86_400_000_000_000)
    #expect(Self.take(node, 99).0 != nil, "not even when the ledger is away")
  }

  @Test func whileTheLedgerIsAwayTheLeaseIsSpentAndThenRefused() throws {
    let node = try Self.node([try Self.limit(.tenant, .tokens, .budget(.day, zone: "UTC"), 10_000)])
    #expect(Self.take(node, 1).0 != nil)
    node.ledger.set(.failsBefore)
    var passed = 0
    var refusal: QuotaRefusal?
    for id in 2...100 {
      let (attempt, refused) = Self.take(node, UInt128(id))
      if attempt == nil {
        refusal = refused
        break
      }
      passed += 1
    }
    #expect(passed >= 1, "what is leased may be spent")
    #expect(refusal?.code == .ledgerUnavailable || refusal?.limitName == "requests open at once")
    #expect(!node.gate.isLedgerHealthy)
    node.ledger.set(.works)
    node.clock.advance(nanoseconds: 2_000_000_000)
    _ = node.gate.turn()
    #expect(Self.take(node, 200).0 != nil)
    #expect(node.gate.isLedgerHealthy)
  }

  @Test func aSequentialRunUsesAlmostEverythingBeforeItsFirstRefusal() throws {
    let node = try Self.node([try Self.limit(.tenant, .tokens, .budget(.month, zone: "UTC"), 10_000)])
    var spent: Int64 = 0
    for id in 1...3_000 {
      guard var attempt = Self.take(node, UInt128(id), Demand(inputTokens: 50, outputTokens: 50, money: 0)).0 else {
        break
      }
      node.send(&attempt)
      node.settle(&attempt)
      node.write()
      spent += 10
    }
    #expect(spent >= 9_900 && spent <= 10_000)
  }

  @Test func aRateRecoversWithTimeAndGivesBackOnSettle() throws {
    let node = try Self.node([try Self.limit(.key, .tokens, .rate(.minute), 100)])
    guard var attempt = Self.take(node, 1).0 else {
      Issue.record("the first must pass")
      return
    }
    #expect(Self.take(node, 2).1?.retryAfterSeconds == 60)
    node.send(&attempt)
    node.settle(&attempt)  // used 10 of 100
    #expect(Self.take(node, 3).1?.retryAfterSeconds == 6)
    #expect(node.gate.status(node.account).tokens?.remaining == 90)
    node.clock.advance(nanoseconds: 6_000_000_000)
    #expect(Self.take(node, 4).0 != nil)
    let tooBig = Self.take(node, 5, Demand(inputTokens: 101, outputTokens: 0, money: 0)).1
    #expect(tooBig?.shouldRetry == false, "no waiting helps a request larger than the bucket")
  }

  @Test func aForgottenExchangeLeavesTheConcurrencySetAtItsDeadline() throws {
    let node = try Self.node([try Self.limit(.key, .concurrency, .concurrent, 1)])
    let demand = Demand(inputTokens: 1, outputTokens: 1, money: 0, deadlineNanoseconds: 30_000_000_000)
    guard var forgotten = Self.take(node, 1, demand).0 else {
      Issue.record("the first must pass")
      return
    }
    #expect(Self.take(node, 2, demand).1?.code == .rateLimitExceeded)
    node.clock.advance(nanoseconds: 31_000_000_000)
    _ = node.gate.turn()
    guard var second = Self.take(node, 3, demand).0 else {
      Issue.record("the set has leaked")
      return
    }
    node.settle(&forgotten)  // late: must not make room twice
    #expect(Self.take(node, 4, demand).0 == nil)
    node.settle(&second)
    #expect(Self.take(node, 5, demand).0 != nil)
  }

  @Test func anAttemptSettlesInTheWindowThatAdmittedIt() throws {
    let limit = try Self.limit(.tenant, .tokens, .budget(.day, zone: "UTC"), 1_000)
    let node = try Self.node([limit])
    guard var attempt = Self.take(node, 1).0 else {
      Issue.record("the first must pass")
      return
    }
    node.send(&attempt)
    node.clock.advance(nanoseconds: 86_400_000_000_000)
    #expect(Self.take(node, 2).0 != nil)
    node.settle(&attempt)
    try node.gate.flush()
    let rows = node.ledger.inner.rows.budgets.sorted { $0.window.start < $1.window.start }
    #expect(rows.map(\.committed) == [10, 0])
    #expect(rows.first?.leased == 0, "the old window's lease is closed")
    let report = try node.gate.usageReport(tenant: 1, from: .min, to: .max)
    #expect(report.rows.map(\.day) == [20_717])
    #expect(report.of(key: 3).totals.inputTokens == 6)
    #expect(report.of(key: 9).rows.isEmpty)
  }

  @Test func aLoweredAmountHoldsForTheNextRequest() throws {
    let limit = try Self.limit(.tenant, .tokens, .budget(.day, zone: "UTC"), 100_000)
    let node = try Self.node([limit])
    #expect(Self.take(node, 1).0 != nil)
    let lower = try Self.limit(.tenant, .tokens, .budget(.day, zone: "UTC"), 150)
    #expect(lower.id == limit.id)
    _ = try node.gate.account([lower], owner: Self.owner, zone: "UTC")
    #expect(Self.take(node, 2).0 == nil)
    let higher = try Self.limit(.tenant, .tokens, .budget(.day, zone: "UTC"), 200)
    _ = try node.gate.account([higher], owner: Self.owner, zone: "UTC")
    #expect(Self.take(node, 3).0 != nil)
    #expect(Self.take(node, 4).0 == nil)
  }

  @Test func absurdFiguresAreRefusedOrClampedAndNeverTrap() throws {
    let node = try Self.node([
      try Self.limit(.tenant, .tokens, .budget(.day, zone: "UTC"), .max),
      try Self.limit(.tenant, .tokens, .rate(.minute), .max),
      try Self.limit(.key, .money, .budget(.total, zone: "UTC"), .max),
    ])
    for value in [Int64.min, -1, .max, 1 << 51] {
      for demand in [
        Demand(inputTokens: value, outputTokens: 0, money: 0), Demand(inputTokens: 0, outputTokens: value, money: 0),
        Demand(inputTokens: 0, outputTokens: 0, money: value),
        Demand(requests: value, inputTokens: 0, outputTokens: 0, money: 0),
      ] {
        #expect(Self.take(node, 1, demand).1?.shouldRetry == false)
      }
    }
    for value in [Int64.min, -1, .max] {
      guard var attempt = Self.take(node, 2).0 else {
        Issue.record("must pass")
        return
      }
      node.send(&attempt)
      attempt = SimulatedAttempt(
        id: 2, reservation: attempt.reservation, demand: attempt.demand,
        actual: Actual(inputTokens: value, outputTokens: value, money: value), leases: [])
      node.settle(&attempt)
      node.write()
    }
    let rows = try node.gate.usageReport(tenant: 1, from: .min, to: .max).totals
    #expect(rows.inputTokens == 1 << 50)
  }

  @Test func tooManyLimitsAndUnknownZonesAreRefusedByTheLoader() throws {
    let node = try Self.node([])
    let many = try (0..<17).map { index in
      try Limit(
        scope: LimitScope(.key, UInt128(index)), dimension: .tokens, kind: .budget(.day, zone: "UTC"), amount: 1,
        name: "")
    }
    #expect(throws: QuotaError(.tooManyLimits)) { try node.gate.account(many, owner: Self.owner, zone: "UTC") }
    #expect(throws: QuotaError.self) {
      try Limit(scope: LimitScope(.key, 1), dimension: .tokens, kind: .concurrent, amount: 1, name: "")
    }
    #expect(throws: QuotaError.self) {
      try Limit(scope: LimitScope(.key, 1), dimension: .tokens, kind: .rate(.minute), amount: -1, name: "")
    }
  }

  @Test func remainingIsNeverAboveTheTruth() throws {
    let limit = try Self.limit(.key, .tokens, .budget(.day, zone: "UTC"), 1_000)
    let node = try Self.node([limit, try Self.limit(.tenant, .tokens, .budget(.day, zone: "UTC"), 500)])
    guard Self.take(node, 1).0 != nil else {
      Issue.record("must pass")
      return
    }
    let status = node.gate.status(node.account)
    #expect(status.tokens?.limitID == limit.id, "the tenant's total is not the key's business")
    #expect(status.tokens?.remaining == 900)
    #expect(node.gate.status(node.account, visible: [.key, .tenant]).tokens?.remaining == 400)
  }

  @Test func aStaleCopyOfAReservationTouchesNobodyElses() throws {
    let node = try Self.node([try Self.limit(.tenant, .tokens, .budget(.day, zone: "UTC"), 200)])
    guard var attempt = Self.take(node, 1).0 else {
      Issue.record("must pass")
      return
    }
    var stale = attempt.reservation
    node.release(&attempt)
    node.write()
    guard let next = Self.take(node, 2).0 else {
      Issue.record("must pass")
      return
    }
    #expect(next.reservation.slot == stale.slot)
    var journal: [UInt8] = []
    node.gate.sent(&stale)
    node.gate.settle(&stale, Actual(inputTokens: 1, outputTokens: 1, money: 1), journal: &journal)
    node.gate.confirmed(&stale)
    #expect(journal.isEmpty)
    #expect(node.gate.openReservations == 1)
    #expect(FlightSnapshot(node.flight.copyBytes())?.slots.map(\.state) == [.reserved])
    var empty = Reservation()
    node.gate.settle(&empty, Actual(inputTokens: 1, outputTokens: 1, money: 1), journal: &journal)
    node.gate.confirmed(&empty)
    #expect(journal.isEmpty)
  }

  /// Of the table's 64 slots one tenant gets a quarter, whatever else its limits allow.
  @Test func whoHasItsPartOfTheFlightTableIsRefusedAndTakesNothing() throws {
    let node = try Self.node([try Self.limit(.tenant, .requests, .budget(.day, zone: "UTC"), 100)])
    var attempts = (1...16).compactMap { Self.take(node, UInt128($0)).0 }
    #expect(attempts.count == 16)
    let refusal = Self.take(node, 17).1
    #expect(refusal?.code == .rateLimitExceeded && refusal?.shouldRetry == true)
    #expect(node.account.tenant.state.withLock { $0.budgets[0].reserved } == 16)
    // A slot is taken until its end is written.
    node.settle(&attempts[0])
    #expect(Self.take(node, 18).0 == nil)
    node.write()
    #expect(Self.take(node, 19).0 != nil)
    #expect(Self.take(node, 20).0 == nil)
  }

  @Test func oneTenantsAttemptsLeaveSlotsForOthers() throws {
    let node = try Self.node([])
    for id in 1...64 { _ = Self.take(node, UInt128(id)) }
    let other = try node.gate.account([], owner: UsageOwner(tenant: 2, project: 2, key: 5), zone: "UTC")
    var reservation = Reservation()
    var journal: [UInt8] = []
    _ = node.gate.reserve(
      other, Self.demand, attempt: 100, loop: 0, ticket: 1, into: &reservation, journal: &journal)
    #expect(reservation.isMade && node.gate.openReservations == 17)
  }

  @Test(arguments: [86_400_000_000_000, -86_400_000_000_000] as [Int64])
  func aClockThatJumpsADayGrantsNothing(jump: Int64) throws {
    let node = try Self.node([try Self.limit(.tenant, .tokens, .budget(.day, zone: "UTC"), 100)])
    guard var attempt = Self.take(node, 1).0 else {
      Issue.record("must pass")
      return
    }
    attempt = SimulatedAttempt(
      id: 1, reservation: attempt.reservation, demand: attempt.demand,
      actual: Actual(inputTokens: 60, outputTokens: 40, money: 0), leases: [])
    node.send(&attempt)
    node.settle(&attempt)
    node.write()
    node.clock.jump(nanoseconds: jump, synchronised: false)
    _ = node.gate.turn()
    node.clock.advance(nanoseconds: 2_000_000_000)
    #expect(node.gate.isClockHeld)
    #expect(Self.take(node, 2).1?.code == .insufficientQuota)
    try node.restart(.kill)
    #expect(Self.take(node, 3).1?.code == .insufficientQuota, "not after a restart either")
    // Back again and vouched for: a real day later the next window opens.
    node.clock.jump(nanoseconds: -jump, synchronised: true)
    _ = node.gate.turn()
    #expect(Self.take(node, 4).0 == nil)
    node.clock.advance(nanoseconds: 86_400_000_000_000)
    _ = node.gate.turn()
    #expect(Self.take(node, 5).0 != nil)
  }

  @Test func anotherTenantIsAnotherWorld() throws {
    let limit = try Self.limit(.tenant, .tokens, .budget(.day, zone: "UTC"), 100)
    let node = try Self.node([limit])
    let foreign = try Limit(
      scope: LimitScope(.tenant, 99), dimension: .tokens, kind: .budget(.day, zone: "UTC"), amount: 100, name: "b")
    let other = try node.gate.account([foreign], owner: UsageOwner(tenant: 99, project: 1, key: 1), zone: "UTC")
    #expect(other.tenant !== node.account.tenant)
    #expect(Self.take(node, 1).0 != nil)
    var reservation = Reservation()
    var journal: [UInt8] = []
    _ = node.gate.reserve(
      other, Self.demand, attempt: 2, loop: 0, ticket: 0, into: &reservation, journal: &journal)
    _ = node.gate.turn()
    guard
      case .admitted = node.gate.reserve(
        other, Self.demand, attempt: 2, loop: 0, ticket: 0, into: &reservation, journal: &journal)
    else {
      Issue.record("one tenant's use has refused another")
      return
    }
  }
}
