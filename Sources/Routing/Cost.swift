/// Tokens of one attempt by price class; `output` includes what was reasoned.
public struct TokenUsage: Hashable, Sendable {
  public var input: Int64
  public var cached: Int64
  public var cacheWrite5m: Int64
  public var cacheWrite1h: Int64
  public var output: Int64

  public init(
    input: Int64 = 0, cached: Int64 = 0, cacheWrite5m: Int64 = 0, cacheWrite1h: Int64 = 0, output: Int64 = 0
  ) {
    self.input = input
    self.cached = cached
    self.cacheWrite5m = cacheWrite5m
    self.cacheWrite1h = cacheWrite1h
    self.output = output
  }
}

/// What attempts cost: ceil(Σ tokens × price / 10⁶) in 10⁻⁹ of the price's currency, rounded up once
/// (`design/quotas.md` section 1). Nil means the amount does not fit or a count is negative: a refusal, never free.
public enum Cost {
  /// What an attempt cost by its usage.
  public static func settlement(_ usage: TokenUsage, at price: Price) -> Int64? {
    sum(
      (usage.input, price.input), (usage.cached, price.cached), (usage.cacheWrite5m, price.cacheWrite5m),
      (usage.cacheWrite1h, price.cacheWrite1h), (usage.output, price.output))
  }

  /// The most an attempt can cost: every input token at the dearest input price, every answer at its cap.
  /// - Parameters:
  ///   - input: Upper bound of input tokens.
  ///   - outputCap: Upper bound of output tokens per answer.
  ///   - answers: `n` or `best_of`, at least 1.
  public static func worstCase(input: Int64, outputCap: Int64, answers: Int64, at price: Price) -> Int64? {
    guard answers >= 1, outputCap >= 0 else { return nil }
    let (output, overflow) = outputCap.multipliedReportingOverflow(by: answers)
    guard !overflow else { return nil }
    return sum((input, price.dearestInput), (output, price.output), (0, 0), (0, 0), (0, 0))
  }

  /// Five products of 63 bits each fit in 127 bits with room, so nothing here can overflow before the last step.
  private static func sum(
    _ first: (Int64, Int64), _ second: (Int64, Int64), _ third: (Int64, Int64), _ fourth: (Int64, Int64),
    _ fifth: (Int64, Int64)
  ) -> Int64? {
    let smallest = min(
      min(min(first.0, first.1), min(second.0, second.1)),
      min(min(third.0, third.1), min(min(fourth.0, fourth.1), min(fifth.0, fifth.1))))
    guard smallest >= 0 else { return nil }
    var total: Int128 = 0
    total += Int128(first.0) * Int128(first.1)
    total += Int128(second.0) * Int128(second.1)
    total += Int128(third.0) * Int128(third.1)
    total += Int128(fourth.0) * Int128(fourth.1)
    total += Int128(fifth.0) * Int128(fifth.1)
    return Int64(exactly: (total + 999_999) / 1_000_000)
  }
}
