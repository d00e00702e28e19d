/// The answer to a reservation.
package enum Admission: Sendable {
  /// Taken from every matching limit.
  case admitted
  /// Parked: `wake` will name the ticket, then ask again.
  case waiting
  /// Nothing was taken from anything.
  case refused(QuotaRefusal)
}

/// Why a request may not pass now, in the words of the error it becomes.
package struct QuotaRefusal: Sendable, Equatable {
  package enum Code: String, Sendable {
    /// 429: later is better.
    case rateLimitExceeded = "rate_limit_exceeded"
    /// 429: committed use alone leaves no room until the window ends.
    case insufficientQuota = "insufficient_quota"
    /// 503: the ledger cannot be asked.
    case ledgerUnavailable = "ledger_unavailable"
  }

  package enum Kind: String, Sendable {
    case requests
    case tokens
  }

  package let code: Code
  package let limitID: UInt64
  package let limitName: String
  package let kind: Kind
  /// 1 to 60.
  package let retryAfterSeconds: Int
  package let shouldRetry: Bool
  /// When the window ends, nanoseconds since 1970; nil if it never does or there is none.
  package let resetAt: Int64?
  /// The end of the window as `2026-11-25T00:00:00Z`; empty if there is none.
  package var resetText: String { resetAt.map(CivilDate.text(nanoseconds:)) ?? "" }
}
