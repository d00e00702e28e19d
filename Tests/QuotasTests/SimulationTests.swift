import Synchronization
import Testing

@testable import Quotas

/// A seeded world of one node: what a provider billed is known here, and every step is checked against it.
private struct World {
  struct Window: Hashable { let limit: UInt64, start: Int64 }

  let node: SimulatedNode
  var random: SplitMix
  var attempts: [SimulatedAttempt] = []
  var billed: [Window: Int64] = [:]
  /// Σ max(0, actual − W): the only way past a limit.
  var overdraft: [Window: Int64] = [:]
  var billedTotals = UsageTotals()
  /// Sent, and then the process died: the provider may still bill them.
  var cut: [SimulatedAttempt] = []
  var truth: [UInt128: UsageTotals] = [:]
  var nextID: UInt128 = 1
  let overdrafts: Bool

  init(seed: UInt64, overdrafts: Bool) throws {
    random = SplitMix(seed: seed)
    self.overdrafts = overdrafts
    let tenant = LimitScope(.tenant, 1)
    let key = LimitScope(.key, 2)
    let limits = [
      try Limit(
        scope: tenant, dimension: .tokens, kind: .budget(.day, zone: "UTC"),
        amount: Int64.random(in: 0...900, using: &random), name: "a"),
      try Limit(
        scope: key, dimension: .tokens, kind: .budget(.total, zone: "UTC"),
        amount: Int64.random(in: 100...3_000, using: &random), name: "b"),
      try Limit(
        scope: tenant, dimension: .money, kind: .budget(.month, zone: "UTC"),
        amount: Int64.random(in: 1_000...30_000, using: &random), name: "c"),
      try Limit(
        scope: key, dimension: .requests, kind: .budget(.day, zone: "UTC"), amount: 5, mode: .soft, name: "d"),
      try Limit(scope: key, dimension: .requests, kind: .rate(.minute), amount: 40, name: "e"),
      try Limit(scope: tenant, dimension: .concurrency, kind: .concurrent, amount: 6, name: "f"),
    ]
    node = try SimulatedNode(
      limits: limits, owner: UsageOwner(tenant: 1, project: 3, key: 2),
      clock: ManualQuotaClock(wallNanoseconds: 1_790_000_000_000_000_000))
  }

  mutating func begin() {
    let input = Int64.random(in: 0...60, using: &random)
    let output = Int64.random(in: 1...60, using: &random)
    var actual = Actual(
      inputTokens: Int64.random(in: 0...input, using: &random),
      outputTokens: Int64.random(in: 0...output, using: &random), money: 0)
    if overdrafts && Int.random(in: 0..<20, using: &random) == 0 { actual.outputTokens += output + 7 }
    actual.money = (actual.inputTokens + actual.outputTokens) * 10
    let demand = Demand(inputTokens: input, outputTokens: output, money: (input + output) * 10)
    let before = Snapshot(node.gate, node.account)
    let (attempt, refusal) = node.reserve(demand, attempt: nextID, actual: actual)
    nextID += 1
    if let attempt {
      attempts.append(attempt)
      #expect(attempt.leases.count == 4)
    } else {
      #expect(refusal != nil, "a request waits for ever")
      #expect(Snapshot(node.gate, node.account) == before, "a refused request has changed something (I5)")
    }
  }

  mutating func bill(_ attempt: SimulatedAttempt) {
    let rows = node.ledger.inner.rows
    let totals = UsageTotals(
      requests: 1, inputTokens: attempt.actual.inputTokens, outputTokens: attempt.actual.outputTokens,
      money: attempt.actual.money)
    truth[attempt.id] = totals
    billedTotals.add(totals)
    for (number, lease) in attempt.leases.enumerated() where lease != 0 {
      guard let row = rows.leases.first(where: { $0.id == lease }) else {
        Issue.record("an attempt on a lease that nobody knows")
        continue
      }
      let window = Window(limit: row.limit, start: row.windowStart)
      let dimension = node.limits[number].dimension
      billed[window, default: 0] += totals[dimension]
      overdraft[window, default: 0] += max(0, totals[dimension] - attempt.demand[dimension])
    }
  }

  mutating func died() {
    for attempt in attempts where attempt.phase == .sent || attempt.phase == .billed { cut.append(attempt) }
    attempts.removeAll()
  }

  mutating func step(powerCuts: Bool) throws {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<30: begin()
    case 30..<45: pick(.reserved) { world, index in world.node.send(&world.attempts[index]) }
    case 45..<58:
      pick(.sent) { world, index in
        world.attempts[index].phase = .billed
        world.bill(world.attempts[index])
      }
    case 58..<72:
      pick(.billed) { world, index in
        world.node.settle(&world.attempts[index])
        // Whatever is repeated changes nothing (I6).
        var again = world.attempts[index].reservation
        var ignored: [UInt8] = []
        world.node.gate.settle(&again, world.attempts[index].actual, journal: &ignored)
        world.node.gate.release(&again, journal: &ignored)
        #expect(ignored.isEmpty)
      }
    case 72..<74: pick(.reserved) { world, index in world.node.release(&world.attempts[index]) }
    case 74..<75: pick(.sent) { world, index in world.node.release(&world.attempts[index]) }
    case 75..<83: node.write()
    case 83..<87: _ = node.gate.turn()
    case 87..<88: node.ledger.set(.failsBefore)
    case 88..<89: node.ledger.set(.failsAfter)
    case 89..<92: node.ledger.set(.works)
    case 92..<94:
      node.clock.advance(nanoseconds: Int64.random(in: 0...40_000_000_000_000, using: &random))
      _ = node.gate.turn()
    case 94..<95:
      node.clock.jump(
        nanoseconds: Int64.random(in: -86_400_000_000_000...86_400_000_000_000, using: &random),
        synchronised: Bool.random(using: &random))
    case 95..<96:
      node.synced = node.journals[node.epoch]?.count ?? 0
      node.ledger.set(.works)
      try node.roll()
    case 96..<97:
      node.ledger.set(.works)
      let repeats = Int.random(in: 0...1, using: &random)
      if powerCuts {
        try node.restart(.power, repeats: repeats, torn: Int.random(in: 0...200, using: &random))
      } else {
        try node.restart(.kill, repeats: repeats)
      }
      died()
    case 97..<99:
      node.ledger.set(.works)
      try node.restart(.kill, repeats: Int.random(in: 0...1, using: &random))
      died()
    default:
      node.ledger.set(.works)
      try node.restart(.clean)
      died()
    }
  }

  mutating func pick(_ phase: SimulatedAttempt.Phase, _ body: (inout World, Int) -> Void) {
    attempts.removeAll { $0.phase == .ended }
    let candidates = attempts.indices.filter { attempts[$0].phase == phase }
    guard let index = candidates.randomElement(using: &random) else { return }
    body(&self, index)
  }

  /// I1 to I3 for every limit and window.
  func check() {
    let rows = node.ledger.inner.rows
    var leased: [Window: Int64] = [:]
    for lease in rows.leases where lease.isOpen {
      leased[Window(limit: lease.limit, start: lease.windowStart), default: 0] += lease.outstanding
    }
    for row in rows.budgets {
      let window = Window(limit: row.limit, start: row.window.start)
      let billed = billed[window] ?? 0
      let over = overdraft[window] ?? 0
      let isSoft = node.limits.first { $0.id == row.limit }?.mode == .soft
      if !isSoft {
        #expect(billed <= row.amount + over, "I1")
        #expect(billed <= row.committed + row.leased + row.unreconciled + over, "I2")
        #expect(row.free >= -over, "I2: more was promised than there is")
      }
      #expect(row.leased == leased[window] ?? 0, "I2: leased is the sum of the leases")
      #expect(row.committed >= 0 && row.leased >= 0 && row.unreconciled >= 0, "I3")
    }
    node.account.tenant.state.withLock { state in
      for (index, budget) in state.budgets.enumerated() {
        #expect(budget.settled >= 0 && budget.reserved >= 0 && budget.granted >= 0, "I3")
        let over = overdraft[Window(limit: budget.limit, start: budget.windowStart)] ?? 0
        if state.budgetLimits[index].mode == .hard { #expect(budget.headroom >= -over, "I3") }
      }
      for rate in state.rates { #expect(rate.bucket.remaining(now: node.clock.bootNanoseconds) >= 0) }
      for set in state.concurrencies { #expect(set.count >= 0 && set.count <= set.amount) }
    }
  }

  /// Everything comes to rest: then the books are exact.
  mutating func finish() throws {
    node.ledger.set(.works)
    for index in attempts.indices {
      if attempts[index].phase == .sent {
        attempts[index].phase = .billed
        bill(attempts[index])
      }
      if attempts[index].phase == .billed { node.settle(&attempts[index]) }
      if attempts[index].phase == .reserved { node.release(&attempts[index]) }
    }
    node.write()
    for attempt in cut where truth[attempt.id] == nil { bill(attempt) }
    check()
    for left in try node.ledger.unreconciled(tenant: nil) {
      #expect(try node.gate.reconcile(attempt: left.attempt, actual: truth[left.attempt] ?? UsageTotals()))
      #expect(try !node.gate.reconcile(attempt: left.attempt, actual: UsageTotals(requests: 9)), "reconciled twice")
    }
    let report = try node.gate.usageReport(tenant: 1, from: .min, to: .max)
    #expect(report.totals == billedTotals, "what was settled is what is reported")
    try node.gate.stop()
    for row in node.ledger.inner.rows.budgets {
      let billed = billed[Window(limit: row.limit, start: row.window.start)] ?? 0
      #expect(row.leased == 0, "I10: stranded after a clean stop")
      #expect(row.unreconciled == 0)
      let isSoft = node.limits.first { $0.id == row.limit }?.mode == .soft
      #expect(isSoft || row.committed == billed, "at rest the books are the bill")
    }
    #expect(node.gate.openReservations == 0)
  }
}

/// What a refusal must leave alone.
private struct Snapshot: Equatable {
  var budgets: [[Int64]] = []
  var arrivals: [Int64] = []
  var counts: [Int64] = []
  var open = 0

  init(_ gate: QuotaGate, _ account: QuotaAccount) {
    open = gate.openReservations
    account.tenant.state.withLock { state in
      // By window, all of it: a window that has ended meanwhile moves its sums, it does not change them.
      let reserved = state.budgets.map(\.reserved).reduce(0, +) + state.retired.map(\.reserved).reduce(0, +)
      budgets = [[reserved]]
      arrivals = state.rates.map(\.bucket.arrival)
      counts = state.concurrencies.map(\.count)
    }
  }
}

struct SimulationTests {
  @Test(arguments: 0..<20)
  func killAnywhereKeepsTheBooksExact(block: Int) throws {
    for seed in 0..<50 {
      var world = try World(seed: UInt64(block * 1_000 + seed), overdrafts: seed % 3 == 0)
      for _ in 0..<120 {
        try world.step(powerCuts: false)
        world.check()
      }
      try world.finish()
    }
  }

  @Test(arguments: 0..<5)
  func powerCutsNeverLetMoreThroughThanTheLimit(block: Int) throws {
    for seed in 0..<50 {
      var world = try World(seed: UInt64(900_000 + block * 1_000 + seed), overdrafts: seed % 3 == 0)
      for _ in 0..<120 {
        try world.step(powerCuts: true)
        world.check()
      }
    }
  }
}
