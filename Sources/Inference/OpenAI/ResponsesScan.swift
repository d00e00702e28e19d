internal import JSONText

/// What one scan found of a Responses answer: the plain `response` object, or the data of one event of a stream.
///
/// Used again and again; positions are offsets into the bytes that were scanned. Where the members of an object stand
/// does not matter: what depends on another member is settled at the object's end.
final class ResponsesScan {
  private(set) var spans: [AnswerSpan] = []
  /// Values of `logprobs` that hold something.
  private(set) var logprobs: [ByteRange] = []
  /// Values of the response's `model`, with their quotes.
  private(set) var model: ByteRange?
  /// Values of `user` and `safety_identifier` that the response repeats: hashes of ours.
  private(set) var persons: [ByteRange] = []
  private(set) var usage: Usage?
  /// The response's `error` or the event's own, not null.
  private(set) var error: ByteRange?
  private(set) var status = ResponseStatus.unknown
  /// Whether the response has an array of items.
  private(set) var hasOutput = false
  /// The response's `id` and `created_at`.
  private(set) var id: ByteRange?
  private(set) var createdAt: ByteRange?

  // Of an event
  private(set) var kind = ResponsesEvent.other
  private(set) var type: JSONString?
  private(set) var itemID: ByteRange?
  private(set) var outputIndex: Int32 = 0
  /// The index of a part or a summary inside of its item.
  private(set) var partIndex: Int32 = 0
  /// The place in ``spans`` of a piece that goes on in the next event.
  private(set) var delta: Int?
  private(set) var sequence: ByteRange?
  private(set) var sequenceNumber: Int64?
  /// Where the first member can be inserted.
  private(set) var front = 0
  private(set) var isEmpty = true

  private var body = UnsafeRawBufferPointer(start: nil, count: 0)
  private var choice: Int32 = 0
  private var isRepeated = false
  /// The spans of the response's `output`.
  private var output = (first: 0, end: 0)

  /// Scans a whole answer.
  /// - Throws: ``InferenceError`` with `upstream_error` where it is no JSON object.
  func scanAnswer(_ body: UnsafeRawBufferPointer) throws(InferenceError) {
    try scan(body) { (scan, cursor) throws(JSONTextError) in try scan.response(&cursor, isPlain: true) }
  }

  /// Scans the data of one event.
  func scanEvent(_ body: UnsafeRawBufferPointer) throws(InferenceError) {
    try scan(body) { (scan, cursor) throws(JSONTextError) in try scan.event(&cursor) }
  }

  private func scan(
    _ body: UnsafeRawBufferPointer, _ walk: (ResponsesScan, inout JSONCursor) throws(JSONTextError) -> Void
  ) throws(InferenceError) {
    reset()
    self.body = body
    defer { self.body = UnsafeRawBufferPointer(start: nil, count: 0) }
    do throws(JSONTextError) {
      var cursor = try JSONCursor(body, limits: .answer)
      guard try cursor.peek() == .object else { throw JSONTextError(.unexpectedByte, at: cursor.position) }
      front = cursor.position + 1
      try walk(self, &cursor)
      try cursor.finish()
    } catch {
      throw InferenceError(
        .upstreamError, message: "The provider sent an answer that is no valid JSON.",
        detail: "\(error.code.rawValue) at \(error.offset)")
    }
  }

  private func reset() {
    spans.removeAll(keepingCapacity: spans.capacity <= 4096)
    logprobs.removeAll(keepingCapacity: true)
    persons.removeAll(keepingCapacity: true)
    (model, usage, error, status, hasOutput) = (nil, nil, nil, .unknown, false)
    (id, createdAt, kind, type, itemID) = (nil, nil, .other, nil, nil)
    (outputIndex, partIndex, delta, sequence, sequenceNumber) = (0, 0, nil, nil, nil)
    (front, isEmpty, choice, isRepeated, output) = (0, true, 0, false, (0, 0))
  }

  /// Bytes of text in the response's items, unescaped.
  func outputBytes(in body: UnsafeRawBufferPointer) -> Int {
    var count = 0
    for span in spans[output.first..<output.end] where span.channel.field != .whole {
      count += AnswerScan.length(span, in: body)
    }
    return count
  }

  /// Adds what changes beside the texts.
  /// - Returns: Whether `logprobs` were dropped.
  func addEdits(
    _ body: UnsafeRawBufferPointer, alias: [UInt8], dropsLogprobs: Bool, to edits: inout EditList
  ) -> Bool {
    if let model, !model.of(body).elementsEqual(alias) { edits.replace(model.start, model.end, with: alias) }
    for person in persons { edits.replace(person.start, person.end, with: "null") }
    guard dropsLogprobs, !logprobs.isEmpty else { return false }
    for range in logprobs { edits.replace(range.start, range.end, with: "[]") }
    return true
  }

  // MARK: An event

  private func event(_ cursor: inout JSONCursor) throws(JSONTextError) {
    var text: JSONString?
    var piece: JSONString?
    var nested: (first: Int, end: Int)?
    var (contentIndex, summaryIndex): (Int32?, Int32?) = (nil, nil)
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      isEmpty = false
      let valueKind = try cursor.peek()
      let start = cursor.position
      switch Self.eventMembers.exact(key, in: body) {
      case .type where valueKind == .string: type = try cursor.string()
      case .sequenceNumber:
        if valueKind == .number {
          sequenceNumber = try cursor.number().integer
        } else {
          try cursor.skipValue()
        }
        sequence = ByteRange(start, cursor.position)
      case .itemID where valueKind == .string: itemID = try cursor.string().quoted
      case .outputIndex: outputIndex = try index(&cursor) ?? 0
      case .contentIndex: contentIndex = try index(&cursor)
      case .summaryIndex: summaryIndex = try index(&cursor)
      case .delta where valueKind == .string: piece = try cursor.string()
      case .text where valueKind == .string, .refusal where valueKind == .string,
        .arguments where valueKind == .string, .input where valueKind == .string:
        text = try cursor.string()
      case .item where valueKind == .object:
        let first = spans.count
        try item(&cursor)
        nested = (first, spans.count)
      case .part where valueKind == .object:
        let first = spans.count
        try part(&cursor, .content, 0)
        nested = (first, spans.count)
      case .response where valueKind == .object: try response(&cursor, isPlain: false)
      case .logprobs: try logprobs(&cursor)
      case .error:
        try cursor.skipValue()
        if valueKind != .null { error = ByteRange(start, cursor.position) }
      case .obfuscation, .partialImage: try cursor.skipValue()
      default: try free(key, &cursor)
      }
    }
    kind = type.map { ResponsesEvent($0.range.of(body)) } ?? .other
    partIndex = (kind.isSummary ? summaryIndex : contentIndex) ?? 0
    if let nested {
      for place in nested.first..<nested.end {
        spans[place].channel.choice = outputIndex
        spans[place].channel.isRepeated = kind.isRepetition
        if kind == .partDone || kind == .summaryPartDone { spans[place].channel.index = partIndex }
      }
    }
    choice = outputIndex
    isRepeated = kind.isRepetition
    if let text { add(text, kind.field ?? .whole, index: partIndex) }
    isRepeated = false
    guard let piece, !piece.isEmpty else { return }
    if case .delta(let text) = kind {
      delta = spans.count
      add(piece, text.field, index: partIndex)
    } else {
      add(piece, .whole)
    }
  }

  // MARK: A response

  private func response(_ cursor: inout JSONCursor, isPlain: Bool) throws(JSONTextError) {
    let begin = cursor.position
    var isErrorObject = false
    var tier: ByteRange?
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      isEmpty = false
      let valueKind = try cursor.peek()
      let start = cursor.position
      let member = Self.responseMembers.exact(key, in: body)
      // What is neither the model's nor about the answer repeats the request.
      isRepeated = !isPlain || member != .output
      switch member {
      case .id:
        try cursor.skipValue()
        id = ByteRange(start, cursor.position)
      case .createdAt where valueKind == .number: createdAt = try cursor.number().range
      case .model:
        try cursor.skipValue()
        model = ByteRange(start, cursor.position)
      case .object:
        try cursor.skipValue()
        isErrorObject = ByteRange(start, cursor.position).of(body).equals("\"error\"")
      case .status where valueKind == .string: status = ResponseStatus(try cursor.string().range.of(body))
      case .output where valueKind == .array:
        hasOutput = true
        output.first = spans.count
        try items(&cursor)
        output.end = spans.count
      case .usage where valueKind == .object: usage = try Usage.readResponses(&cursor, in: body)
      case .error:
        try cursor.skipValue()
        if valueKind != .null { error = ByteRange(start, cursor.position) }
      case .user where valueKind == .string, .safetyIdentifier where valueKind == .string:
        try cursor.skipValue()
        persons.append(ByteRange(start, cursor.position))
      case .serviceTier:
        try cursor.skipValue()
        tier = ByteRange(start, cursor.position)
      case .incompleteDetails, .truncation: try cursor.skipValue()
      default: try free(key, &cursor)
      }
    }
    isRepeated = false
    if usage != nil { usage?.tier = tier.flatMap { ServiceTier(answered: $0.of(body)) } }
    if isPlain, isErrorObject, error == nil { error = ByteRange(begin, cursor.position) }
  }

  private func items(_ cursor: inout JSONCursor) throws(JSONTextError) {
    var walk = try cursor.enterArray()
    while try cursor.nextElement(&walk) {
      choice = Int32(clamping: walk.met - 1)
      if try cursor.peek() == .object { try item(&cursor) } else { try free(&cursor) }
    }
    choice = 0
  }

  private func item(_ cursor: inout JSONCursor) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let valueKind = try cursor.peek()
      switch Self.itemMembers.exact(key, in: body) {
      case .type, .id, .status, .role, .callID, .phase: try cursor.skipValue()
      case .content: try parts(&cursor, .content)
      case .summary: try parts(&cursor, .reasoning)
      case .arguments where valueKind == .string: add(try cursor.string(), .toolArguments)
      case .input where valueKind == .string: add(try cursor.string(), .content)
      default: try free(key, &cursor)
      }
    }
  }

  private func parts(_ cursor: inout JSONCursor, _ field: AnswerChannel.Field) throws(JSONTextError) {
    guard try cursor.peek() == .array else { return try free(&cursor) }
    var walk = try cursor.enterArray()
    while try cursor.nextElement(&walk) {
      if try cursor.peek() == .object {
        try part(&cursor, field, Int32(clamping: walk.met - 1))
      } else {
        try free(&cursor)
      }
    }
  }

  private func part(
    _ cursor: inout JSONCursor, _ field: AnswerChannel.Field, _ index: Int32
  ) throws(JSONTextError) {
    var text: JSONString?
    var field = field
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let valueKind = try cursor.peek()
      switch Self.partMembers.exact(key, in: body) {
      case .type where valueKind == .string:
        let type = try cursor.string().range.of(body)
        if type.equals("reasoning_text") { field = .reasoningContent }
        if type.equals("summary_text") { field = .reasoning }
      case .text where valueKind == .string: text = try cursor.string()
      case .refusal where valueKind == .string: add(try cursor.string(), .refusal, index: index)
      case .logprobs: try logprobs(&cursor)
      default: try free(key, &cursor)
      }
    }
    if let text { add(text, field, index: index) }
  }

  // MARK: Values

  private func add(_ text: JSONString, _ field: AnswerChannel.Field, index: Int32 = 0) {
    guard !text.isEmpty else { return }
    var channel = AnswerChannel(choice: choice, index: index, field: field)
    channel.isRepeated = isRepeated
    spans.append(AnswerSpan(start: text.start, end: text.end, hasEscapes: text.hasEscapes, channel: channel))
  }

  /// Reads a member that is nothing but texts, or what only the provider can read and must get back as it came.
  private func free(_ key: JSONString, _ cursor: inout JSONCursor) throws(JSONTextError) {
    if key.range.of(body).equals("encrypted_content"), try cursor.peek() == .string {
      try cursor.skipValue()
    } else {
      try free(&cursor)
    }
  }

  /// Reads any value: each string in it is complete in itself.
  private func free(_ cursor: inout JSONCursor) throws(JSONTextError) {
    switch try cursor.peek() {
    case .string: add(try cursor.string(), .whole)
    case .object:
      var walk = try cursor.enterObject()
      while let key = try cursor.nextMember(&walk) { try free(key, &cursor) }
    case .array:
      var walk = try cursor.enterArray()
      while try cursor.nextElement(&walk) { try free(&cursor) }
    default: try cursor.skipValue()
    }
  }

  private func logprobs(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .array else { return try free(&cursor) }
    let start = cursor.position
    var walk = try cursor.enterArray()
    while try cursor.nextElement(&walk) { try cursor.skipValue() }
    if walk.met > 0 { logprobs.append(ByteRange(start, cursor.position)) }
  }

  /// Reads an index; nil for one that is none.
  private func index(_ cursor: inout JSONCursor) throws(JSONTextError) -> Int32? {
    guard try cursor.peek() == .number else {
      try cursor.skipValue()
      return nil
    }
    guard let value = try cursor.number().integer, value >= 0, value < 1 << 20 else { return nil }
    return Int32(truncatingIfNeeded: value)
  }

  // MARK: Members

  private enum EventMember: String, CaseIterable, Sendable {
    case type, delta, text, refusal, arguments, input, item, part, response, logprobs, error, obfuscation
    case sequenceNumber = "sequence_number"
    case itemID = "item_id"
    case outputIndex = "output_index"
    case contentIndex = "content_index"
    case summaryIndex = "summary_index"
    case partialImage = "partial_image_b64"
  }

  private enum ResponseMember: String, CaseIterable, Sendable {
    case id, object, status, model, output, usage, error, user, truncation
    case createdAt = "created_at"
    case safetyIdentifier = "safety_identifier"
    case serviceTier = "service_tier"
    case incompleteDetails = "incomplete_details"
  }

  private enum ItemMember: String, CaseIterable, Sendable {
    case type, id, status, role, phase, content, summary, arguments, input
    case callID = "call_id"
  }

  private enum PartMember: String, CaseIterable, Sendable {
    case type, text, refusal, logprobs
  }

  private static let eventMembers = MemberTable<EventMember>()
  private static let responseMembers = MemberTable<ResponseMember>()
  private static let itemMembers = MemberTable<ItemMember>()
  private static let partMembers = MemberTable<PartMember>()
}

/// How a response stands.
enum ResponseStatus {
  /// Completed, or incomplete: an answer.
  case ended
  case failed
  /// Under way; no plain answer may say so.
  case open
  /// None was said.
  case unknown

  init(_ word: UnsafeRawBufferPointer) {
    self =
      if word.equals("completed") || word.equals("incomplete") {
        .ended
      } else if word.equals("failed") || word.equals("cancelled") {
        .failed
      } else {
        .open
      }
  }
}
