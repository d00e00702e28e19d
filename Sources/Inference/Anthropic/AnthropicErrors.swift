public import JSONText

extension Refusal.Code {
  /// The HTTP status in a dialect; Anthropic has one of its own for an overloaded server.
  public func status(in dialect: Dialect) -> Int {
    dialect == .anthropic && self == .overloaded ? 529 : status
  }

  /// Anthropic's `type` of a refusal (`api.md` section 10).
  public var anthropicType: StaticString {
    switch self {
    case .invalidRequest, .invalidJSON, .missingRequiredParameter, .invalidType, .invalidValue, .unsupportedParameter,
      .unsupportedMediaType, .methodNotAllowed, .contextLengthExceeded, .contentPolicyViolation,
      .previousResponseNotFound:
      "invalid_request_error"
    case .requestTooLarge, .headersTooLarge: "request_too_large"
    case .requestTimeout, .upstreamTimeout: "timeout_error"
    case .notFound, .modelNotFound: "not_found_error"
    case .invalidAPIKey: "authentication_error"
    case .policyDenied, .dataResidencyMismatch: "permission_error"
    case .rateLimitExceeded, .tooManyFailedKeys, .insufficientQuota, .upstreamRateLimited: "rate_limit_error"
    case .overloaded: "overloaded_error"
    case .upstreamAuth, .upstreamQuota, .upstreamError, .upstreamCut, .noRoute, .noPrice, .logUnavailable,
      .ledgerUnavailable, .redactionUnavailable, .policyUnavailable:
      "api_error"
    }
  }
}

extension ErrorBody {
  /// Appends the body of an error answer in the shape of a dialect.
  /// - Parameter requestID: Ends the message, so that a screenshot names the exchange; empty for none.
  public static func append(_ refusal: Refusal, requestID: String, dialect: Dialect, to out: ByteArena) {
    switch dialect {
    case .openAI: append(refusal, requestID: requestID, to: out)
    case .anthropic: appendAnthropic(refusal, requestID: requestID, to: out)
    }
  }

  /// Appends an error as an event of a running stream, which then ends without its final event.
  public static func appendEvent(_ refusal: Refusal, requestID: String, dialect: Dialect, to out: ByteArena) {
    switch dialect {
    case .openAI: appendEvent(refusal, requestID: requestID, to: out)
    case .anthropic:
      out.append("event: error\ndata: ")
      appendAnthropic(refusal, requestID: requestID, to: out)
      out.append("\n\n")
    }
  }

  /// `{"type":"error","error":{"type","message"},"request_id"}`.
  private static func appendAnthropic(_ refusal: Refusal, requestID: String, to out: ByteArena) {
    out.append("{\"type\":\"error\",\"error\":{\"type\":\"")
    out.append(refusal.code.anthropicType)
    out.append("\",\"message\":\"")
    appendMessage(of: refusal, requestID: requestID, to: out)
    out.append("\"},\"request_id\":")
    if requestID.isEmpty { out.append("null") } else { JSONEscape.appendQuoted(requestID, to: out) }
    out.append("}")
  }
}
