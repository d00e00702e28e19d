/// Why an exchange ends without a normal answer, as the client is told it: the table of `api.md` section 10, closed.
public struct Refusal: Error, Sendable, Equatable {
  public enum Code: String, Sendable, CaseIterable {
    // The request
    case invalidRequest = "invalid_request"
    case invalidJSON = "invalid_json"
    case missingRequiredParameter = "missing_required_parameter"
    case invalidType = "invalid_type"
    case invalidValue = "invalid_value"
    case unsupportedParameter = "unsupported_parameter"
    case unsupportedMediaType = "unsupported_media_type"
    case requestTooLarge = "request_too_large"
    case headersTooLarge = "headers_too_large"
    case requestTimeout = "request_timeout"
    case notFound = "not_found"
    case methodNotAllowed = "method_not_allowed"
    case contextLengthExceeded = "context_length_exceeded"
    /// Nothing is kept of earlier answers.
    case previousResponseNotFound = "previous_response_not_found"
    // The caller
    case invalidAPIKey = "invalid_api_key"
    case policyDenied = "policy_denied"
    case dataResidencyMismatch = "data_residency_mismatch"
    case modelNotFound = "model_not_found"
    case contentPolicyViolation = "content_policy_violation"
    // The limits
    case rateLimitExceeded = "rate_limit_exceeded"
    /// Too many keys that are not valid have come from there.
    case tooManyFailedKeys = "too_many_failed_keys"
    case insufficientQuota = "insufficient_quota"
    // The provider
    case upstreamRateLimited = "upstream_rate_limited"
    case upstreamAuth = "upstream_auth"
    case upstreamQuota = "upstream_quota"
    case upstreamError = "upstream_error"
    case upstreamCut = "upstream_cut"
    case upstreamTimeout = "upstream_timeout"
    // The gate
    case noRoute = "no_route"
    /// None of the candidates has a price in force.
    case noPrice = "no_price"
    case logUnavailable = "log_unavailable"
    case ledgerUnavailable = "ledger_unavailable"
    case redactionUnavailable = "redaction_unavailable"
    case policyUnavailable = "policy_unavailable"
    case overloaded
  }

  public let code: Code
  /// What happened and what to do next; nothing internal, no finding, no content.
  public let message: String
  public let param: String?
  /// Which limit was met, where the code leaves it open.
  public let limit: LimitKind
  /// Seconds until a retry makes sense, as somebody knows them; ``retryAfterSeconds`` is what the header says.
  public let retryAfter: Int?

  /// What a rate is counted in.
  public enum LimitKind: String, Sendable { case requests, tokens }

  public init(
    _ code: Code, message: String, param: String? = nil, limit: LimitKind = .requests, retryAfter: Int? = nil
  ) {
    self.code = code
    self.message = message
    self.param = param
    self.limit = limit
    self.retryAfter = retryAfter
  }

  /// `Retry-After` in whole seconds, 1 … 60: beyond 60 the SDKs retry at once or never. Nil where no retry helps.
  public var retryAfterSeconds: Int? {
    guard code.isWorthARetry else { return nil }
    return min(60, max(1, retryAfter ?? code.usualRetryAfter))
  }
}

extension Refusal.Code {
  /// The HTTP status in the OpenAI dialects.
  public var status: Int {
    switch self {
    case .invalidRequest, .invalidJSON, .missingRequiredParameter, .invalidType, .invalidValue, .unsupportedParameter,
      .contextLengthExceeded, .previousResponseNotFound, .contentPolicyViolation:
      400
    case .invalidAPIKey: 401
    case .policyDenied, .dataResidencyMismatch: 403
    case .notFound, .modelNotFound: 404
    case .methodNotAllowed: 405
    case .requestTimeout: 408
    case .requestTooLarge: 413
    case .unsupportedMediaType: 415
    case .rateLimitExceeded, .tooManyFailedKeys, .insufficientQuota, .upstreamRateLimited: 429
    case .headersTooLarge: 431
    case .upstreamAuth, .upstreamQuota, .upstreamError, .upstreamCut: 502
    case .noRoute, .noPrice, .logUnavailable, .ledgerUnavailable, .redactionUnavailable, .policyUnavailable,
      .overloaded:
      503
    case .upstreamTimeout: 504
    }
  }

  /// The `code` that the client reads.
  public var text: String {
    switch self {
    case .headersTooLarge: Refusal.Code.requestTooLarge.rawValue
    case .tooManyFailedKeys: Refusal.Code.rateLimitExceeded.rawValue
    case .noPrice: Refusal.Code.noRoute.rawValue
    default: rawValue
    }
  }

  /// Whether the same request may succeed later.
  public var isWorthARetry: Bool {
    switch self {
    case .rateLimitExceeded, .tooManyFailedKeys, .upstreamRateLimited, .upstreamError, .upstreamCut, .upstreamTimeout,
      .noRoute, .logUnavailable, .ledgerUnavailable, .redactionUnavailable, .policyUnavailable, .overloaded:
      true
    default: false
    }
  }

  /// Whether a provider that says so is not well; all else is about what it was asked, or who asks.
  public var isProvidersFault: Bool {
    switch self {
    case .upstreamError, .upstreamCut, .upstreamTimeout: true
    default: false
    }
  }

  /// Whether `x-should-retry: false` goes out: the SDKs would retry this status by themselves, in vain.
  public var forbidsRetry: Bool {
    switch self {
    case .tooManyFailedKeys, .insufficientQuota, .upstreamAuth, .upstreamQuota, .noPrice: true
    default: false
    }
  }

  /// Whether the connection closes behind the answer.
  public var closesConnection: Bool {
    switch self {
    case .requestTooLarge, .headersTooLarge, .requestTimeout, .invalidRequest: true
    default: false
    }
  }

  fileprivate var usualRetryAfter: Int {
    switch self {
    case .rateLimitExceeded, .upstreamRateLimited: 5
    case .upstreamError, .upstreamCut, .upstreamTimeout: 2
    default: 3
    }
  }
}
