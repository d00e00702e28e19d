/// What one pass over a chat request finds; ranges are raw JSON text in the body.
struct ChatScan {
  /// Where the text of the last message with role `user` stands.
  enum UserText { case none, string(Range<Int>), parts(Range<Int>) }

  private(set) var model: Range<Int>?
  private(set) var isStream = false
  private(set) var wantsUsage = false
  /// The smaller of `max_tokens` and `max_completion_tokens`.
  private(set) var tokenLimit: Int?
  /// Bytes of UTF-8 in all messages' `content`: strings, and the `text` of parts.
  private(set) var contentBytes = 0
  private(set) var userText = UserText.none
  /// The name of the first function among the tools.
  private(set) var toolName: Range<Int>?
  private var messageCount = 0

  /// Reads `bytes`; nil if they are no object with messages.
  init?(_ bytes: UnsafeRawBufferPointer) {
    var cursor = JSONCursor(bytes)
    var scan = ChatScan()
    let isGood = cursor.takeObject { cursor, name in scan.readMember(&cursor, name) }
    guard isGood, cursor.peek() == nil, scan.model != nil, scan.messageCount > 0 else { return nil }
    self = scan
  }

  private init() {}

  private mutating func readMember(_ cursor: inout JSONCursor, _ name: Range<Int>) -> Bool {
    let bytes = cursor.bytes
    switch name.count {
    case 5 where bytes.equals("model", from: name.lowerBound, to: name.upperBound):
      model = cursor.takeString()
      return model != nil
    case 6 where bytes.equals("stream", from: name.lowerBound, to: name.upperBound):
      guard let flag = Self.takeFlag(&cursor) else { return false }
      isStream = flag
      return true
    case 8 where bytes.equals("messages", from: name.lowerBound, to: name.upperBound):
      return cursor.takeArray { cursor in readMessage(&cursor) }
    case 10 where bytes.equals("max_tokens", from: name.lowerBound, to: name.upperBound),
      21 where bytes.equals("max_completion_tokens", from: name.lowerBound, to: name.upperBound):
      return readLimit(&cursor)
    case 14 where bytes.equals("stream_options", from: name.lowerBound, to: name.upperBound):
      return readStreamOptions(&cursor)
    case 5 where bytes.equals("tools", from: name.lowerBound, to: name.upperBound):
      return readTools(&cursor)
    default:
      return cursor.takeValue() != nil
    }
  }

  private static func takeFlag(_ cursor: inout JSONCursor) -> Bool? {
    cursor.takeValue().map { cursor.bytes.equals("true", from: $0.lowerBound, to: $0.upperBound) }
  }

  private mutating func readLimit(_ cursor: inout JSONCursor) -> Bool {
    guard let value = cursor.takeValue() else { return false }
    guard let limit = cursor.bytes.decimal(in: value, limit: 1_000_000_000) else {
      return cursor.bytes.equals("null", from: value.lowerBound, to: value.upperBound)
    }
    tokenLimit = min(tokenLimit ?? limit, limit)
    return true
  }

  private mutating func readStreamOptions(_ cursor: inout JSONCursor) -> Bool {
    guard cursor.peek() == 0x7B else { return cursor.takeValue() != nil }
    return cursor.takeObject { cursor, name in
      guard cursor.bytes.equals("include_usage", from: name.lowerBound, to: name.upperBound) else {
        return cursor.takeValue() != nil
      }
      guard let flag = Self.takeFlag(&cursor) else { return false }
      wantsUsage = flag
      return true
    }
  }

  private mutating func readMessage(_ cursor: inout JSONCursor) -> Bool {
    messageCount += 1
    var isUser = false
    var text = UserText.none
    var length = 0
    let isGood = cursor.takeObject { cursor, name in
      let bytes = cursor.bytes
      if bytes.equals("role", from: name.lowerBound, to: name.upperBound) {
        guard let role = cursor.takeString() else { return false }
        isUser = bytes.equals("user", from: role.lowerBound, to: role.upperBound)
        return true
      }
      guard bytes.equals("content", from: name.lowerBound, to: name.upperBound) else {
        return cursor.takeValue() != nil
      }
      switch cursor.peek() {
      case 0x22:
        guard let string = cursor.takeString() else { return false }
        text = .string(string)
        length = JSONStringText.decodedLength(bytes, string)
        return true
      case 0x5B:
        let start = cursor.position
        let isArray = Self.takeParts(&cursor) { length += JSONStringText.decodedLength(bytes, $0) }
        text = .parts(start..<cursor.position)
        return isArray
      default:
        return cursor.takeValue() != nil
      }
    }
    if isUser { userText = text }
    contentBytes += length
    return isGood
  }

  /// Takes an array of content parts and calls `visit` with each `text`.
  private static func takeParts(_ cursor: inout JSONCursor, _ visit: (Range<Int>) -> Void) -> Bool {
    cursor.takeArray { cursor in
      guard cursor.peek() == 0x7B else { return cursor.takeValue() != nil }
      return cursor.takeObject { cursor, name in
        guard cursor.bytes.equals("text", from: name.lowerBound, to: name.upperBound), cursor.peek() == 0x22 else {
          return cursor.takeValue() != nil
        }
        guard let text = cursor.takeString() else { return false }
        visit(text)
        return true
      }
    }
  }

  private mutating func readTools(_ cursor: inout JSONCursor) -> Bool {
    guard cursor.peek() == 0x5B else { return cursor.takeValue() != nil }
    return cursor.takeArray { cursor in
      guard cursor.peek() == 0x7B else { return cursor.takeValue() != nil }
      return cursor.takeObject { cursor, name in
        guard cursor.bytes.equals("function", from: name.lowerBound, to: name.upperBound), cursor.peek() == 0x7B else {
          return cursor.takeValue() != nil
        }
        return cursor.takeObject { cursor, name in
          guard cursor.bytes.equals("name", from: name.lowerBound, to: name.upperBound) else {
            return cursor.takeValue() != nil
          }
          guard let value = cursor.takeString() else { return false }
          if toolName == nil { toolName = value }
          return true
        }
      }
    }
  }

  /// Whether the last user message may begin with settings; a cheap look, ``Directive`` is the exact one.
  func mayHaveDirective(_ bytes: UnsafeRawBufferPointer) -> Bool {
    switch userText {
    case .none: false
    case .parts: true
    case .string(let range):
      bytes.equals(Directive.opening, from: range.lowerBound, to: min(range.lowerBound + 7, range.upperBound))
    }
  }

  /// The text of the last user message, decoded; parts follow each other without a separator.
  func decodedUserText(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var text: [UInt8] = []
    switch userText {
    case .none: break
    case .string(let range): JSONStringText.decode(bytes, range, into: &text)
    case .parts(let range):
      var cursor = JSONCursor(UnsafeRawBufferPointer(rebasing: bytes[range]))
      let part = cursor.bytes
      _ = Self.takeParts(&cursor) { JSONStringText.decode(part, $0, into: &text) }
    }
    return text
  }
}
