internal import JSONText

/// What one scan of an answer found that is no conversation: its texts, and what it cost.
///
/// Used again and again; positions are offsets into the bytes that were scanned.
final class FurtherScan {
  private(set) var spans: [AnswerSpan] = []
  /// The value of `model`, with its quotes.
  private(set) var model: ByteRange?
  private(set) var usage: Usage?
  /// The value of `error`, if it is not null.
  private(set) var error: ByteRange?
  /// Elements of the list that the answer is about; nil where there is none.
  private(set) var pieces: Int?
  /// There is a `text`, as a transcript has it.
  private(set) var hasText = false

  private var body = UnsafeRawBufferPointer(start: nil, count: 0)
  private var seconds: Int64?

  init() {}

  /// - Throws: ``JSONTextError`` where it is no JSON object.
  func scan(_ body: UnsafeRawBufferPointer) throws(JSONTextError) {
    spans.removeAll(keepingCapacity: true)
    (model, usage, error, pieces, hasText) = (nil, nil, nil, nil, false)
    seconds = nil
    self.body = body
    defer { self.body = UnsafeRawBufferPointer(start: nil, count: 0) }
    var cursor = try JSONCursor(body, limits: .answer)
    guard try cursor.peek() == .object else { throw JSONTextError(.unexpectedByte, at: cursor.position) }
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let kind = try cursor.peek()
      let start = cursor.position
      let name = key.range.of(body)
      if name.equals("id") || name.equals("object") || name.equals("created") {
        try cursor.skipValue()
      } else if name.equals("model") {
        try cursor.skipValue()
        model = ByteRange(start, cursor.position)
      } else if name.equals("error") {
        try cursor.skipValue()
        if kind != .null { error = ByteRange(start, cursor.position) }
      } else if name.equals("usage"), kind == .object {
        usage = try Usage.readFurther(&cursor, in: body)
      } else if name.equals("meta"), kind == .object {
        try meta(&cursor)
      } else if name.equals("text"), kind == .string {
        hasText = true
        try free(&cursor)
      } else if name.equals("duration"), kind == .number || kind == .string {
        seconds = try duration(&cursor, kind)
      } else if name.equals("results") || name.equals("data"), kind == .array {
        var items = try cursor.enterArray()
        while try cursor.nextElement(&items) { try item(&cursor) }
        pieces = items.met
      } else {
        try free(&cursor)
      }
    }
    try cursor.finish()
    // How long a sound is, says a transcript; elsewhere it may be how long anything took.
    if let seconds, hasText {
      var known = usage ?? Usage()
      if known.seconds == nil { known.seconds = seconds }
      usage = known
    }
  }

  /// Of sound: `8.47`, as some write it in quotes. Rounded up.
  private func duration(_ cursor: inout JSONCursor, _ kind: JSONKind) throws(JSONTextError) -> Int64? {
    let text = kind == .string ? try cursor.string().range : try cursor.number().range
    guard text.count <= 32, let value = Double(String(decoding: text.of(body), as: UTF8.self)) else { return nil }
    return Usage.wholeSeconds(value)
  }

  /// A thing that the answer is about. An image is no text, and neither is where it lies.
  private func item(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .object else { return try free(&cursor) }
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(body)
      if name.equals("b64_json") || name.equals("url") { try cursor.skipValue() } else { try free(&cursor) }
    }
  }

  /// Any value: each string in it is complete in itself.
  private func free(_ cursor: inout JSONCursor) throws(JSONTextError) {
    switch try cursor.peek() {
    case .string:
      let text = try cursor.string()
      guard !text.isEmpty else { return }
      spans.append(
        AnswerSpan(
          start: text.start, end: text.end, hasEscapes: text.hasEscapes,
          channel: AnswerChannel(choice: 0, field: .whole)))
    case .object:
      var walk = try cursor.enterObject()
      while try cursor.nextMember(&walk) != nil { try free(&cursor) }
    case .array:
      var walk = try cursor.enterArray()
      while try cursor.nextElement(&walk) { try free(&cursor) }
    default: try cursor.skipValue()
    }
  }

  /// Cohere's: `billed_units` (`search_units`, `input_tokens`) and `tokens`.
  private func meta(_ cursor: inout JSONCursor) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(body)
      guard name.equals("billed_units") || name.equals("tokens"), try cursor.peek() == .object else {
        try free(&cursor)
        continue
      }
      let isBilled = name.equals("billed_units")
      let found = try Usage.readFurther(&cursor, in: body)
      var known = usage ?? Usage()
      if isBilled, let searches = found.searches { known.searches = searches }
      // What is billed comes before what was counted.
      if found.hasInput, isBilled || !known.hasInput { (known.inputTokens, known.hasInput) = (found.inputTokens, true) }
      known.isSuspect = known.isSuspect || found.isSuspect
      usage = known
    }
  }
}

extension Usage {
  /// Reads the `usage` of an answer that is no conversation: OpenAI's older and newer names of tokens, and units.
  static func readFurther(_ cursor: inout JSONCursor, in body: UnsafeRawBufferPointer) throws(JSONTextError) -> Usage {
    var usage = Usage()
    var total: Int64?
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(body)
      if name.equals("prompt_tokens") || name.equals("input_tokens") {
        if let value = try usage.figure(&cursor) { (usage.inputTokens, usage.hasInput) = (value, true) }
      } else if name.equals("completion_tokens") || name.equals("output_tokens") {
        if let value = try usage.figure(&cursor) { (usage.outputTokens, usage.hasOutput) = (value, true) }
      } else if name.equals("total_tokens") {
        total = try usage.figure(&cursor)
      } else if name.equals("input_tokens_details") || name.equals("output_tokens_details") {
        try usage.details(&cursor, in: body)
      } else if name.equals("search_units") {
        usage.searches = try usage.figure(&cursor)
      } else if name.equals("seconds"), try cursor.peek() == .number {
        let number = try cursor.number().range.of(body)
        usage.seconds = Double(String(decoding: number, as: UTF8.self)).flatMap(Usage.wholeSeconds)
        usage.isSuspect = usage.isSuspect || usage.seconds == nil
      } else {
        try cursor.skipValue()
      }
    }
    // Where nothing is written, the sum is the input.
    if !usage.hasInput, !usage.hasOutput, let total { (usage.inputTokens, usage.hasInput) = (total, true) }
    usage.check()
    return usage
  }

  /// Rounded up; nil for what is no length of anything.
  static func wholeSeconds(_ value: Double) -> Int64? {
    value.isFinite && value >= 0 && value <= Double(absurd) ? Int64(value.rounded(.up)) : nil
  }
}

extension RequestScan {
  /// The answer is text and no JSON.
  public var answersBareText: Bool { route.takesForm && !transcriptFormat.isJSON }
}

extension PlainAnswer {
  /// A transcript that is nothing but text. What it took, the provider does not say.
  func readBare<Rewriter: AnswerRewriter>(
    _ body: UnsafeRawBufferPointer, rewriter: inout Rewriter, into out: ByteArena
  ) -> Outcome {
    guard String(validating: body, as: UTF8.self) != nil else { return .malformed }
    let channel = AnswerChannel(choice: 0, field: .bare)
    let outcome = rewriter.rewrite(body, channel: channel, into: out)
    if outcome == .unchanged { out.append(body) }
    let rest = rewriter.flush(channel: channel, into: out)
    return outcome == .blocked || rest == .blocked ? .blocked : .written
  }

  /// Tokens by either name, searches, seconds: whatever such a route is charged by.
  func furtherUsage(ofError body: UnsafeRawBufferPointer) -> Usage? {
    do throws(JSONTextError) { try further.scan(body) } catch { return nil }
    return further.usage
  }

  func readFurther<Rewriter: AnswerRewriter>(
    _ body: UnsafeRawBufferPointer, for request: RequestScan, options: AnswerOptions, rewriter: inout Rewriter,
    into out: ByteArena
  ) -> Outcome {
    do throws(JSONTextError) { try further.scan(body) } catch { return .malformed }
    usage = further.usage
    if let error = further.error { return .providerError(error) }
    guard request.route.takesForm ? further.hasText : further.pieces != nil else { return .malformed }
    pieces = further.pieces ?? 0
    if let model = further.model { edits.replace(model.start, model.end, quoted: options.alias) }
    for span in further.spans {
      scratch.reset()
      let text = span.range.of(body)
      let outcome = rewriter.rewrite(text, channel: span.channel, into: scratch)
      if outcome == .unchanged { scratch.append(text) }
      let rest = rewriter.flush(channel: span.channel, into: scratch)
      if outcome == .blocked || rest == .blocked { return .blocked }
      if outcome == .replaced || rest == .replaced { edits.replace(span.start, span.end, with: scratch.bytes) }
    }
    return edits.apply(to: body, into: out) ? .written : .malformed
  }
}
