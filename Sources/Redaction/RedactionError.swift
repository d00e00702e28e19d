/// Redaction refused a text or a profile. No member ever holds a value, a position or surrounding text.
public struct RedactionError: Error, Sendable, Equatable {
  public enum Code: String, Sendable {
    /// A rule with action `block` matched: 400.
    case blocked = "content_policy_violation"
    /// A stage could not do its work: 503, nothing is sent.
    case unavailable = "redaction_unavailable"
    /// More findings than one request may have, or a text beyond the engine's limits: refused like a failure.
    case tooMany = "redaction_limit"
    /// A profile that does not compile: it never goes into a policy set.
    case invalidProfile = "invalid_profile"
  }

  public let code: Code
  /// The type that blocked; nil for every other code.
  public let type: FindingType?
  /// For the caller: constant per code, except for a profile, whose author reads what is wrong with it.
  public let message: String
  /// For the operator: which part failed.
  public let detail: String

  public static func blocked(_ type: FindingType) -> RedactionError {
    RedactionError(
      code: .blocked, type: type,
      message: "The request holds content of class \(type.name) that policy does not let out.",
      detail: "blocked by class")
  }

  public static func failed(_ part: StaticString) -> RedactionError {
    RedactionError(
      code: .unavailable, type: nil, message: "Redaction could not do its work; nothing was sent. Try again later.",
      detail: part.description)
  }

  public static let tooMany = RedactionError(
    code: .tooMany, type: nil,
    message: "The request is more than redaction can take at once; nothing was sent. Split it.",
    detail: "limit of findings, text or comparisons")

  public static func invalidProfile(_ message: String) -> RedactionError {
    RedactionError(code: .invalidProfile, type: nil, message: message, detail: "profile")
  }
}
