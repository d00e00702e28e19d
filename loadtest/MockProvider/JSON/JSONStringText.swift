import NIOCore

/// The text of a JSON string: its length, its decoding and its encoding.
enum JSONStringText {
  /// How many bytes of UTF-8 the raw string in `range` stands for.
  static func decodedLength(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int {
    guard bytes.index(of: 0x5C, from: range.lowerBound, to: range.upperBound) != nil else { return range.count }
    var decoded: [UInt8] = []
    decode(bytes, range, into: &decoded)
    return decoded.count
  }

  /// Appends what the raw string in `range` stands for; lone surrogates and bad escapes become U+FFFD.
  static func decode(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, into text: inout [UInt8]) {
    text.reserveCapacity(text.count + range.count)
    var position = range.lowerBound
    let end = min(range.upperBound, bytes.count)
    while position < end {
      guard let slash = bytes.index(of: 0x5C, from: position, to: end) else {
        text.append(contentsOf: bytes[position..<end])
        return
      }
      text.append(contentsOf: bytes[position..<slash])
      position = decodeEscape(bytes, at: slash, end: end, into: &text)
    }
  }

  private static func decodeEscape(
    _ bytes: UnsafeRawBufferPointer, at slash: Int, end: Int, into text: inout [UInt8]
  ) -> Int {
    guard slash + 1 < end else {
      append(0xFFFD, to: &text)
      return end
    }
    switch bytes[slash + 1] {
    case 0x6E: text.append(0x0A)
    case 0x74: text.append(0x09)
    case 0x72: text.append(0x0D)
    case 0x62: text.append(0x08)
    case 0x66: text.append(0x0C)
    case 0x75: return decodeUnit(bytes, at: slash, end: end, into: &text)
    case 0x22, 0x5C, 0x2F: text.append(bytes[slash + 1])
    default: append(0xFFFD, to: &text)
    }
    return slash + 2
  }

  private static func decodeUnit(
    _ bytes: UnsafeRawBufferPointer, at slash: Int, end: Int, into text: inout [UInt8]
  ) -> Int {
    guard let unit = unit(bytes, at: slash, end: end) else {
      append(0xFFFD, to: &text)
      return min(end, slash + 2)
    }
    if unit >= 0xD800, unit <= 0xDBFF, let low = Self.unit(bytes, at: slash + 6, end: end), low >= 0xDC00, low <= 0xDFFF
    {
      append(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00), to: &text)
      return slash + 12
    }
    append(unit, to: &text)
    return slash + 6
  }

  /// The value of the `\uXXXX` at `slash`.
  private static func unit(_ bytes: UnsafeRawBufferPointer, at slash: Int, end: Int) -> UInt32? {
    guard slash >= 0, slash + 6 <= end, bytes[slash] == 0x5C, bytes[slash + 1] == 0x75 else { return nil }
    var value: UInt32 = 0
    for index in (slash + 2)..<(slash + 6) {
      let byte = bytes[index]
      let digit: UInt8
      switch byte {
      case 0x30...0x39: digit = byte - 0x30
      case 0x41...0x46: digit = byte - 0x37
      case 0x61...0x66: digit = byte - 0x57
      default: return nil
      }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  private static func append(_ value: UInt32, to text: inout [UInt8]) {
    let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
    text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
  }

  /// Writes `text` as the inside of a JSON string; bytes that are not UTF-8 are written as they are.
  static func encode(_ text: ArraySlice<UInt8>, into buffer: inout ByteBuffer) {
    var plainStart = text.startIndex
    for index in text.indices {
      let byte = text[index]
      guard byte < 0x20 || byte == 0x22 || byte == 0x5C else { continue }
      buffer.writeBytes(text[plainStart..<index])
      plainStart = index + 1
      switch byte {
      case 0x22: buffer.writeStaticString("\\\"")
      case 0x5C: buffer.writeStaticString("\\\\")
      case 0x0A: buffer.writeStaticString("\\n")
      case 0x0D: buffer.writeStaticString("\\r")
      case 0x09: buffer.writeStaticString("\\t")
      default:
        buffer.writeStaticString("\\u00")
        buffer.writeHexDigit(byte >> 4)
        buffer.writeHexDigit(byte & 15)
      }
    }
    buffer.writeBytes(text[plainStart...])
  }

  /// The same as an array, for text that goes into a string inside a string.
  static func encoded(_ text: [UInt8]) -> [UInt8] {
    var buffer = ByteBuffer()
    encode(text[...], into: &buffer)
    return Array(buffer.readableBytesView)
  }
}

extension ByteBuffer {
  /// Writes the lower half of `value` as one lower-case hexadecimal digit.
  mutating func writeHexDigit(_ value: UInt8) {
    let digit = value & 15
    writeInteger(digit < 10 ? 0x30 + digit : 0x57 + digit)
  }

  /// Writes `value` in hexadecimal without leading zeros.
  mutating func writeHex(_ value: Int) {
    var shift = 60
    while shift > 0, (value >> shift) & 15 == 0 { shift -= 4 }
    while shift >= 0 {
      writeHexDigit(UInt8(truncatingIfNeeded: value >> shift))
      shift -= 4
    }
  }
}
