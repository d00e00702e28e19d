package import Tenancy

/// The limits of a tenant and of its keys, and how much of them is used.
package protocol QuotaAdministration: Sendable {
  /// The limits in force and their use: those of one key, or the tenant's own for nil.
  func quota(of tenant: TenantID, key: KeyID?) async throws -> [QuotaLine]
  /// Sets the limits that the change names and leaves the others; in force for every request admitted after the return.
  func setQuota(_ change: QuotaChange, of tenant: TenantID, key: KeyID?) async throws -> [QuotaLine]
}

/// What a limit counts and over which time; the raw value is its name in the API.
package enum QuotaKind: String, Sendable, CaseIterable, Hashable {
  case tokensPerMinute = "tokens_per_minute"
  case requestsPerMinute = "requests_per_minute"
  case concurrency
  case tokensPerDay = "tokens_per_day"
  case tokensPerMonth = "tokens_per_month"
  case moneyPerDay = "money_per_day"
  case moneyPerMonth = "money_per_month"

  /// Whether amounts are money (10⁻⁹ of the tenant's currency) and not counts.
  package var isMoney: Bool { self == .moneyPerDay || self == .moneyPerMonth }
}

/// One limit. Amounts are counts, or 10⁻⁹ of the currency where ``QuotaKind/isMoney``.
package struct QuotaLine: Sendable, Hashable {
  package let kind: QuotaKind
  /// Nil: not limited.
  package let limit: Int64?
  /// Settled use of the window; nil where there is no window (rates).
  package let used: Int64?
  /// Set aside by requests that are under way, and what a crash left to be reconciled.
  package let reserved: Int64?
  /// When the window ends.
  package let resets: Timestamp?
  /// The tenant's currency, of money lines only.
  package let currency: String?

  package init(
    kind: QuotaKind, limit: Int64?, used: Int64? = nil, reserved: Int64? = nil, resets: Timestamp? = nil,
    currency: String? = nil
  ) {
    self.kind = kind
    self.limit = limit
    self.used = used
    self.reserved = reserved
    self.resets = resets
    self.currency = currency
  }
}

/// New limits by kind, 0 and more; kinds that are not named stay as they are, nil lifts a limit.
package struct QuotaChange: Sendable, Hashable {
  package let limits: [QuotaKind: Int64?]

  package init(limits: [QuotaKind: Int64?]) { self.limits = limits }
}
