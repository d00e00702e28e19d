extension JSONCursor {
  /// Reads a string: its content is valid UTF-8 without control characters, its escapes are well-formed.
  public mutating func string() throws(JSONTextError) -> JSONString {
    guard try nextByte() == 0x22 else { throw JSONTextError(.unexpectedByte, at: position) }
    return try quoted()
  }

  /// Reads the string whose opening quote stands at ``position``.
  @inline(__always)
  mutating func quoted() throws(JSONTextError) -> JSONString {
    let first = position &+ 1
    // Names and most values are plain and end within two words: those are read without a call.
    let stop = ByteSearch.nearSpecial(bytes, first, end)
    guard stop < end, bytes[stop] == 0x22 else { return try content(first, from: stop) }
    position = stop &+ 1
    return JSONString(start: first, end: stop, hasEscapes: false, isASCII: true)
  }

  /// Reads a string's content, of which all in front of `index` is plain ASCII, and its closing quote.
  @inline(never)
  private mutating func content(_ first: Int, from index: Int) throws(JSONTextError) -> JSONString {
    var index = index
    var hasEscapes = false
    var isASCII = true
    while true {
      index = ByteSearch.nextSpecial(bytes, index, end)
      guard index < end else { throw JSONTextError(.unexpectedEnd, at: end) }
      let byte = bytes[index]
      if byte == 0x22 {
        position = index + 1
        return JSONString(start: first, end: index, hasEscapes: hasEscapes, isASCII: isASCII)
      }
      if byte == 0x5C {
        hasEscapes = true
        index = try escape(at: index)
      } else if byte < 0x20 {
        throw JSONTextError(.controlCharacter, at: index)
      } else {
        isASCII = false
        repeat {
          // Two bytes are the common case in Latin scripts.
          if bytes[index] &- 0xC2 < 0x1E, index + 1 < end, bytes[index + 1] & 0xC0 == 0x80 {
            index += 2
          } else {
            index = try scalar(at: index)
          }
        } while index < end && bytes[index] >= 0x80
      }
    }
  }

  /// - Returns: The position behind the escape; behind both halves of a surrogate pair.
  private func escape(at index: Int) throws(JSONTextError) -> Int {
    guard index + 1 < end else { throw JSONTextError(.unexpectedEnd, at: end) }
    switch bytes[index + 1] {
    case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74: return index + 2
    case 0x75: break
    default: throw JSONTextError(.invalidEscape, at: index)
    }
    let unit = try hexUnit(at: index + 2)
    guard unit & 0xF800 == 0xD800 else { return index + 6 }
    if unit < 0xDC00, index + 7 < end, bytes[index + 6] == 0x5C, bytes[index + 7] == 0x75 {
      let low = try hexUnit(at: index + 8)
      if low & 0xFC00 == 0xDC00 { return index + 12 }
    }
    guard limits.allowsLoneSurrogates else { throw JSONTextError(.loneSurrogate, at: index) }
    return index + 6
  }

  private func hexUnit(at index: Int) throws(JSONTextError) -> UInt16 {
    guard index + 4 <= end else { throw JSONTextError(.unexpectedEnd, at: end) }
    guard let unit = HexDigits.unit(bytes + index) else { throw JSONTextError(.invalidEscape, at: index) }
    return unit
  }

  /// Checks one scalar of two to four bytes (Unicode 15, table 3-7).
  /// - Returns: The position behind it.
  @inline(__always)
  private func scalar(at index: Int) throws(JSONTextError) -> Int {
    let length = UTF8Check.scalarLength(bytes + index, available: end - index)
    guard length > 0 else { throw JSONTextError(.invalidUTF8, at: index) }
    return index + length
  }
}

enum UTF8Check {
  /// The length of the multi-byte scalar that begins here; 0 if it is none (overlong, surrogate, too large, cut).
  @inline(__always)
  static func scalarLength(_ bytes: UnsafePointer<UInt8>, available: Int) -> Int {
    let lead = bytes[0]
    guard available >= 2, lead >= 0xC2 else { return 0 }
    let second = bytes[1]
    if lead < 0xE0 { return second & 0xC0 == 0x80 ? 2 : 0 }
    if lead < 0xF0 {
      guard available >= 3, second & 0xC0 == 0x80, bytes[2] & 0xC0 == 0x80 else { return 0 }
      if lead == 0xE0, second < 0xA0 { return 0 }
      if lead == 0xED, second > 0x9F { return 0 }
      return 3
    }
    guard lead <= 0xF4, available >= 4, second & 0xC0 == 0x80, bytes[2] & 0xC0 == 0x80, bytes[3] & 0xC0 == 0x80
    else { return 0 }
    if lead == 0xF0, second < 0x90 { return 0 }
    if lead == 0xF4, second > 0x8F { return 0 }
    return 4
  }
}

enum HexDigits {
  /// The value of four hex digits; nil if one is none.
  static func unit(_ digits: UnsafePointer<UInt8>) -> UInt16? {
    var unit: UInt16 = 0
    for index in 0..<4 {
      guard let value = value(digits[index]) else { return nil }
      unit = unit << 4 | UInt16(value)
    }
    return unit
  }

  static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x41...0x46: digit - 0x37
    case 0x61...0x66: digit - 0x57
    default: nil
    }
  }

  static func character(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
}
