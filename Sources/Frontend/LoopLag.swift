import Gateway

/// Whether a loop is so far behind that new requests would only make it worse: its turns have been late for a while, with
/// no pause between them in which it could have caught up. Pure: told of turns and of the time.
struct LoopLag {
  // Nanoseconds.
  private let limit: Int64
  private let grace: Int64
  /// Late turns that followed each other: when the first of them began, when the last one ended, and how many.
  private var since: Int64 = 0
  private var until: Int64 = 0
  private var turns = 0

  init(_ limits: Limits) {
    limit = Int64(limits.lagMilliseconds) * 1_000_000
    grace = Int64(limits.lagGraceMilliseconds) * 1_000_000
  }

  /// - Parameter turn: When it began and ended, in nanoseconds of the monotonic clock.
  mutating func note(_ turn: Range<Int64>) {
    guard turn.upperBound &- turn.lowerBound > limit else { return }
    if turns == 0 || turn.lowerBound &- until > limit {
      since = turn.lowerBound
      turns = 0
    }
    until = turn.upperBound
    turns &+= 1
  }

  /// One turn alone does not count, however long it was: whatever has stopped the process for so long is over.
  func isLate(at now: Int64) -> Bool { turns > 1 && until &- since >= grace && now &- until <= limit }
}
