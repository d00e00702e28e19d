/// Classes of bytes in HTTP heads, and comparisons without strings.
enum Octet {
  /// `tchar` of RFC 9110, 5.6.2.
  private static let tokens: [Bool] = {
    var table = [Bool](repeating: false, count: 256)
    for byte in "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8 {
      table[Int(byte)] = true
    }
    return table
  }()

  @inline(__always)
  static func isToken(_ byte: UInt8) -> Bool {
    // Letters, digits and the dash are almost all of it; the table has the rest.
    let lower = byte | 0x20
    return (lower >= 0x61 && lower <= 0x7A) || (byte >= 0x30 && byte <= 0x39) || byte == 0x2D || tokens[Int(byte)]
  }

  /// Same bytes, case and all.
  static func equal(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ text: StaticString) -> Bool {
    guard range.count == text.utf8CodeUnitCount, range.upperBound <= bytes.count else { return false }
    let expected = text.utf8Start
    for offset in 0..<range.count where bytes[range.lowerBound &+ offset] != expected[offset] { return false }
    return true
  }

  /// Same but for case; `text` is lower case.
  static func matches(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ text: StaticString) -> Bool {
    guard range.count == text.utf8CodeUnitCount, range.upperBound <= bytes.count else { return false }
    let expected = text.utf8Start
    for offset in 0..<range.count {
      let byte = bytes[range.lowerBound &+ offset]
      if byte == expected[offset] { continue }
      guard byte >= 0x41, byte <= 0x5A, byte | 0x20 == expected[offset] else { return false }
    }
    return true
  }

  /// Where from `start` on something other than a blank or visible ASCII stands; the end if nothing else does.
  static func endOfText(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
    var index = start
    // Eight bytes at a time: a high bit is set by those that have one, by the lowest that is below the blank, and by DEL.
    while index &+ 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      let foreign = word | (word &- 0x2020_2020_2020_2020) | (word &+ 0x0101_0101_0101_0101)
      guard foreign & 0x8080_8080_8080_8080 == 0 else { break }
      index &+= 8
    }
    while index < bytes.count, bytes[index] >= 0x20, bytes[index] < 0x7F { index &+= 1 }
    return index
  }

  static func trimmed(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Range<Int> {
    var start = range.lowerBound
    var end = range.upperBound
    while start < end, bytes[start] == 0x20 || bytes[start] == 0x09 { start &+= 1 }
    while end > start, bytes[end &- 1] == 0x20 || bytes[end &- 1] == 0x09 { end &-= 1 }
    return start..<end
  }

  /// A host name, address or bracketed IPv6 address, maybe with a port; nothing that another parser reads as a URL.
  static func isHost(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
    guard !range.isEmpty, range.count <= 255 else { return false }
    var index = range.lowerBound
    let isLiteral = bytes[index] == 0x5B
    if isLiteral { index &+= 1 }
    let first = index
    while index < range.upperBound, isLiteral ? isAddress(bytes[index]) : isName(bytes[index]) { index &+= 1 }
    guard index > first else { return false }
    if isLiteral {
      guard index < range.upperBound, bytes[index] == 0x5D else { return false }
      index &+= 1
    }
    guard index < range.upperBound else { return true }
    let digits = (index &+ 1)..<range.upperBound
    return bytes[index] == 0x3A && (1...5).contains(digits.count)
      && digits.allSatisfy { (0x30...0x39).contains(bytes[$0]) }
  }

  /// Bytes of host names as they occur; names of containers may have an underscore.
  private static func isName(_ byte: UInt8) -> Bool {
    let lower = byte | 0x20
    return (0x61...0x7A).contains(lower) || (0x30...0x39).contains(byte) || byte == 0x2D || byte == 0x2E || byte == 0x5F
  }

  /// Bytes of an IPv6 address within brackets.
  private static func isAddress(_ byte: UInt8) -> Bool {
    (0x61...0x66).contains(byte | 0x20) || (0x30...0x3A).contains(byte) || byte == 0x2E
  }

  private static let guarded: [StaticString] = [
    "host", "expect", "upgrade", "api-key", "x-api-key", "connection", "content-type", "authorization",
    "content-length",
    "content-encoding", "transfer-encoding", "anthropic-version", "anthropic-beta", "x-forwarded-for",
  ]

  /// Whether a name with `_` equals one that matters once `_` is read as `-`, as CGI-like servers do.
  static func imitatesGuarded(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
    guarded.contains { same(bytes, range, $0, prefixOnly: false) }
      || same(bytes, range, "x-torhaus-", prefixOnly: true)
  }

  private static func same(
    _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ text: StaticString, prefixOnly: Bool
  ) -> Bool {
    let count = text.utf8CodeUnitCount
    guard prefixOnly ? range.count >= count : range.count == count else { return false }
    for offset in 0..<count {
      var byte = bytes[range.lowerBound &+ offset]
      if byte == 0x5F { byte = 0x2D }
      if byte >= 0x41, byte <= 0x5A { byte |= 0x20 }
      if byte != text.utf8Start[offset] { return false }
    }
    return true
  }
}
