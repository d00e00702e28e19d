/// A strict, one-pass reader of JSON that makes no tree and no strings: the caller pulls members and values in their
/// order and gets byte positions.
///
/// Everything read is validated (RFC 8259, UTF-8, ``JSONLimits``), also what ``skipValue()`` passes over. The bytes must
/// stay where they are while the cursor lives. A walk is:
/// ```
/// var walk = try cursor.enterObject()
/// while let key = try cursor.nextMember(&walk) { … read or skip exactly one value … }
/// ```
public struct JSONCursor {
  let bytes: UnsafePointer<UInt8>
  let end: Int
  /// The next byte to read; after a value, the position right behind it.
  public internal(set) var position = 0
  private(set) var depth = 0
  let limits: JSONLimits

  /// - Throws: ``JSONTextError`` with `empty` or `byteOrderMark`.
  public init(_ body: UnsafeRawBufferPointer, limits: JSONLimits = .request) throws(JSONTextError) {
    guard let base = body.baseAddress, body.count > 0 else { throw JSONTextError(.empty, at: 0) }
    bytes = UnsafePointer(base.assumingMemoryBound(to: UInt8.self))
    end = body.count
    self.limits = limits
    if end >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { throw JSONTextError(.byteOrderMark, at: 0) }
  }

  /// Skips white space and tells the kind of the next value by its first byte.
  public mutating func peek() throws(JSONTextError) -> JSONKind {
    switch try nextByte() {
    case 0x22: return .string
    case 0x7B: return .object
    case 0x5B: return .array
    case 0x2D, 0x30...0x39: return .number
    case 0x74: return .true
    case 0x66: return .false
    case 0x6E: return .null
    default: throw JSONTextError(.unexpectedByte, at: position)
    }
  }

  /// Skips white space; the byte stays unread.
  @inline(__always)
  mutating func nextByte() throws(JSONTextError) -> UInt8 {
    if position < end, bytes[position] > 0x20 { return bytes[position] }
    return try byteBehindSpace()
  }

  private mutating func byteBehindSpace() throws(JSONTextError) -> UInt8 {
    while position < end {
      let byte = bytes[position]
      if byte > 0x20 { return byte }
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else {
        throw JSONTextError(.unexpectedByte, at: position)
      }
      position += 1
    }
    throw JSONTextError(.unexpectedEnd, at: end)
  }

  /// Reads the opening brace.
  public mutating func enterObject() throws(JSONTextError) -> JSONWalk { try enter(0x7B) }

  /// Reads the opening bracket.
  public mutating func enterArray() throws(JSONTextError) -> JSONWalk { try enter(0x5B) }

  private mutating func enter(_ opening: UInt8) throws(JSONTextError) -> JSONWalk {
    guard try nextByte() == opening else { throw JSONTextError(.unexpectedByte, at: position) }
    guard depth < limits.depth else { throw JSONTextError(.tooDeep, at: position) }
    depth += 1
    position += 1
    return JSONWalk()
  }

  /// Reads the next member's name and its colon; nil behind the closing brace.
  public mutating func nextMember(_ walk: inout JSONWalk) throws(JSONTextError) -> JSONString? {
    var byte = try nextByte()
    if byte == 0x7D {
      position += 1
      depth -= 1
      return nil
    }
    if walk.count > 0 {
      guard byte == 0x2C else { throw JSONTextError(.unexpectedByte, at: position) }
      position += 1
      byte = try nextByte()
    }
    guard byte == 0x22 else { throw JSONTextError(.unexpectedByte, at: position) }
    guard walk.count < limits.membersPerObject else { throw JSONTextError(.tooManyMembers, at: position) }
    walk.count += 1
    let key = try quoted()
    guard try nextByte() == 0x3A else { throw JSONTextError(.unexpectedByte, at: position) }
    position += 1
    return key
  }

  /// Reads the next member if it has this name, written without escapes, and a string; else it stays unread.
  /// - Parameter name: Without anything that JSON would escape.
  public mutating func nextString(
    named name: StaticString, _ walk: inout JSONWalk
  ) throws(JSONTextError) -> JSONString? {
    let start = position
    var byte = try nextByte()
    if walk.count > 0 {
      guard byte == 0x2C else { return nil }
      position += 1
      byte = try nextByte()
    }
    let length = name.utf8CodeUnitCount
    guard byte == 0x22, position + length + 1 < end, bytes[position + length + 1] == 0x22,
      walk.count < limits.membersPerObject, equals(name, at: position + 1)
    else {
      position = start
      return nil
    }
    position += length + 2
    guard try nextByte() == 0x3A else { throw JSONTextError(.unexpectedByte, at: position) }
    position += 1
    guard try nextByte() == 0x22 else {
      position = start
      return nil
    }
    walk.count += 1
    return try quoted()
  }

  @inline(__always)
  private func equals(_ name: StaticString, at index: Int) -> Bool {
    for place in 0..<name.utf8CodeUnitCount where bytes[index + place] != name.utf8Start[place] { return false }
    return true
  }

  /// Where the walk stands, so that it can come back here.
  public var mark: JSONMark { JSONMark(position: position, depth: depth) }

  /// Goes back to a mark of this cursor.
  public mutating func rewind(to mark: JSONMark) {
    position = min(mark.position, position)
    depth = mark.depth
  }

  /// Whether another element follows; false behind the closing bracket.
  public mutating func nextElement(_ walk: inout JSONWalk) throws(JSONTextError) -> Bool {
    let byte = try nextByte()
    if byte == 0x5D {
      position += 1
      depth -= 1
      return false
    }
    if walk.count > 0 {
      guard byte == 0x2C else { throw JSONTextError(.unexpectedByte, at: position) }
      position += 1
      // A closing bracket after a comma is no value: the caller's read of it fails.
    }
    walk.count += 1
    return true
  }

  /// Reads `true`, `false` or `null`.
  public mutating func literal() throws(JSONTextError) -> JSONKind {
    switch try nextByte() {
    case 0x74: return try word("true", .true)
    case 0x66: return try word("false", .false)
    case 0x6E: return try word("null", .null)
    default: throw JSONTextError(.unexpectedByte, at: position)
    }
  }

  private mutating func word(_ text: StaticString, _ kind: JSONKind) throws(JSONTextError) -> JSONKind {
    let length = text.utf8CodeUnitCount
    guard end - position >= length else { throw JSONTextError(.unexpectedEnd, at: end) }
    for index in 0..<length where bytes[position + index] != text.utf8Start[index] {
      throw JSONTextError(.unexpectedByte, at: position + index)
    }
    position += length
    return kind
  }

  /// Reads and validates one value of any kind.
  public mutating func skipValue() throws(JSONTextError) {
    switch try nextByte() {
    case 0x22: _ = try quoted()
    case 0x2D, 0x30...0x39: _ = try number()
    case 0x7B:
      var walk = try enterObject()
      while try nextMember(&walk) != nil { try skipValue() }
    case 0x5B:
      var walk = try enterArray()
      while try nextElement(&walk) { try skipValue() }
    default: _ = try literal()
    }
  }

  /// Checks that only white space follows.
  public mutating func finish() throws(JSONTextError) {
    while position < end {
      let byte = bytes[position]
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else {
        throw JSONTextError(.trailingBytes, at: position)
      }
      position += 1
    }
  }

  /// Whether `text` is one whole, valid JSON value.
  public static func validate(_ text: UnsafeRawBufferPointer, limits: JSONLimits = .request) throws(JSONTextError) {
    var cursor = try JSONCursor(text, limits: limits)
    try cursor.skipValue()
    try cursor.finish()
  }
}
