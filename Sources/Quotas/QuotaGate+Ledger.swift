import Synchronization

/// Tenants that have something to say to the ledger.
struct LedgerWork: Sendable {
  /// Somebody waits, or soon would.
  var asked: [TenantQuota] = []
  /// Something was settled since the last report.
  var dirty: [TenantQuota] = []
}

/// What the ledger's thread keeps between turns.
struct LedgerDriver: Sendable {
  enum Target: Sendable {
    case lease(Int)
    case report(lease: UInt32, total: Int64)
    case shrink
    case close(lease: UInt32)
    case usage
    case correction
  }

  struct Planned: Sendable {
    let operation: LedgerOperation
    let tenant: TenantQuota
    let target: Target
  }

  /// Operation numbers from here on belong to recovery, which comes before the gate of the same epoch.
  static let firstSequence: UInt64 = 1 << 62

  var windows: WindowClock
  var sequence: UInt64 = 0
  /// A batch whose outcome is not known; it is repeated until it is.
  var pending: [Planned] = []
  var nextReport: Int64
  var nextSweep: Int64

  init(windows: WindowClock, boot: Int64) {
    self.windows = windows
    nextReport = boot
    nextSweep = boot
  }

  mutating func plan(_ kind: LedgerOperation.Kind, _ tenant: TenantQuota, _ target: Target) {
    sequence += 1
    pending.append(
      Planned(operation: LedgerOperation(sequence: sequence, kind: kind), tenant: tenant, target: target))
  }
}

extension QuotaGate {
  static let reportInterval: Int64 = 10_000_000_000
  static let sweepInterval: Int64 = 1_000_000_000
  /// Tenants that are reported in one transaction, so that those who wait do not wait for all.
  static let reportsPerTurn = 256

  /// One piece of the ledger thread's work; blocks on the ledger.
  /// - Returns: true if there is more to do at once.
  func turn() -> Bool {
    driver.withLock { driver in
      do {
        return try turn(&driver, everything: false, closing: false)
      } catch {
        return false
      }
    }
  }

  /// Reports everything that is settled now. Blocks; off the event loops.
  ///
  /// After it the journal files before the current one are no longer needed.
  public func flush() throws(QuotaError) {
    try driver.withLock { (driver) throws(QuotaError) in
      while try turn(&driver, everything: true, closing: false) {}
    }
  }

  /// Stops cleanly: nothing new is admitted, everything is reported, leases without open attempts are closed. Open
  /// attempts stay in the flight table for the next start.
  public func stop() throws(QuotaError) {
    isStopping.store(true, ordering: .relaxed)
    thread.stop()
    try driver.withLock { (driver) throws(QuotaError) in
      _ = try turn(&driver, everything: true, closing: false)
      _ = try turn(&driver, everything: true, closing: true)
    }
  }

  private func turn(_ driver: inout LedgerDriver, everything: Bool, closing: Bool) throws(QuotaError) -> Bool {
    let boot = clock.bootNanoseconds
    driver.windows.look(wall: clock.wallNanoseconds, boot: boot, isSynchronised: clock.isSynchronised)
    publish(driver.windows)
    if boot >= driver.nextSweep {
      driver.nextSweep = Amount.sum(boot, Self.sweepInterval)
      for tenant in tenants.withLock({ Array($0.values) }) { sweep(tenant, boot: boot) }
    }
    if !driver.pending.isEmpty { try settlePending(&driver) }
    let isReportDue = everything || boot >= driver.nextReport
    let (asked, dirty, hasMore) = work.withLock { work in
      let asked = work.asked
      work.asked.removeAll(keepingCapacity: true)
      guard isReportDue else { return (asked, [TenantQuota](), false) }
      let dirty = Array(work.dirty.prefix(everything ? .max : Self.reportsPerTurn))
      work.dirty.removeFirst(dirty.count)
      return (asked, dirty, !work.dirty.isEmpty)
    }
    if isReportDue && !hasMore { driver.nextReport = Amount.sum(boot, Self.reportInterval) }
    let now = driver.windows.now(boot: boot)
    for tenant in asked { planLeases(tenant, &driver, now: now) }
    for tenant in dirty { planReports(tenant, &driver) }
    planGivingBack(&driver, boot: boot)
    if closing { for tenant in tenants.withLock({ Array($0.values) }) { planCloses(tenant, &driver) } }
    try settlePending(&driver)
    return hasMore || work.withLock { !$0.asked.isEmpty }
  }

  /// Sends the batch and takes the answers; on failure the batch stays and those who wait are woken to be told.
  func settlePending(_ driver: inout LedgerDriver) throws(QuotaError) {
    guard !driver.pending.isEmpty else { return }
    let boot = clock.bootNanoseconds
    var tenantsToWake: [UInt128: TenantQuota] = [:]
    for planned in driver.pending { tenantsToWake[planned.tenant.id] = planned.tenant }
    do {
      let answers = try ledger.apply(
        driver.pending.map(\.operation), node: node.id, epoch: node.epoch, now: driver.windows.now(boot: boot))
      ledgerFailedUntil.store(0, ordering: .relaxed)
      let batch = driver.pending
      driver.pending.removeAll(keepingCapacity: true)
      for (planned, answer) in zip(batch, answers) { take(answer, planned, boot: clock.bootNanoseconds) }
    } catch {
      ledgerFailedUntil.store(Amount.sum(boot, 1_000_000_000), ordering: .relaxed)
      for tenant in work.withLock({ $0.asked }) { tenantsToWake[tenant.id] = tenant }
      wakeWaiters(tenantsToWake.values)
      throw error
    }
    wakeWaiters(tenantsToWake.values)
  }

  private func wakeWaiters(_ tenants: some Sequence<TenantQuota>) {
    var tickets: [Int: [UInt64]] = [:]
    for tenant in tenants {
      tenant.state.withLock { state in
        for waiter in state.waiters { tickets[waiter.loop, default: []].append(waiter.ticket) }
        state.waiters.removeAll(keepingCapacity: true)
      }
    }
    for (loop, tickets) in tickets { wake(loop, tickets) }
  }

  private func take(_ answer: LedgerAnswer, _ planned: LedgerDriver.Planned, boot: Int64) {
    if answer.outcome == .fenced { isFenced.store(true, ordering: .relaxed) }
    planned.tenant.state.withLock { state in
      switch planned.target {
      case .lease(let index): state.budgets[index].take(answer, boot: boot)
      case .report(let lease, let total): state.reported(lease, total: total, answer)
      case .close(let lease): state.retired.removeAll { $0.lease == lease && $0.reserved == 0 }
      case .shrink, .usage, .correction: break
      }
    }
  }

  private func planLeases(_ tenant: TenantQuota, _ driver: inout LedgerDriver, now: Int64) {
    var isCalendarLost = false
    let leaves = isLeaving.load(ordering: .relaxed)
    tenant.state.withLock { state in
      state.isQueued = false
      for index in state.budgets.indices where state.budgets[index].isAsked { state.retireIfOver(index, now: now) }
      planEverything(&state, tenant, &driver)
      for index in state.budgets.indices where state.budgets[index].isAsked {
        guard case .budget(let period, let zone) = state.budgetLimits[index].kind,
          let calendarWindow = calendar.window(period, zone: zone, containing: now)
        else {
          // No calendar reaches this time: nobody may spend, and nobody may wait for ever.
          state.budgets[index].isAsked = false
          isCalendarLost = true
          continue
        }
        let budget = state.budgets[index]
        let known =
          budget.windowEnd == BudgetState.noWindow
          ? nil : BudgetWindow(start: budget.windowStart, end: budget.windowEnd)
        var wish: (want: Int64, least: Int64) = (0, 0)
        if budget.blocks {
          wish = state.budgets[index].sizing.wish(
            amount: budget.amount, free: leaves ? 0 : budget.lease == 0 ? nil : budget.knownFree,
            headroom: budget.headroom,
            waiting: (budget.needSum, budget.needLeast), nodes: 1)
        }
        driver.plan(
          .lease(
            LeaseRequest(
              limit: budget.limit, tenant: tenant.id, dimension: budget.dimension, amount: budget.amount,
              window: calendarWindow.following(known, now: now), now: now, want: wish.want, min: wish.least)),
          tenant, .lease(index))
      }
    }
    if isCalendarLost {
      ledgerFailedUntil.store(Amount.sum(clock.bootNanoseconds, 1_000_000_000), ordering: .relaxed)
      wakeWaiters(CollectionOfOne(tenant))
    }
  }

  private func planReports(_ tenant: TenantQuota, _ driver: inout LedgerDriver) {
    tenant.state.withLock { state in
      state.isDirty = false
      planEverything(&state, tenant, &driver)
    }
  }

  private func planCloses(_ tenant: TenantQuota, _ driver: inout LedgerDriver) {
    tenant.state.withLock { state in
      for index in state.budgets.indices { state.retireIfOver(index, now: .max) }
      planEverything(&state, tenant, &driver)
    }
  }

  /// All that the tenant has settled, in one transaction: recovery relies on it that the totals of all its leases and
  /// the number of its last booked settlement were true at one instant.
  func planEverything(_ state: inout TenantState, _ tenant: TenantQuota, _ driver: inout LedgerDriver) {
    for index in state.budgets.indices { state.planReport(index, tenant, &driver) }
    for lease in state.retired {
      if lease.reserved == 0 {
        driver.plan(.close(lease: lease.lease, settledTotal: lease.settled), tenant, .close(lease: lease.lease))
      } else if lease.settled > lease.reported {
        driver.plan(
          .report(lease: lease.lease, settledTotal: lease.settled), tenant,
          .report(lease: lease.lease, total: lease.settled))
      }
    }
    guard state.sequence > state.drainedSequence else { return }
    let rows = state.drainUsage()
    driver.plan(
      .usage(tenant: tenant.id, epoch: node.epoch, through: state.drainedSequence, rows: rows), tenant, .usage)
  }
}

extension TenantState {
  /// Puts the lease of a window that has ended aside, where its open attempts find it.
  mutating func retireIfOver(_ index: Int, now: Int64) {
    let budget = budgets[index]
    guard budget.lease != 0, now >= budget.windowEnd || now == .max else { return }
    retired.append(
      RetiredLease(
        lease: budget.lease, budget: index, granted: budget.granted, settled: budget.settled,
        reserved: budget.reserved, reported: budget.reported))
    budgets[index].lease = 0
    budgets[index].granted = 0
    budgets[index].settled = 0
    budgets[index].reserved = 0
    budgets[index].reported = 0
    budgets[index].shrinking = 0
    budgets[index].elsewhere = 0
    budgets[index].elsewhereOpen = 0
    budgets[index].exhaustedUntil = 0
  }

  mutating func planReport(_ index: Int, _ tenant: TenantQuota, _ driver: inout LedgerDriver) {
    let budget = budgets[index]
    guard budget.lease != 0 else { return }
    if budget.settled > budget.reported {
      driver.plan(
        .report(lease: budget.lease, settledTotal: budget.settled), tenant,
        .report(lease: budget.lease, total: budget.settled))
    }
    if budget.shrinking > 0 {
      driver.plan(.shrink(lease: budget.lease, by: budget.shrinking), tenant, .shrink)
      budgets[index].shrinking = 0
    }
  }

  /// The ledger has a report; where more was used than granted, it has raised the grant.
  mutating func reported(_ lease: UInt32, total: Int64, _ answer: LedgerAnswer) {
    guard answer.outcome == .done else { return }
    if let index = budgets.firstIndex(where: { $0.lease == lease }) {
      budgets[index].reported = max(budgets[index].reported, total)
      budgets[index].granted = Amount.sum(budgets[index].granted, answer.amount)
      if let budget = answer.budget, let row = answer.lease { budgets[index].learn(budget, row) }
    } else if let index = retired.firstIndex(where: { $0.lease == lease }) {
      retired[index].reported = max(retired[index].reported, total)
      retired[index].granted = Amount.sum(retired[index].granted, answer.amount)
    }
  }
}
