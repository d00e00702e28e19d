import Tenancy
import Testing

struct FailureThrottleTests {
  private typealias Throttle = FailureThrottle<String, String>

  private static let minute: Int64 = 60_000_000_000

  @Test(arguments: [1, 10, 20]) func soManyAMinuteAreAnsweredAndThenOneAtATime(perMinute: Int) {
    var throttle = Throttle(perMinute: perMinute)
    for _ in 0..<perMinute { #expect(throttle.failed(source: "s", account: nil, now: 0) == nil) }
    let wait = 60 / perMinute
    #expect(throttle.failed(source: "s", account: nil, now: 0)?.source == wait)
    let later = Self.minute / Int64(perMinute)
    #expect(throttle.failed(source: "s", account: nil, now: later - 1) != nil, "what was refused counts no further")
    #expect(throttle.failed(source: "s", account: nil, now: later) == nil)
    #expect(throttle.failed(source: "s", account: nil, now: later) != nil)
    for _ in 0..<perMinute { #expect(throttle.failed(source: "s", account: nil, now: 3 * Self.minute) == nil) }
  }

  @Test func failuresCountPerSourceAndPerAccount() {
    var throttle = Throttle(perMinute: 10)
    for source in 0..<10 { #expect(throttle.failed(source: "s\(source)", account: "one", now: 0) == nil) }
    let wait = throttle.failed(source: "s10", account: "one", now: 0)
    #expect(wait?.source == nil && wait?.account == 6 && wait?.seconds == 6)
    #expect(throttle.failed(source: "s10", account: "two", now: 0) == nil)
  }

  /// One source could name thousands, until those under attack are forgotten.
  @Test func whoIsRefusedNamesNoFurtherAccounts() {
    var throttle = Throttle(perMinute: 10)
    for _ in 0..<10 { #expect(throttle.failed(source: "s", account: nil, now: 0) == nil) }
    for _ in 0..<20 { #expect(throttle.failed(source: "s", account: "one", now: 0)?.source != nil) }
    #expect(throttle.failed(source: "another", account: "one", now: 0) == nil)
  }

  @Test func theThrottleStaysBoundedAndForgetsTheOldest() {
    var throttle = Throttle(perMinute: 10)
    for source in 0..<50_000 { _ = throttle.failed(source: "s\(source)", account: nil, now: Int64(source)) }
    for _ in 1...9 { #expect(throttle.failed(source: "s49999", account: nil, now: 50_000) == nil) }
    #expect(throttle.failed(source: "s49999", account: nil, now: 50_000) != nil)
    for _ in 1...10 { #expect(throttle.failed(source: "s0", account: nil, now: 50_000) == nil) }
  }

  /// Some are forgotten all the time; a table that is nearly full has room all the same.
  @Test func aFullTableMakesRoomForMany() {
    var throttle = Throttle(perMinute: 20)
    for source in 0..<20_000 {
      // 1,365 of them within the three seconds for which one failure counts.
      #expect(throttle.failed(source: "s\(source)", account: nil, now: Int64(source) * 2_197_802) == nil)
    }
  }

  @Test(arguments: [Int64.max, Int64.max - 1, Int64.min])
  func noClockTrapsTheThrottle(now: Int64) {
    var throttle = Throttle(perMinute: 10)
    _ = throttle.failed(source: "s", account: "a", now: now)
    _ = throttle.failed(source: "s", account: "a", now: now)
  }
}
