public import JSONText

/// A streamed Anthropic answer on its way to an Anthropic client (`api.md` sections 8 and 13); one per exchange.
///
/// A value to be kept in one place, never copied: copies would share its buffers. Every event goes out with its name; one
/// that needs no change passes as it came. `message_stop` is kept back until the gateway has settled (``appendEnd(to:)``).
public struct MessagesStreamReader: AnswerStreamReader, EventByEvent {
  public internal(set) var state = StreamState.open
  public var usage: Usage? { figures?.sum(isFinal: isUsageFinal) }
  public private(set) var outputBytes = 0
  public var isComplete: Bool { state == .done && hasBegun && hasStopReason }

  private let aliasValue: [UInt8]
  var reader = ServerSentEventReader()
  public var keptBytes: Int { reader.heldBytes }
  private let tools: StreamTools
  private var scan: MessagesScan { tools.messages }
  private var figures: MessagesUsage?
  /// Whether a `message_delta` has told the usage: what `message_start` says of the output is an estimate.
  private var isUsageFinal = false
  private var hasBegun = false
  private var hasStopReason = false
  /// Texts that are running: of each something may be held back.
  private var channels: [AnswerChannel] = []

  public init(_ options: AnswerOptions, tools: StreamTools = StreamTools()) {
    self.tools = tools
    let alias = ByteArena(capacity: 64)
    JSONEscape.appendQuoted(options.alias, to: alias)
    aliasValue = alias.array
  }

  public mutating func feed<Rewriter: AnswerRewriter>(
    _ chunk: UnsafeRawBufferPointer, rewriter: inout Rewriter, into out: ByteArena
  ) {
    take(chunk, &rewriter, out)
  }

  public mutating func finish<Rewriter: AnswerRewriter>(rewriter: inout Rewriter, into out: ByteArena) {
    takeRest(&rewriter, out)
    if state == .open { flushAll(&rewriter, out) }
  }

  private mutating func fail(_ message: String) { fail(Refusal(.upstreamError, message: message)) }

  // MARK: One event

  mutating func event<Rewriter: AnswerRewriter>(
    _ rewriter: inout Rewriter, _ out: ByteArena
  ) throws(InferenceError) {
    let data = reader.data
    // Some servers keep alive without data, and end as OpenAI does.
    if reader.name.equals("ping") { return appendKeepAlive(to: out) }
    if data.equals("[DONE]") { return }
    try scan.scan(data)
    let kind = scan.kind == .none ? MessagesScan.kind(reader.name) : scan.kind
    if kind == .error || scan.error != nil {
      return fail(UpstreamFault(status: 200, body: (scan.error ?? ByteRange(0, data.count)).of(data)).refusal)
    }
    guard hasBegun || kind == .messageStart || kind == .ping || kind == .unknown else {
      return fail("The provider's stream does not begin with message_start.")
    }
    tools.edits.reset()
    switch kind {
    case .messageStart:
      // There is one at the client, whatever comes in.
      guard !hasBegun else { return }
      hasBegun = true
      figures = scan.usage
      if let model = scan.model, !model.of(data).elementsEqual(aliasValue) {
        tools.edits.replace(model.start, model.end, with: aliasValue)
      }
      pass("message_start", data, &rewriter, out)
    case .blockStart: pass("content_block_start", data, &rewriter, out)
    case .blockDelta:
      if scan.hasSignature {
        // The thinking that is signed ends here.
        let thinking = AnswerChannel(choice: 0, index: scan.index, field: .thinking)
        guard end({ $0 == thinking }, &rewriter, out) else { return }
      }
      pass("content_block_delta", data, &rewriter, out)
    case .blockStop:
      let index = scan.index
      guard end({ $0.index == index }, &rewriter, out) else { return }
      pass("content_block_stop", data, &rewriter, out)
    case .messageDelta:
      flushAll(&rewriter, out)
      takeUsage()
      if scan.hasStopReason { hasStopReason = true }
      pass("message_delta", data, &rewriter, out)
    case .messageStop:
      flushAll(&rewriter, out)
      if state == .open { state = .done }
    case .ping: appendKeepAlive(to: out)
    case .message, .unknown, .none, .error:
      // An event without a name, or with that of another, is none that a client expects.
      guard Self.isName(reader.name), MessagesScan.kind(reader.name) == .unknown else { return }
      pass(nil, data, &rewriter, out)
    }
  }

  private static func isName(_ name: UnsafeRawBufferPointer) -> Bool {
    guard (1...64).contains(name.count) else { return false }
    return name.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
        || byte == 0x2D || byte == 0x2E
    }
  }

  private mutating func takeUsage() {
    guard let found = scan.usage else { return }
    if figures == nil { figures = found } else { figures?.update(by: found) }
    isUsageFinal = true
  }

  private mutating func pass<Rewriter: AnswerRewriter>(
    _ name: StaticString?, _ data: UnsafeRawBufferPointer, _ rewriter: inout Rewriter, _ out: ByteArena
  ) {
    guard state == .open else { return }
    outputBytes &+= scan.outputBytes(in: data)
    for span in scan.spans {
      let isWhole = span.channel.field == .whole
      if !isWhole, !channels.contains(span.channel) {
        guard span.channel.index < MessagesScan.mostBlocks else {
          return fail("The provider's stream has too many parts.")
        }
        channels.append(span.channel)
      }
      tools.text.reset()
      let piece = span.range.of(data)
      let outcome = rewriter.rewrite(piece, channel: span.channel, into: tools.text)
      guard outcome != .blocked else { return block() }
      var isChanged = outcome == .replaced
      if isWhole {
        if !isChanged { tools.text.append(piece) }
        let rest = rewriter.flush(channel: span.channel, into: tools.text)
        guard rest != .blocked else { return block() }
        if rest == .replaced { isChanged = true }
      }
      if isChanged { tools.edits.replace(span.start, span.end, with: tools.text.bytes) }
    }
    write(name, data, to: out)
  }

  // MARK: Held text

  /// Ends running texts: what is held of them goes out in events of our own.
  /// - Returns: False if the stream has failed.
  private mutating func end<Rewriter: AnswerRewriter>(
    _ isEnding: (AnswerChannel) -> Bool, _ rewriter: inout Rewriter, _ out: ByteArena
  ) -> Bool {
    for channel in channels where isEnding(channel) {
      tools.text.reset()
      let outcome = rewriter.flush(channel: channel, into: tools.text)
      guard outcome != .blocked else {
        block()
        return false
      }
      if outcome == .replaced, tools.text.count > 0 { Self.appendDelta(channel, text: tools.text.bytes, to: out) }
    }
    channels.removeAll(where: isEnding)
    return true
  }

  private mutating func flushAll<Rewriter: AnswerRewriter>(_ rewriter: inout Rewriter, _ out: ByteArena) {
    _ = end({ _ in true }, &rewriter, out)
  }

  /// Appends an event of our own with a piece of text.
  /// - Parameter text: Raw content of a JSON string, escaped as the channel's depth says.
  static func appendDelta(_ channel: AnswerChannel, text: UnsafeRawBufferPointer, to out: ByteArena) {
    out.append("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":")
    out.append(utf8: String(channel.index))
    switch channel.field {
    case .thinking: out.append(",\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"")
    case .toolArguments: out.append(",\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"")
    default: out.append(",\"delta\":{\"type\":\"text_delta\",\"text\":\"")
    }
    out.append(text)
    out.append("\"}}\n\n")
  }

  // MARK: Writing

  /// - Parameter name: What the event is by its data; nil where its own name is unknown, too.
  private mutating func write(_ name: StaticString?, _ data: UnsafeRawBufferPointer, to out: ByteArena) {
    let isNamed = name.map { reader.name.equals($0) } ?? true
    if tools.edits.isEmpty, isNamed, let verbatim = reader.verbatimNamed { return out.append(verbatim) }
    let began = out.count
    out.append("event: ")
    if let name { out.append(name) } else { out.append(reader.name) }
    out.append("\ndata: ")
    let dataBegan = out.count
    guard tools.edits.apply(to: data, into: out) else {
      out.truncate(to: began)
      return fail("The provider's stream could not be read.")
    }
    if reader.isJoined { out.blankLineFeeds(from: dataBegan) }
    out.append("\n\n")
  }

  public mutating func appendEnd(to out: ByteArena) {
    out.append("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n")
  }

  public mutating func appendError(_ refusal: Refusal, requestID: String, to out: ByteArena) {
    ErrorBody.appendEvent(refusal, requestID: requestID, dialect: .anthropic, to: out)
  }

  public mutating func appendKeepAlive(to out: ByteArena) {
    out.append("event: ping\ndata: {\"type\": \"ping\"}\n\n")
  }
}
