/// Walks over JSON text in place and makes no values; what is not JSON makes it stop.
///
/// It trusts no byte (every step is checked against the end), but it is a finder, not a validator: it needs balanced
/// brackets, quotes and colons only. ``RequestValidation`` is the strict reader.
struct JSONCursor {
  let bytes: UnsafeRawBufferPointer
  private(set) var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// The next byte that is not white space, or nil at the end.
  mutating func peek() -> UInt8? {
    while position < bytes.count {
      let byte = bytes[position]
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
      position += 1
    }
    return nil
  }

  /// Takes `byte` if it comes next.
  mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    position += 1
    return true
  }

  /// Takes a string; the range is its raw text between the quotes.
  mutating func takeString() -> Range<Int>? {
    guard take(0x22) else { return nil }
    let start = position
    var search = start
    while let quote = bytes.index(of: 0x22, from: search, to: bytes.count) {
      var slashes = 0
      while quote - 1 - slashes >= start, bytes[quote - 1 - slashes] == 0x5C { slashes += 1 }
      search = quote + 1
      if slashes % 2 == 0 {
        position = search
        return start..<quote
      }
    }
    return nil
  }

  /// Takes any value and says where it lay; nil if the text ends inside it.
  mutating func takeValue() -> Range<Int>? {
    guard let first = peek() else { return nil }
    let start = position
    if first == 0x22 { return takeString().map { _ in start..<position } }
    guard first == 0x7B || first == 0x5B else { return takeScalar() }
    var depth = 0
    while let byte = peek() {
      switch byte {
      case 0x22: if takeString() == nil { return nil }
      case 0x7B, 0x5B:
        depth += 1
        position += 1
      case 0x7D, 0x5D:
        depth -= 1
        position += 1
        if depth == 0 { return start..<position }
      default: position += 1
      }
    }
    return nil
  }

  /// Takes a number, `true`, `false` or `null`.
  mutating func takeScalar() -> Range<Int>? {
    guard peek() != nil else { return nil }
    let start = position
    scan: while position < bytes.count {
      switch bytes[position] {
      case 0x2C, 0x7D, 0x5D, 0x20, 0x0A, 0x0D, 0x09, 0x3A, 0x22: break scan
      default: position += 1
      }
    }
    return position > start ? start..<position : nil
  }

  /// Calls `visit` with each member's name; `visit` must take the member's value.
  mutating func takeObject(_ visit: (inout JSONCursor, Range<Int>) -> Bool) -> Bool {
    guard take(0x7B) else { return false }
    if take(0x7D) { return true }
    while true {
      guard let name = takeString(), take(0x3A), visit(&self, name) else { return false }
      if take(0x7D) { return true }
      guard take(0x2C) else { return false }
    }
  }

  /// Calls `visit` at the start of each element; `visit` must take it.
  mutating func takeArray(_ visit: (inout JSONCursor) -> Bool) -> Bool {
    guard take(0x5B) else { return false }
    if take(0x5D) { return true }
    while true {
      guard visit(&self) else { return false }
      if take(0x5D) { return true }
      guard take(0x2C) else { return false }
    }
  }
}
