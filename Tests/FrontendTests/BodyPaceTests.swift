import Gateway
import Testing

@testable import Frontend

/// At least 1 KiB/s, steadily, after a grace of five seconds; never more than thirty seconds of silence; and an end to
/// it all.
struct BodyPaceTests {
  /// Without that end.
  private static var patient: Limits {
    var limits = Limits()
    limits.wholeBodyMilliseconds = 3_600_000
    return limits
  }

  /// When a body is found too slow that comes in equal pieces, one each `milliseconds`; nil: not within ten minutes.
  private func end(pieceBytes: Int, every milliseconds: Int64, from: Int64 = 1_000_000) -> Int64? {
    var pace = BodyPace(Self.patient, bytes: nil, now: from)
    for step in 1...(600_000 / milliseconds) {
      pace.received(pieceBytes, now: from + step * milliseconds)
      if pace.isTooSlow(now: from + step * milliseconds) { return step * milliseconds }
    }
    return nil
  }

  static let fast: [(Int, Int64)] = [(2, 1), (1024, 1000), (1025, 1000), (103, 100), (65_536, 4_900)]

  @Test(arguments: fast) func whatComesFastEnoughGoesOn(bytes: Int, every: Int64) {
    #expect(end(pieceBytes: bytes, every: every) == nil)
  }

  static let slow: [(Int, Int64)] = [(1, 1000), (1000, 1000), (1, 1), (1, 2), (512, 510), (900, 1000)]

  @Test(arguments: slow) func whatComesSteadilyButTooSlowlyEnds(bytes: Int, every: Int64) throws {
    #expect(try #require(end(pieceBytes: bytes, every: every)) > 5_000)
  }

  @Test(arguments: [(Int64(5_000), false), (5_001, true)]) func nothingAtAllIsBorneForTheGrace(after: Int64, ends: Bool)
  {
    var pace = BodyPace(Limits(), bytes: nil, now: 0)
    let isTooSlow = pace.isTooSlow(now: after)
    #expect(isTooSlow == ends)
  }

  /// A megabyte in the first second is no right to a quarter of an hour of silence.
  @Test(arguments: [(Int64(30_000), false), (30_001, true)]) func aFastBeginningBuysNoLongSilence(
    after: Int64, ends: Bool
  ) {
    var pace = BodyPace(Limits(), bytes: nil, now: 0)
    pace.received(1 << 20, now: 1000)
    let isTooSlow = pace.isTooSlow(now: 1000 + after)
    #expect(isTooSlow == ends)
  }

  /// A minute, and the length at 16 KiB/s; what tells no length has the time of the largest body.
  @Test(arguments: [(0, Int64(60_000)), (65_536, 64_000), (8 << 20, 572_000), (nil, 572_000), (1 << 40, 572_000)])
  func allOfItHasAnEnd(bytes: Int?, end: Int64) {
    var pace = BodyPace(Limits(), bytes: bytes, now: 1_000)
    // Four times as fast as it must be, so that nothing else is too slow about it.
    for second in 1...(end / 1000) { pace.received(4096, now: 1_000 + second * 1000) }
    let verdicts = [end, end + 1].map { pace.isTooSlow(now: 1_000 + $0) }
    #expect(verdicts == [false, true])
    #expect(!pace.isLate(now: 1_000 + end) && pace.isLate(now: 1_001 + end))
  }

  @Test func aClockThatStandsOrGoesBackUsesNothingUp() {
    var pace = BodyPace(Limits(), bytes: nil, now: 10_000)
    pace.received(0, now: 9_000)
    pace.received(0, now: 10_000)
    let verdicts = [15_000, 15_001].map { pace.isTooSlow(now: $0) }
    #expect(verdicts == [false, true])
  }
}
