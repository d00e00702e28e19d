/// The answer to a reservation.
public enum Admission: Sendable {
  /// Taken from every matching limit.
  case admitted
  /// Parked: `wake` will name the ticket, then ask again.
  case waiting
  /// Nothing was taken from anything.
  case refused(QuotaRefusal)
}

/// Why a request may not pass now, in the words of the error it becomes.
public struct QuotaRefusal: Sendable, Equatable {
  public enum Code: String, Sendable {
    /// 429: later is better.
    case rateLimitExceeded = "rate_limit_exceeded"
    /// 429: committed use alone leaves no room until the window ends.
    case insufficientQuota = "insufficient_quota"
    /// 503: the ledger cannot be asked.
    case ledgerUnavailable = "ledger_unavailable"
  }

  public enum Kind: String, Sendable {
    case requests
    case tokens
  }

  public let code: Code
  public let limitID: UInt64
  public let limitName: String
  public let kind: Kind
  /// 1 to 60.
  public let retryAfterSeconds: Int
  public let shouldRetry: Bool
  /// When the window ends, nanoseconds since 1970; nil if it never does or there is none.
  public let resetAt: Int64?
  /// The end of the window as `2026-11-25T00:00:00Z`; empty if there is none.
  public var resetText: String { resetAt.map(CivilDate.text(nanoseconds:)) ?? "" }
}
