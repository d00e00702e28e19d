/// JSON as a tree, for the dialects whose requests are read as carefully as the real provider reads them.
///
/// Members keep their order. The plain chat route does not use it: ``ChatScan`` finds what it needs in place.
struct JSONValue: Sendable {
  struct Member: Sendable {
    let name: String
    let value: JSONValue
  }
  enum Kind: Sendable {
    case object([Member])
    case array([JSONValue])
    case string([UInt8])
    case number(String)
    case bool(Bool)
    case null
  }

  /// Deeper values are refused, so that no body can exhaust the stack.
  private static let depthLimit = 100

  /// An object without members.
  static let empty = JSONValue(.object([]), length: 2)

  let kind: Kind
  /// Bytes of its JSON text.
  let length: Int

  /// Reads a whole text; nil if it is no JSON or too deep.
  init?(_ bytes: UnsafeRawBufferPointer) {
    var cursor = JSONCursor(bytes)
    guard let value = Self.read(&cursor, depth: 0), cursor.peek() == nil else { return nil }
    self = value
  }

  private init(_ kind: Kind, length: Int) {
    self.kind = kind
    self.length = length
  }

  private static func read(_ cursor: inout JSONCursor, depth: Int) -> JSONValue? {
    guard depth < depthLimit, let first = cursor.peek() else { return nil }
    let start = cursor.position
    let bytes = cursor.bytes
    switch first {
    case 0x22:
      guard let range = cursor.takeString() else { return nil }
      return JSONValue(.string(decoded(bytes, range)), length: cursor.position - start)
    case 0x7B:
      var members: [Member] = []
      let isGood = cursor.takeObject { cursor, name in
        guard let value = read(&cursor, depth: depth + 1) else { return false }
        members.append(Member(name: String(decoding: decoded(bytes, name), as: UTF8.self), value: value))
        return true
      }
      return isGood ? JSONValue(.object(members), length: cursor.position - start) : nil
    case 0x5B:
      var elements: [JSONValue] = []
      let isGood = cursor.takeArray { cursor in
        guard let value = read(&cursor, depth: depth + 1) else { return false }
        elements.append(value)
        return true
      }
      return isGood ? JSONValue(.array(elements), length: cursor.position - start) : nil
    default:
      guard let range = cursor.takeScalar() else { return nil }
      let kind: Kind
      switch String(decoding: bytes[range], as: UTF8.self) {
      case "true": kind = .bool(true)
      case "false": kind = .bool(false)
      case "null": kind = .null
      case let text where Double(text) != nil: kind = .number(text)
      default: return nil
      }
      return JSONValue(kind, length: range.count)
    }
  }

  private static func decoded(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> [UInt8] {
    var text: [UInt8] = []
    JSONStringText.decode(bytes, range, into: &text)
    return text
  }

  // MARK: Looking inside

  /// The last member of this name; nil if there is none, if it is null, or if this is no object.
  subscript(_ name: String) -> JSONValue? {
    guard let value = members?.last(where: { $0.name == name })?.value, !value.isNull else { return nil }
    return value
  }

  var members: [Member]? { if case .object(let members) = kind { members } else { nil } }
  var elements: [JSONValue]? { if case .array(let elements) = kind { elements } else { nil } }
  var bytes: [UInt8]? { if case .string(let text) = kind { text } else { nil } }
  var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
  var number: Double? { if case .number(let text) = kind { Double(text) } else { nil } }
  var integer: Int? { if case .number(let text) = kind { Int(text) } else { nil } }
  var flag: Bool? { if case .bool(let flag) = kind { flag } else { nil } }
  var isNull: Bool { if case .null = kind { true } else { false } }

  /// The name of a member that `known` does not have.
  func unknownMember(_ known: Set<String>) -> String? { members?.first { !known.contains($0.name) }?.name }

  /// The name of a member that is one of `foreign`.
  func foreignMember(_ foreign: Set<String>) -> String? { members?.first { foreign.contains($0.name) }?.name }

  /// How many bytes all strings in it have together, names left out.
  var textBytes: Int {
    switch kind {
    case .string(let text): text.count
    case .array(let elements): elements.reduce(0) { $0 + $1.textBytes }
    case .object(let members): members.reduce(0) { $0 + $1.value.textBytes }
    case .number, .bool, .null: 0
    }
  }
}
