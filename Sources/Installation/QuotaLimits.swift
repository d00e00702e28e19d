import Policies
import Quotas
import Tenancy

/// All limits that count for a key: its tenant's plan, the tenant's own limits and the key's own.
enum QuotaLimits {
  /// - Throws: When a tenant of this currency could not have the plan.
  static func check(_ plan: PlanSpec, currency: String) throws {
    var limits = LimitList()
    for budget in plan.budgets { try limits.add(LimitScope(.tenant, 1), budget, zone: "UTC", currency: currency) }
  }

  static func limits(of principal: Principal, plan: PlanSpec) throws -> [Limit] {
    let tenant = LimitScope(.tenant, principal.tenant.value)
    var limits = LimitList()
    if let rate = plan.requests { try limits.add(tenant, .requests, rate, "of the tenant") }
    if let rate = plan.tokens { try limits.add(tenant, .tokens, rate, "of the tenant") }
    if let most = plan.concurrency {
      try limits.add(tenant, .concurrency, .concurrent, most, "concurrent requests of the tenant")
    }
    for budget in plan.budgets {
      try limits.add(tenant, budget, zone: principal.timeZone, currency: principal.currency)
    }
    for limit in principal.tenantLimits {
      try limits.add(tenant, limit, zone: principal.timeZone, of: "of the tenant")
    }
    let key = LimitScope(.key, principal.key.value)
    for limit in principal.keyLimits { try limits.add(key, limit, zone: principal.timeZone, of: "of the key") }
    return limits.all
  }
}

/// Collects limits; of two for the same thing the tighter one stays.
private struct LimitList {
  private(set) var all: [Limit] = []

  mutating func add(
    _ scope: LimitScope, _ dimension: Quotas.Dimension, _ kind: Limit.Kind, _ amount: Int64, _ name: String,
    mode: LimitMode = .hard
  ) throws {
    let limit = try Limit(scope: scope, dimension: dimension, kind: kind, amount: amount, mode: mode, name: name)
    guard let index = all.firstIndex(where: { $0.id == limit.id }) else { return all.append(limit) }
    let held = all[index]
    if held.mode != .hard && limit.mode == .hard || held.mode == limit.mode && limit.amount < held.amount {
      all[index] = limit
    }
  }

  mutating func add(_ scope: LimitScope, _ dimension: Quotas.Dimension, _ rate: RateSpec, _ of: String) throws {
    let period: RatePeriod = rate.period == .minute ? .minute : .hour
    let unit = rate.period == .minute ? "minute" : "hour"
    try add(scope, dimension, .rate(period), rate.count, "\(Self.noun(dimension)) per \(unit) \(of)")
  }

  mutating func add(_ scope: LimitScope, _ budget: BudgetSpec, zone: String, currency: String) throws {
    let period: BudgetPeriod =
      switch budget.window {
      case .day: .day
      case .week: .week
      case .month: .month
      case .total: .total
      }
    let mode: LimitMode =
      switch budget.kind {
      case .hard: .hard
      case .soft: .soft
      case .shadow: .shadow
      }
    let dimension: Quotas.Dimension
    switch budget.dimension {
    case .tokens: dimension = .tokens
    case .requests: dimension = .requests
    case .money(let unit):
      guard unit == currency else {
        throw InstallationError(
          .invalidPolicies, "a budget in \(unit) cannot be held for a tenant whose currency is \(currency)",
          hint: "give the tenant a plan in its own currency")
      }
      dimension = .money
    }
    let window = budget.window == .total ? "in total" : "per \(budget.window.rawValue)"
    try add(
      scope, dimension, .budget(period, zone: zone), budget.amount, "\(Self.noun(dimension)) \(window) of the tenant",
      mode: mode)
  }

  mutating func add(_ scope: LimitScope, _ limit: LimitOverride, zone: String, of: String) throws {
    switch limit.dimension {
    case .requestsPerMinute: try add(scope, .requests, .rate(.minute), limit.value, "requests per minute \(of)")
    case .tokensPerMinute: try add(scope, .tokens, .rate(.minute), limit.value, "tokens per minute \(of)")
    case .concurrency: try add(scope, .concurrency, .concurrent, limit.value, "concurrent requests \(of)")
    case .tokensPerDay:
      try add(scope, .tokens, .budget(.day, zone: zone), limit.value, "tokens per day \(of)")
    case .tokensPerMonth:
      try add(scope, .tokens, .budget(.month, zone: zone), limit.value, "tokens per month \(of)")
    case .moneyPerDay: try add(scope, .money, .budget(.day, zone: zone), limit.value, "money per day \(of)")
    case .moneyPerMonth: try add(scope, .money, .budget(.month, zone: zone), limit.value, "money per month \(of)")
    }
  }

  private static func noun(_ dimension: Quotas.Dimension) -> String {
    switch dimension {
    case .requests: "requests"
    case .tokens: "tokens"
    case .inputTokens: "input tokens"
    case .outputTokens: "output tokens"
    case .money: "money"
    case .concurrency: "concurrent requests"
    }
  }
}
