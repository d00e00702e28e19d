/// A quantity that is not written as its field wants it.
struct UnitError: Error {
  let hint: String
}

/// Quantities as policies write them: `600/min`, `2M tokens/day`, `8MiB`, `30d`. Exact integers, or an error.
enum Units {
  /// Digits with k, M or G (thousand, million, thousand million).
  static func count(_ text: String) throws(UnitError) -> Int64 {
    try count(text[...], hint: "write a whole number, with k, M or G for thousands: 400k")
  }

  private static func count(_ text: Substring, hint: String) throws(UnitError) -> Int64 {
    var digits = text
    var factor: Int64 = 1
    switch text.last {
    case "k": factor = 1_000
    case "M": factor = 1_000_000
    case "G": factor = 1_000_000_000
    default: break
    }
    if factor > 1 { digits = digits.dropLast() }
    guard isNumber(digits), let number = Int64(digits) else { throw UnitError(hint: hint) }
    let (value, overflow) = number.multipliedReportingOverflow(by: factor)
    guard !overflow else { throw UnitError(hint: "that is too large") }
    return value
  }

  private static func isNumber(_ text: Substring) -> Bool {
    (1...18).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
  }

  /// `600/min`, `10k/hour`.
  static func rate(_ text: String) throws(UnitError) -> RateSpec {
    let hint = "write a count per min or hour: 600/min"
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let period = RateSpec.Period(rawValue: String(parts[1])) else {
      throw UnitError(hint: hint)
    }
    return RateSpec(count: try count(parts[0], hint: hint), period: period)
  }

  /// `2M tokens/day`, `1000 EUR/month`, `100k requests/week`.
  static func budget(_ text: String) throws(UnitError) -> (BudgetSpec.Dimension, Int64, BudgetSpec.Window) {
    let hint = "write an amount, a unit and a window: 2M tokens/day or 1000 EUR/month"
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let window = BudgetSpec.Window(rawValue: String(parts[1])) else {
      throw UnitError(hint: hint)
    }
    let words = parts[0].split(separator: " ", omittingEmptySubsequences: true)
    guard words.count == 2 else { throw UnitError(hint: hint) }
    switch words[1] {
    case "tokens": return (.tokens, try count(words[0], hint: hint), window)
    case "requests": return (.requests, try count(words[0], hint: hint), window)
    default:
      let currency = try currency(String(words[1]))
      return (.money(currency), try nano(words[0]), window)
    }
  }

  /// Three capitals as ISO 4217 has them.
  static func currency(_ text: String) throws(UnitError) -> String {
    guard text.utf8.count == 3, text.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) else {
      throw UnitError(hint: "a currency is three capitals, such as EUR or CHF")
    }
    return text
  }

  /// A decimal amount in 10⁻⁹.
  private static func nano(_ text: Substring) throws(UnitError) -> Int64 {
    let hint = "write the amount in digits, with at most nine behind a point"
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.allSatisfy({ isNumber($0) }) else { throw UnitError(hint: hint) }
    let fraction = parts.count == 2 ? parts[1] : ""
    guard fraction.utf8.count <= 9 else { throw UnitError(hint: hint) }
    guard let value = Int64(parts[0] + fraction + String(repeating: "0", count: 9 - fraction.utf8.count)) else {
      throw UnitError(hint: "that is too large")
    }
    return value
  }

  /// `8MiB`; bytes.
  static func size(_ text: String) throws(UnitError) -> Int64 {
    let hint = "write a size in B, KiB, MiB or GiB: 8MiB"
    for (unit, factor) in [("KiB", Int64(1) << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)]
    where text.hasSuffix(unit) {
      let digits = text.dropLast(unit.utf8.count)
      guard isNumber(digits), let number = Int64(digits) else { throw UnitError(hint: hint) }
      let (value, overflow) = number.multipliedReportingOverflow(by: factor)
      guard !overflow else { throw UnitError(hint: "that is too large") }
      return value
    }
    throw UnitError(hint: hint)
  }

  /// `500ms`, `5s`, `10min`, `1h`; milliseconds within `range`.
  static func duration(_ text: String, in range: ClosedRange<Int>) throws(UnitError) -> Int {
    for (unit, factor) in [("ms", 1), ("min", 60_000), ("h", 3_600_000), ("s", 1_000)] where text.hasSuffix(unit) {
      let digits = text.dropLast(unit.utf8.count)
      guard isNumber(digits), let number = Int(digits) else { continue }
      let (value, overflow) = number.multipliedReportingOverflow(by: factor)
      guard !overflow, range.contains(value) else {
        throw UnitError(hint: "\(written(range.lowerBound)) to \(written(range.upperBound))")
      }
      return value
    }
    throw UnitError(hint: "write a time in ms, s, min or h: 5s")
  }

  private static func written(_ milliseconds: Int) -> String {
    if milliseconds % 3_600_000 == 0 { return "\(milliseconds / 3_600_000)h" }
    return milliseconds % 1_000 == 0 ? "\(milliseconds / 1_000)s" : "\(milliseconds)ms"
  }

  /// `30d`; days.
  static func days(_ text: String) throws(UnitError) -> Int {
    guard text.hasSuffix("d"), isNumber(text.dropLast()), let days = Int(text.dropLast()), days <= 36_500 else {
      throw UnitError(hint: "write whole days: 30d")
    }
    return days
  }
}
