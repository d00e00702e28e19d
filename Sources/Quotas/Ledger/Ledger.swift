/// The durable books of all budgets: who may spend how much, and what was spent.
///
/// Every call is one transaction and returns after it is durable; calls block, so they are made off the event loops.
public protocol Ledger: Sendable {
  /// Registers a start of a node and shuts its earlier processes out.
  /// - Throws: ``QuotaError`` `node_fenced` if this or a later epoch was seen before.
  func open(node: UInt128, epoch: UInt32) throws(QuotaError) -> LedgerOpening

  /// Applies operations in order, all or none, and answers each.
  /// - Parameter now: the time by which windows are cut; the ledger keeps the highest.
  func apply(
    _ operations: [LedgerOperation], node: UInt128, epoch: UInt32, now: Int64
  ) throws(QuotaError) -> [LedgerAnswer]

  /// The latest window's row of each limit that has one.
  func totals(limits: [UInt64]) throws(QuotaError) -> [BudgetRow]

  /// Settled use of a tenant on days `from` to `to`, both included.
  func usage(tenant: UInt128, from: Int32, to: Int32) throws(QuotaError) -> [UsageRow]

  /// Attempts, and rests of leases, that crashes left behind; of all tenants if nil.
  func unreconciled(tenant: UInt128?) throws(QuotaError) -> [UnreconciledAttempt]
}

/// What a ledger knows of a node when it starts.
public struct LedgerOpening: Sendable, Equatable {
  /// Where the usage of one tenant stands that one epoch reported.
  public struct Mark: Hashable, Sendable {
    public let tenant: UInt128
    public let epoch: UInt32

    public init(tenant: UInt128, epoch: UInt32) {
      self.tenant = tenant
      self.epoch = epoch
    }
  }

  /// Leases that earlier epochs of the node left open.
  public var leases: [LeaseRow]
  /// The tenant of each of these leases' limits.
  public var tenants: [UInt32: UInt128]
  /// The number of the last settlement that is in the books.
  public var marks: [Mark: UInt64]
  /// Epochs up to this one are recovered.
  public var recoveredEpoch: UInt32
  /// The latest time the ledger has seen, nanoseconds since 1970; 0 if none.
  public var lastTime: Int64

  public init(
    leases: [LeaseRow] = [], tenants: [UInt32: UInt128] = [:], marks: [Mark: UInt64] = [:], recoveredEpoch: UInt32 = 0,
    lastTime: Int64 = 0
  ) {
    self.leases = leases
    self.tenants = tenants
    self.marks = marks
    self.recoveredEpoch = recoveredEpoch
    self.lastTime = lastTime
  }
}
