extension Price {
  /// What the tokens of a batch's lines cost: by the price for batches where the record has one, else by the usual one.
  /// Where the longest line may be a long prompt, nobody knows which of them are, and the dearer price counts for all.
  /// - Parameter longestInput: Upper bound of the input tokens of any line.
  public func ofBatch(longestInput: Int64) -> Price {
    guard let tiers, let row = tiers.row(.batch) ?? tiers.row(.usual) else { return plain }
    guard let long = row.long, longestInput > long.above else { return row.price.plain }
    return Price(
      version: version, currency: currency, input: max(row.price.input, long.price.input),
      cached: max(row.price.cached, long.price.cached),
      cacheWrite5m: max(row.price.cacheWrite5m, long.price.cacheWrite5m),
      cacheWrite1h: max(row.price.cacheWrite1h, long.price.cacheWrite1h),
      output: max(row.price.output, long.price.output))
  }

  /// Without the prices beside it.
  private var plain: Price {
    Price(
      version: version, currency: currency, input: input, cached: cached, cacheWrite5m: cacheWrite5m,
      cacheWrite1h: cacheWrite1h, output: output)
  }
}
