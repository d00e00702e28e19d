internal import JSONText

/// What an upstream's failure means: for the client, for another attempt, for the operator.
public struct UpstreamFault: Sendable, Equatable {
  /// Whether another attempt, at this or at another candidate, may succeed; only before the first byte to the client.
  public enum Retry: String, Sendable {
    /// The request itself is at fault: no candidate would take it.
    case never
    /// The prompt is too long for this model: one with a larger context may take it.
    case longerContext = "longer_context"
    /// This account or model cannot; another may.
    case otherCandidate = "other_candidate"
    /// A passing condition.
    case anyCandidate = "any_candidate"
  }

  public let refusal: Refusal
  public let retry: Retry
  /// Whether the operator must act: our credential, our account or our configuration is wrong.
  public let needsOperator: Bool
  /// The provider's own code or type for the log: short, of harmless characters; empty if it gave none.
  public let providerCode: String

  /// Reads an error answer.
  /// - Parameters:
  ///   - status: The upstream's; 200 for an error inside of a stream or answer, which may name one itself.
  ///   - body: The answer's first 64 KiB or the `error` value, of any shape.
  ///   - retryAfter: The provider's `retry-after`, seconds.
  public init(status: Int, body: UnsafeRawBufferPointer, retryAfter: Int? = nil) {
    let said = ProviderError.read(ByteRange(0, min(body.count, 65_536)).of(body))
    providerCode = said.code.isEmpty ? said.type : said.code
    let status = status == 200 ? said.status ?? said.impliedStatus : status
    let code = Self.code(status, said)
    retry = Self.retry(status, code)
    needsOperator = code == .upstreamAuth || code == .upstreamQuota || (300..<400).contains(status) || status == 404
    let isAboutRequest = retry == .never || retry == .longerContext
    refusal = Refusal(
      code,
      message: isAboutRequest && !said.message.isEmpty
        ? "The provider refused the request: \(said.message)" : Self.text(code),
      param: isAboutRequest && !said.param.isEmpty ? said.param : nil, retryAfter: retryAfter)
  }

  /// An attempt that got no answer: connection, DNS or TLS failed.
  public static let unreachable = UpstreamFault(.upstreamError, .anyCandidate)
  /// No first byte in time.
  public static let timedOut = UpstreamFault(.upstreamTimeout, .anyCandidate)
  /// The answer ended before its end.
  public static let cut = UpstreamFault(.upstreamCut, .anyCandidate)
  /// The answer was none of this dialect.
  public static let malformed = UpstreamFault(.upstreamError, .otherCandidate)

  private init(_ code: Refusal.Code, _ retry: Retry) {
    refusal = Refusal(code, message: Self.text(code))
    self.retry = retry
    needsOperator = false
    providerCode = ""
  }

  private static func code(_ status: Int, _ said: ProviderError) -> Refusal.Code {
    if said.isOutOfQuota { return .upstreamQuota }
    switch status {
    case 401, 403: return .upstreamAuth
    case 402: return .upstreamQuota
    case 408, 504: return .upstreamTimeout
    case 429: return .upstreamRateLimited
    case 400, 413, 422:
      if said.isAboutContext { return .contextLengthExceeded }
      if said.isAboutContent { return .contentPolicyViolation }
      if said.isAboutSupport { return .unsupportedParameter }
      // A bad credential is a 400 at some (Gemini).
      return said.isAboutKey ? .upstreamAuth : .invalidValue
    default: return .upstreamError
    }
  }

  private static func retry(_ status: Int, _ code: Refusal.Code) -> Retry {
    switch code {
    case .upstreamAuth, .upstreamQuota: .otherCandidate
    case .upstreamRateLimited, .upstreamTimeout: .anyCandidate
    case .upstreamError: status >= 500 || status == 409 ? .anyCandidate : .otherCandidate
    case .contextLengthExceeded: .longerContext
    default: .never
    }
  }

  private static func text(_ code: Refusal.Code) -> String {
    switch code {
    case .upstreamAuth: "The provider does not accept this installation's credential; the operator has been told."
    case .upstreamQuota: "This installation's account at the provider is used up; the operator has been told."
    case .upstreamRateLimited: "The provider limits this installation's rate; this is not your quota. Try again later."
    case .upstreamTimeout: "The provider took too long. Try again."
    case .upstreamCut: "The provider's answer broke off. Try again."
    case .contextLengthExceeded: "The prompt is longer than the model can read. Shorten it."
    case .contentPolicyViolation: "The provider refused the request by its rules on content."
    case .unsupportedParameter: "The provider does not support a parameter of this request."
    case .invalidValue: "The provider refused the request as invalid."
    default: "The provider could not answer. Try again."
    }
  }
}
