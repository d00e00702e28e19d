/// Who used something: the columns of every usage report.
public struct UsageOwner: Hashable, Sendable {
  public let tenant: UInt128
  public let project: UInt128
  public let key: UInt128
  /// 0 if the key belongs to no person.
  public let user: UInt128

  public init(tenant: UInt128, project: UInt128, key: UInt128, user: UInt128 = 0) {
    self.tenant = tenant
    self.project = project
    self.key = key
    self.user = user
  }
}

/// Sums of settled attempts.
public struct UsageTotals: Hashable, Sendable {
  public var requests: Int64
  public var inputTokens: Int64
  public var outputTokens: Int64
  /// 10⁻⁹ units.
  public var money: Int64

  public init(requests: Int64 = 0, inputTokens: Int64 = 0, outputTokens: Int64 = 0, money: Int64 = 0) {
    self.requests = requests
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
    self.money = money
  }

  public mutating func add(_ other: UsageTotals) {
    requests = Amount.sum(requests, other.requests)
    inputTokens = Amount.sum(inputTokens, other.inputTokens)
    outputTokens = Amount.sum(outputTokens, other.outputTokens)
    money = Amount.sum(money, other.money)
  }

  public var isZero: Bool { requests == 0 && inputTokens == 0 && outputTokens == 0 && money == 0 }

  /// What these sums are in the units of a dimension.
  public subscript(dimension: Dimension) -> Int64 {
    switch dimension {
    case .requests: requests
    case .tokens: Amount.sum(inputTokens, outputTokens)
    case .inputTokens: inputTokens
    case .outputTokens: outputTokens
    case .money: money
    case .concurrency: 0
    }
  }
}

/// What one owner used on one day of the tenant's zone.
public struct UsageRow: Hashable, Sendable {
  public let owner: UsageOwner
  /// Days since 1970-01-01, by the day of admission.
  public let day: Int32
  public var totals: UsageTotals

  public init(owner: UsageOwner, day: Int32, totals: UsageTotals) {
    self.owner = owner
    self.day = day
    self.totals = totals
  }
}

/// Settled use of a tenant, or of one of its keys, with what is still uncertain beside it.
public struct UsageReport: Sendable {
  public let rows: [UsageRow]
  public let unreconciled: [UnreconciledAttempt]
  /// Always the sum of `rows`.
  public var totals: UsageTotals { rows.reduce(into: UsageTotals()) { $0.add($1.totals) } }

  public init(rows: [UsageRow], unreconciled: [UnreconciledAttempt]) {
    self.rows = rows
    self.unreconciled = unreconciled
  }

  public func of(key: UInt128) -> UsageReport {
    UsageReport(
      rows: rows.filter { $0.owner.key == key }, unreconciled: unreconciled.filter { $0.owner?.key == key })
  }
}

/// An attempt that a crash has cut: counts as spent, in full, until somebody tells what it cost.
public struct UnreconciledAttempt: Hashable, Sendable {
  /// The attempt; for the rest of a lease whose attempts nobody knows, the number of the lease.
  public let attempt: UInt128
  /// Nil for the rest of a lease.
  public let owner: UsageOwner?
  public let tenant: UInt128
  public let day: Int32
  /// Worst-case input and the output seen so far: what the suggestion is made of.
  public let inputTokens: Int64
  public let outputTokens: Int64
  public let money: Int64

  public init(
    attempt: UInt128, owner: UsageOwner?, tenant: UInt128, day: Int32, inputTokens: Int64, outputTokens: Int64,
    money: Int64
  ) {
    self.attempt = attempt
    self.owner = owner
    self.tenant = tenant
    self.day = day
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
    self.money = money
  }
}
