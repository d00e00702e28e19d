/// What a ledger keeps of one limit in one window. All amounts in the limit's unit.
public struct BudgetRow: Hashable, Sendable {
  public let limit: UInt64
  public let tenant: UInt128
  public let dimension: Dimension
  public let window: BudgetWindow
  public var amount: Int64
  public var committed: Int64
  /// Granted to nodes and not yet reported by them.
  public var leased: Int64
  public var unreconciled: Int64

  public init(
    limit: UInt64, tenant: UInt128, dimension: Dimension, window: BudgetWindow, amount: Int64, committed: Int64 = 0,
    leased: Int64 = 0, unreconciled: Int64 = 0
  ) {
    self.limit = limit
    self.tenant = tenant
    self.dimension = dimension
    self.window = window
    self.amount = amount
    self.committed = committed
    self.leased = leased
    self.unreconciled = unreconciled
  }

  /// Negative after the amount was lowered, or after an overdraft.
  public var free: Int64 {
    Amount.difference(Amount.difference(Amount.difference(amount, committed), leased), unreconciled)
  }
}

/// A share of one budget row handed to one process of one node.
public struct LeaseRow: Hashable, Sendable {
  /// Never used twice in a ledger.
  public let id: UInt32
  public let limit: UInt64
  public let windowStart: Int64
  public let node: UInt128
  public let epoch: UInt32
  /// All that was ever granted on it and not given back; at least `settled`.
  public var granted: Int64
  /// As last reported.
  public var settled: Int64
  public var isOpen: Bool

  public init(
    id: UInt32, limit: UInt64, windowStart: Int64, node: UInt128, epoch: UInt32, granted: Int64 = 0, settled: Int64 = 0,
    isOpen: Bool = true
  ) {
    self.id = id
    self.limit = limit
    self.windowStart = windowStart
    self.node = node
    self.epoch = epoch
    self.granted = granted
    self.settled = settled
    self.isOpen = isOpen
  }

  public var outstanding: Int64 { Amount.difference(granted, settled) }
}

/// The arithmetic of the ledger's operations on its rows; every store applies it inside one transaction.
public enum LedgerArithmetic {
  /// Grants g with min ≤ g ≤ min(want, free), or 0.
  public static func grant(_ budget: inout BudgetRow, _ lease: inout LeaseRow, want: Int64, min least: Int64) -> Int64 {
    let granted = Swift.min(want, budget.free)
    guard lease.isOpen, granted > 0, granted >= least else { return 0 }
    budget.leased = Amount.sum(budget.leased, granted)
    lease.granted = Amount.sum(lease.granted, granted)
    return granted
  }

  /// Books what was settled since the last report. Monotone: an old or repeated total changes nothing.
  /// - Returns: by how much the grant had to grow, because more was used than was reserved (row 13).
  public static func report(_ budget: inout BudgetRow, _ lease: inout LeaseRow, settledTotal: Int64) -> Int64 {
    guard lease.isOpen, settledTotal > lease.settled else { return 0 }
    let change = Amount.difference(settledTotal, lease.settled)
    let covered = Swift.min(change, max(0, lease.outstanding))
    budget.committed = Amount.sum(budget.committed, change)
    budget.leased = Amount.difference(budget.leased, covered)
    lease.settled = settledTotal
    lease.granted = max(lease.granted, settledTotal)
    return Amount.difference(change, covered)
  }

  /// Gives headroom back.
  public static func shrink(_ budget: inout BudgetRow, _ lease: inout LeaseRow, by: Int64) -> Int64 {
    guard lease.isOpen else { return 0 }
    let given = Swift.min(max(0, by), max(0, lease.outstanding))
    budget.leased = Amount.difference(budget.leased, given)
    lease.granted = Amount.difference(lease.granted, given)
    return given
  }

  /// Reports, and gives all headroom back.
  public static func close(_ budget: inout BudgetRow, _ lease: inout LeaseRow, settledTotal: Int64) {
    guard lease.isOpen else { return }
    _ = report(&budget, &lease, settledTotal: settledTotal)
    _ = shrink(&budget, &lease, by: lease.outstanding)
    lease.isOpen = false
  }

  /// Ends the lease of a dead process: what it settled is committed, what its open attempts may still cost is
  /// unreconciled, and the remainder goes back to free, or is unreconciled too where nobody knows the attempts.
  /// - Returns: the remainder that became unreconciled.
  public static func orphan(
    _ budget: inout BudgetRow, _ lease: inout LeaseRow, settledTotal: Int64, open: Int64, keepRemainder: Bool
  ) -> Int64 {
    guard lease.isOpen else { return 0 }
    _ = report(&budget, &lease, settledTotal: settledTotal)
    let remainder = Amount.difference(lease.outstanding, open)
    let kept = keepRemainder ? max(0, remainder) : 0
    budget.unreconciled = Amount.sum(budget.unreconciled, Amount.sum(open, kept))
    _ = shrink(&budget, &lease, by: lease.outstanding)
    lease.isOpen = false
    return kept
  }

  /// Somebody knows what an attempt cost that was settled as something else. What is not in the books of this window (a
  /// power cut may have put it among what is unreconciled) cannot be taken out of them.
  public static func correct(_ budget: inout BudgetRow, settled: Int64, actual: Int64) {
    let rest = max(0, Amount.difference(budget.committed, max(0, settled)))
    budget.committed = Amount.sum(rest, max(0, actual))
  }

  /// Somebody knows what an attempt cost.
  public static func reconcile(_ budget: inout BudgetRow, reserved: Int64, actual: Int64) {
    budget.unreconciled = max(0, Amount.difference(budget.unreconciled, reserved))
    budget.committed = Amount.sum(budget.committed, max(0, actual))
  }
}
