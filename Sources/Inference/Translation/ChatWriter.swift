internal import JSONText

/// Writes OpenAI's chat completions: `chat.completion.chunk` events or one `chat.completion` (`api.md` section 5).
struct ChatWriter: AnswerWriter {
  private let options: AnswerOptions
  private let isPlain: Bool
  /// `"id":…` up to the model.
  private let identity = ByteArena(capacity: 128)

  // Of a plain answer
  private let content = ByteArena(capacity: 64)
  private let refusal = ByteArena(capacity: 64)
  private let thinking = ByteArena(capacity: 64)
  private let calls = ByteArena(capacity: 64)
  private let ending = ByteArena(capacity: 64)

  var keptBytes: Int { content.count + refusal.count + thinking.count + calls.count }
  var lost: [String] { [] }

  init(_ options: AnswerOptions, isPlain: Bool) {
    self.options = options
    self.isPlain = isPlain
    identity.append("\"id\":\"chatcmpl_")
    identity.append(options.answerID)
    if isPlain {
      identity.append("\",\"object\":\"chat.completion\",\"created\":")
    } else {
      identity.append("\",\"object\":\"chat.completion.chunk\",\"created\":")
    }
    identity.append(number: options.created)
    identity.append(",\"model\":")
    JSONEscape.appendQuoted(options.alias, to: identity)
  }

  // MARK: Chunks

  private func openDelta(_ out: ByteArena) {
    out.append("data: {")
    out.append(identity.bytes)
    out.append(",\"choices\":[{\"index\":0,\"delta\":{")
  }

  private func closeDelta(_ out: ByteArena) {
    out.append("},\"finish_reason\":null}]")
    if options.includeUsage { out.append(",\"usage\":null") }
    out.append("}\n\n")
  }

  mutating func begin(to out: ByteArena) {
    guard !isPlain else { return }
    openDelta(out)
    out.append("\"role\":\"assistant\",\"content\":\"\"")
    closeDelta(out)
  }

  mutating func open(_ block: AnswerBlock, to out: ByteArena) {}

  mutating func open(_ block: AnswerBlock, call: ToolCallStart, to out: ByteArena) {
    if isPlain {
      calls.append(calls.count == 0 ? "{" : ",{")
      appendCall(block, call, to: calls)
      return
    }
    openDelta(out)
    out.append("\"tool_calls\":[{\"index\":")
    out.append(number: block.channel.index)
    out.append(0x2C)
    appendCall(block, call, to: out)
    out.append("\"}}]")
    closeDelta(out)
  }

  /// Everything of a call up to the beginning of its arguments.
  private func appendCall(_ block: AnswerBlock, _ call: ToolCallStart, to out: ByteArena) {
    out.append("\"id\":\"")
    ToolCallID.append(call, ordinal: block.channel.index, options, to: out)
    out.append("\",\"type\":\"function\",")
    if !call.seal.isEmpty {
      out.append("\"extra_content\":{\"google\":{\"thought_signature\":\"")
      out.append(call.seal)
      out.append("\"}},")
    }
    out.append("\"function\":{\"name\":\"")
    out.append(call.name)
    out.append("\",\"arguments\":\"")
  }

  mutating func piece(_ block: AnswerBlock, _ text: UnsafeRawBufferPointer, to out: ByteArena) {
    if isPlain {
      switch block.kind {
      case .tool: calls.append(text)
      case .thinking: thinking.append(text)
      case .refusal: refusal.append(text)
      default: content.append(text)
      }
      return
    }
    openDelta(out)
    switch block.kind {
    case .tool:
      out.append("\"tool_calls\":[{\"index\":")
      out.append(number: block.channel.index)
      out.append(",\"function\":{\"arguments\":\"")
      out.append(text)
      out.append("\"}}]")
    case .thinking: appendThinking(text, to: out)
    case .refusal:
      out.append("\"refusal\":\"")
      out.append(text)
      out.append(0x22)
    default:
      out.append("\"content\":\"")
      out.append(text)
      out.append(0x22)
    }
    closeDelta(out)
  }

  /// Under both of its names: clients read one or the other.
  private func appendThinking(_ text: UnsafeRawBufferPointer, to out: ByteArena) {
    out.append("\"reasoning\":\"")
    out.append(text)
    out.append("\",\"reasoning_content\":\"")
    out.append(text)
    out.append(0x22)
  }

  static var carriesProofs: Bool { false }
  mutating func signature(_ text: UnsafeRawBufferPointer, to out: ByteArena) {}
  mutating func redacted(_ data: UnsafeRawBufferPointer, to out: ByteArena) {}

  mutating func close(_ block: AnswerBlock, isEarly: Bool, to out: ByteArena) -> Bool {
    if isPlain, block.kind == .tool { calls.append("\"}}") }
    return true
  }

  // MARK: The end

  mutating func end(_ end: AnswerEnd, _ usage: Usage, to out: ByteArena) {
    let reason =
      switch end {
      case .stop, .stopSequence: FinishReason.stop
      case .length, .contextWindow: FinishReason.length
      case .toolCalls: FinishReason.toolCalls
      case .filtered: FinishReason.contentFilter
      }
    if isPlain {
      ending.reset()
      ending.append(",\"logprobs\":null,\"finish_reason\":\"")
      ending.append(utf8: reason.rawValue)
      ending.append("\"}],\"usage\":")
      Self.append(usage, to: ending)
      return
    }
    out.append("data: {")
    out.append(identity.bytes)
    out.append(",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"")
    out.append(utf8: reason.rawValue)
    out.append("\"}]")
    if options.includeUsage { out.append(",\"usage\":null") }
    out.append("}\n\n")
    guard options.includeUsage else { return }
    out.append("data: {")
    out.append(identity.bytes)
    out.append(",\"choices\":[],\"usage\":")
    Self.append(usage, to: out)
    out.append("}\n\n")
  }

  private static func append(_ usage: Usage, to out: ByteArena) {
    out.append("{\"prompt_tokens\":")
    out.append(number: usage.inputTokens)
    out.append(",\"completion_tokens\":")
    out.append(number: usage.outputTokens)
    out.append(",\"total_tokens\":")
    out.append(number: usage.inputTokens &+ usage.outputTokens)
    out.append(",\"prompt_tokens_details\":{\"cached_tokens\":")
    out.append(number: usage.cachedTokens)
    out.append(",\"cache_write_tokens\":")
    out.append(number: usage.cacheWriteTokens)
    out.append("},\"completion_tokens_details\":{\"reasoning_tokens\":")
    out.append(number: usage.reasoningTokens)
    out.append("}}")
  }

  mutating func appendEnd(to out: ByteArena) {
    guard isPlain else { return out.append("data: [DONE]\n\n") }
    out.append("{")
    out.append(identity.bytes)
    out.append(",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":")
    if content.count == 0, calls.count > 0 || refusal.count > 0 {
      out.append("null")
    } else {
      Self.quote(content, to: out)
    }
    out.append(",\"refusal\":")
    if refusal.count > 0 { Self.quote(refusal, to: out) } else { out.append("null") }
    if thinking.count > 0 {
      out.append(0x2C)
      appendThinking(thinking.bytes, to: out)
    }
    if calls.count > 0 {
      out.append(",\"tool_calls\":[")
      out.append(calls.bytes)
      out.append("]")
    }
    out.append("}")
    out.append(ending.bytes)
    out.append("}")
  }

  private static func quote(_ text: ByteArena, to out: ByteArena) {
    out.append(0x22)
    out.append(text.bytes)
    out.append(0x22)
  }

  mutating func appendError(_ refusal: Refusal, requestID: String, to out: ByteArena) {
    ErrorBody.appendEvent(refusal, requestID: requestID, to: out)
  }

  func appendKeepAlive(to out: ByteArena) { out.append(": keepalive\n\n") }
}
