/// Reads JSON string content one scalar at a time, however often it is escaped: depth 0 is plain text, 1 a JSON string,
/// 2 a string inside JSON inside a JSON string.
///
/// A surrogate escape without its other half is read as the scalar number U+D800–DFFF; what is malformed is read as it
/// stands, byte for byte, so that no content can stop the reader.
enum EscapedText {
  /// `length` is the number of raw bytes read; 0 means that the bytes end within an escape or character.
  struct Unit {
    var scalar: UInt32
    var length: Int
  }

  /// Reads one unit at `position`, which is below `limit`.
  static func unit(_ bytes: UnsafePointer<UInt8>, _ position: Int, _ limit: Int, depth: Int) -> Unit {
    if depth <= 0 { return character(bytes, position, limit) }
    let first = unit(bytes, position, limit, depth: depth - 1)
    guard first.scalar == 0x5C, first.length > 0 else { return first }
    guard position + first.length < limit else { return Unit(scalar: 0x5C, length: 0) }
    let second = unit(bytes, position + first.length, limit, depth: depth - 1)
    guard second.length > 0 else { return second }
    let length = first.length + second.length
    switch second.scalar {
    case 0x6E: return Unit(scalar: 0x0A, length: length)
    case 0x74: return Unit(scalar: 0x09, length: length)
    case 0x72: return Unit(scalar: 0x0D, length: length)
    case 0x62: return Unit(scalar: 0x08, length: length)
    case 0x66: return Unit(scalar: 0x0C, length: length)
    case 0x22, 0x2F, 0x5C: return Unit(scalar: second.scalar, length: length)
    case 0x75: return escapedScalar(bytes, position, position + length, limit, depth: depth)
    default: return first
    }
  }

  /// `\uXXXX` whose hex digits begin at `start`; joins two surrogates. Falls back to the backslash alone.
  private static func escapedScalar(
    _ bytes: UnsafePointer<UInt8>, _ begin: Int, _ start: Int, _ limit: Int, depth: Int
  ) -> Unit {
    let high = hex(bytes, start, limit, depth: depth - 1)
    guard high.length > 0 else { return high }
    let backslash = unit(bytes, begin, limit, depth: depth - 1)
    guard high.scalar != malformed else { return backslash }
    var end = start + high.length
    guard high.scalar & 0xFC00 == 0xD800 else { return Unit(scalar: high.scalar, length: end - begin) }
    let lone = Unit(scalar: high.scalar, length: end - begin)
    for expected: UInt32 in [0x5C, 0x75] {
      guard end < limit else { return lone }
      let next = unit(bytes, end, limit, depth: depth - 1)
      guard next.length > 0 else { return next }
      guard next.scalar == expected else { return lone }
      end += next.length
    }
    let low = hex(bytes, end, limit, depth: depth - 1)
    guard low.length > 0 else { return low }
    guard low.scalar != malformed, low.scalar & 0xFC00 == 0xDC00 else { return lone }
    let scalar = 0x10000 + ((high.scalar & 0x3FF) << 10) + (low.scalar & 0x3FF)
    return Unit(scalar: scalar, length: end + low.length - begin)
  }

  static let malformed = UInt32.max

  private static func hex(_ bytes: UnsafePointer<UInt8>, _ start: Int, _ limit: Int, depth: Int) -> Unit {
    var value: UInt32 = 0
    var position = start
    for _ in 0..<4 {
      guard position < limit else { return Unit(scalar: 0, length: 0) }
      let digit = unit(bytes, position, limit, depth: depth)
      guard digit.length > 0 else { return digit }
      guard let number = ASCII.hexValue(digit.scalar) else { return Unit(scalar: malformed, length: 1) }
      value = value << 4 | number
      position += digit.length
    }
    return Unit(scalar: value, length: position - start)
  }

  /// One UTF-8 character; an invalid byte is U+FFFD of length 1.
  @inline(__always)
  static func character(_ bytes: UnsafePointer<UInt8>, _ position: Int, _ limit: Int) -> Unit {
    let lead = bytes[position]
    if lead < 0x80 { return Unit(scalar: UInt32(lead), length: 1) }
    let count = lead >= 0xF0 && lead < 0xF5 ? 4 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xC2 && lead < 0xE0 ? 2 : 1
    guard count > 1 else { return Unit(scalar: 0xFFFD, length: 1) }
    var scalar = UInt32(lead) & (0x7F >> UInt32(count))
    for offset in 1..<count {
      guard position + offset < limit else { return Unit(scalar: 0xFFFD, length: 0) }
      let next = bytes[position + offset]
      guard next & 0xC0 == 0x80 else { return Unit(scalar: 0xFFFD, length: 1) }
      scalar = scalar << 6 | UInt32(next & 0x3F)
    }
    return Unit(scalar: scalar, length: count)
  }
}

/// Byte facts that need no table.
enum ASCII {
  @inline(__always)
  static func hexValue(_ scalar: UInt32) -> UInt32? {
    switch scalar {
    case 0x30...0x39: scalar - 0x30
    case 0x41...0x46: scalar - 0x37
    case 0x61...0x66: scalar - 0x57
    default: nil
    }
  }

  @inline(__always) static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
  @inline(__always) static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
  @inline(__always) static func isUpper(_ byte: UInt8) -> Bool { byte &- 0x41 < 26 }
  @inline(__always) static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) }
  @inline(__always) static func upper(_ byte: UInt8) -> UInt8 { byte &- 0x61 < 26 ? byte & 0xDF : byte }
  @inline(__always) static func lower(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
}
