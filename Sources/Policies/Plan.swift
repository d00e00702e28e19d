/// How often, per minute or hour.
public struct RateSpec: Hashable, Sendable {
  public enum Period: String, Sendable, CaseIterable {
    case minute = "min"
    case hour
  }

  public let count: Int64
  public let period: Period

  public init(count: Int64, period: Period) {
    self.count = count
    self.period = period
  }

  /// Whether this never admits what the other refuses.
  func isWithin(_ other: RateSpec) -> Bool { period == other.period && count <= other.count }
}

/// How much in a calendar window.
public struct BudgetSpec: Hashable, Sendable {
  public enum Dimension: Hashable, Sendable {
    case tokens
    case requests
    /// By ISO 4217 code; amounts in 10⁻⁹ of it.
    case money(String)
  }
  public enum Window: String, Sendable, CaseIterable { case day, week, month, total }
  /// Hard refuses, soft warns, shadow counts.
  public enum Kind: String, Sendable, CaseIterable { case hard, soft, shadow }

  public let dimension: Dimension
  public let amount: Int64
  public let window: Window
  public let kind: Kind

  public init(dimension: Dimension, amount: Int64, window: Window, kind: Kind = .hard) {
    self.dimension = dimension
    self.amount = amount
    self.window = window
    self.kind = kind
  }

  /// Budgets with the same answer here are one limit: the smaller amount counts.
  func isSameLimit(as other: BudgetSpec) -> Bool {
    dimension == other.dimension && window == other.window && kind == other.kind
  }
}

/// What a tenant may use: rates, concurrency, budgets, sizes. Nil is "not limited by this plan".
public struct PlanSpec: Hashable, Sendable {
  /// When a bound on the answer is lowered to fit.
  public enum Clamp: String, Sendable, CaseIterable { case never, absent, always }

  public var name: String
  public var requests: RateSpec?
  public var tokens: RateSpec?
  public var concurrency: Int64?
  public var budgets: [BudgetSpec]
  /// Largest request body.
  public var bodyBytes: Int64
  /// Most tokens of one answer.
  public var outputTokens: Int64
  public var clamp: Clamp

  public init(
    name: String, requests: RateSpec? = nil, tokens: RateSpec? = nil, concurrency: Int64? = nil,
    budgets: [BudgetSpec] = [], bodyBytes: Int64 = 8 << 20, outputTokens: Int64 = 8192, clamp: Clamp = .absent
  ) {
    self.name = name
    self.requests = requests
    self.tokens = tokens
    self.concurrency = concurrency
    self.budgets = budgets
    self.bodyBytes = bodyBytes
    self.outputTokens = outputTokens
    self.clamp = clamp
  }

  /// What is looser here than there, by field name; empty if this only tightens.
  func looserFields(than other: PlanSpec) -> [String] {
    func within(_ mine: RateSpec?, _ theirs: RateSpec?) -> Bool {
      guard let theirs else { return true }
      return mine.map { $0.isWithin(theirs) } ?? false
    }
    var looser: [String] = []
    if !within(requests, other.requests) { looser.append("requests") }
    if !within(tokens, other.tokens) { looser.append("tokens") }
    if let limit = other.concurrency, concurrency.map({ $0 > limit }) ?? true { looser.append("concurrency") }
    let covered = other.budgets.allSatisfy { theirs in
      budgets.contains { $0.isSameLimit(as: theirs) && $0.amount <= theirs.amount }
    }
    if !covered { looser.append("budgets") }
    if bodyBytes > other.bodyBytes { looser.append("body") }
    if outputTokens > other.outputTokens { looser.append("output-tokens") }
    return looser
  }

  /// Puts each budget beside those there are, or in place of the same limit.
  mutating func merge(_ more: [BudgetSpec]) {
    for budget in more {
      if let index = budgets.firstIndex(where: { $0.isSameLimit(as: budget) }) {
        budgets[index] = budget
      } else {
        budgets.append(budget)
      }
    }
  }
}
