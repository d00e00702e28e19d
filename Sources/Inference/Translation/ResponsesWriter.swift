internal import JSONText

/// Writes OpenAI's Responses: numbered, named events or one `response` (`api.md` section 7). Each block of the answer is
/// an output item of its own.
///
/// The dialect says each text three times, so the open item's text and all items are kept until the end.
struct ResponsesWriter: AnswerWriter {
  private let options: AnswerOptions
  private let isPlain: Bool
  private let response: ResponseObject
  private var sequence: Int64 = 0
  /// The index of the open item.
  private var index: Int32 = -1
  /// The items that are done.
  private let items = ByteArena(capacity: 256)
  /// The open item's text.
  private let text = ByteArena(capacity: 256)
  /// The open call: `"call_id":"…","name":"…"`, and its name alone.
  private let call = ByteArena(capacity: 64)
  private let name = ByteArena(capacity: 64)
  private var ending: (end: AnswerEnd, usage: Usage)?

  var keptBytes: Int { items.count + text.count }
  var lost: [String] { [] }

  init(_ options: AnswerOptions, isPlain: Bool) {
    self.options = options
    self.isPlain = isPlain
    response = ResponseObject(options)
  }

  // MARK: Events

  /// Writes an event's name and the begin of its object.
  private func event(_ name: StaticString, _ out: ByteArena) {
    out.append("event: ")
    out.append(name)
    out.append("\ndata: {\"type\":\"")
    out.append(name)
    out.append(0x22)
  }

  private mutating func endEvent(_ out: ByteArena) {
    out.append(",\"sequence_number\":")
    out.append(number: sequence)
    out.append("}\n\n")
    sequence &+= 1
  }

  private func appendItemID(_ kind: AnswerStep.Kind, to out: ByteArena) {
    switch kind {
    case .tool: out.append("fc_")
    case .thinking: out.append("rs_")
    default: out.append("msg_")
    }
    out.append(options.answerID)
    out.append(0x5F)
    out.append(number: index)
  }

  /// `,"item_id":…,"output_index":…` and the index inside of the item.
  private func appendPlace(_ kind: AnswerStep.Kind, to out: ByteArena) {
    out.append(",\"item_id\":\"")
    appendItemID(kind, to: out)
    out.append("\",\"output_index\":")
    out.append(number: index)
    switch kind {
    case .tool: break
    case .thinking: out.append(",\"summary_index\":0")
    default: out.append(",\"content_index\":0")
    }
  }

  mutating func begin(to out: ByteArena) {
    guard !isPlain else { return }
    event("response.created", out)
    appendStatus("in_progress", to: out)
    endEvent(out)
    event("response.in_progress", out)
    appendStatus("in_progress", to: out)
    endEvent(out)
  }

  private func appendStatus(_ status: StaticString, to out: ByteArena) {
    out.append(",\"response\":")
    response.append(status: status, items: items.bytes, to: out)
  }

  // MARK: Items

  mutating func open(_ block: AnswerBlock, to out: ByteArena) {
    index &+= 1
    text.reset()
    guard !isPlain else { return }
    event("response.output_item.added", out)
    out.append(",\"output_index\":")
    out.append(number: index)
    out.append(",\"item\":")
    appendItem(block, status: "in_progress", isWhole: false, to: out)
    endEvent(out)
    if block.kind == .thinking {
      event("response.reasoning_summary_part.added", out)
    } else {
      event("response.content_part.added", out)
    }
    appendPlace(block.kind, to: out)
    out.append(",\"part\":")
    appendPart(block.kind, isWhole: false, to: out)
    endEvent(out)
  }

  mutating func open(_ block: AnswerBlock, call start: ToolCallStart, to out: ByteArena) {
    index &+= 1
    text.reset()
    call.reset()
    call.append("\"call_id\":\"")
    ToolCallID.append(start, ordinal: block.channel.index, options, to: call)
    call.append("\",\"name\":\"")
    call.append(start.name)
    call.append(0x22)
    name.reset()
    name.append(start.name)
    guard !isPlain else { return }
    event("response.output_item.added", out)
    out.append(",\"output_index\":")
    out.append(number: index)
    out.append(",\"item\":")
    appendItem(block, status: "in_progress", isWhole: false, to: out)
    endEvent(out)
  }

  private func appendItem(_ block: AnswerBlock, status: StaticString, isWhole: Bool, to out: ByteArena) {
    out.append("{\"id\":\"")
    appendItemID(block.kind, to: out)
    switch block.kind {
    case .tool: out.append("\",\"type\":\"function_call\",\"status\":\"")
    case .thinking: out.append("\",\"type\":\"reasoning\",\"status\":\"")
    default: out.append("\",\"type\":\"message\",\"status\":\"")
    }
    out.append(status)
    switch block.kind {
    case .tool:
      out.append("\",")
      out.append(call.bytes)
      out.append(",\"arguments\":\"")
      if isWhole { out.append(text.bytes) }
      out.append("\"}")
    case .thinking:
      out.append("\",\"summary\":[")
      if isWhole { appendPart(block.kind, isWhole: true, to: out) }
      out.append("]}")
    default:
      out.append("\",\"role\":\"assistant\",\"content\":[")
      if isWhole { appendPart(block.kind, isWhole: true, to: out) }
      out.append("]}")
    }
  }

  private func appendPart(_ kind: AnswerStep.Kind, isWhole: Bool, to out: ByteArena) {
    switch kind {
    case .thinking: out.append("{\"type\":\"summary_text\",\"text\":\"")
    case .refusal: out.append("{\"type\":\"refusal\",\"refusal\":\"")
    default: out.append("{\"type\":\"output_text\",\"text\":\"")
    }
    if isWhole { out.append(text.bytes) }
    out.append(0x22)
    if kind == .text { out.append(",\"annotations\":[],\"logprobs\":[]") }
    out.append("}")
  }

  mutating func piece(_ block: AnswerBlock, _ piece: UnsafeRawBufferPointer, to out: ByteArena) {
    text.append(piece)
    guard !isPlain else { return }
    switch block.kind {
    case .tool: event("response.function_call_arguments.delta", out)
    case .thinking: event("response.reasoning_summary_text.delta", out)
    case .refusal: event("response.refusal.delta", out)
    default: event("response.output_text.delta", out)
    }
    appendPlace(block.kind, to: out)
    out.append(",\"delta\":\"")
    out.append(piece)
    out.append(0x22)
    if block.kind == .text { out.append(",\"logprobs\":[]") }
    endEvent(out)
  }

  static var carriesProofs: Bool { false }
  mutating func signature(_ text: UnsafeRawBufferPointer, to out: ByteArena) {}
  mutating func redacted(_ data: UnsafeRawBufferPointer, to out: ByteArena) {}

  mutating func close(_ block: AnswerBlock, isEarly: Bool, to out: ByteArena) -> Bool {
    let status: StaticString = isEarly ? "incomplete" : "completed"
    if !isPlain {
      appendTextDone(block, to: out)
      event("response.output_item.done", out)
      out.append(",\"output_index\":")
      out.append(number: index)
      out.append(",\"item\":")
      appendItem(block, status: status, isWhole: true, to: out)
      endEvent(out)
    }
    if items.count > 0 { items.append(0x2C) }
    appendItem(block, status: status, isWhole: true, to: items)
    return true
  }

  private mutating func appendTextDone(_ block: AnswerBlock, to out: ByteArena) {
    let member: StaticString
    switch block.kind {
    case .tool:
      event("response.function_call_arguments.done", out)
      member = ",\"arguments\":\""
    case .thinking:
      event("response.reasoning_summary_text.done", out)
      member = ",\"text\":\""
    case .refusal:
      event("response.refusal.done", out)
      member = ",\"refusal\":\""
    default:
      event("response.output_text.done", out)
      member = ",\"text\":\""
    }
    appendPlace(block.kind, to: out)
    if block.kind == .tool {
      out.append(",\"name\":\"")
      out.append(name.bytes)
      out.append(0x22)
    }
    out.append(member)
    out.append(text.bytes)
    out.append(0x22)
    if block.kind == .text { out.append(",\"logprobs\":[]") }
    endEvent(out)
    guard block.kind != .tool else { return }
    if block.kind == .thinking {
      event("response.reasoning_summary_part.done", out)
    } else {
      event("response.content_part.done", out)
    }
    appendPlace(block.kind, to: out)
    out.append(",\"part\":")
    appendPart(block.kind, isWhole: true, to: out)
    endEvent(out)
  }

  // MARK: The end

  mutating func end(_ end: AnswerEnd, _ usage: Usage, to out: ByteArena) { ending = (end, usage) }

  mutating func appendEnd(to out: ByteArena) {
    guard let ending else { return }
    let isEarly = ending.end.isEarly
    if !isPlain {
      if isEarly { event("response.incomplete", out) } else { event("response.completed", out) }
      out.append(",\"response\":")
    }
    response.append(
      status: isEarly ? "incomplete" : "completed", reason: isEarly ? ending.end : nil, items: items.bytes,
      usage: ending.usage, to: out)
    if !isPlain { endEvent(out) }
  }

  /// The flat event, and the response that failed: SDKs look for one or the other.
  mutating func appendError(_ refusal: Refusal, requestID: String, to out: ByteArena) {
    let message = ByteArena(capacity: 256)
    JSONEscape.append(refusal.message, to: message)
    if !requestID.isEmpty {
      message.append(refusal.message.isEmpty ? "(request " : " (request ")
      JSONEscape.append(requestID, to: message)
      message.append(")")
    }
    event("error", out)
    out.append(",\"code\":\"")
    out.append(utf8: refusal.code.text)
    out.append("\",\"message\":\"")
    withExtendedLifetime(message) { out.append(message.bytes) }
    out.append("\",\"param\":")
    if let param = refusal.param { JSONEscape.appendQuoted(param, to: out) } else { out.append("null") }
    endEvent(out)
    event("response.failed", out)
    out.append(",\"response\":")
    response.append(
      status: "failed", error: (Self.code(of: refusal.code), message.bytes), items: items.bytes, to: out)
    endEvent(out)
  }

  /// The dialect's closed list of what a response fails with.
  private static func code(of code: Refusal.Code) -> StaticString {
    switch code {
    case .rateLimitExceeded, .upstreamRateLimited, .insufficientQuota: "rate_limit_exceeded"
    case .dataResidencyMismatch: "data_residency_mismatch"
    case .contentPolicyViolation, .contextLengthExceeded, .invalidValue, .unsupportedParameter: "invalid_prompt"
    default: "server_error"
    }
  }

  func appendKeepAlive(to out: ByteArena) { out.append(": keepalive\n\n") }
}
