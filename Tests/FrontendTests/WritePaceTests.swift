import Gateway
import Testing

@testable import Frontend

/// Thirty seconds for who takes nothing, 1 KiB/s on average of such a time for who takes something.
struct WritePaceTests {
  /// When a client is found too slow that takes equal pieces, one each `milliseconds`; nil: not within an hour.
  private func end(pieceBytes: Int, every milliseconds: Int64) -> Int64? {
    var pace = WritePace(Limits(), now: 5_000)
    for step in 1...(3_600_000 / milliseconds) {
      if pace.isTooSlow(now: 5_000 + step * milliseconds) { return step * milliseconds }
      pace.took(pieceBytes, now: 5_000 + step * milliseconds)
    }
    return nil
  }

  static let fast: [(Int, Int64)] = [(1024, 1000), (30_720, 30_000), (29_696, 29_000), (65_536, 30_000)]

  @Test(arguments: fast) func whoTakesEnoughGoesOn(bytes: Int, every: Int64) {
    #expect(end(pieceBytes: bytes, every: every) == nil)
  }

  static let slow: [(Int, Int64, Int64)] = [(1, 29_000, 58_000), (1, 1_000, 31_000), (1000, 1000, 1_239_000)]

  @Test(arguments: slow) func aByteNowAndThenIsNotEnough(bytes: Int, every: Int64, end: Int64) {
    #expect(self.end(pieceBytes: bytes, every: every) == end)
  }

  @Test(arguments: [(Int64(30_000), false), (30_001, true)]) func nothingIsBorneForThatTime(after: Int64, ends: Bool) {
    var pace = WritePace(Limits(), now: 0)
    pace.took(1 << 20, now: 0)  // what was taken before buys no more
    let isTooSlow = pace.isTooSlow(now: after)
    #expect(isTooSlow == ends)
  }

  @Test func timeInWhichNothingWaitsDoesNotCount() {
    var pace = WritePace(Limits(), now: 0)
    pace.begin(now: 600_000)
    let verdicts = [630_000, 630_001].map { pace.isTooSlow(now: $0) }
    #expect(verdicts == [false, true])
  }

  @Test func theEndLeavesTimeForWhatWaits() {
    #expect(WritePace.end(Limits(), bytes: 0, now: 1_000) == 31_000)
    #expect(WritePace.end(Limits(), bytes: 1 << 20, now: 1_000) == 95_000)
  }
}
