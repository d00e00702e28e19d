internal import JSONText

/// Anthropic's error object, for the event that ends a stream.
enum AnthropicErrorEvent {
  static func append(_ refusal: Refusal, requestID: String, to out: ByteArena) {
    out.append("{\"type\":\"error\",\"error\":{\"type\":\"")
    out.append(type(of: refusal.code))
    out.append("\",\"message\":\"")
    JSONEscape.append(refusal.message, to: out)
    if !requestID.isEmpty {
      out.append(refusal.message.isEmpty ? "(request " : " (request ")
      JSONEscape.append(requestID, to: out)
      out.append(")")
    }
    out.append("\"},\"request_id\":")
    if requestID.isEmpty { out.append("null") } else { JSONEscape.appendQuoted(requestID, to: out) }
    out.append("}")
  }

  /// The column of `api.md` section 10.
  private static func type(of code: Refusal.Code) -> StaticString {
    switch code {
    case .invalidAPIKey: "authentication_error"
    case .policyDenied, .dataResidencyMismatch: "permission_error"
    case .notFound, .modelNotFound: "not_found_error"
    case .requestTooLarge, .headersTooLarge: "request_too_large"
    case .rateLimitExceeded, .insufficientQuota, .upstreamRateLimited: "rate_limit_error"
    case .requestTimeout, .upstreamTimeout: "timeout_error"
    case .overloaded: "overloaded_error"
    case .upstreamAuth, .upstreamQuota, .upstreamError, .upstreamCut, .noRoute, .noPrice, .logUnavailable,
      .ledgerUnavailable, .redactionUnavailable, .policyUnavailable:
      "api_error"
    default: "invalid_request_error"
    }
  }
}
