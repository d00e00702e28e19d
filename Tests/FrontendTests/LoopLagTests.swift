import Gateway
import Testing

@testable import Frontend

@Suite("A loop is late when its turns have been too long for a while")
struct LoopLagTests {
  private static let millisecond: Int64 = 1_000_000

  /// Turns of so many milliseconds one behind the other, negative ones are pauses; and whether the loop is late behind
  /// the last of them.
  @Test(
    arguments: [
      ([], false), ([50], false), ([5_000], false),  // somebody has stopped the process, and it goes on
      ([101, 101], false), ([499, 500], false), ([500, 500], true), ([101, 899], true),
      ([100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100], false),
      ([101, 101, 101, 101, 101, 101, 101, 101, 101, 101], true),
      ([300, 1, 300, 99, 300], true), ([300, 101, 300, 100, 300], true), ([600, -101, 600], false),
      ([600, -100, 600], true), ([400, 50, 50, 1, 500, 500], true), ([400, 50, 51, 500, 499], false),
      ([600, 600, -100], true), ([600, 600, -101], false), ([600, 600, 60, 60], false), ([600, 600, -5_000, 2], false),
      ([600, 600, -5_000, 101], false),
    ] as [([Int64], Bool)]) func turns(_ turns: [Int64], isLate: Bool)
  {
    var lag = LoopLag(Limits())
    var now: Int64 = 77 * Self.millisecond
    for turn in turns {
      let begin = now
      now += abs(turn) * Self.millisecond
      if turn > 0 { lag.note(begin..<now) }
    }
    #expect(lag.isLate(at: now) == isLate)
  }

  @Test func theLimitsAreTheConfigurations() {
    var limits = Limits()
    limits.lagMilliseconds = 10
    limits.lagGraceMilliseconds = 30
    var lag = LoopLag(limits)
    lag.note(0..<(11 * Self.millisecond))
    lag.note((11 * Self.millisecond)..<(30 * Self.millisecond))
    #expect(lag.isLate(at: 30 * Self.millisecond) && !lag.isLate(at: 41 * Self.millisecond))
  }
}
