public import JSONText

/// A streamed Responses answer on its way from an upstream to the client (`api.md` sections 7 and 13); one per exchange.
///
/// A value to be kept in one place, never copied. Each event goes out behind an `event:` line, with the next number of
/// the stream: where an event of our own goes in, the later ones move up. The last event waits for ``appendEnd(to:)``.
public struct ResponsesStreamReader: AnswerStreamReader, EventByEvent {
  public internal(set) var state = StreamState.open
  public private(set) var usage: Usage?
  /// Bytes of text that the model wrote, unescaped, whether delivered or not: our own count.
  public private(set) var outputBytes = 0
  public var isComplete: Bool { state == .done }

  /// A text that has begun and not ended.
  private struct OpenText {
    let channel: AnswerChannel
    let text: ResponsesText
    /// As a JSON string.
    let itemID: [UInt8]
  }

  private let options: AnswerOptions
  private let aliasValue: [UInt8]
  var reader = ServerSentEventReader()
  public var keptBytes: Int { reader.heldBytes }
  private let tools: StreamTools
  private var scan: ResponsesScan { tools.responses }
  private let responseID = ByteArena(capacity: 64)
  private let createdAt = ByteArena(capacity: 64)
  private let finalEvent = ByteArena(capacity: 64)
  private var open: [OpenText] = []
  /// The number of the next event.
  private var sequence = 0
  private static let mostOpenTexts = 1024

  public init(_ options: AnswerOptions, tools: StreamTools = StreamTools()) {
    self.tools = tools
    self.options = options
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
    if state == .open, !flush(&rewriter, out, where: { _ in true }) { block() }
  }

  // MARK: One event

  mutating func event<Rewriter: AnswerRewriter>(
    _ rewriter: inout Rewriter, _ out: ByteArena
  ) throws(InferenceError) {
    let data = reader.data
    // Some who are compatible end as in chat.
    if data.equals("[DONE]") { return }
    try scan.scanEvent(data)
    // What an earlier event says is no last word: a broken stream would cost nothing.
    if let found = scan.usage, scan.kind == .ended || scan.kind == .failed { usage = found }
    keepIdentity(data)
    guard !isFailure else {
      let said = scan.error ?? ByteRange(0, data.count)
      return fail(UpstreamFault(status: 200, body: said.of(data)).refusal)
    }
    noteText(data)
    guard open.count <= Self.mostOpenTexts else {
      return fail(Refusal(.upstreamError, message: "The provider's stream has too many parts."))
    }

    let scan = scan
    guard flush(&rewriter, out, where: { Self.ends($0, by: scan) }) else { return block() }
    tools.edits.reset()
    // A stream's header has left: that logprobs go cannot be said any more.
    _ = scan.addEdits(data, alias: aliasValue, dropsLogprobs: options.dropsLogprobs, to: &tools.edits)
    guard rewriteSpans(&rewriter, data) else { return block() }
    guard scan.kind == .ended else {
      if write(data, to: out) { sequence &+= 1 }
      return
    }
    outputBytes = max(outputBytes, scan.outputBytes(in: data))
    if write(data, to: finalEvent) { state = .done }
  }

  /// An event of unknown type may tell of an error that concerns only itself.
  private var isFailure: Bool {
    switch scan.kind {
    case .failed, .error: true
    case .ended: scan.error != nil || scan.status == .failed
    default: scan.type == nil && scan.error != nil
    }
  }

  private mutating func keepIdentity(_ data: UnsafeRawBufferPointer) {
    guard responseID.count == 0, let id = scan.id else { return }
    responseID.append(id.of(data))
    if let created = scan.createdAt { createdAt.append(created.of(data)) }
  }

  private mutating func noteText(_ data: UnsafeRawBufferPointer) {
    guard let place = scan.delta, case .delta(let text) = scan.kind else { return }
    let span = scan.spans[place]
    outputBytes &+= AnswerScan.length(span, in: data)
    guard !open.contains(where: { $0.channel == span.channel }) else { return }
    open.append(
      OpenText(channel: span.channel, text: text, itemID: scan.itemID.map { Array($0.of(data)) } ?? [0x22, 0x22]))
  }

  // MARK: Text

  /// Whether what stands in the scanned event comes behind all of a text.
  private static func ends(_ open: OpenText, by scan: ResponsesScan) -> Bool {
    let channel = open.channel
    switch scan.kind {
    case .done(let text):
      return channel.choice == scan.outputIndex && channel.index == scan.partIndex && channel.field == text.field
    case .partDone:
      return channel.choice == scan.outputIndex && channel.index == scan.partIndex && channel.field != .reasoning
    case .summaryPartDone:
      return channel.choice == scan.outputIndex && channel.index == scan.partIndex && channel.field == .reasoning
    case .itemDone: return channel.choice == scan.outputIndex
    case .ended: return true
    case .delta, .failed, .error, .other: return false
    }
  }

  /// Ends texts: what is held of them goes out in events of our own.
  /// - Returns: False if a rule blocks the answer.
  private mutating func flush<Rewriter: AnswerRewriter>(
    _ rewriter: inout Rewriter, _ out: ByteArena, where isEnding: (OpenText) -> Bool
  ) -> Bool {
    guard !open.isEmpty else { return true }
    var place = 0
    while place < open.count {
      guard isEnding(open[place]) else {
        place += 1
        continue
      }
      let ended = open.remove(at: place)
      tools.text.reset()
      let outcome = rewriter.flush(channel: ended.channel, into: tools.text)
      guard outcome != .blocked else { return false }
      if outcome == .replaced, tools.text.count > 0 { appendDelta(ended, to: out) }
    }
    return true
  }

  /// - Returns: False if a rule blocks the answer.
  private mutating func rewriteSpans<Rewriter: AnswerRewriter>(
    _ rewriter: inout Rewriter, _ data: UnsafeRawBufferPointer
  ) -> Bool {
    for (place, span) in scan.spans.enumerated() {
      tools.text.reset()
      let piece = span.range.of(data)
      let outcome = rewriter.rewrite(piece, channel: span.channel, into: tools.text)
      guard outcome != .blocked else { return false }
      var isChanged = outcome == .replaced
      if place != scan.delta {
        if !isChanged { tools.text.append(piece) }
        let rest = rewriter.flush(channel: span.channel, into: tools.text)
        guard rest != .blocked else { return false }
        if rest == .replaced { isChanged = true }
      }
      if isChanged { tools.edits.replace(span.start, span.end, with: tools.text.bytes) }
    }
    return true
  }

  // MARK: Writing

  /// Writes the event with the stream's next number.
  /// - Returns: False, with nothing written, if it cannot be.
  private mutating func write(_ data: UnsafeRawBufferPointer, to out: ByteArena) -> Bool {
    if let number = scan.sequence {
      if scan.sequenceNumber != Int64(sequence) {
        tools.edits.replace(number.start, number.end, utf8: String(sequence))
      }
    } else {
      tools.edits.replace(
        scan.front, scan.front, utf8: "\"sequence_number\":\(sequence)" + (scan.isEmpty ? "" : ","))
    }
    let began = out.count
    appendName(data, to: out)
    if tools.edits.isEmpty, let verbatim = reader.verbatim {
      out.append(verbatim)
      return true
    }
    let line = out.count
    out.append("data: ")
    guard tools.edits.apply(to: data, into: out) else {
      out.truncate(to: began)
      fail(Refusal(.upstreamError, message: "The provider's stream could not be read."))
      return false
    }
    if reader.isJoined { out.blankLineFeeds(from: line) }
    out.append("\n\n")
    return true
  }

  /// The `event:` line says what `type` says, whatever the upstream's said.
  private func appendName(_ data: UnsafeRawBufferPointer, to out: ByteArena) {
    guard let type = scan.type, !type.isEmpty, !type.hasEscapes, type.isASCII else { return }
    out.append("event: ")
    out.append(type.range.of(data))
    out.append("\n")
  }

  /// Appends an event with what was held of a text, which stands in `text`.
  private mutating func appendDelta(_ open: OpenText, to out: ByteArena) {
    out.append("event: ")
    out.append(open.text.deltaType)
    out.append("\ndata: {\"type\":\"")
    out.append(open.text.deltaType)
    out.append("\",\"item_id\":")
    out.append(open.itemID)
    out.append(",\"output_index\":")
    out.append(utf8: String(open.channel.choice))
    if let name = open.text.indexName {
      out.append(",\"")
      out.append(name)
      out.append("\":")
      out.append(utf8: String(open.channel.index))
    }
    out.append(",\"delta\":\"")
    out.append(tools.text.bytes)
    out.append(open.text == .output ? "\",\"logprobs\":[],\"sequence_number\":" : "\",\"sequence_number\":")
    out.append(utf8: String(sequence))
    out.append("}\n\n")
    sequence &+= 1
  }

  public mutating func appendEnd(to out: ByteArena) {
    out.append(finalEvent.bytes)
    finalEvent.reset()
  }

  public mutating func appendError(_ refusal: Refusal, requestID: String, to out: ByteArena) {
    let failure = ResponsesFailure(
      id: responseID.bytes, createdAt: createdAt.bytes, model: aliasValue, options: options)
    failure.append(refusal, requestID: requestID, sequence: sequence, to: out)
    sequence &+= 2
  }

  public mutating func appendKeepAlive(to out: ByteArena) { out.append(": keepalive\n\n") }
}
