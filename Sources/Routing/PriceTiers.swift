/// A way in which a provider may serve a request, with prices of its own. The raw value is its name in the register, and
/// in the requests and answers of OpenAI's dialects.
public enum PriceTier: String, Sendable, CaseIterable {
  /// What the price says without any tier; Anthropic calls it `standard`.
  case usual = "default"
  case flex, priority, scale, fast
  /// For the lines of batches; no request by itself is served so.
  case batch
}

/// Which tiers a request may be served by.
public enum TierChoice: Hashable, Sendable {
  /// The provider chooses: the request names none.
  case providers
  case only(PriceTier)
}

/// What a model costs by tier and by the length of the prompt.
public struct PriceTiers: Hashable, Sendable {
  /// Prices of all tokens of a request whose input is longer than so many tokens.
  public struct LongPrompt: Hashable, Sendable {
    public let above: Int64
    public let price: Price

    public init(above: Int64, price: Price) {
      self.above = above
      self.price = price
    }
  }

  public struct Row: Hashable, Sendable {
    public let tier: PriceTier
    public let price: Price
    /// Nil: the length of the prompt does not matter.
    public let long: LongPrompt?

    public init(_ tier: PriceTier, _ price: Price, long: LongPrompt? = nil) {
      self.tier = tier
      self.price = price
      self.long = long
    }

    func price(ofInput tokens: Int64) -> (price: Price, isLong: Bool) {
      guard let long, tokens > long.above else { return (price, false) }
      return (long.price, true)
    }
  }

  /// Each tier once; the usual one is always there.
  public let rows: [Row]
  /// The tiers that a provider may choose from by itself.
  public let automatic: [PriceTier]

  /// - Parameter automatic: Nil: any that has a price.
  public init(_ rows: [Row], automatic: [PriceTier]? = nil) {
    self.rows = rows
    self.automatic = automatic ?? rows.map(\.tier).filter { $0 != .batch }
  }

  func row(_ tier: PriceTier) -> Row? { rows.first { $0.tier == tier } }

  /// What a request may be served by. Where that is nothing that has a price, it may be anything: never free.
  func rows(by choice: TierChoice) -> [Row] {
    let admitted = rows.filter { row in
      switch choice {
      case .providers: automatic.contains(row.tier)
      case .only(let only): row.tier == only
      }
    }
    return admitted.isEmpty ? rows : admitted
  }

  /// Every price, for whoever converts them; nil where one of them cannot be.
  public func mapped(_ convert: (Price) -> Price?) -> PriceTiers? {
    var converted: [Row] = []
    for row in rows {
      guard let price = convert(row.price) else { return nil }
      var long: LongPrompt?
      if let held = row.long {
        guard let price = convert(held.price) else { return nil }
        long = LongPrompt(above: held.above, price: price)
      }
      converted.append(Row(row.tier, price, long: long))
    }
    return PriceTiers(converted, automatic: automatic)
  }
}

/// What an answer says of the tier that it was served by.
public enum AnsweredTier: Hashable, Sendable {
  /// Nothing.
  case unsaid
  case said(PriceTier)
  /// A word that no price table has.
  case unknown
}

/// What an attempt cost, and by which of its model's prices.
public struct TieredCost: Hashable, Sendable {
  /// Nil where it fits no number.
  public var money: Int64?
  public var tier: PriceTier
  public var isLongPrompt: Bool
  /// The provider says that it has served by a tier without a price: the dearest one there is was taken instead.
  public var isSuspect: Bool

  public init(money: Int64?, tier: PriceTier = .usual, isLongPrompt: Bool = false, isSuspect: Bool = false) {
    self.money = money
    self.tier = tier
    self.isLongPrompt = isLongPrompt
    self.isSuspect = isSuspect
  }
}

extension Price {
  /// Whether requests may name this tier.
  public func offers(_ tier: PriceTier) -> Bool { tier == .usual || tiers?.row(tier) != nil }

  /// ``Cost/worstCase(input:outputCap:answers:at:)`` at the dearest price that the request allows.
  public func worstCase(input: Int64, outputCap: Int64, answers: Int64, by choice: TierChoice) -> Int64? {
    guard let tiers else { return Cost.worstCase(input: input, outputCap: outputCap, answers: answers, at: self) }
    var worst: Int64 = 0
    for row in tiers.rows(by: choice) {
      // A bound above the threshold may stand for fewer tokens that are below it.
      for price in [row.price, row.price(ofInput: input).price] {
        guard let most = Cost.worstCase(input: input, outputCap: outputCap, answers: answers, at: price) else {
          return nil
        }
        worst = max(worst, most)
      }
    }
    return worst
  }

  /// What an attempt cost, by the tier that its answer names; where it names none, by the dearest that the request
  /// allowed.
  public func settlement(_ usage: TokenUsage, answered: AnsweredTier, choice: TierChoice) -> TieredCost {
    guard let tiers else {
      return TieredCost(
        money: Cost.settlement(usage, at: self), isSuspect: answered != .unsaid && answered != .said(.usual))
    }
    let input = usage.allInput
    var dearest = TieredCost(money: 0, tier: .usual)
    if case .said(let tier) = answered, let row = tiers.row(tier) {
      let (price, isLong) = row.price(ofInput: input)
      return TieredCost(money: Cost.settlement(usage, at: price), tier: tier, isLongPrompt: isLong)
    }
    for row in answered == .unsaid ? tiers.rows(by: choice) : tiers.rows {
      let (price, isLong) = row.price(ofInput: input)
      guard let money = Cost.settlement(usage, at: price) else {
        return TieredCost(money: nil, tier: row.tier, isLongPrompt: isLong, isSuspect: answered != .unsaid)
      }
      if money >= dearest.money ?? 0 {
        dearest = TieredCost(money: money, tier: row.tier, isLongPrompt: isLong)
      }
    }
    dearest.isSuspect = answered != .unsaid
    return dearest
  }
}

extension TokenUsage {
  /// Read from and written to caches included.
  fileprivate var allInput: Int64 {
    Int64(clamping: Int128(input) + Int128(cached) + Int128(cacheWrite5m) + Int128(cacheWrite1h))
  }
}
