public import JSONText

/// What one scan of an answer found: a plain `chat.completion`, an embeddings answer, a `text_completion`, or a stream's
/// `chat.completion.chunk`.
///
/// Used again and again; positions are offsets into the bytes that were scanned.
public final class AnswerScan {
  public internal(set) var spans: [AnswerSpan] = []
  public internal(set) var finishes: [AnswerFinish] = []
  /// Values of `logprobs` that are not null: they show the tokens as generated, placeholders included.
  public internal(set) var logprobs: [ByteRange] = []
  /// The value of `model`, with its quotes.
  public internal(set) var model: ByteRange?
  /// The value of `id`, with its quotes.
  public internal(set) var id: ByteRange?
  public internal(set) var created: ByteRange?
  public internal(set) var usage: Usage?
  /// The value of `usage`, null included.
  public internal(set) var usageValue: ByteRange?
  /// What to cut so that `usage` is gone, with its comma.
  public internal(set) var usageMember: ByteRange?
  public internal(set) var serviceTier: ByteRange?
  /// The value of `error`, or the whole if the provider's errors are flat.
  public internal(set) var error: ByteRange?
  public internal(set) var hasChoices = false
  public internal(set) var choiceCount = 0
  /// The index of each choice, in their order.
  public internal(set) var choiceIndexes: [Int32] = []
  /// The answer's `data` array (embeddings).
  public internal(set) var data: ByteRange?
  /// The finish reason of a choice means failure, or nothing that is known.
  public internal(set) var hasUnknownFinish = false

  // While scanning
  var body = UnsafeRawBufferPointer(start: nil, count: 0)
  var choice: Int32 = 0
  private var isCompletion = false

  public init() {}

  /// Scans a whole answer or the data of one event.
  /// - Parameter isCompletion: Whether a choice's text stands in `text`, as on the legacy route.
  /// - Throws: ``InferenceError`` with `upstream_error` where it is no JSON object.
  public func scan(_ body: UnsafeRawBufferPointer, isCompletion: Bool = false) throws(InferenceError) {
    reset()
    self.isCompletion = isCompletion
    self.body = body
    defer { self.body = UnsafeRawBufferPointer(start: nil, count: 0) }
    do throws(JSONTextError) {
      var cursor = try JSONCursor(body, limits: .answer)
      try answer(&cursor)
      try cursor.finish()
    } catch {
      throw InferenceError(
        .upstreamError, message: "The provider sent an answer that is no valid JSON.",
        detail: "\(error.code.rawValue) at \(error.offset)")
    }
  }

  private func reset() {
    spans.removeAll(keepingCapacity: spans.capacity <= 4096)
    finishes.removeAll(keepingCapacity: true)
    logprobs.removeAll(keepingCapacity: true)
    choiceIndexes.removeAll(keepingCapacity: true)
    (model, id, created, usage, usageValue, usageMember) = (nil, nil, nil, nil, nil, nil)
    (serviceTier, error, data) = (nil, nil, nil)
    (hasChoices, choiceCount, hasUnknownFinish, choice) = (false, 0, false, 0)
  }

  private func answer(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .object else { throw JSONTextError(.unexpectedByte, at: cursor.position) }
    let begin = cursor.position
    var walk = try cursor.enterObject()
    var previousEnd = begin + 1
    var isFirst = true
    var isErrorObject = false
    var cutsForward = false
    while let key = try cursor.nextMember(&walk) {
      if cutsForward, let cut = usageMember {
        // The first member goes together with the comma behind it.
        usageMember = ByteRange(cut.start, key.start - 1)
        cutsForward = false
      }
      let kind = try cursor.peek()
      let start = cursor.position
      switch AnswerMembers.answer.exact(key, in: body) {
      case .id: id = try value(&cursor)
      case .model: model = try value(&cursor)
      case .created: created = try value(&cursor)
      case .object:
        let range = try value(&cursor)
        isErrorObject = range.of(body).equals("\"error\"")
      case .serviceTier: serviceTier = try value(&cursor)
      case .choices where kind == .array:
        hasChoices = true
        try choices(&cursor)
      case .usage:
        if kind == .object { usage = try Usage.read(&cursor, in: body) } else { try cursor.skipValue() }
        usageValue = ByteRange(start, cursor.position)
        usageMember = ByteRange(isFirst ? key.start - 1 : previousEnd, cursor.position)
        cutsForward = isFirst
      case .error:
        let range = try value(&cursor)
        if kind != .null { error = range }
      case .data:
        let range = try value(&cursor)
        if kind == .array { data = range }
      case .systemFingerprint, .obfuscation, .promptFilterResults: try cursor.skipValue()
      case .choices, .message, nil: try free(&cursor)
      }
      previousEnd = cursor.position
      isFirst = false
    }
    if isErrorObject, error == nil { error = ByteRange(begin, cursor.position) }
    if usage != nil { usage?.tier = serviceTier.flatMap { ServiceTier(answered: $0.of(body)) } }
  }

  /// Reads any value, at whose first byte the cursor stands, without looking for text.
  private func value(_ cursor: inout JSONCursor) throws(JSONTextError) -> ByteRange {
    let start = cursor.position
    try cursor.skipValue()
    return ByteRange(start, cursor.position)
  }

  private func choices(_ cursor: inout JSONCursor) throws(JSONTextError) {
    var walk = try cursor.enterArray()
    while try cursor.nextElement(&walk) {
      guard try cursor.peek() == .object else {
        try free(&cursor)
        continue
      }
      choice = Int32(clamping: choiceCount)
      choiceCount += 1
      try oneChoice(&cursor)
      choiceIndexes.append(choice)
    }
  }

  private func oneChoice(_ cursor: inout JSONCursor) throws(JSONTextError) {
    let (firstSpan, firstFinish) = (spans.count, finishes.count)
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let kind = try cursor.peek()
      switch AnswerMembers.choice.exact(key, in: body) {
      case .index:
        // The index may stand behind the text it belongs to.
        guard let index = try index(&cursor) else { continue }
        choice = index
        for place in firstSpan..<spans.count { spans[place].channel.choice = index }
        for place in firstFinish..<finishes.count { finishes[place].choice = index }
      case .delta where kind == .object, .message where kind == .object: try delta(&cursor)
      case .finishReason: try finish(&cursor)
      case .logprobs:
        let range = try value(&cursor)
        if kind != .null { logprobs.append(range) }
      case .text where isCompletion: try text(&cursor, .content)
      case .contentFilterResults: try cursor.skipValue()
      case .delta, .message, .text, nil: try free(&cursor)
      }
    }
  }

  /// Reads an index; nil for one that is none.
  func index(_ cursor: inout JSONCursor) throws(JSONTextError) -> Int32? {
    guard try cursor.peek() == .number else {
      try cursor.skipValue()
      return nil
    }
    guard let value = try cursor.number().integer, value >= 0, value < 1 << 20 else { return nil }
    return Int32(truncatingIfNeeded: value)
  }

  private func finish(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .string else { return try cursor.skipValue() }
    let text = try cursor.string()
    guard !text.isEmpty else { return }
    let word = text.range.of(body)
    let exact = FinishReason(exactly: word)
    guard let reason = exact ?? FinishReason(provider: word) else {
      hasUnknownFinish = true
      return
    }
    finishes.append(AnswerFinish(choice: choice, reason: reason, value: text.quoted, isExact: exact != nil))
  }
}

/// The end of one choice.
public struct AnswerFinish: Sendable, Equatable {
  public var choice: Int32
  public var reason: FinishReason
  /// The value with its quotes.
  public var value: ByteRange
  /// Whether the provider's word is already OpenAI's.
  public var isExact: Bool
}
