/// An instant of the wall clock in nanoseconds since 1970 UTC; its JSON form is RFC 3339 in UTC.
package struct Timestamp: Hashable, Sendable, Comparable {
  package let nanoseconds: Int64

  package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  package static func < (left: Timestamp, right: Timestamp) -> Bool { left.nanoseconds < right.nanoseconds }
}

extension Timestamp: CustomStringConvertible {
  /// `2026-11-24T10:57:24Z`, with milliseconds when there are any.
  package var description: String {
    let (seconds, fraction) = Self.floorDivide(nanoseconds, 1_000_000_000)
    let (days, secondOfDay) = Self.floorDivide(seconds, 86_400)
    let date = CivilDate(daysSince1970: days)
    let milliseconds = fraction / 1_000_000
    let time = [secondOfDay / 3600, secondOfDay / 60 % 60, secondOfDay % 60].map { Self.padded($0, 2) }
    let end = milliseconds == 0 ? "Z" : "." + Self.padded(milliseconds, 3) + "Z"
    return "\(date)T\(time.joined(separator: ":"))\(end)"
  }

  static func floorDivide(_ value: Int64, _ by: Int64) -> (quotient: Int64, rest: Int64) {
    let (quotient, rest) = value.quotientAndRemainder(dividingBy: by)
    return rest < 0 ? (quotient - 1, rest + by) : (quotient, rest)
  }

  static func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}

extension Timestamp {
  /// Reads RFC 3339 (`2026-11-24T10:57:24.5+01:00`) or a plain day (`2026-11-24`, its start in UTC); else nil.
  package init?(_ text: String) {
    var rest = Array(text.utf8)[...]
    guard let date = CivilDate(prefixOf: &rest) else { return nil }
    guard !rest.isEmpty else {
      self.init(days: date.daysSince1970, seconds: 0, nanoseconds: 0)
      return
    }
    guard let mark = rest.popFirst(), mark == UInt8(ascii: "T") || mark == UInt8(ascii: "t") || mark == 0x20,
      let hour = Self.twoDigits(&rest, below: 24), rest.popFirst() == UInt8(ascii: ":"),
      let minute = Self.twoDigits(&rest, below: 60), rest.popFirst() == UInt8(ascii: ":"),
      let second = Self.twoDigits(&rest, below: 61), let fraction = Self.fraction(&rest),
      let offset = Self.offsetSeconds(&rest), rest.isEmpty
    else { return nil }
    self.init(
      days: date.daysSince1970, seconds: hour * 3600 + minute * 60 + min(second, 59) - offset, nanoseconds: fraction)
  }

  private init?(days: Int64, seconds: Int64, nanoseconds: Int64) {
    let (whole, overflow) = (days * 86_400 + seconds).multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, sumOverflow) = whole.addingReportingOverflow(nanoseconds)
    guard !overflow, !sumOverflow else { return nil }
    self.init(nanoseconds: sum)
  }

  private static func twoDigits(_ bytes: inout ArraySlice<UInt8>, below limit: Int64) -> Int64? {
    guard let value = CivilDate.digits(2, of: &bytes), value < limit else { return nil }
    return value
  }

  /// Nanoseconds of an optional fraction of 1 to 9 digits.
  private static func fraction(_ bytes: inout ArraySlice<UInt8>) -> Int64? {
    guard bytes.first == UInt8(ascii: ".") else { return 0 }
    bytes.removeFirst()
    var value: Int64 = 0
    var unit: Int64 = 100_000_000
    while let digit = bytes.first, (0x30...0x39).contains(digit), unit > 0 {
      value += Int64(digit - 0x30) * unit
      unit /= 10
      bytes.removeFirst()
    }
    return unit == 100_000_000 ? nil : value
  }

  private static func offsetSeconds(_ bytes: inout ArraySlice<UInt8>) -> Int64? {
    guard let sign = bytes.popFirst() else { return nil }
    if sign == UInt8(ascii: "Z") || sign == UInt8(ascii: "z") { return 0 }
    guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), let hours = twoDigits(&bytes, below: 24),
      bytes.popFirst() == UInt8(ascii: ":"), let minutes = twoDigits(&bytes, below: 60)
    else { return nil }
    return (hours * 3600 + minutes * 60) * (sign == UInt8(ascii: "-") ? -1 : 1)
  }
}

extension Timestamp: Codable {
  package init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let value = Timestamp(text) else {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "not RFC 3339"))
    }
    self = value
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension Timestamp {
  /// Whole seconds, rounded down.
  package var secondsSince1970: Int64 { Self.floorDivide(nanoseconds, 1_000_000_000).quotient }

  /// The instant that many seconds after 1970; the last representable one where that is out of range.
  package init(secondsSince1970 seconds: Int64) {
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    self.init(nanoseconds: overflow ? (seconds < 0 ? .min : .max) : product)
  }

  /// A nanosecond earlier, or the first representable instant.
  var previous: Timestamp { Timestamp(nanoseconds: nanoseconds == .min ? .min : nanoseconds - 1) }
}
