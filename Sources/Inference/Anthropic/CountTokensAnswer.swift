public import JSONText

/// The answer of `POST /v1/messages/count_tokens`.
public enum CountTokensAnswer {
  /// - Parameter inputTokens: Our estimate; less than 0 counts as 0.
  public static func append(inputTokens: Int64, to out: ByteArena) {
    out.append("{\"input_tokens\":")
    out.append(utf8: String(max(0, inputTokens)))
    out.append("}")
  }
}
