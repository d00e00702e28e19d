/// The rules of time zones, asked for off the hot path.
public protocol ZoneRules: Sendable {
  /// Seconds east of UTC at an instant; nil for a zone that nobody knows.
  func offsetSeconds(zone: String, at utcSeconds: Int64) -> Int64?
}

/// UTC for every name: for installations without zones, and tests.
public struct UTCRules: ZoneRules {
  public init() {}
  public func offsetSeconds(zone: String, at utcSeconds: Int64) -> Int64? { 0 }
}

/// The stretch of time in which a budget counts; its id is its start. Nanoseconds since 1970, end exclusive.
public struct BudgetWindow: Hashable, Sendable {
  public let start: Int64
  public let end: Int64

  public init(start: Int64, end: Int64) {
    self.start = start
    self.end = end
  }

  public func contains(_ instant: Int64) -> Bool { start <= instant && instant < end }

  /// The window that counts now, given the latest one that was ever opened: an open one stays, and a new one (other
  /// zone, other anchor, clock set back) starts where the old one ended, so no instant is spent twice.
  public func following(_ latest: BudgetWindow?, now: Int64) -> BudgetWindow {
    guard let latest else { return self }
    if now < latest.end { return latest }
    return BudgetWindow(start: max(start, latest.end), end: max(end, latest.end))
  }
}

/// Cuts time into calendar windows of a zone. A day of 23 or 25 hours is one day.
public struct WindowCalendar: Sendable {
  private let rules: any ZoneRules

  public init(_ rules: any ZoneRules) { self.rules = rules }

  /// Seconds since 1970 of the years 1700 to 2200, in which nanoseconds are far from the ends of Int64.
  private static let reach: ClosedRange<Int64> = -8_520_336_000...7_258_118_400

  /// The number of the local day that contains an instant, and its bounds; nil for an unknown zone, and outside of the
  /// years 1700 to 2200.
  public func day(of instant: Int64, zone: String) -> (number: Int64, window: BudgetWindow)? {
    // Rounded toward 0 first: rounding the least Int64 down would trap.
    guard Self.reach.contains(instant / 1_000_000_000) else { return nil }
    let seconds = CivilDate.floorDivide(instant, 1_000_000_000)
    guard let offset = rules.offsetSeconds(zone: zone, at: seconds) else { return nil }
    var number = CivilDate.floorDivide(seconds + offset, 86_400)
    for _ in 0..<3 {
      guard let start = startOfDay(number, zone: zone), let end = startOfDay(number + 1, zone: zone) else { return nil }
      if seconds < start {
        number -= 1
      } else if seconds >= end {
        number += 1
      } else {
        return (number, window(from: start, to: end))
      }
    }
    return nil
  }

  /// The window of a period that contains an instant; nil for an unknown zone.
  public func window(_ period: BudgetPeriod, zone: String, containing instant: Int64) -> BudgetWindow? {
    if period == .total { return BudgetWindow(start: 0, end: .max) }
    guard let day = day(of: instant, zone: zone) else { return nil }
    switch period {
    case .total, .day: return day.window
    case .week:
      let monday = day.number - (day.number + 3 - CivilDate.floorDivide(day.number + 3, 7) * 7)
      return window(fromDay: monday, toDay: monday + 7, zone: zone)
    case .month:
      let date = CivilDate(dayNumber: day.number)
      let first = CivilDate(year: date.year, month: date.month, day: 1)
      let next =
        date.month == 12
        ? CivilDate(year: date.year + 1, month: 1, day: 1) : CivilDate(year: date.year, month: date.month + 1, day: 1)
      return window(fromDay: first.dayNumber, toDay: next.dayNumber, zone: zone)
    }
  }

  /// The stretch of whole local days, `toDay` excluded; nil for an unknown zone, outside of the years 1700 to 2200, and
  /// if there is no day in it.
  public func window(fromDay: Int64, toDay: Int64, zone: String) -> BudgetWindow? {
    let days = Self.reach.lowerBound / 86_400...Self.reach.upperBound / 86_400
    guard fromDay < toDay, days.contains(fromDay), days.contains(toDay),
      let start = startOfDay(fromDay, zone: zone), let end = startOfDay(toDay, zone: zone)
    else { return nil }
    return window(from: start, to: end)
  }

  private func window(from start: Int64, to end: Int64) -> BudgetWindow {
    BudgetWindow(start: start * 1_000_000_000, end: end * 1_000_000_000)
  }

  /// The first instant, in UTC seconds, whose local time is not before midnight of that day. Where midnight is skipped
  /// it is the transition; where midnight comes twice it is the first.
  private func startOfDay(_ number: Int64, zone: String) -> Int64? {
    let local = number * 86_400
    guard let before = rules.offsetSeconds(zone: zone, at: local - 172_800),
      let after = rules.offsetSeconds(zone: zone, at: local + 172_800)
    else { return nil }
    if before == after, rules.offsetSeconds(zone: zone, at: local - before) == before { return local - before }
    // Local time reaches midnight between these two, and the first time it does is found by halving: before the
    // transition it has not, and it cannot fall back by more than the difference of the offsets.
    let early = local - max(before, after)
    let late = local - min(before, after)
    if let offset = rules.offsetSeconds(zone: zone, at: early), early + offset >= local { return early }
    var low = early
    var high = late
    while high - low > 1 {
      let middle = low + (high - low) / 2
      guard let offset = rules.offsetSeconds(zone: zone, at: middle) else { return nil }
      if middle + offset >= local { high = middle } else { low = middle }
    }
    return high
  }
}
