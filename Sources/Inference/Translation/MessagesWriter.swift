internal import JSONText

/// Writes Anthropic's messages: named events or one `message` (`api.md` section 8).
///
/// Thinking of other models comes as thinking blocks with an empty signature: inside the text it must not stand, and a
/// stream has no way to say that it was dropped. An empty signature is valid nowhere, so such a block can be told apart
/// when it comes back.
struct MessagesWriter: AnswerWriter {
  private let options: AnswerOptions
  private let isPlain: Bool
  /// The index of the open block.
  private var index: Int32 = -1
  /// Where it begins in `blocks`.
  private var blockStart = 0
  /// The model declined in words of its own.
  private var hasRefusal = false
  private(set) var lost: [String] = []

  // Of a plain answer
  private let blocks = ByteArena(capacity: 64)
  private let pieces = ByteArena(capacity: 64)
  private let proof = ByteArena(capacity: 64)
  private let plainArguments = ByteArena(capacity: 64)
  private let ending = ByteArena(capacity: 64)

  var keptBytes: Int { blocks.count + pieces.count }

  init(_ options: AnswerOptions, isPlain: Bool) {
    self.options = options
    self.isPlain = isPlain
  }

  private func appendHead(to out: ByteArena) {
    out.append("{\"id\":\"msg_")
    out.append(options.answerID)
    out.append("\",\"type\":\"message\",\"role\":\"assistant\",\"model\":")
    JSONEscape.appendQuoted(options.alias, to: out)
    out.append(",\"content\":[")
  }

  mutating func begin(to out: ByteArena) {
    guard !isPlain else { return }
    out.append("event: message_start\ndata: {\"type\":\"message_start\",\"message\":")
    appendHead(to: out)
    out.append("],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":")
    out.append(number: max(0, options.inputEstimate))
    out.append(",\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,\"output_tokens\":1}}}\n\n")
    appendKeepAlive(to: out)
  }

  // MARK: Blocks

  private mutating func start(_ out: ByteArena) {
    index &+= 1
    guard !isPlain else {
      blockStart = blocks.count
      if blocks.count > 0 { blocks.append(0x2C) }
      return
    }
    out.append("event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":")
    out.append(number: index)
    out.append(",\"content_block\":")
  }

  mutating func open(_ block: AnswerBlock, to out: ByteArena) {
    start(out)
    if block.kind == .refusal { hasRefusal = true }
    guard !isPlain else {
      pieces.reset()
      proof.reset()
      return
    }
    if block.kind == .thinking {
      out.append("{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}}\n\n")
    } else {
      out.append("{\"type\":\"text\",\"text\":\"\"}}\n\n")
    }
  }

  mutating func open(_ block: AnswerBlock, call: ToolCallStart, to out: ByteArena) {
    start(out)
    pieces.reset()
    let target = isPlain ? blocks : out
    target.append("{\"type\":\"tool_use\",\"id\":\"")
    ToolCallID.append(call, ordinal: block.channel.index, options, to: target)
    target.append("\",\"name\":\"")
    target.append(call.name)
    target.append("\",\"input\":")
    if !isPlain { out.append("{}}}\n\n") }
  }

  mutating func piece(_ block: AnswerBlock, _ text: UnsafeRawBufferPointer, to out: ByteArena) {
    guard !isPlain else { return pieces.append(text) }
    switch block.kind {
    case .tool: delta("{\"type\":\"input_json_delta\",\"partial_json\":\"", text, out)
    case .thinking: delta("{\"type\":\"thinking_delta\",\"thinking\":\"", text, out)
    default: delta("{\"type\":\"text_delta\",\"text\":\"", text, out)
    }
  }

  private func delta(_ opening: StaticString, _ text: UnsafeRawBufferPointer, _ out: ByteArena) {
    out.append("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":")
    out.append(number: index)
    out.append(",\"delta\":")
    out.append(opening)
    out.append(text)
    out.append("\"}}\n\n")
  }

  static var carriesProofs: Bool { true }

  mutating func signature(_ text: UnsafeRawBufferPointer, to out: ByteArena) {
    if isPlain { proof.append(text) } else { delta("{\"type\":\"signature_delta\",\"signature\":\"", text, out) }
  }

  mutating func redacted(_ data: UnsafeRawBufferPointer, to out: ByteArena) {
    start(out)
    let target = isPlain ? blocks : out
    target.append("{\"type\":\"redacted_thinking\",\"data\":\"")
    target.append(data)
    target.append("\"}")
    if !isPlain {
      out.append("}\n\n")
      stop(out)
    }
  }

  private func stop(_ out: ByteArena) {
    out.append("event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":")
    out.append(number: index)
    out.append("}\n\n")
  }

  mutating func close(_ block: AnswerBlock, isEarly: Bool, to out: ByteArena) -> Bool {
    guard isPlain else {
      stop(out)
      return true
    }
    switch block.kind {
    case .tool: return closeCall(isEarly)
    case .thinking:
      blocks.append("{\"type\":\"thinking\",\"thinking\":\"")
      blocks.append(pieces.bytes)
      blocks.append("\",\"signature\":\"")
      blocks.append(proof.bytes)
      blocks.append("\"}")
    default:
      blocks.append("{\"type\":\"text\",\"text\":\"")
      blocks.append(pieces.bytes)
      blocks.append("\"}")
    }
    return true
  }

  /// Arguments that are no object cannot be a call's input, and nothing may be invented in their place: a call that was
  /// cut by a limit goes, named; any other ends the answer.
  private mutating func closeCall(_ isEarly: Bool) -> Bool {
    guard !hasArguments else {
      blocks.append(plainArguments.bytes)
      blocks.append("}")
      return true
    }
    blocks.truncate(to: blockStart)
    lost.append("content[].input")
    return isEarly
  }

  private var hasArguments: Bool {
    plainArguments.reset()
    JSONEscape.unescape(pieces.bytes, to: plainArguments)
    do throws(JSONTextError) {
      var cursor = try JSONCursor(plainArguments.bytes, limits: .answer)
      guard try cursor.peek() == .object else { return false }
      try cursor.skipValue()
      try cursor.finish()
      return true
    } catch {
      return false
    }
  }

  // MARK: The end

  mutating func end(_ end: AnswerEnd, _ usage: Usage, to out: ByteArena) {
    let end = hasRefusal && end == .stop ? .filtered : end
    let target = isPlain ? ending : out
    if !isPlain { out.append("event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{") }
    target.append("\"stop_reason\":\"")
    switch end {
    case .stop: target.append("end_turn")
    case .stopSequence: target.append("stop_sequence")
    case .length: target.append("max_tokens")
    case .contextWindow: target.append("model_context_window_exceeded")
    case .toolCalls: target.append("tool_use")
    case .filtered: target.append("refusal")
    }
    target.append("\",\"stop_sequence\":null")
    if end == .filtered {
      target.append(",\"stop_details\":{\"type\":\"refusal\",\"category\":null,\"explanation\":null}")
    }
    target.append(isPlain ? ",\"usage\":{\"input_tokens\":" : "},\"usage\":{\"input_tokens\":")
    target.append(number: usage.uncachedTokens)
    target.append(",\"cache_creation_input_tokens\":")
    target.append(number: usage.cacheWriteTokens)
    target.append(",\"cache_read_input_tokens\":")
    target.append(number: usage.cachedTokens)
    target.append(",\"output_tokens\":")
    target.append(number: usage.outputTokens)
    target.append(",\"output_tokens_details\":{\"thinking_tokens\":")
    target.append(number: usage.reasoningTokens)
    target.append(isPlain ? "}}}" : "}}}\n\n")
  }

  mutating func appendEnd(to out: ByteArena) {
    guard isPlain else { return out.append("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n") }
    appendHead(to: out)
    out.append(blocks.bytes)
    out.append("],")
    out.append(ending.bytes)
  }

  mutating func appendError(_ refusal: Refusal, requestID: String, to out: ByteArena) {
    ErrorBody.appendEvent(refusal, requestID: requestID, dialect: .anthropic, to: out)
  }

  func appendKeepAlive(to out: ByteArena) { out.append("event: ping\ndata: {\"type\":\"ping\"}\n\n") }
}
