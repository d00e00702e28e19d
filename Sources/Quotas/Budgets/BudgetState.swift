/// One budget as this process sees it: its lease in the current window, and what it knows of the rest.
///
/// Spends only what the ledger has granted: headroom = granted − settled − reserved.
struct BudgetState: Sendable {
  static let noWindow = Int64.min

  let limit: UInt64
  let dimension: Dimension
  /// False for soft and shadow limits: they are counted and never stand in the way.
  var blocks: Bool
  var amount: Int64

  /// 0 before the first answer in a window.
  var lease: UInt32 = 0
  var windowStart = noWindow
  var windowEnd = noWindow
  var granted: Int64 = 0
  var settled: Int64 = 0
  var reserved: Int64 = 0
  /// Of `settled`, what the ledger has.
  var reported: Int64 = 0
  /// Taken by the policy out of the grant, and not yet given back to the ledger.
  var shrinking: Int64 = 0

  /// Spent or promised outside of this lease, as of the ledger's last answer.
  var elsewhere: Int64 = 0
  /// The part of it that is only promised: other processes' leases.
  var elsewhereOpen: Int64 = 0

  /// Until this boot time the ledger's "no more than" is remembered; 0 if it said nothing.
  var exhaustedUntil: Int64 = 0
  var exhaustedFree: Int64 = 0

  /// Boot time of the ledger's last grant.
  var grantedAt = Int64.min / 2

  /// The ledger is being asked.
  var isAsked = false
  var needSum: Int64 = 0
  var needLeast = Int64.max

  var sizing = LeaseSizing()

  init(limit: UInt64, dimension: Dimension, blocks: Bool, amount: Int64) {
    self.limit = limit
    self.dimension = dimension
    self.blocks = blocks
    self.amount = amount
  }

  @inline(__always) var headroom: Int64 {
    Amount.difference(Amount.difference(granted, settled), reserved)
  }

  /// What the ledger may still grant, as far as this process knows.
  var knownFree: Int64 { Amount.difference(Amount.difference(amount, elsewhere), granted) }

  /// All that counts as used: elsewhere, settled here, open here.
  var used: Int64 { Amount.sum(elsewhere, Amount.sum(settled, reserved)) }

  /// Used for good: open reservations and other processes' leases are not.
  var committed: Int64 { Amount.sum(Amount.difference(elsewhere, elsewhereOpen), settled) }

  enum Check {
    case fits
    case ask
    case exhausted
  }

  /// Whether a worst case can be taken now; changes nothing.
  @inline(__always) func check(_ worst: Int64, now: Int64, boot: Int64) -> Check {
    guard lease != 0, now < windowEnd else { return .ask }
    guard blocks else { return .fits }
    let missing = Amount.difference(worst, headroom)
    if missing <= 0 { return .fits }
    return boot < exhaustedUntil && missing > exhaustedFree ? .exhausted : .ask
  }

  mutating func need(_ worst: Int64) {
    needSum = Amount.sum(needSum, worst)
    needLeast = min(needLeast, worst)
  }

  /// - Returns: whether more should be asked for before anyone has to wait.
  @inline(__always) mutating func reserve(_ worst: Int64, boot: Int64) -> Bool {
    reserved = Amount.sum(reserved, worst)
    sizing.saw(worst, boot: boot)
    guard blocks, !isAsked, headroom < sizing.target / 2 else { return false }
    return boot >= exhaustedUntil && knownFree > 0
  }

  @inline(__always) mutating func settle(worst: Int64, actual: Int64) {
    reserved = max(0, Amount.difference(reserved, worst))
    settled = Amount.sum(settled, actual)
    exhaustedUntil = 0
  }

  /// A changed policy. A lowered amount takes the unspent headroom back, so that the next request asks the ledger.
  mutating func set(amount fresh: Int64, blocks freshBlocks: Bool) {
    if fresh < amount, lease != 0, headroom > 0 {
      shrinking = Amount.sum(shrinking, headroom)
      granted = Amount.sum(settled, reserved)
    }
    if fresh > amount { exhaustedUntil = 0 }
    amount = fresh
    blocks = freshBlocks
  }

  /// Takes the ledger's answer to a wish for a lease.
  mutating func take(_ answer: LedgerAnswer, boot: Int64) {
    isAsked = false
    needSum = 0
    needLeast = .max
    guard let row = answer.lease, let budget = answer.budget else { return }
    if answer.amount > 0 { grantedAt = boot }
    if lease == row.id {
      granted = Amount.sum(granted, answer.amount)
    } else {
      lease = row.id
      granted = row.granted
      settled = row.settled
      reported = row.settled
      reserved = 0
    }
    windowStart = budget.window.start
    windowEnd = budget.window.end
    learn(budget, row)
    if answer.outcome == .refused || sizing.lastWant > answer.amount {
      exhaustedFree = max(0, budget.free)
      exhaustedUntil = Amount.sum(boot, 1_000_000_000)
    } else {
      exhaustedUntil = 0
    }
  }

  /// What the ledger's rows say of the rest of the world.
  mutating func learn(_ budget: BudgetRow, _ row: LeaseRow) {
    guard row.id == lease else { return }
    elsewhereOpen = max(0, Amount.difference(budget.leased, max(0, row.outstanding)))
    // Less than nothing was committed elsewhere where what was settled on this lease has been corrected downwards.
    elsewhere = Amount.sum(
      Amount.sum(Amount.difference(budget.committed, row.settled), budget.unreconciled), elsewhereOpen)
  }
}

/// A lease of a window that has ended, until its last attempt has settled.
struct RetiredLease: Sendable {
  let lease: UInt32
  let budget: Int
  var granted: Int64
  var settled: Int64
  var reserved: Int64
  var reported: Int64
}
