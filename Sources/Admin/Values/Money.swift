/// An amount of money in 10⁻⁹ of a currency's unit; its JSON form is a decimal text (`"12.5"`), never a float.
package struct Money: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let nanos: Int64

  package init(nanos: Int64) { self.nanos = nanos }

  /// Reads `12`, `12.5` or `-0.000000001`; nil for anything else, and for what does not fit.
  package init?(_ text: String) {
    var bytes = Array(text.utf8)[...]
    let negative = bytes.first == UInt8(ascii: "-")
    if negative { bytes.removeFirst() }
    let parts = bytes.split(separator: UInt8(ascii: "."), maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 1 || parts.count == 2, let whole = parts.first, !whole.isEmpty, whole.count <= 10 else {
      return nil
    }
    let fraction = parts.count == 2 ? parts[1] : []
    guard parts.count == 1 || !fraction.isEmpty, fraction.count <= 9 else { return nil }
    var value: Int64 = 0
    for digit in Array(whole) + Array(fraction) + Array(repeating: 0x30, count: 9 - fraction.count) {
      guard (0x30...0x39).contains(digit) else { return nil }
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, sumOverflow) = tens.addingReportingOverflow(Int64(digit - 0x30))
      guard !overflow, !sumOverflow else { return nil }
      value = sum
    }
    nanos = negative ? -value : value
  }

  /// The shortest decimal that is exact.
  package var description: String {
    let (whole, rest) = nanos.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
    let sign = nanos < 0 ? "-" : ""
    guard rest != 0 else { return "\(sign)\(whole)" }
    var digits = String(rest)
    digits = String(repeating: "0", count: 9 - digits.utf8.count) + digits
    while digits.hasSuffix("0") { digits.removeLast() }
    return "\(sign)\(whole).\(digits)"
  }

  package static func < (left: Money, right: Money) -> Bool { left.nanos < right.nanos }
}

extension Money: Codable {
  package init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let value = Money(text) else {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "not a decimal"))
    }
    self = value
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
