/// Whether the same provider may be asked once more, and after how long. Another provider may be asked at once; this is
/// for when there is none.
///
/// Only what certainly cost nothing is repeated: what never left, and what the provider refused to begin. Where nobody
/// knows whether it was carried out (a timeout, a connection that broke behind the request), nothing is.
public enum RetryRule {
  /// How the attempt failed.
  public enum Failure: Hashable, Sendable {
    /// No connection, so nothing was sent; or the provider has said that it has not looked at it.
    case notSent
    /// An error status, and the seconds that the provider asks to wait.
    case status(Int, retryAfter: Int?)
    case unknown
  }

  /// The longest wait that a provider may ask for and that is still kept, in seconds.
  public static let longestRetryAfter = 5
  /// The first wait's upper end and the highest one, in milliseconds.
  public static let firstCeiling: Int64 = 100
  public static let lastCeiling: Int64 = 2_000

  /// - Parameters:
  ///   - attempt: How many attempts were made before the failed one.
  ///   - random: Any number; the same one gives the same wait.
  /// - Returns: Milliseconds to wait; nil: do not ask again.
  public static func wait(after failure: Failure, attempt: Int, random: UInt64) -> Int64? {
    switch failure {
    case .unknown: return nil
    case .notSent: return jitter(attempt, random)
    case .status(let status, let retryAfter):
      guard let seconds = retryAfter else {
        // A limit without a time is not tried out.
        return [502, 503, 529].contains(status) ? jitter(attempt, random) : nil
      }
      guard [429, 502, 503, 529].contains(status), (0...longestRetryAfter).contains(seconds) else { return nil }
      // Never earlier than asked for, and not all at the same instant.
      return Int64(seconds) * 1_000 + jitter(attempt, random)
    }
  }

  /// Full jitter (Brooker, "Exponential Backoff and Jitter"): anything between nothing and the ceiling, which doubles.
  private static func jitter(_ attempt: Int, _ random: UInt64) -> Int64 {
    let ceiling = min(lastCeiling, firstCeiling << Int64(min(10, max(0, attempt))))
    return Int64(random % UInt64(ceiling + 1))
  }
}
