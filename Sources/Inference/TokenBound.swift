/// The upper bound of a request's input tokens: never below the true count (`quotas.md` section 3).
public enum TokenBound {
  /// A token has at least one byte, so the bytes of all text bound the tokens; roles and separators cost a few more.
  ///
  /// - Parameters:
  ///   - textBytes: ``RequestScan/textBytes``.
  ///   - growth: By how many bytes redaction made the body longer; less than 0 counts as 0, because what became shorter
  ///     may have been escapes.
  ///   - messages: ``RequestScan/messageCount``, or the input items of embeddings.
  ///   - mediaTokens: The cost functions of images and audio, by the candidate's record.
  ///   - overheadTokens: What the provider adds by itself, by the candidate's record.
  /// - Returns: Tokens; `Int64.max` where the sum overflows, which no limit admits.
  public static func inUpper(
    textBytes: Int, growth: Int = 0, messages: Int, mediaTokens: Int64 = 0, overheadTokens: Int64 = 0
  ) -> Int64 {
    let (perMessage, overflow) = Int64(max(0, messages)).multipliedReportingOverflow(by: 8)
    guard !overflow else { return .max }
    var sum: Int64 = 32
    for part in [
      Int64(max(0, textBytes)), Int64(max(0, growth)), perMessage, max(0, mediaTokens), max(0, overheadTokens),
    ] {
      let (next, overflow) = sum.addingReportingOverflow(part)
      guard !overflow else { return .max }
      sum = next
    }
    return sum
  }

  /// The worst case of all tokens: input and `n` answers at their limit.
  public static func total(inUpper: Int64, n: Int64, outputLimit: Int64) -> Int64 {
    let (output, overflow) = max(1, n).multipliedReportingOverflow(by: max(0, outputLimit))
    guard !overflow else { return .max }
    let (sum, carry) = max(0, inUpper).addingReportingOverflow(output)
    return carry ? .max : sum
  }
}
