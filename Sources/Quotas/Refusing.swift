/// The tightest limit that stands in the way, found while all are checked.
struct Refusing {
  private(set) var found = false
  private var rank = 0
  private var wait: Int64 = 0
  private var code = QuotaRefusal.Code.rateLimitExceeded
  private var shouldRetry = true
  private var resetAt: Int64?
  private(set) var place = TenantState.Place.budget(0)

  /// A limit that will let the request pass after a while.
  mutating func later(_ nanoseconds: Int64, _ place: TenantState.Place) {
    note(rank: 1, wait: nanoseconds, code: .rateLimitExceeded, shouldRetry: true, resetAt: nil, place)
  }

  /// A limit that this request can never pass.
  mutating func never(_ place: TenantState.Place) {
    note(rank: 2, wait: .max, code: .rateLimitExceeded, shouldRetry: false, resetAt: nil, place)
  }

  /// A budget that is used up.
  mutating func usedUp(until end: Int64, now: Int64, _ place: TenantState.Place) {
    note(
      rank: 3, wait: Amount.difference(end, now), code: .insufficientQuota, shouldRetry: false,
      resetAt: end == .max ? nil : end, place)
  }

  private mutating func note(
    rank: Int, wait: Int64, code: QuotaRefusal.Code, shouldRetry: Bool, resetAt: Int64?, _ place: TenantState.Place
  ) {
    guard !found || (rank, wait) > (self.rank, self.wait) else { return }
    found = true
    self.rank = rank
    self.wait = wait
    self.code = code
    self.shouldRetry = shouldRetry
    self.resetAt = resetAt
    self.place = place
  }

  func refusal(_ state: TenantState) -> QuotaRefusal {
    let limit: Limit
    switch place {
    case .budget(let index): limit = state.budgetLimits[index]
    case .rate(let index): limit = state.rateLimits[index]
    case .concurrency(let index): limit = state.concurrencyLimits[index]
    }
    let seconds = min(60, max(1, wait / 1_000_000_000 + (wait % 1_000_000_000 > 0 && wait < .max ? 1 : 0)))
    return QuotaRefusal(
      code: code, limitID: limit.id, limitName: limit.name,
      kind: limit.dimension == .requests || limit.dimension == .concurrency ? .requests : .tokens,
      retryAfterSeconds: Int(seconds), shouldRetry: shouldRetry, resetAt: resetAt)
  }
}
