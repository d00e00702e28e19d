import Testing

@testable import Installation

struct WatchdogTests {
  @Test(
    arguments: [
      ("10000000", "7", false, 2.5), ("10000000", nil, false, 2.5), ("400000", "7", false, 0.1),
      ("10000000", "8", true, 2.5),  // the process that systemd means has handed over
      ("10000000", "8", false, nil), (nil, "7", false, nil), ("0", "7", false, nil), ("-1", "7", false, nil),
      ("x", "7", false, nil), ("99999999999999999999", "7", false, nil),
    ] as [(String?, String?, Bool, Double?)])
  func signsOfLifeComeFourTimesAsOftenAsTheyMust(allowed: String?, asked: String?, hasRelieved: Bool, period: Double?) {
    #expect(Watchdog.period(allowed: allowed, asked: asked, process: 7, hasRelieved: hasRelieved) == period)
  }

  @Test func aLoopHangsOnceItsTurnTakesLongerThanAnyMay() {
    let longest = Watchdog.longestNanoseconds
    #expect(!Watchdog.hangs(0, at: 100 * longest), "it sleeps")
    #expect(!Watchdog.hangs(5, at: 5 + longest))
    #expect(Watchdog.hangs(5, at: 6 + longest))
  }
}
