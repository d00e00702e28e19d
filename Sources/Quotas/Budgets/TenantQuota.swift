import Synchronization

/// All limit states of one tenant, behind the tenant's one short mutex.
final class TenantQuota: Sendable {
  let id: UInt128
  let state: Mutex<TenantState>
  /// How many slots it has, from admission until they are free again; no lock is taken for the latter.
  let slotsTaken = Atomic<Int>(0)

  init(id: UInt128) {
    self.id = id
    state = Mutex(TenantState())
  }
}

struct RateState: Sendable {
  let dimension: Dimension
  var blocks: Bool
  var bucket: GCRA
  /// Where the arrival time lies in flight memory; negative if there was no room.
  let place: Int
}

struct ConcurrencyState: Sendable {
  var amount: Int64
  var blocks: Bool
  /// Members: open slots with `holdsConcurrency` of accounts with this limit.
  var count: Int64 = 0
  /// Open in other processes of this machine, as of the last look.
  var elsewhere: Int64 = 0

  @inline(__always) var isFull: Bool { count &+ elsewhere >= amount }
}

struct UsageAccumulator: Sendable {
  let owner: UsageOwner
  var day: Int32 = 0
  var totals = UsageTotals()
  var isDirty = false
}

struct Waiter: Sendable {
  let loop: Int
  let ticket: UInt64
}

struct TenantState: Sendable {
  enum Place: Sendable {
    case budget(Int)
    case rate(Int)
    case concurrency(Int)
  }

  var places: [UInt64: Place] = [:]
  var budgets: [BudgetState] = []
  var budgetLimits: [Limit] = []
  var rates: [RateState] = []
  var rateLimits: [Limit] = []
  var concurrencies: [ConcurrencyState] = []
  var concurrencyLimits: [Limit] = []
  var retired: [RetiredLease] = []

  var usage: [UsageAccumulator] = []
  var usageByOwner: [UsageOwner: Int] = [:]
  var dirtyUsage: [Int] = []
  var finishedUsage: [UsageRow] = []
  /// Number of the last settlement.
  var sequence: UInt64 = 0
  var drainedSequence: UInt64 = 0
  /// Bounds of the local day that usage is booked on.
  var zone = "UTC"
  var day: Int32 = 0
  var dayWindow = BudgetWindow(start: 0, end: 0)

  var waiters: [Waiter] = []
  /// In the gate's list of tenants with wishes for the ledger.
  var isQueued = false
  /// In the gate's list of tenants with something to report.
  var isDirty = false
  /// Open slots, newest first; -1 ends the list.
  var firstOpen: Int32 = -1
}

extension TenantState {
  /// Makes or updates the state of a limit.
  mutating func resolve(_ limit: Limit, makeRate: (Limit) -> RateState) -> Place {
    let blocks = limit.mode == .hard
    if let place = places[limit.id] {
      switch (place, limit.kind) {
      case (.budget(let index), .budget):
        budgets[index].set(amount: limit.amount, blocks: blocks)
        budgetLimits[index] = limit
      case (.rate(let index), .rate(let period)):
        if rateLimits[index].amount != limit.amount {
          rates[index].bucket.set(amount: limit.amount, periodNanoseconds: period.nanoseconds)
        }
        rates[index].blocks = blocks
        rateLimits[index] = limit
      case (.concurrency(let index), .concurrent):
        concurrencies[index].amount = limit.amount
        concurrencies[index].blocks = blocks
        concurrencyLimits[index] = limit
      default: break  // the id contains the kind: another kind is another id
      }
      return place
    }
    let place: Place
    switch limit.kind {
    case .budget:
      place = .budget(budgets.count)
      budgets.append(
        BudgetState(limit: limit.id, dimension: limit.dimension, blocks: blocks, amount: limit.amount))
      budgetLimits.append(limit)
    case .rate:
      place = .rate(rates.count)
      rates.append(makeRate(limit))
      rateLimits.append(limit)
    case .concurrent:
      place = .concurrency(concurrencies.count)
      concurrencies.append(ConcurrencyState(amount: limit.amount, blocks: blocks))
      concurrencyLimits.append(limit)
    }
    places[limit.id] = place
    return place
  }

  mutating func usageIndex(of owner: UsageOwner) -> Int {
    if let index = usageByOwner[owner] { return index }
    let index = usage.count
    usage.append(UsageAccumulator(owner: owner))
    usageByOwner[owner] = index
    return index
  }

  /// Books what an attempt used; returns its number.
  @inline(__always) mutating func book(_ totals: UsageTotals, on day: Int32, at index: Int) -> UInt64 {
    sequence &+= 1
    if usage[index].day != day {
      if !usage[index].totals.isZero {
        finishedUsage.append(
          UsageRow(owner: usage[index].owner, day: usage[index].day, totals: usage[index].totals))
      }
      usage[index].day = day
      usage[index].totals = UsageTotals()
    }
    usage[index].totals.add(totals)
    if !usage[index].isDirty {
      usage[index].isDirty = true
      dirtyUsage.append(index)
    }
    return sequence
  }

  /// Takes all that was booked since the last time.
  mutating func drainUsage() -> [UsageRow] {
    var rows = finishedUsage
    finishedUsage.removeAll(keepingCapacity: true)
    for index in dirtyUsage {
      if !usage[index].totals.isZero {
        rows.append(UsageRow(owner: usage[index].owner, day: usage[index].day, totals: usage[index].totals))
      }
      usage[index].totals = UsageTotals()
      usage[index].isDirty = false
    }
    dirtyUsage.removeAll(keepingCapacity: true)
    drainedSequence = sequence
    return rows
  }
}
