/// A day of the proleptic Gregorian calendar, years 0 to 9999.
///
/// The conversions are Howard Hinnant's `days_from_civil` and `civil_from_days`.
struct CivilDate: Hashable, Sendable, CustomStringConvertible {
  let year: Int64
  let month: Int64
  let day: Int64

  /// Nil unless the day exists.
  init?(year: Int64, month: Int64, day: Int64) {
    guard (0...9999).contains(year), (1...12).contains(month), day >= 1, day <= Self.days(in: month, of: year) else {
      return nil
    }
    self.year = year
    self.month = month
    self.day = day
  }

  init(daysSince1970 days: Int64) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  /// Takes `yyyy-mm-dd` off the front; nil, with an undefined rest, if it does not stand there.
  init?(prefixOf bytes: inout ArraySlice<UInt8>) {
    guard let year = Self.digits(4, of: &bytes), bytes.popFirst() == UInt8(ascii: "-"),
      let month = Self.digits(2, of: &bytes), bytes.popFirst() == UInt8(ascii: "-"),
      let day = Self.digits(2, of: &bytes)
    else { return nil }
    self.init(year: year, month: month, day: day)
  }

  var daysSince1970: Int64 {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  var description: String {
    "\(Timestamp.padded(year, 4))-\(Timestamp.padded(month, 2))-\(Timestamp.padded(day, 2))"
  }

  static func digits(_ count: Int, of bytes: inout ArraySlice<UInt8>) -> Int64? {
    guard bytes.count >= count else { return nil }
    var value: Int64 = 0
    for digit in bytes.prefix(count) {
      guard (0x30...0x39).contains(digit) else { return nil }
      value = value * 10 + Int64(digit - 0x30)
    }
    bytes.removeFirst(count)
    return value
  }

  private static func days(in month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}
