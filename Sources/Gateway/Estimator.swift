/// What settled requests of a loop have taught about its aliases; serves estimates only, never a bound.
struct Estimator {
  private struct Learned {
    var tokensPerByte = 1.0 / 3
    var outputTokensPerSecond = 40.0

    mutating func take(bytes: Int, inputTokens: Int64, outputTokens: Int64, nanoseconds: Int64) {
      if bytes > 0, inputTokens > 0 {
        tokensPerByte += (min(1, Double(inputTokens) / Double(bytes)) - tokensPerByte) / 16
      }
      if nanoseconds > 0, outputTokens > 0 {
        let rate = min(10_000, Double(outputTokens) * 1e9 / Double(nanoseconds))
        outputTokensPerSecond += (rate - outputTokensPerSecond) / 16
      }
    }
  }

  private var aliases: [String: Learned] = [:]

  mutating func learn(_ alias: String, bytes: Int, inputTokens: Int64, outputTokens: Int64, nanoseconds: Int64) {
    guard aliases.count < 4096 || aliases[alias] != nil else { return }
    aliases[alias, default: Learned()].take(
      bytes: bytes, inputTokens: inputTokens, outputTokens: outputTokens, nanoseconds: nanoseconds)
  }

  /// Bytes × learned ratio × 1.1, at least 1 and never above the upper bound.
  func inputTokens(_ alias: String, bytes: Int, upper: Int64) -> Int64 {
    let ratio = (aliases[alias] ?? Learned()).tokensPerByte
    return max(1, min(upper, Int64(Double(bytes) * ratio * 1.1)))
  }

  /// What a provider may have produced unseen in this time; at least 1, at most the cap.
  func outputTokens(_ alias: String, nanoseconds: Int64, cap: Int64) -> Int64 {
    let rate = (aliases[alias] ?? Learned()).outputTokensPerSecond
    return max(1, min(cap, Int64(max(0, Double(nanoseconds)) / 1e9 * rate)))
  }
}
