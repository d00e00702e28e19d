public import JSONText

/// Writes errors in OpenAI's shape: `{"error":{"message","type","param","code"}}`.
public enum ErrorBody {
  /// Appends the body of an error answer.
  /// - Parameter requestID: Ends the message, so that a screenshot names the exchange; empty for none.
  public static func append(_ refusal: Refusal, requestID: String, to out: ByteArena) {
    out.append("{\"error\":{\"message\":\"")
    appendMessage(of: refusal, requestID: requestID, to: out)
    out.append("\",\"type\":\"")
    out.append(utf8: type(of: refusal))
    out.append("\",\"param\":")
    if let param = refusal.param { JSONEscape.appendQuoted(param, to: out) } else { out.append("null") }
    out.append(",\"code\":\"")
    out.append(utf8: refusal.code.text)
    out.append("\"}}")
  }

  /// Appends the text that the client reads, without quotes.
  static func appendMessage(of refusal: Refusal, requestID: String, to out: ByteArena) {
    JSONEscape.append(refusal.message, to: out)
    guard !requestID.isEmpty else { return }
    out.append(refusal.message.isEmpty ? "(request " : " (request ")
    JSONEscape.append(requestID, to: out)
    out.append(")")
  }

  /// Appends an error as an event of a running stream; the stream then ends without `[DONE]`.
  public static func appendEvent(_ refusal: Refusal, requestID: String, to out: ByteArena) {
    out.append("data: ")
    append(refusal, requestID: requestID, to: out)
    out.append("\n\n")
  }

  /// OpenAI's `type` of a refusal.
  public static func type(of refusal: Refusal) -> String {
    switch refusal.code {
    case .rateLimitExceeded: refusal.limit.rawValue
    case .upstreamRateLimited, .tooManyFailedKeys: Refusal.LimitKind.requests.rawValue
    case .insufficientQuota: "insufficient_quota"
    case .upstreamAuth, .upstreamQuota, .upstreamError, .upstreamCut, .upstreamTimeout, .noRoute, .noPrice,
      .logUnavailable, .ledgerUnavailable, .redactionUnavailable, .policyUnavailable, .overloaded:
      "server_error"
    default: "invalid_request_error"
    }
  }
}
