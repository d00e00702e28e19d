extension JSONCursor {
  /// Reads a number: syntax by RFC 8259, magnitude below 10³⁰⁸ so that every reader can hold it.
  public mutating func number() throws(JSONTextError) -> JSONNumber {
    _ = try nextByte()
    let start = position
    var index = start
    let isNegative = bytes[index] == 0x2D
    if isNegative { index += 1 }

    let whole = index
    // Nineteen digits fit; what more of them make of it is not used.
    var magnitude: UInt64 = 0
    while index < end {
      let digit = bytes[index] &- 0x30
      guard digit < 10 else { break }
      magnitude = magnitude &* 10 &+ UInt64(digit)
      index &+= 1
    }
    guard index > whole, index - whole == 1 || bytes[whole] != 0x30 else {
      throw JSONTextError(.invalidNumber, at: start)
    }
    let wholeDigits = index - whole
    var fractionDigits = 0
    var isInteger = true
    if index < end, bytes[index] == 0x2E {
      isInteger = false
      let fraction = index + 1
      index = skipDigits(fraction)
      fractionDigits = index - fraction
      guard fractionDigits > 0 else { throw JSONTextError(.invalidNumber, at: start) }
    }
    var exponent = 0
    if index < end, bytes[index] | 0x20 == 0x65 {
      isInteger = false
      index += 1
      var isSmall = false
      if index < end, bytes[index] == 0x2B || bytes[index] == 0x2D {
        isSmall = bytes[index] == 0x2D
        index += 1
      }
      let digits = index
      index = skipDigits(index)
      guard index > digits else { throw JSONTextError(.invalidNumber, at: start) }
      for position in digits..<index { exponent = min(exponent * 10 + Int(bytes[position] - 0x30), 1_000_000) }
      if isSmall { exponent = -exponent }
    }
    // An upper bound of the decimal magnitude; a leading zero only makes it larger by one.
    guard wholeDigits + exponent <= 308 else { throw JSONTextError(.numberOutOfRange, at: start) }
    position = index
    return JSONNumber(
      start: start, end: index, isInteger: isInteger, isNegative: isNegative, digits: wholeDigits + fractionDigits,
      integer: isInteger && wholeDigits <= 19 ? Self.integer(magnitude, isNegative) : nil)
  }

  private func skipDigits(_ index: Int) -> Int {
    var index = index
    while index < end, bytes[index] &- 0x30 < 10 { index &+= 1 }
    return index
  }

  private static func integer(_ magnitude: UInt64, _ isNegative: Bool) -> Int64? {
    guard isNegative else { return Int64(exactly: magnitude) }
    return magnitude <= Int64.min.magnitude ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil
  }
}
