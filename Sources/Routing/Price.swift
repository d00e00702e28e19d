/// What a model costs, in 10⁻⁹ of a currency per 1,000,000 tokens, under a version that settlements name.
public struct Price: Hashable, Sendable {
  public let version: String
  /// ISO 4217.
  public let currency: String
  public let input: Int64
  public let cached: Int64
  public let cacheWrite5m: Int64
  public let cacheWrite1h: Int64
  public let output: Int64
  /// Prices beside this one, by service tier and length of the prompt; nil: this is the only one.
  public var tiers: PriceTiers?
  /// What is charged by the piece, beside or instead of tokens.
  public let unit: UnitPrice?

  /// What is not given costs as the class it belongs to: cached and cache writes as input. An embedding model has no
  /// output price: its output is 0 tokens.
  public init(
    version: String, currency: String, input: Int64, cached: Int64? = nil, cacheWrite5m: Int64? = nil,
    cacheWrite1h: Int64? = nil, output: Int64? = nil, unit: UnitPrice? = nil
  ) {
    self.version = version
    self.currency = currency
    self.input = input
    self.cached = cached ?? input
    self.cacheWrite5m = cacheWrite5m ?? input
    self.cacheWrite1h = cacheWrite1h ?? cacheWrite5m ?? input
    self.output = output ?? 0
    self.unit = unit
  }

  public var isFree: Bool {
    dearestInput == 0 && output == 0 && unit?.amount ?? 0 == 0
      && (tiers?.rows.allSatisfy { $0.price.isFree && $0.long?.price.isFree ?? true } ?? true)
  }

  /// The dearest way to price an input token.
  public var dearestInput: Int64 { max(max(input, cached), max(cacheWrite5m, cacheWrite1h)) }

  /// Reads a decimal such as `2.00` or `0.025`: at most nine places behind the point, nothing but digits and one point.
  /// - Returns: 10⁻⁹ units.
  public static func nano(decimal text: String) throws(RoutingError) -> Int64 {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let whole = parts.first, !whole.isEmpty,
      parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
      parts.count == 1 || parts[1].utf8.count <= 9
    else {
      throw RoutingError(.invalidPrice, "'\(text)' is no amount; write digits, at most nine of them behind a point.")
    }
    let fraction = parts.count == 2 ? parts[1] : ""
    let digits = whole + fraction + String(repeating: "0", count: 9 - fraction.utf8.count)
    guard let value = Int64(digits) else { throw RoutingError(.invalidPrice, "'\(text)' is too large an amount.") }
    return value
  }
}
