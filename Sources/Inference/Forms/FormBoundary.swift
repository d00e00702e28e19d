internal import JSONText

/// What parts the fields of a `multipart/form-data` body (RFC 7578, RFC 2046 section 5.1.1).
public enum FormBoundary {
  /// Between the fields of what goes upstream. The same for all, so a provider's header never changes; no content holds
  /// it, because that is looked after.
  public static let own = "torhaus-field-5c1e0f3ab7d94e62"

  /// Reads it from a Content-Type; nil if that is of another type, or names none, or more than one.
  public static func read(_ field: UnsafeRawBufferPointer) -> [UInt8]? {
    let type: StaticString = "multipart/form-data"
    let count = type.utf8CodeUnitCount
    guard field.count > count, ByteRange(0, count).of(field).begins(withLowercase: type) else { return nil }
    var parameters = FormParameters(field, from: count)
    var found: ByteRange?
    while let parameter = parameters.next() {
      guard parameter.name.of(field).equalsLowercase("boundary") else { continue }
      guard found == nil else { return nil }
      found = parameter.value
    }
    guard parameters.isWhole, let found, (1...70).contains(found.count) else { return nil }
    let boundary = found.of(field)
    return boundary.allSatisfy(isAllowed) ? Array(boundary) : nil
  }

  /// The standard's characters, without the space.
  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    case 0x27, 0x28, 0x29, 0x2B, 0x5F, 0x2C, 0x2D, 0x2E, 0x2F, 0x3A, 0x3D, 0x3F: true
    default: false
    }
  }
}

/// Reads `; name=value; name="value"`, one after the other.
struct FormParameters {
  struct Parameter {
    var name: ByteRange
    /// Without its quotes, escapes as they stand.
    var value: ByteRange
  }

  private let field: UnsafeRawBufferPointer
  private var position: Int
  /// Everything was read, and was what it must be.
  private(set) var isWhole = false

  init(_ field: UnsafeRawBufferPointer, from start: Int) {
    self.field = field
    position = start
  }

  mutating func next() -> Parameter? {
    skipBlanks()
    guard position < field.count else {
      isWhole = true
      return nil
    }
    guard field[position] == 0x3B else { return nil }
    position += 1
    skipBlanks()
    // Some end in a semicolon.
    guard position < field.count else {
      isWhole = true
      return nil
    }
    let name = token()
    guard !name.isEmpty, position < field.count, field[position] == 0x3D else { return nil }
    position += 1
    guard position < field.count, field[position] == 0x22 else {
      let value = token()
      return value.isEmpty ? nil : Parameter(name: name, value: value)
    }
    position += 1
    let start = position
    while position < field.count, field[position] != 0x22 {
      position += field[position] == 0x5C ? 2 : 1
    }
    guard position < field.count else { return nil }
    defer { position += 1 }
    return Parameter(name: name, value: ByteRange(start, position))
  }

  private mutating func skipBlanks() {
    while position < field.count, field[position] == 0x20 || field[position] == 0x09 { position += 1 }
  }

  private mutating func token() -> ByteRange {
    let start = position
    while position < field.count {
      let byte = field[position]
      guard byte > 0x20, byte != 0x3B, byte != 0x22, byte != 0x3D, byte != 0x7F else { break }
      position += 1
    }
    return ByteRange(start, position)
  }
}

extension UnsafeRawBufferPointer {
  func equalsLowercase(_ text: StaticString) -> Bool {
    count == text.utf8CodeUnitCount && begins(withLowercase: text)
  }
}
