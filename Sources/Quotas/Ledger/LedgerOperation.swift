/// One change of the ledger. Repeating an operation with its number changes nothing and answers the same.
public struct LedgerOperation: Sendable, Equatable {
  public enum Kind: Sendable, Equatable {
    case lease(LeaseRequest)
    /// `settledTotal` is everything settled on the lease since it began.
    case report(lease: UInt32, settledTotal: Int64)
    case shrink(lease: UInt32, by: Int64)
    case close(lease: UInt32, settledTotal: Int64)
    case orphan(Orphan)
    /// An attempt that may still cost something, for reports; its amounts come with ``orphan(_:)``.
    case openAttempt(UnreconciledAttempt)
    case reconcile(attempt: UInt128, actual: UsageTotals)
    /// Puts what an attempt has cost in the place of what it was settled as; once for each attempt, whatever the number.
    case correct(Correction)
    /// Settled use of a tenant up to and with settlement `through` of an epoch; applied once, by that number.
    case usage(tenant: UInt128, epoch: UInt32, through: UInt64, rows: [UsageRow])
    /// Everything that epochs up to this one left behind has been booked.
    case recovered(epoch: UInt32)
  }

  /// Rising within an epoch of a node.
  public let sequence: UInt64
  public let kind: Kind

  public init(sequence: UInt64, kind: Kind) {
    self.sequence = sequence
    self.kind = kind
  }
}

/// A wish for a share of a budget.
public struct LeaseRequest: Sendable, Equatable {
  public let limit: UInt64
  public let tenant: UInt128
  public let dimension: Dimension
  /// The limit's amount by the policy of now.
  public let amount: Int64
  /// The calendar window of now; the ledger answers with the one that counts.
  public let window: BudgetWindow
  public let now: Int64
  public let want: Int64
  /// Less than this is of no use; 0 also opens an empty lease, to report on.
  public let min: Int64

  public init(
    limit: UInt64, tenant: UInt128, dimension: Dimension, amount: Int64, window: BudgetWindow, now: Int64, want: Int64,
    min: Int64
  ) {
    self.limit = limit
    self.tenant = tenant
    self.dimension = dimension
    self.amount = amount
    self.window = window
    self.now = now
    self.want = want
    self.min = min
  }
}

/// The end of a lease whose process is dead.
public struct Orphan: Sendable, Equatable {
  public struct Attempt: Sendable, Equatable {
    public let attempt: UInt128
    /// Worst case, in the limit's unit.
    public let amount: Int64

    public init(attempt: UInt128, amount: Int64) {
      self.attempt = attempt
      self.amount = amount
    }
  }

  public let lease: UInt32
  public let settledTotal: Int64
  public let open: [Attempt]
  /// True where the attempts are not known: then all that is left of the lease counts as spent.
  public let keepRemainder: Bool

  public init(lease: UInt32, settledTotal: Int64, open: [Attempt], keepRemainder: Bool) {
    self.lease = lease
    self.settledTotal = settledTotal
    self.open = open
    self.keepRemainder = keepRemainder
  }
}

/// The true cost of an attempt that was settled at its worst case.
public struct Correction: Sendable, Equatable {
  public let booking: Booking
  public let actual: UsageTotals

  public init(booking: Booking, actual: UsageTotals) {
    self.booking = booking
    self.actual = actual
  }

  /// By how much the usage of the owner's day changes.
  public var change: UsageTotals { actual.difference(from: booking.totals) }
}

/// What the ledger says to one operation.
public struct LedgerAnswer: Sendable, Equatable {
  public enum Outcome: UInt8, Sendable {
    case granted = 1
    /// Not enough is free; the rows say why.
    case refused = 2
    case done = 3
    /// A newer process of this node has taken over; nothing was changed.
    case fenced = 4
    /// No such lease or attempt; nothing was changed.
    case unknown = 5
  }

  public var outcome: Outcome
  /// Granted, given back, or added for an overdraft.
  public var amount: Int64
  public var lease: LeaseRow?
  public var budget: BudgetRow?

  public init(_ outcome: Outcome, amount: Int64 = 0, lease: LeaseRow? = nil, budget: BudgetRow? = nil) {
    self.outcome = outcome
    self.amount = amount
    self.lease = lease
    self.budget = budget
  }
}
