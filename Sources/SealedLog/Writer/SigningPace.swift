/// How much of a core checkpoints may take: with thousands of busy streams one of each every second would be a core's work,
/// so all together get a fiftieth of one, in turns.
///
/// Times are nanoseconds of a monotonic clock.
struct SigningPace {
  private static let turn: UInt64 = 2_000_000
  private static let restRatio: UInt64 = 49
  private var rest: UInt64 = 0

  /// - Returns: When a turn that begins now is over; nil while it is not time for one.
  func end(ofTurnAt now: UInt64) -> UInt64? { now >= rest ? now &+ Self.turn : nil }

  mutating func worked(from begin: UInt64, to end: UInt64) { rest = end &+ (end &- begin) &* Self.restRatio }
}
