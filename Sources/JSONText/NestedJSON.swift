/// Finds the texts of JSON that stands inside a JSON string, as in `tool_calls[].function.arguments`, without
/// unescaping it: every segment's offsets are those of the outer, raw bytes.
public struct NestedJSON {
  private let bytes: UnsafePointer<UInt8>
  private let end: Int
  private var position: Int
  private var depth = 0

  /// A character after the outer unescaping, and how many raw bytes it takes; `byte` is 0xFF for one beyond ASCII.
  private struct Character {
    var byte: UInt8
    var width: Int
  }

  /// Appends a segment for each string, member name and number of nine or more digits in the inner JSON.
  ///
  /// - Parameters:
  ///   - content: The raw content of the outer string in `body`, already scanned by ``JSONCursor``.
  ///   - group: The next free group; each segment takes one.
  /// - Returns: False, with nothing appended, if the content is no valid JSON within ``JSONLimits``; it is then text.
  ///   Of too many texts in all there is one more than ``JSONLimits/texts`` behind it, and the rest is left out.
  public static func appendSegments(
    of content: ByteRange, in body: UnsafeRawBufferPointer, group: inout Int32, to segments: inout [TextSegment]
  ) -> Bool {
    guard let base = body.baseAddress, content.start >= 0, content.end >= content.start, content.end <= body.count
    else { return false }
    var scan = NestedJSON(
      bytes: base.assumingMemoryBound(to: UInt8.self), end: content.end, position: content.start)
    let (count, firstGroup) = (segments.count, group)
    guard scan.value(&segments, &group), scan.skipSpace() == nil else {
      segments.removeLast(segments.count - count)
      group = firstGroup
      return false
    }
    return true
  }

  private init(bytes: UnsafePointer<UInt8>, end: Int, position: Int) {
    self.bytes = bytes
    self.end = end
    self.position = position
  }

  private func character(at index: Int) -> Character? {
    guard index < end else { return nil }
    let byte = bytes[index]
    guard byte == 0x5C else { return Character(byte: byte < 0x80 ? byte : 0xFF, width: 1) }
    guard index + 1 < end else { return nil }
    switch bytes[index + 1] {
    case 0x62: return Character(byte: 0x08, width: 2)
    case 0x66: return Character(byte: 0x0C, width: 2)
    case 0x6E: return Character(byte: 0x0A, width: 2)
    case 0x72: return Character(byte: 0x0D, width: 2)
    case 0x74: return Character(byte: 0x09, width: 2)
    case 0x75:
      guard index + 6 <= end, let unit = HexDigits.unit(bytes + index + 2) else { return nil }
      return Character(byte: unit < 0x80 ? UInt8(truncatingIfNeeded: unit) : 0xFF, width: 6)
    default: return Character(byte: bytes[index + 1], width: 2)
    }
  }

  /// Skips inner white space; the character behind it stays unread. Nil at the end.
  private mutating func skipSpace() -> UInt8? {
    while let next = character(at: position) {
      guard next.byte == 0x20 || next.byte == 0x0A || next.byte == 0x0D || next.byte == 0x09 else { return next.byte }
      position += next.width
    }
    return nil
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard let next = character(at: position), next.byte == byte else { return false }
    position += next.width
    return true
  }

  private mutating func value(_ segments: inout [TextSegment], _ group: inout Int32) -> Bool {
    guard let next = skipSpace() else { return false }
    switch next {
    case 0x22: return string(.string, &segments, &group)
    case 0x7B: return object(&segments, &group)
    case 0x5B: return array(&segments, &group)
    case 0x74: return word("true")
    case 0x66: return word("false")
    case 0x6E: return word("null")
    case 0x2D, 0x30...0x39: return number(&segments, &group)
    default: return false
    }
  }

  private mutating func object(_ segments: inout [TextSegment], _ group: inout Int32) -> Bool {
    guard depth < 64, take(0x7B) else { return false }
    depth += 1
    defer { depth -= 1 }
    if skipSpace() == 0x7D { return take(0x7D) }
    var members = 0
    while members < 10_000 {
      members += 1
      guard skipSpace() == 0x22, string(.name, &segments, &group), skipSpace() == 0x3A, take(0x3A),
        value(&segments, &group)
      else { return false }
      guard let next = skipSpace() else { return false }
      if next == 0x7D { return take(0x7D) }
      guard take(0x2C) else { return false }
    }
    return false
  }

  private mutating func array(_ segments: inout [TextSegment], _ group: inout Int32) -> Bool {
    guard depth < 64, take(0x5B) else { return false }
    depth += 1
    defer { depth -= 1 }
    if skipSpace() == 0x5D { return take(0x5D) }
    while true {
      guard value(&segments, &group), let next = skipSpace() else { return false }
      if next == 0x5D { return take(0x5D) }
      guard take(0x2C) else { return false }
    }
  }

  private mutating func word(_ text: StaticString) -> Bool {
    for index in 0..<text.utf8CodeUnitCount {
      guard take(text.utf8Start[index]) else { return false }
    }
    return true
  }

  private mutating func number(_ segments: inout [TextSegment], _ group: inout Int32) -> Bool {
    let start = position
    _ = take(0x2D)
    let whole = position
    var digits = takeDigits()
    guard digits > 0, digits == 1 || bytes[whole] != 0x30 else { return false }
    if take(0x2E) {
      let fraction = takeDigits()
      guard fraction > 0 else { return false }
      digits += fraction
    }
    if take(0x65) || take(0x45) {
      if !take(0x2B) { _ = take(0x2D) }
      guard takeDigits() > 0 else { return false }
    }
    if digits >= 9 {
      // A digit written as an outer escape (`\u0031`) is legal and absurd; such a number is text as it stands.
      var isPlain = true
      for index in start..<position where bytes[index] == 0x5C { isPlain = false }
      guard isPlain else { return false }
      add(TextSegment(start: start, end: position, kind: .number, depth: 0, group: group), &segments, &group)
    }
    return true
  }

  private func add(_ segment: TextSegment, _ segments: inout [TextSegment], _ group: inout Int32) {
    guard segments.count <= JSONLimits.texts else { return }
    segments.append(segment)
    group &+= 1
  }

  private mutating func takeDigits() -> Int {
    var count = 0
    while let next = character(at: position), next.byte &- 0x30 < 10 {
      position += next.width
      count += 1
    }
    return count
  }

  private mutating func string(
    _ kind: TextSegment.Kind, _ segments: inout [TextSegment], _ group: inout Int32
  ) -> Bool {
    guard take(0x22) else { return false }
    let start = position
    var hasEscapes = false
    while true {
      // Quotes, backslashes and controls of the inner string are all escapes of the outer one.
      position = ByteSearch.next(0x5C, or: 0x5C, bytes, position, end)
      guard let next = character(at: position) else { return false }
      switch next.byte {
      case 0x22:
        if position > start {
          add(
            TextSegment(
              start: start, end: position, kind: kind, depth: 2, hasEscapes: hasEscapes, isASCII: isASCII(start),
              group: group), &segments, &group)
        }
        position += next.width
        return true
      case 0x5C:
        position += next.width
        guard skipInnerEscape() else { return false }
      case 0x00...0x1F: return false
      default: position += next.width
      }
      hasEscapes = true
    }
  }

  /// Reads what follows an inner backslash.
  private mutating func skipInnerEscape() -> Bool {
    guard let next = character(at: position) else { return false }
    switch next.byte {
    case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74:
      position += next.width
      return true
    case 0x75: position += next.width
    default: return false
    }
    guard let unit = takeUnit() else { return false }
    guard unit & 0xF800 == 0xD800 else { return true }
    guard unit < 0xDC00, take(0x5C), take(0x75), let low = takeUnit() else { return false }
    return low & 0xFC00 == 0xDC00
  }

  private mutating func takeUnit() -> UInt16? {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let next = character(at: position), let digit = HexDigits.value(next.byte) else { return nil }
      unit = unit << 4 | UInt16(digit)
      position += next.width
    }
    return unit
  }

  private func isASCII(_ start: Int) -> Bool {
    for index in start..<position where bytes[index] >= 0x80 { return false }
    return true
  }
}
