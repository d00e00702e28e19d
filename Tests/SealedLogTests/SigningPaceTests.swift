import Testing

@testable import SealedLog

struct SigningPaceTests {
  @Test func workIsFollowedByFortyNineTimesAsMuchRest() {
    var pace = SigningPace()
    #expect(pace.end(ofTurnAt: 1_000) == 2_001_000)
    pace.worked(from: 1_000, to: 3_000)
    #expect(pace.end(ofTurnAt: 100_999) == nil)
    #expect(pace.end(ofTurnAt: 101_000) == 2_101_000)
  }

  /// Each checkpoint costs 200 µs and there is always one to sign: a second sees a hundred of them, not five thousand.
  @Test func manyStreamsTakeAFiftiethOfACore() {
    var pace = SigningPace()
    var (now, signed) = (UInt64(0), 0)
    while now < 1_000_000_000 {
      guard let end = pace.end(ofTurnAt: now) else {
        now += 100_000
        continue
      }
      let begin = now
      while now < end {
        now += 200_000
        signed += 1
      }
      pace.worked(from: begin, to: now)
    }
    #expect((95...110).contains(signed))
  }
}
