public import JSONText

/// A streamed chat answer, or one of the legacy completions, on its way from an upstream to the client (`api.md`
/// sections 5, 6 and 13); one per exchange.
///
/// A value to be kept in one place, never copied: copies would share its buffers. Feed it what arrives; what is to go
/// out stands in `out`, whole events only. Events that need no change pass as they came. It never writes `[DONE]` or an
/// error by itself: the gateway asks for them, after it has settled (``appendEnd(to:)``).
public struct ChatStreamReader: AnswerStreamReader, EventByEvent {
  public internal(set) var state = StreamState.open
  /// The provider's last word on usage.
  public private(set) var usage: Usage?
  public private(set) var tier: ServiceTier?
  /// Bytes of text that the model wrote, unescaped, whether delivered or not: our own count.
  public var outputBytes: Int { max(0, textBytes - options.echoBytes) }
  private var textBytes = 0
  /// Choices that have ended.
  private var finishedChoices = 0

  private let options: AnswerOptions
  private let isCompletion: Bool
  private let aliasValue: [UInt8]
  var reader = ServerSentEventReader()
  public var keptBytes: Int { reader.heldBytes }
  private let tools: StreamTools
  private var scan: AnswerScan { tools.chat }
  /// `"id":…,"object":…,"created":…,"model":…` for events of our own.
  private let identity = ByteArena(capacity: 128)
  private var isIdentityKnown = false
  /// The usage event for the client, kept until the end.
  private let usageEvent = ByteArena(capacity: 64)
  private var isWholeUsageEvent = false
  private var choices: [(index: Int32, isFinished: Bool)] = []
  private var channels: [AnswerChannel] = []
  private static let mostChannels = 1024

  /// - Parameter isCompletion: Whether both sides speak the legacy completions.
  public init(_ options: AnswerOptions, isCompletion: Bool = false, tools: StreamTools = StreamTools()) {
    self.tools = tools
    self.options = options
    self.isCompletion = isCompletion
    let alias = ByteArena(capacity: 64)
    JSONEscape.appendQuoted(options.alias, to: alias)
    aliasValue = alias.array
  }

  /// Whether the answer came to its regular end: every choice with a finish reason, then `[DONE]`.
  public var isComplete: Bool { state == .done && !choices.isEmpty && finishedChoices == choices.count }

  /// Reads the next bytes of the upstream and appends to `out` what goes to the client.
  public mutating func feed<Rewriter: AnswerRewriter>(
    _ chunk: UnsafeRawBufferPointer, rewriter: inout Rewriter, into out: ByteArena
  ) {
    take(chunk, &rewriter, out)
  }

  /// The upstream has ended: takes a last event without blank line, and ends every held text unless the answer is blocked.
  public mutating func finish<Rewriter: AnswerRewriter>(rewriter: inout Rewriter, into out: ByteArena) {
    takeRest(&rewriter, out)
    if state == .open { flushAll(&rewriter, out) }
  }

  // MARK: One event

  mutating func event<Rewriter: AnswerRewriter>(
    _ rewriter: inout Rewriter, _ out: ByteArena
  ) throws(InferenceError) {
    let data = reader.data
    if data.equals("[DONE]") {
      flushAll(&rewriter, out)
      if state == .open {
        if options.includeUsage { out.append(usageEvent.bytes) }
        state = .done
      }
      return
    }
    try scan.scan(data, isCompletion: isCompletion)
    if let error = scan.error {
      return fail(UpstreamFault(status: 200, body: error.of(data)).refusal)
    }
    if identity.count == 0 || !isIdentityKnown && scan.choiceCount > 0 { keepIdentity(data) }
    if tier == nil, let said = scan.serviceTier { tier = ServiceTier(answered: said.of(data)) }
    if let found = scan.usage {
      tier = found.tier ?? tier
      usage = found
      usage?.tier = tier
    }
    guard !scan.hasUnknownFinish else {
      return fail(Refusal(.upstreamError, message: "The provider ended the answer with an error."))
    }
    guard noteChoices() else {
      return fail(Refusal(.upstreamError, message: "The provider's stream has too many parts."))
    }
    count(data)

    tools.edits.reset()
    if let model = scan.model, !model.of(data).elementsEqual(aliasValue) {
      tools.edits.replace(model.start, model.end, with: aliasValue)
    }
    for finish in scan.finishes where !finish.isExact {
      tools.edits.replace(finish.value.start + 1, finish.value.end - 1, utf8: finish.reason.rawValue)
    }
    if options.dropsLogprobs {
      for range in scan.logprobs { tools.edits.replace(range.start, range.end, with: "null") }
    }
    guard rewriteSpans(&rewriter, data), flushFinished(&rewriter, out) else { return block() }
    if takeUsage(data) { return }
    write(data, to: out)
  }

  /// Azure's first chunk has no choices, and an empty id.
  private mutating func keepIdentity(_ data: UnsafeRawBufferPointer) {
    isIdentityKnown = scan.choiceCount > 0
    identity.reset()
    identity.append("{\"id\":")
    identity.append(scan.id.map { $0.of(data) } ?? UnsafeRawBufferPointer(start: nil, count: 0))
    if scan.id == nil { identity.append("\"chatcmpl\"") }
    identity.append(",\"object\":")
    identity.append(object)
    identity.append(",\"created\":")
    identity.append(scan.created.map { $0.of(data) } ?? UnsafeRawBufferPointer(start: nil, count: 0))
    if scan.created == nil { identity.append("0") }
    identity.append(",\"model\":")
    identity.append(aliasValue)
  }

  private var object: StaticString { isCompletion ? "\"text_completion\"" : "\"chat.completion.chunk\"" }

  /// - Returns: False where the upstream opens more channels than an answer can have.
  private mutating func noteChoices() -> Bool {
    for index in scan.choiceIndexes { noteChoice(index) }
    for span in scan.spans where span.channel.field != .whole {
      if !channels.contains(span.channel) { channels.append(span.channel) }
    }
    for finish in scan.finishes {
      let place = noteChoice(finish.choice)
      guard !choices[place].isFinished else { continue }
      choices[place].isFinished = true
      finishedChoices += 1
    }
    return channels.count <= Self.mostChannels && choices.count <= Self.mostChannels
  }

  @discardableResult
  private mutating func noteChoice(_ index: Int32) -> Int {
    if let place = choices.firstIndex(where: { $0.index == index }) { return place }
    choices.append((index, false))
    return choices.count - 1
  }

  private mutating func count(_ data: UnsafeRawBufferPointer) {
    for span in scan.spans where span.channel.field != .whole { textBytes &+= AnswerScan.length(span, in: data) }
  }

  // MARK: Text

  private func isEnding(_ choice: Int32) -> Bool { scan.finishes.contains { $0.choice == choice } }

  /// - Returns: False if a rule blocks the answer.
  private mutating func rewriteSpans<Rewriter: AnswerRewriter>(
    _ rewriter: inout Rewriter, _ data: UnsafeRawBufferPointer
  )
    -> Bool
  {
    let spans = scan.spans
    for (place, span) in spans.enumerated() {
      tools.text.reset()
      let piece = span.range.of(data)
      let outcome = rewriter.rewrite(piece, channel: span.channel, into: tools.text)
      guard outcome != .blocked else { return false }
      var isChanged = outcome == .replaced
      let isWhole = span.channel.field == .whole
      if isWhole
        || isEnding(span.channel.choice) && !spans[(place + 1)...].contains(where: { $0.channel == span.channel })
      {
        // The last piece of its channel takes along what is held.
        if !isChanged { tools.text.append(piece) }
        let rest = rewriter.flush(channel: span.channel, into: tools.text)
        guard rest != .blocked else { return false }
        if rest == .replaced { isChanged = true }
      }
      if isChanged { tools.edits.replace(span.start, span.end, with: tools.text.bytes) }
    }
    return true
  }

  /// Before a choice's finish reason, what is held of its other texts goes out in events of their own.
  private mutating func flushFinished<Rewriter: AnswerRewriter>(_ rewriter: inout Rewriter, _ out: ByteArena) -> Bool {
    guard !scan.finishes.isEmpty else { return true }
    for channel in channels where isEnding(channel.choice) {
      if scan.spans.contains(where: { $0.channel == channel }) { continue }
      guard flush(channel, &rewriter, out) else { return false }
    }
    return true
  }

  private mutating func flushAll<Rewriter: AnswerRewriter>(_ rewriter: inout Rewriter, _ out: ByteArena) {
    for channel in channels where !flush(channel, &rewriter, out) { return block() }
  }

  private mutating func flush<Rewriter: AnswerRewriter>(
    _ channel: AnswerChannel, _ rewriter: inout Rewriter, _ out: ByteArena
  ) -> Bool {
    tools.text.reset()
    let outcome = rewriter.flush(channel: channel, into: tools.text)
    if outcome == .replaced, tools.text.count > 0 { appendDelta(channel, text: tools.text.bytes, to: out) }
    return outcome != .blocked
  }

  // MARK: Usage

  /// Keeps usage for the end, or cuts it out.
  /// - Returns: True if the event is nothing but usage, and so does not go out now.
  private mutating func takeUsage(_ data: UnsafeRawBufferPointer) -> Bool {
    guard let value = scan.usageValue, let member = scan.usageMember else { return false }
    if scan.usage != nil, scan.choiceCount == 0 {
      usageEvent.reset()
      isWholeUsageEvent = true
      if options.includeUsage { write(data, to: usageEvent) }
      return true
    }
    guard options.includeUsage else {
      tools.edits.replace(member.start, member.end, with: "")
      return false
    }
    guard scan.usage != nil else { return false }
    tools.edits.replace(value.start, value.end, with: "null")
    if !isWholeUsageEvent {
      usageEvent.reset()
      usageEvent.append("data: ")
      usageEvent.append(identity.bytes)
      usageEvent.append(",\"choices\":[],\"usage\":")
      usageEvent.append(value.of(data))
      usageEvent.append("}\n\n")
    }
    return false
  }

  // MARK: Writing

  private mutating func write(_ data: UnsafeRawBufferPointer, to out: ByteArena) {
    if tools.edits.isEmpty, let verbatim = reader.verbatim { return out.append(verbatim) }
    let began = out.count
    out.append("data: ")
    guard tools.edits.apply(to: data, into: out) else {
      out.truncate(to: began)
      return fail(Refusal(.upstreamError, message: "The provider's stream could not be read."))
    }
    if reader.isJoined { out.blankLineFeeds(from: began) }
    out.append("\n\n")
  }

  /// Appends an event of our own with a piece of text, dressed as the upstream's.
  /// - Parameter text: Raw content of a JSON string, escaped as the channel's depth says.
  public func appendDelta(_ channel: AnswerChannel, text: UnsafeRawBufferPointer, to out: ByteArena) {
    out.append("data: ")
    out.append(identity.bytes)
    if identity.count == 0 {
      out.append("{\"object\":")
      out.append(object)
    }
    out.append(",\"choices\":[{\"index\":")
    out.append(utf8: String(channel.choice))
    if isCompletion {
      out.append(",\"text\":\"")
      out.append(text)
      out.append("\",\"logprobs\":null")
    } else {
      appendMember(of: channel, text, to: out)
    }
    out.append(",\"finish_reason\":null}]")
    if options.includeUsage { out.append(",\"usage\":null") }
    out.append("}\n\n")
  }

  private func appendMember(of channel: AnswerChannel, _ text: UnsafeRawBufferPointer, to out: ByteArena) {
    out.append(",\"delta\":{")
    let (opening, closing): (StaticString, StaticString) =
      switch channel.field {
      case .content, .whole, .bare: ("\"content\":\"", "\"")
      case .refusal: ("\"refusal\":\"", "\"")
      case .reasoning: ("\"reasoning\":\"", "\"")
      case .reasoningContent: ("\"reasoning_content\":\"", "\"")
      case .thinking:
        ("\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":\"", "\"}]}]")
      case .transcript: ("\"audio\":{\"transcript\":\"", "\"}")
      case .functionArguments: ("\"function_call\":{\"arguments\":\"", "\"}")
      case .toolArguments: (",\"function\":{\"arguments\":\"", "\"}}]")
      }
    if channel.field == .toolArguments {
      out.append("\"tool_calls\":[{\"index\":")
      out.append(utf8: String(channel.index))
    }
    out.append(opening)
    out.append(text)
    out.append(closing)
    out.append("}")
  }

  public mutating func appendEnd(to out: ByteArena) { out.append("data: [DONE]\n\n") }

  public mutating func appendError(_ refusal: Refusal, requestID: String, to out: ByteArena) {
    ErrorBody.appendEvent(refusal, requestID: requestID, to: out)
  }

  public mutating func appendKeepAlive(to out: ByteArena) { out.append(": keepalive\n\n") }
}
