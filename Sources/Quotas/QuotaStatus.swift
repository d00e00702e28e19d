import Synchronization

/// The tightest limits that a caller may see, for its rate headers.
public struct QuotaStatus: Sendable, Equatable {
  public struct Line: Sendable, Equatable {
    public let limitID: UInt64
    public let limit: Int64
    /// Open reservations count as used; never above the truth.
    public let remaining: Int64
    /// Until the bucket is full or the window ends; a total budget never does and says `Int64.max`.
    public let resetMilliseconds: Int64
  }

  public struct Warning: Sendable, Equatable {
    public let limitName: String
    /// 80 and more.
    public let percent: Int64
  }

  public var requests: Line?
  public var tokens: Line?
  /// The fullest soft budget, from 80 %.
  public var warning: Warning?
}

/// Levels whose limits a caller may see.
public struct VisibleLevels: OptionSet, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let key = VisibleLevels(rawValue: 1)
  public static let user = VisibleLevels(rawValue: 2)
  public static let project = VisibleLevels(rawValue: 4)
  public static let tenant = VisibleLevels(rawValue: 8)

  func shows(_ level: LimitScope.Level) -> Bool {
    switch level {
    case .key: isSuperset(of: .key)
    case .user: isSuperset(of: .user)
    case .project: isSuperset(of: .project)
    case .tenant: isSuperset(of: .tenant)
    }
  }
}

/// One budget's books, for reports.
public struct LimitUsage: Sendable, Equatable {
  public let limitID: UInt64
  public let window: BudgetWindow
  public let amount: Int64
  /// Settled, by all nodes, this process's last settlement included.
  public let committed: Int64
  /// Set aside by this process's open attempts.
  public let reserved: Int64
  /// Counted as spent because a crash left it open.
  public let unreconciled: Int64
}

extension QuotaGate {
  /// The state of the account's limits as of now; shadow limits are never shown.
  public func status(_ account: QuotaAccount, visible: VisibleLevels = [.key, .user]) -> QuotaStatus {
    let boot = clock.bootNanoseconds
    let now = windowTime(boot: boot)
    return account.tenant.state.withLock { state in
      var status = QuotaStatus()
      // With every answer: limits are looked at where they lie, a copy of one would retain its texts.
      for index in account.rates where state.rateLimits[index].mode == .hard {
        guard visible.shows(state.rateLimits[index].scope.level) else { continue }
        status.note(
          state.rateLimits[index].id, state.rateLimits[index].dimension, amount: state.rateLimits[index].amount,
          remaining: state.rates[index].bucket.remaining(now: boot),
          resetNanoseconds: state.rates[index].bucket.fullIn(now: boot))
      }
      for index in account.budgets where visible.shows(state.budgetLimits[index].scope.level) {
        let (mode, amount) = (state.budgetLimits[index].mode, state.budgetLimits[index].amount)
        let budget = state.budgets[index]
        let isCurrent = budget.lease != 0 && now < budget.windowEnd
        let used = isCurrent ? budget.used : 0
        if mode == .hard, isCurrent {
          status.note(
            state.budgetLimits[index].id, state.budgetLimits[index].dimension, amount: amount,
            remaining: max(0, Amount.difference(amount, used)),
            resetNanoseconds: budget.windowEnd == .max ? .max : budget.windowEnd - now)
        }
        if mode == .soft, amount > 0, used > 0 {
          let percent = Int64(clamping: Int128(used) * 100 / Int128(amount))
          if percent >= 80, percent > status.warning?.percent ?? 0 {
            status.warning = QuotaStatus.Warning(limitName: state.budgetLimits[index].name, percent: percent)
          }
        }
      }
      return status
    }
  }

  /// The books of budgets; a limit that was never used is missing. Asks the ledger: off the event loops.
  public func usage(limits: [UInt64]) throws(QuotaError) -> [LimitUsage] {
    try driver.withLock { (_) throws(QuotaError) in
      let rows = try ledger.totals(limits: limits)
      let all = tenants.withLock { $0 }
      return rows.map { row in
        var unreported: Int64 = 0
        var reserved: Int64 = 0
        all[row.tenant]?.state.withLock { state in
          guard case .budget(let index)? = state.places[row.limit] else { return }
          let budget = state.budgets[index]
          guard budget.lease != 0, budget.windowStart == row.window.start else { return }
          unreported = Amount.difference(budget.settled, budget.reported)
          reserved = budget.reserved
        }
        return LimitUsage(
          limitID: row.limit, window: row.window, amount: row.amount,
          committed: Amount.sum(row.committed, unreported), reserved: reserved, unreconciled: row.unreconciled)
      }
    }
  }

  /// What a tenant has used on days `from` to `to` (days since 1970 in its zone, both included), up to the last
  /// settlement. Reports to the ledger first: off the event loops. ``UsageReport/of(key:)`` narrows it to one key.
  public func usageReport(tenant: UInt128, from: Int32, to: Int32) throws(QuotaError) -> UsageReport {
    try flush()
    return UsageReport(
      rows: try ledger.usage(tenant: tenant, from: from, to: to), unreconciled: try ledger.unreconciled(tenant: tenant))
  }

  /// Books what an attempt that a crash had cut truly cost. False if no such attempt is open.
  public func reconcile(attempt: UInt128, actual: UsageTotals) throws(QuotaError) -> Bool {
    try driver.withLock { (driver) throws(QuotaError) in
      driver.sequence += 1
      let answers = try ledger.apply(
        [LedgerOperation(sequence: driver.sequence, kind: .reconcile(attempt: attempt, actual: actual))],
        node: node.id, epoch: node.epoch, now: driver.windows.now(boot: clock.bootNanoseconds))
      for tenant in tenants.withLock({ Array($0.values) }) {
        tenant.state.withLock { state in
          for index in state.budgets.indices { state.budgets[index].exhaustedUntil = 0 }
        }
      }
      return answers.first?.outcome == .done
    }
  }

  /// Appends what a new journal file begins with: each tenant's settled totals. The file before it may go after the
  /// next ``flush()``.
  public func journalSnapshot(into journal: inout [UInt8]) {
    let now = windowTime
    for tenant in tenants.withLock({ Array($0.values) }) {
      let (leases, sequence) = tenant.state.withLock { state in
        let current = state.budgets.filter { $0.lease != 0 }
          .map { JournalRecord.Amount(lease: $0.lease, amount: $0.settled) }
        let retired = state.retired.map { JournalRecord.Amount(lease: $0.lease, amount: $0.settled) }
        return (current + retired, state.sequence)
      }
      guard sequence > 0 else { continue }
      JournalEncoder.appendSnapshot(tenant: tenant.id, leases: leases, sequence: sequence, time: now, to: &journal)
    }
  }
}

extension QuotaStatus {
  mutating func note(
    _ limit: UInt64, _ dimension: Dimension, amount: Int64, remaining: Int64, resetNanoseconds: Int64
  ) {
    let line = Line(
      limitID: limit, limit: amount, remaining: remaining,
      resetMilliseconds: resetNanoseconds == .max ? .max : resetNanoseconds / 1_000_000)
    switch dimension {
    case .requests:
      if remaining < requests?.remaining ?? .max { requests = line }
    case .tokens, .inputTokens, .outputTokens:
      if remaining < tokens?.remaining ?? .max { tokens = line }
    case .money, .concurrency: break
    }
  }
}
