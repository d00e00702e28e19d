/// Who used something: the columns of every usage report.
package struct UsageOwner: Hashable, Sendable {
  package let tenant: UInt128
  package let project: UInt128
  package let key: UInt128
  /// 0 if the key belongs to no person.
  package let user: UInt128

  package init(tenant: UInt128, project: UInt128, key: UInt128, user: UInt128 = 0) {
    self.tenant = tenant
    self.project = project
    self.key = key
    self.user = user
  }
}

/// Sums of settled attempts.
package struct UsageTotals: Hashable, Sendable {
  package var requests: Int64
  package var inputTokens: Int64
  package var outputTokens: Int64
  /// 10⁻⁹ units.
  package var money: Int64

  package init(requests: Int64 = 0, inputTokens: Int64 = 0, outputTokens: Int64 = 0, money: Int64 = 0) {
    self.requests = requests
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
    self.money = money
  }

  package mutating func add(_ other: UsageTotals) {
    requests = Amount.sum(requests, other.requests)
    inputTokens = Amount.sum(inputTokens, other.inputTokens)
    outputTokens = Amount.sum(outputTokens, other.outputTokens)
    money = Amount.sum(money, other.money)
  }

  package var isZero: Bool { requests == 0 && inputTokens == 0 && outputTokens == 0 && money == 0 }

  /// What these sums are in the units of a dimension.
  package subscript(dimension: Dimension) -> Int64 {
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
package struct UsageRow: Hashable, Sendable {
  package let owner: UsageOwner
  /// Days since 1970-01-01, by the day of admission.
  package let day: Int32
  package var totals: UsageTotals

  package init(owner: UsageOwner, day: Int32, totals: UsageTotals) {
    self.owner = owner
    self.day = day
    self.totals = totals
  }
}

/// Settled use of a tenant, or of one of its keys, with what is still uncertain beside it.
package struct UsageReport: Sendable {
  package let rows: [UsageRow]
  package let unreconciled: [UnreconciledAttempt]
  /// Always the sum of `rows`.
  package var totals: UsageTotals { rows.reduce(into: UsageTotals()) { $0.add($1.totals) } }

  package init(rows: [UsageRow], unreconciled: [UnreconciledAttempt]) {
    self.rows = rows
    self.unreconciled = unreconciled
  }

  package func of(key: UInt128) -> UsageReport {
    UsageReport(
      rows: rows.filter { $0.owner.key == key }, unreconciled: unreconciled.filter { $0.owner?.key == key })
  }
}

/// An attempt that a crash has cut: counts as spent, in full, until somebody tells what it cost.
package struct UnreconciledAttempt: Hashable, Sendable {
  /// The attempt; for the rest of a lease whose attempts nobody knows, the number of the lease.
  package let attempt: UInt128
  /// Nil for the rest of a lease.
  package let owner: UsageOwner?
  package let tenant: UInt128
  package let day: Int32
  /// Worst-case input and the output seen so far: what the suggestion is made of.
  package let inputTokens: Int64
  package let outputTokens: Int64
  package let money: Int64

  package init(
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
