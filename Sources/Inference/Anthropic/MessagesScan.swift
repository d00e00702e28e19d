internal import JSONText

/// What one scan of an Anthropic answer found: a plain `message`, or the data of one event of a stream.
///
/// Used again and again; positions are offsets into the bytes that were scanned.
final class MessagesScan {
  /// No answer has more content blocks; a rewriter keeps something for each.
  static let mostBlocks: Int32 = 1024

  /// What an event is by its `type`.
  enum Kind {
    case message, messageStart, blockStart, blockDelta, blockStop, messageDelta, messageStop, ping, error
    /// A type that nobody here knows.
    case unknown
    /// There is no `type`.
    case none
  }

  private(set) var kind = Kind.none
  private(set) var spans: [AnswerSpan] = []
  /// The value of the message's `model`, with its quotes.
  private(set) var model: ByteRange?
  private(set) var usage: MessagesUsage?
  /// The value of `error`.
  private(set) var error: ByteRange?
  private(set) var hasContent = false
  /// The content block that an event is about.
  private(set) var index: Int32 = 0
  private(set) var hasStopReason = false
  /// The delta is a `signature_delta`, with which the block's thinking ends.
  private(set) var hasSignature = false
  /// Bytes that calls of tools hold as whole objects.
  private(set) var inputBytes = 0

  // While scanning
  private var body = UnsafeRawBufferPointer(start: nil, count: 0)
  private var block: Int32 = 0

  init() {}

  /// - Throws: ``InferenceError`` with `upstream_error` where it is no JSON object.
  func scan(_ body: UnsafeRawBufferPointer) throws(InferenceError) {
    reset()
    self.body = body
    defer { self.body = UnsafeRawBufferPointer(start: nil, count: 0) }
    do throws(JSONTextError) {
      var cursor = try JSONCursor(body, limits: .answer)
      guard try cursor.peek() == .object else { throw JSONTextError(.unexpectedByte, at: cursor.position) }
      try message(&cursor)
      try cursor.finish()
    } catch {
      throw InferenceError(
        .upstreamError, message: "The provider sent an answer that is no valid JSON.",
        detail: "\(error.code.rawValue) at \(error.offset)")
    }
    switch kind {
    case .message: break
    case .messageStart:
      // Content in a stream's first event, if a server sends any, is complete in itself.
      for place in spans.indices { spans[place].channel.field = .whole }
    default:
      // The index may stand behind the text it belongs to.
      for place in spans.indices where spans[place].channel.field != .whole { spans[place].channel.index = index }
    }
  }

  private func reset() {
    spans.removeAll(keepingCapacity: spans.capacity <= 4096)
    (kind, model, usage, error) = (.none, nil, nil, nil)
    (hasContent, index, hasStopReason, hasSignature, inputBytes, block) = (false, 0, false, false, 0, 0)
  }

  /// Bytes of text that the model wrote, unescaped.
  func outputBytes(in body: UnsafeRawBufferPointer) -> Int {
    var count = inputBytes
    for span in spans where span.channel.field != .whole { count += AnswerScan.length(span, in: body) }
    return count
  }

  static func kind(_ name: UnsafeRawBufferPointer) -> Kind {
    if name.equals("content_block_delta") { return .blockDelta }
    if name.equals("content_block_start") { return .blockStart }
    if name.equals("content_block_stop") { return .blockStop }
    if name.equals("message_start") { return .messageStart }
    if name.equals("message_delta") { return .messageDelta }
    if name.equals("message_stop") { return .messageStop }
    if name.equals("ping") { return .ping }
    return name.equals("error") ? .error : .unknown
  }

  /// A message or an event: their members do not collide.
  private func message(_ cursor: inout JSONCursor) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let type = try cursor.peek()
      switch MessagesAnswerMembers.message.exact(key, in: body) {
      case .type where type == .string:
        let name = try cursor.string().range.of(body)
        // A message stands in an event too: the outer type, which comes first or last, is the event's.
        kind = name.equals("message") ? .message : Self.kind(name)
      case .message where type == .object:
        let outer = kind
        try message(&cursor)
        kind = outer
      case .model where type == .string: model = try cursor.string().quoted
      case .content where type == .array:
        hasContent = true
        try content(&cursor)
      case .contentBlock where type == .object: try contentBlock(&cursor)
      case .delta where type == .object: try delta(&cursor)
      case .index: index = try position(&cursor)
      case .usage where type == .object: usage = try MessagesUsage.read(&cursor, in: body)
      case .error where type != .null:
        let start = cursor.position
        try cursor.skipValue()
        error = ByteRange(start, cursor.position)
      case .stopReason:
        hasStopReason = type == .string
        try cursor.skipValue()
      case .id, .role, .type, .requestID: try cursor.skipValue()
      default: try whole(&cursor)
      }
    }
  }

  private func content(_ cursor: inout JSONCursor) throws(JSONTextError) {
    var walk = try cursor.enterArray()
    block = 0
    while try cursor.nextElement(&walk) {
      if try cursor.peek() == .object { try contentBlock(&cursor) } else { try whole(&cursor) }
      block &+= 1
    }
  }

  private func contentBlock(_ cursor: inout JSONCursor) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let type = try cursor.peek()
      switch MessagesAnswerMembers.block.exact(key, in: body) {
      case .text where type == .string: add(try cursor.string(), .content)
      case .thinking where type == .string: add(try cursor.string(), .thinking)
      case .input:
        let start = cursor.position
        try whole(&cursor, withNames: true)
        if cursor.position > start + 2 { inputBytes += cursor.position - start }
      case .type, .id, .toolUseID, .signature, .data, .fileID: try cursor.skipValue()
      default: try whole(&cursor)
      }
    }
  }

  private func delta(_ cursor: inout JSONCursor) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let type = try cursor.peek()
      switch MessagesAnswerMembers.delta.exact(key, in: body) {
      case .text where type == .string: add(try cursor.string(), .content)
      case .thinking where type == .string: add(try cursor.string(), .thinking)
      case .partialJSON where type == .string: add(try cursor.string(), .toolArguments)
      case .signature:
        hasSignature = true
        try cursor.skipValue()
      case .stopReason:
        hasStopReason = type == .string
        try cursor.skipValue()
      case .type: try cursor.skipValue()
      default: try whole(&cursor)
      }
    }
  }

  private func add(_ text: JSONString, _ field: AnswerChannel.Field) {
    guard !text.isEmpty else { return }
    spans.append(
      AnswerSpan(
        start: text.start, end: text.end, hasEscapes: text.hasEscapes,
        // In a plain answer no text is held from one block to the next: those beyond the bound may share.
        channel: AnswerChannel(choice: 0, index: field == .whole ? 0 : min(block, Self.mostBlocks - 1), field: field)))
  }

  /// Reads any value: each string in it is complete in itself, but what only the provider can read is none.
  private func whole(_ cursor: inout JSONCursor, withNames: Bool = false) throws(JSONTextError) {
    switch try cursor.peek() {
    case .string: add(try cursor.string(), .whole)
    case .object:
      var walk = try cursor.enterObject()
      while let key = try cursor.nextMember(&walk) {
        if withNames {
          add(key, .whole)
        } else if Self.isSealed(key.range.of(body)) {
          try cursor.skipValue()
          continue
        }
        try whole(&cursor, withNames: withNames)
      }
    case .array:
      var walk = try cursor.enterArray()
      while try cursor.nextElement(&walk) { try whole(&cursor, withNames: withNames) }
    default: try cursor.skipValue()
    }
  }

  private static func isSealed(_ name: UnsafeRawBufferPointer) -> Bool {
    name.equals("type") || name.equals("encrypted_content") || name.equals("encrypted_index")
      || name.equals("encrypted_stdout")
  }

  private func position(_ cursor: inout JSONCursor) throws(JSONTextError) -> Int32 {
    guard try cursor.peek() == .number else {
      try cursor.skipValue()
      return 0
    }
    guard let value = try cursor.number().integer, value >= 0, value < 1 << 20 else { return 0 }
    return Int32(truncatingIfNeeded: value)
  }
}

enum MessagesAnswerMember: String, CaseIterable, Sendable {
  case type, message, model, content, delta, index, usage, error, id, role
  case contentBlock = "content_block"
  case stopReason = "stop_reason"
  case requestID = "request_id"
}

enum MessagesBlockMember: String, CaseIterable, Sendable {
  case type, text, thinking, input, id, signature, data
  case toolUseID = "tool_use_id"
  case fileID = "file_id"
}

enum MessagesDeltaMember: String, CaseIterable, Sendable {
  case type, text, thinking, signature
  case partialJSON = "partial_json"
  case stopReason = "stop_reason"
}

/// Looks names of answers up; unlike in requests, case and repetition are the provider's business.
enum MessagesAnswerMembers {
  static let message = MemberTable<MessagesAnswerMember>()
  static let block = MemberTable<MessagesBlockMember>()
  static let delta = MemberTable<MessagesDeltaMember>()
}
