import NodeFolder
import Testing

@testable import Quotas

struct WindowTests {
  private static let second: Int64 = 1_000_000_000
  private static let zurich = "Europe/Zurich"
  private let calendar = WindowCalendar(SystemZoneRules())

  /// UTC fields to nanoseconds.
  private static func utc(_ year: Int64, _ month: Int64, _ day: Int64, _ hour: Int64 = 0, _ minute: Int64 = 0) -> Int64
  {
    (CivilDate(year: year, month: month, day: day).dayNumber * 86_400 + hour * 3_600 + minute * 60) * second
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let period: BudgetPeriod
    let zone: String
    let instant: Int64
    let start: Int64
    let end: Int64
    var testDescription: String { name }
  }

  @Test(arguments: [
    Case(
      name: "a winter day begins at 23:00 UTC", period: .day, zone: zurich, instant: utc(2026, 11, 24, 12),
      start: utc(2026, 11, 23, 23), end: utc(2026, 11, 24, 23)),
    Case(
      name: "spring: 23 hours are one day", period: .day, zone: zurich, instant: utc(2026, 3, 29, 1),
      start: utc(2026, 3, 28, 23), end: utc(2026, 3, 29, 22)),
    Case(
      name: "autumn: 25 hours are one day", period: .day, zone: zurich, instant: utc(2026, 10, 25, 1),
      start: utc(2026, 10, 24, 22), end: utc(2026, 10, 25, 23)),
    Case(
      name: "the first instant belongs to the day", period: .day, zone: zurich, instant: utc(2026, 3, 28, 23),
      start: utc(2026, 3, 28, 23), end: utc(2026, 3, 29, 22)),
    Case(
      name: "the last one before does not", period: .day, zone: zurich, instant: utc(2026, 3, 28, 23) - 1,
      start: utc(2026, 3, 27, 23), end: utc(2026, 3, 28, 23)),
    Case(
      name: "a week begins on Monday", period: .week, zone: zurich, instant: utc(2026, 3, 29, 12),
      start: utc(2026, 3, 22, 23), end: utc(2026, 3, 29, 22)),
    Case(
      name: "Monday itself", period: .week, zone: "UTC", instant: utc(2026, 11, 23), start: utc(2026, 11, 23),
      end: utc(2026, 11, 30)),
    Case(
      name: "a month with the change in it", period: .month, zone: zurich, instant: utc(2026, 10, 31, 22, 59),
      start: utc(2026, 9, 30, 22), end: utc(2026, 10, 31, 23)),
    Case(
      name: "December ends in the next year", period: .month, zone: "UTC", instant: utc(2026, 12, 31, 23, 59),
      start: utc(2026, 12, 1), end: utc(2027, 1, 1)),
    Case(
      name: "leap day", period: .month, zone: "UTC", instant: utc(2028, 2, 29), start: utc(2028, 2, 1),
      end: utc(2028, 3, 1)),
    Case(
      name: "a midnight that does not exist", period: .day, zone: "America/Sao_Paulo", instant: utc(2018, 11, 4, 12),
      start: utc(2018, 11, 4, 3), end: utc(2018, 11, 5, 2)),
    Case(
      name: "a midnight that falls back to eleven", period: .day, zone: "America/Sao_Paulo",
      instant: utc(2018, 2, 18, 2, 30), start: utc(2018, 2, 17, 2), end: utc(2018, 2, 18, 3)),
    Case(
      name: "half hours", period: .day, zone: "Asia/Kolkata", instant: utc(2026, 6, 1, 18, 30),
      start: utc(2026, 6, 1, 18, 30), end: utc(2026, 6, 2, 18, 30)),
    Case(
      name: "total never ends", period: .total, zone: zurich, instant: utc(2026, 6, 1), start: 0, end: .max),
  ])
  func windowsAreCutByTheLocalCalendar(_ one: Case) {
    let window = calendar.window(one.period, zone: one.zone, containing: one.instant)
    #expect(window == BudgetWindow(start: one.start, end: one.end))
  }

  @Test(arguments: [zurich, "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Beirut", "Africa/Casablanca", "UTC"])
  func windowsTileTimeWithoutGapOrOverlap(zone: String) throws {
    for period in [BudgetPeriod.day, .week, .month] {
      var instant = Self.utc(2016, 12, 30, 5)
      var last = try #require(calendar.window(period, zone: zone, containing: instant))
      while instant < Self.utc(2020, 1, 5) {
        let next = try #require(calendar.window(period, zone: zone, containing: last.end))
        #expect(next.start == last.end)
        #expect(calendar.window(period, zone: zone, containing: next.end - 1) == next)
        #expect(next.contains(next.start) && !next.contains(next.end))
        last = next
        instant = next.end
      }
    }
  }

  @Test func unknownZonesAndAbsurdTimesHaveNoWindow() {
    #expect(calendar.window(.day, zone: "Europe/Atlantis", containing: 0) == nil)
    #expect(calendar.window(.day, zone: "UTC", containing: .max) == nil)
    #expect(calendar.window(.month, zone: "UTC", containing: .min) == nil)
    for instant in [Int64.min, .min + 1, Self.utc(1699, 12, 31), Self.utc(2200, 1, 2), .max] {
      #expect(calendar.day(of: instant, zone: Self.zurich) == nil)
    }
    for (from, to) in [(Int64.min, Int64.max), (0, .max), (.min, 0), (3, 3), (4, 3)] {
      #expect(calendar.window(fromDay: from, toDay: to, zone: Self.zurich) == nil)
    }
  }

  @Test func daysAreFoundAgainByTheirBounds() throws {
    let day = try #require(calendar.day(of: Self.utc(2026, 11, 30, 23, 9), zone: Self.zurich))
    #expect(CivilDate(dayNumber: day.number) == CivilDate(year: 2026, month: 12, day: 1))
    #expect(calendar.window(fromDay: day.number, toDay: day.number + 1, zone: Self.zurich) == day.window)
  }

  @Test func datesAgreeWithASlowCalendar() {
    var (year, month, day): (Int64, Int64, Int64) = (1970, 1, 1)
    func length(_ year: Int64, _ month: Int64) -> Int64 {
      if month == 2 { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28 }
      return [4, 6, 9, 11].contains(month) ? 30 : 31
    }
    for number in Int64(0)..<60_000 {
      #expect(CivilDate(dayNumber: number) == CivilDate(year: year, month: month, day: day))
      #expect(CivilDate(year: year, month: month, day: day).dayNumber == number)
      day += 1
      if day > length(year, month) { (month, day) = (month + 1, 1) }
      if month > 12 { (year, month) = (year + 1, 1) }
    }
    #expect(CivilDate(dayNumber: -1) == CivilDate(year: 1969, month: 12, day: 31))
    #expect(CivilDate.text(nanoseconds: Self.utc(2026, 11, 25, 9, 5)) == "2026-11-25T09:05:00Z")
  }

  @Test func aNewWindowStartsWhereTheOldOneEnds() {
    let old = BudgetWindow(start: 100, end: 200)
    #expect(BudgetWindow(start: 150, end: 250).following(nil, now: 160) == BudgetWindow(start: 150, end: 250))
    // Another zone while the old window is open: the old one stays.
    #expect(BudgetWindow(start: 150, end: 250).following(old, now: 199) == old)
    // The next one does not reach back into it.
    #expect(BudgetWindow(start: 150, end: 250).following(old, now: 200) == BudgetWindow(start: 200, end: 250))
    #expect(BudgetWindow(start: 300, end: 400).following(old, now: 350) == BudgetWindow(start: 300, end: 400))
  }
}

struct WindowClockTests {
  private static let day: Int64 = 86_400_000_000_000
  private static let wall: Int64 = 1_790_000_000_000_000_000

  @Test func followsTheWallClockBySmallSteps() {
    var clock = WindowClock(wall: Self.wall, boot: 0, lastKnown: 0, isSynchronised: false)
    clock.look(wall: Self.wall + 300_000_000_000, boot: 0, isSynchronised: false)
    #expect(!clock.isHeld)
    #expect(clock.now(boot: 0) == Self.wall + 300_000_000_000)
  }

  @Test func aJumpForwardGrantsNothingUntilSomebodyVouches() {
    var clock = WindowClock(wall: Self.wall, boot: 0, lastKnown: 0, isSynchronised: true)
    clock.look(wall: Self.wall + Self.day, boot: 10, isSynchronised: false)
    #expect(clock.isHeld)
    #expect(clock.now(boot: 20) == Self.wall + 20)
    var accepted = clock
    accepted.accept(wall: Self.wall + Self.day, boot: 20)
    #expect(!accepted.isHeld)
    #expect(accepted.now(boot: 20) == Self.wall + Self.day)
    clock.look(wall: Self.wall + Self.day + 30, boot: 30, isSynchronised: true)
    #expect(clock.now(boot: 30) == Self.wall + Self.day + 30)
  }

  @Test(arguments: [true, false])
  func aJumpBackReopensNothing(isSynchronised: Bool) {
    var clock = WindowClock(wall: Self.wall, boot: 0, lastKnown: 0, isSynchronised: true)
    clock.look(wall: Self.wall - Self.day, boot: 10, isSynchronised: isSynchronised)
    #expect(clock.now(boot: 10) >= Self.wall)
    clock.look(wall: Self.wall - Self.day + 10, boot: 20, isSynchronised: isSynchronised)
    #expect(clock.now(boot: 20) >= Self.wall + 10)
  }

  @Test func atTheStartTheJournalsTimeHolds() {
    let ahead = WindowClock(wall: Self.wall + Self.day, boot: 5, lastKnown: Self.wall, isSynchronised: false)
    #expect(ahead.isHeld)
    #expect(ahead.now(boot: 5) == Self.wall)
    let vouched = WindowClock(wall: Self.wall + Self.day, boot: 5, lastKnown: Self.wall, isSynchronised: true)
    #expect(vouched.now(boot: 5) == Self.wall + Self.day)
    let behind = WindowClock(wall: Self.wall - Self.day, boot: 5, lastKnown: Self.wall, isSynchronised: true)
    #expect(behind.now(boot: 5) == Self.wall)
  }

  @Test func absurdClocksDoNotTrap() {
    for wall in [Int64.min, -1, 0, .max] {
      for boot in [Int64.min, 0, .max] {
        var clock = WindowClock(wall: wall, boot: boot, lastKnown: .max, isSynchronised: false)
        clock.look(wall: boot, boot: wall, isSynchronised: true)
        _ = clock.now(boot: wall)
      }
    }
  }
}
