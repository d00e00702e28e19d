extension JSONCursor {
  /// Reads a number: syntax by RFC 8259, magnitude below 10³⁰⁸ so that every reader can hold it.
  public mutating func number() throws(JSONTextError) -> JSONNumber {
    _ = try nextByte()
    let start = position
    var index = start
    let isNegative = bytes[index] == 0x2D
    if isNegative { index += 1 }

    let whole = index
    index = skipDigits(index)
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
      integer: isInteger ? integer(whole, wholeDigits, isNegative) : nil)
  }

  private func skipDigits(_ index: Int) -> Int {
    var index = index
    while index < end, bytes[index] &- 0x30 < 10 { index += 1 }
    return index
  }

  private func integer(_ start: Int, _ digits: Int, _ isNegative: Bool) -> Int64? {
    guard digits <= 19 else { return nil }
    var value: Int64 = 0
    for index in start..<(start + digits) {
      let digit = Int64(bytes[index] - 0x30)
      let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) =
        isNegative ? shifted.subtractingReportingOverflow(digit) : shifted.addingReportingOverflow(digit)
      guard !overflow, !carry else { return nil }
      value = sum
    }
    return value
  }
}
