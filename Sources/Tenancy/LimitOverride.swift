/// A limit that a tenant or key has of its own, besides those of its plan. The tightest limit counts.
public struct LimitOverride: Hashable, Sendable {
  public enum Dimension: String, Sendable, CaseIterable {
    case requestsPerMinute = "requests/min"
    case tokensPerMinute = "tokens/min"
    case concurrency
    case tokensPerDay = "tokens/day"
    case tokensPerMonth = "tokens/month"
    /// In 10⁻⁹ of the tenant's currency.
    case moneyPerDay = "money/day"
    /// In 10⁻⁹ of the tenant's currency.
    case moneyPerMonth = "money/month"
  }

  /// Nil: the whole tenant.
  public let key: KeyID?
  public let dimension: Dimension
  /// 0 or more; 0 refuses everything.
  public let value: Int64

  public init(key: KeyID?, dimension: Dimension, value: Int64) throws(TenancyError) {
    guard value >= 0 else { throw TenancyError(.invalid, "A limit is 0 or more, not \(value).") }
    self.key = key
    self.dimension = dimension
    self.value = value
  }
}
