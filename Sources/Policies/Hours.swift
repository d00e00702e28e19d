internal import Foundation

/// Times of the week in which something holds: `Mo-Fr 07:00-19:00 Europe/Berlin`. Without days: every day; without a
/// zone: the tenant's. An end before its start runs over midnight.
public struct Hours: Hashable, Sendable {
  /// Bit 0 is Monday.
  public let days: UInt8
  /// Minutes since midnight; the end is excluded, 24:00 is 1440.
  public let from: Int
  public let until: Int
  /// IANA name; nil: the tenant's.
  public let zone: String?

  private static let dayNames = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]
  private static let germanDayNames = ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"]

  init(parsing text: String) throws(UnitError) {
    let hint = "write days, hours and a zone: Mo-Fr 07:00-19:00 Europe/Berlin"
    var words = text.split(separator: " ").map(String.init)
    var days: UInt8 = 0x7F
    if let first = words.first, first.first?.isLetter == true {
      guard let read = Self.days(first) else { throw UnitError(hint: hint) }
      days = read
      words.removeFirst()
    }
    guard let span = words.first else { throw UnitError(hint: hint) }
    let ends = span.split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2, let from = Self.minute(ends[0]), let until = Self.minute(ends[1]), from != until,
      from < 1440
    else { throw UnitError(hint: hint) }
    words.removeFirst()
    guard words.count <= 1 else { throw UnitError(hint: hint) }
    if let zone = words.first {
      guard zone.utf8.count <= 64, TimeZone(identifier: zone) != nil else {
        throw UnitError(hint: "'\(zone)' is no time zone; write it as IANA does: Europe/Berlin")
      }
    }
    self.days = days
    self.from = from
    self.until = until
    self.zone = words.first
  }

  private static func days(_ text: String) -> UInt8? {
    func index(_ name: Substring) -> Int? {
      dayNames.firstIndex(of: String(name)) ?? germanDayNames.firstIndex(of: String(name))
    }
    var mask: UInt8 = 0
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false)
      guard (1...2).contains(ends.count), let first = ends.first, let start = index(first), let last = ends.last,
        let end = index(last)
      else { return nil }
      var day = start
      while true {
        mask |= 1 << UInt8(day)
        if day == end { break }
        day = (day + 1) % 7
      }
    }
    return mask
  }

  private static func minute(_ text: Substring) -> Int? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2,
      parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
      let hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60, hour < 24 || (hour == 24 && minute == 0)
    else { return nil }
    return hour * 60 + minute
  }

  /// Whether an instant lies inside.
  /// - Parameter usualZone: The tenant's zone, for hours that name none; an unknown zone is outside always.
  public func contains(epochSeconds: Int64, usualZone: String) -> Bool {
    guard let zone = TimeZone(identifier: zone ?? usualZone) else { return false }
    let offset = zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(epochSeconds)))
    return contains(localSeconds: epochSeconds &+ Int64(offset))
  }

  /// Whether a local time lies inside; seconds since 1970 as its wall clock shows them.
  public func contains(localSeconds: Int64) -> Bool {
    var (day, second) = localSeconds.quotientAndRemainder(dividingBy: 86_400)
    if second < 0 {
      day -= 1
      second += 86_400
    }
    let weekday = Int(((day + 3) % 7 + 7) % 7)  // 1970-01-01 was a Thursday
    return contains(weekday: weekday, minute: Int(second / 60))
  }

  private func contains(weekday: Int, minute: Int) -> Bool {
    func on(_ day: Int) -> Bool { days & (1 << UInt8(day)) != 0 }
    if from < until { return on(weekday) && minute >= from && minute < until }
    return (on(weekday) && minute >= from) || (on((weekday + 6) % 7) && minute < until)
  }

  /// Whether every minute of this is one of the other's.
  func isWithin(_ other: Hours) -> Bool {
    guard zone == other.zone else { return false }
    for weekday in 0..<7 {
      for minute in 0..<1440
      where contains(weekday: weekday, minute: minute) && !other.contains(weekday: weekday, minute: minute) {
        return false
      }
    }
    return true
  }
}
