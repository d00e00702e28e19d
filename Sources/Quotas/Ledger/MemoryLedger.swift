import Synchronization

/// A ledger that lives as long as the process: for tests and simulations. It can be told to fail.
public final class MemoryLedger: Ledger {
  struct State: Sendable {
    struct BudgetKey: Hashable { let limit: UInt64, start: Int64 }
    struct LeaseKey: Hashable { let limit: UInt64, start: Int64, node: UInt128, epoch: UInt32 }
    struct OperationKey: Hashable { let node: UInt128, epoch: UInt32, sequence: UInt64 }
    struct Cut: Hashable { let attempt: UInt128, lease: UInt32 }
    struct CutAmount { let key: BudgetKey, amount: Int64 }
    struct UsageKey: Hashable { let owner: UsageOwner, day: Int32 }
    struct MarkKey: Hashable { let node: UInt128, mark: LedgerOpening.Mark }
    struct Node { var epoch: UInt32 = 0, recovered: UInt32 = 0 }

    var budgets: [BudgetKey: BudgetRow] = [:]
    var latest: [UInt64: BudgetWindow] = [:]
    var leases: [UInt32: LeaseRow] = [:]
    var leaseByKey: [LeaseKey: UInt32] = [:]
    var nodes: [UInt128: Node] = [:]
    var answered: [OperationKey: LedgerAnswer] = [:]
    var cuts: [Cut: CutAmount] = [:]
    var attempts: [UInt128: UnreconciledAttempt] = [:]
    var usage: [UsageKey: UsageTotals] = [:]
    var marks: [MarkKey: UInt64] = [:]
    var corrected: Set<UInt128> = []
    var lastTime: Int64 = 0
    var failure: QuotaError?
  }

  private let state = Mutex(State())

  public init() {}

  /// Makes every call fail until it is nil again.
  public func fail(with error: QuotaError?) { state.withLock { $0.failure = error } }

  public func open(node: UInt128, epoch: UInt32) throws(QuotaError) -> LedgerOpening {
    try state.withLock { (state) throws(QuotaError) in
      if let failure = state.failure { throw failure }
      var known = state.nodes[node, default: State.Node()]
      guard epoch > known.epoch else { throw QuotaError(.fenced) }
      known.epoch = epoch
      state.nodes[node] = known
      var opening = LedgerOpening(recoveredEpoch: known.recovered, lastTime: state.lastTime)
      opening.leases = state.leases.values.filter { $0.node == node && $0.isOpen }.sorted { $0.id < $1.id }
      for lease in opening.leases {
        opening.tenants[lease.id] = state.budgets[State.BudgetKey(limit: lease.limit, start: lease.windowStart)]?.tenant
      }
      for (key, through) in state.marks where key.node == node && key.mark.epoch > known.recovered {
        opening.marks[key.mark] = through
      }
      return opening
    }
  }

  public func apply(
    _ operations: [LedgerOperation], node: UInt128, epoch: UInt32, now: Int64
  ) throws(QuotaError) -> [LedgerAnswer] {
    try state.withLock { (state) throws(QuotaError) in
      if let failure = state.failure { throw failure }
      guard state.nodes[node]?.epoch == epoch else { return operations.map { _ in LedgerAnswer(.fenced) } }
      state.lastTime = max(state.lastTime, now)
      return operations.map { operation in
        let key = State.OperationKey(node: node, epoch: epoch, sequence: operation.sequence)
        if let answer = state.answered[key] { return answer }
        let answer = state.perform(operation.kind, node: node, epoch: epoch)
        state.answered[key] = answer
        return answer
      }
    }
  }

  public func totals(limits: [UInt64]) throws(QuotaError) -> [BudgetRow] {
    try state.withLock { (state) throws(QuotaError) in
      if let failure = state.failure { throw failure }
      return limits.compactMap { limit in
        state.latest[limit].flatMap { state.budgets[State.BudgetKey(limit: limit, start: $0.start)] }
      }
    }
  }

  public func usage(tenant: UInt128, from: Int32, to: Int32) throws(QuotaError) -> [UsageRow] {
    try state.withLock { (state) throws(QuotaError) in
      if let failure = state.failure { throw failure }
      return state.usage.filter { $0.key.owner.tenant == tenant && from <= $0.key.day && $0.key.day <= to }
        .map { UsageRow(owner: $0.key.owner, day: $0.key.day, totals: $0.value) }
        .sorted {
          ($0.day, $0.owner.project, $0.owner.key, $0.owner.user) < (
            $1.day, $1.owner.project, $1.owner.key, $1.owner.user
          )
        }
    }
  }

  public func unreconciled(tenant: UInt128?) throws(QuotaError) -> [UnreconciledAttempt] {
    try state.withLock { (state) throws(QuotaError) in
      if let failure = state.failure { throw failure }
      return state.attempts.values.filter { tenant == nil || $0.tenant == tenant }.sorted { $0.attempt < $1.attempt }
    }
  }

  /// All rows, for tests of invariants.
  public var rows: (budgets: [BudgetRow], leases: [LeaseRow]) {
    state.withLock { (Array($0.budgets.values), Array($0.leases.values)) }
  }
}

extension MemoryLedger.State {
  mutating func perform(_ kind: LedgerOperation.Kind, node: UInt128, epoch: UInt32) -> LedgerAnswer {
    switch kind {
    case .lease(let request): return lease(request, node: node, epoch: epoch)
    case .report(let id, let total):
      return change(id, node: node) { LedgerArithmetic.report(&$0, &$1, settledTotal: total) }
    case .shrink(let id, let by): return change(id, node: node) { LedgerArithmetic.shrink(&$0, &$1, by: by) }
    case .close(let id, let total):
      return change(id, node: node) {
        LedgerArithmetic.close(&$0, &$1, settledTotal: total)
        return 0
      }
    case .orphan(let orphan): return self.orphan(orphan, node: node)
    case .openAttempt(let attempt):
      if attempts[attempt.attempt] == nil { attempts[attempt.attempt] = attempt }
      return LedgerAnswer(.done)
    case .reconcile(let attempt, let actual): return reconcile(attempt, actual)
    case .correct(let correction): return correct(correction)
    case .usage(let tenant, let epoch, let through, let rows):
      let key = MarkKey(node: node, mark: LedgerOpening.Mark(tenant: tenant, epoch: epoch))
      guard marks[key, default: 0] < through else { return LedgerAnswer(.done) }
      marks[key] = through
      for row in rows { usage[UsageKey(owner: row.owner, day: row.day), default: UsageTotals()].add(row.totals) }
      return LedgerAnswer(.done)
    case .recovered(let epoch):
      nodes[node, default: Node()].recovered = epoch
      marks = marks.filter { $0.key.node != node || $0.key.mark.epoch > epoch }
      return LedgerAnswer(.done)
    }
  }

  private mutating func lease(_ request: LeaseRequest, node: UInt128, epoch: UInt32) -> LedgerAnswer {
    let window = request.window.following(latest[request.limit], now: request.now)
    latest[request.limit] = window
    let key = BudgetKey(limit: request.limit, start: window.start)
    var budget =
      budgets[key]
      ?? BudgetRow(
        limit: request.limit, tenant: request.tenant, dimension: request.dimension, window: window,
        amount: request.amount)
    budget.amount = request.amount
    let leaseKey = LeaseKey(limit: request.limit, start: window.start, node: node, epoch: epoch)
    let id = leaseByKey[leaseKey] ?? UInt32(truncatingIfNeeded: leases.count + 1)
    var lease =
      leases[id]
      ?? LeaseRow(id: id, limit: request.limit, windowStart: window.start, node: node, epoch: epoch)
    lease.isOpen = true
    let granted = LedgerArithmetic.grant(&budget, &lease, want: request.want, min: request.min)
    budgets[key] = budget
    leases[id] = lease
    leaseByKey[leaseKey] = id
    return LedgerAnswer(
      granted > 0 || request.want == 0 ? .granted : .refused, amount: granted, lease: lease, budget: budget)
  }

  private mutating func change(
    _ id: UInt32, node: UInt128, _ body: (inout BudgetRow, inout LeaseRow) -> Int64
  ) -> LedgerAnswer {
    guard var lease = leases[id], lease.node == node else { return LedgerAnswer(.unknown) }
    let key = BudgetKey(limit: lease.limit, start: lease.windowStart)
    guard var budget = budgets[key] else { return LedgerAnswer(.unknown) }
    let amount = body(&budget, &lease)
    leases[id] = lease
    budgets[key] = budget
    return LedgerAnswer(.done, amount: amount, lease: lease, budget: budget)
  }

  private mutating func orphan(_ orphan: Orphan, node: UInt128) -> LedgerAnswer {
    guard let lease = leases[orphan.lease], lease.isOpen else { return LedgerAnswer(.unknown) }
    let key = BudgetKey(limit: lease.limit, start: lease.windowStart)
    let open = orphan.open.reduce(into: Int64(0)) { $0 = Amount.sum($0, $1.amount) }
    let answer = change(orphan.lease, node: node) {
      LedgerArithmetic.orphan(
        &$0, &$1, settledTotal: orphan.settledTotal, open: open, keepRemainder: orphan.keepRemainder)
    }
    for attempt in orphan.open {
      cuts[Cut(attempt: attempt.attempt, lease: orphan.lease)] = CutAmount(key: key, amount: attempt.amount)
    }
    if answer.amount > 0, let budget = answer.budget {
      let number = UInt128(orphan.lease)
      cuts[Cut(attempt: number, lease: orphan.lease)] = CutAmount(key: key, amount: answer.amount)
      attempts[number] = UnreconciledAttempt(
        attempt: number, owner: nil, tenant: budget.tenant, day: 0, inputTokens: 0, outputTokens: 0, money: 0)
    }
    return answer
  }

  private mutating func correct(_ correction: Correction) -> LedgerAnswer {
    let booking = correction.booking
    // A crash has put it among what is unreconciled, or somebody has told already what it cost.
    if attempts[booking.attempt] != nil { return reconcile(booking.attempt, correction.actual) }
    guard corrected.insert(booking.attempt).inserted else { return LedgerAnswer(.done) }
    for share in booking.shares {
      guard let lease = leases[share.lease] else { continue }
      let key = BudgetKey(limit: lease.limit, start: lease.windowStart)
      guard var budget = budgets[key] else { continue }
      LedgerArithmetic.correct(&budget, settled: share.amount, actual: correction.actual[budget.dimension])
      budgets[key] = budget
    }
    usage[UsageKey(owner: booking.owner, day: booking.day), default: UsageTotals()].add(correction.change)
    return LedgerAnswer(.done)
  }

  private mutating func reconcile(_ attempt: UInt128, _ actual: UsageTotals) -> LedgerAnswer {
    guard let known = attempts.removeValue(forKey: attempt) else { return LedgerAnswer(.unknown) }
    corrected.insert(attempt)
    for (cut, amount) in cuts where cut.attempt == attempt {
      guard var budget = budgets[amount.key] else { continue }
      LedgerArithmetic.reconcile(&budget, reserved: amount.amount, actual: actual[budget.dimension])
      budgets[amount.key] = budget
      cuts[cut] = nil
    }
    if let owner = known.owner {
      usage[UsageKey(owner: owner, day: known.day), default: UsageTotals()].add(actual)
    }
    return LedgerAnswer(.done)
  }
}
