public import JSONText

/// A streamed answer of one wire on its way to a client of another dialect; one per exchange.
///
/// Its provider's events become steps, its client's events are written from them as they come: nothing is gathered that
/// the client's dialect does not repeat.
public struct TranslatedStream: AnswerStreamReader {
  /// By what the client reads.
  private enum Client {
    case chat(AnswerTranslator<ChatWriter>)
    case responses(AnswerTranslator<ResponsesWriter>)
    case messages(AnswerTranslator<MessagesWriter>)
    /// There is no such translation.
    case none
  }

  private let client: Client
  private let wire: WireReader?
  private let isBinary: Bool
  private let tools: StreamTools
  private var steps: AnswerSteps { tools.steps }
  private var events = ServerSentEventReader()
  private var frames = BinaryEventReader()

  public init(
    from wire: ProviderWire, to route: InferenceRoute, _ options: AnswerOptions, tools: StreamTools = StreamTools()
  ) {
    self.tools = tools
    self.wire = WireReader(wire)
    isBinary = wire == .converse
    guard let field = self.wire?.thinkingField else {
      client = .none
      return
    }
    switch route {
    case .chat: client = .chat(AnswerTranslator(options, thinkingField: field, isPlain: false))
    case .responses: client = .responses(AnswerTranslator(options, thinkingField: field, isPlain: false))
    case .messages: client = .messages(AnswerTranslator(options, thinkingField: field, isPlain: false))
    default: client = .none
    }
  }

  public var state: StreamState {
    switch client {
    case .chat(let answer): answer.state
    case .responses(let answer): answer.state
    case .messages(let answer): answer.state
    case .none: .failed(Refusal(.upstreamError, message: "The provider cannot answer in this dialect."))
    }
  }

  public var usage: Usage? {
    switch client {
    case .chat(let answer): answer.usage
    case .responses(let answer): answer.usage
    case .messages(let answer): answer.usage
    case .none: nil
    }
  }

  public var tier: ServiceTier? {
    switch client {
    case .chat(let answer): answer.tier
    case .responses(let answer): answer.tier
    case .messages(let answer): answer.tier
    case .none: nil
    }
  }

  public var outputBytes: Int {
    switch client {
    case .chat(let answer): answer.outputBytes
    case .responses(let answer): answer.outputBytes
    case .messages(let answer): answer.outputBytes
    case .none: 0
    }
  }

  public var keptBytes: Int {
    let held = isBinary ? frames.heldBytes : events.heldBytes
    return switch client {
    case .chat(let answer): held + answer.keptBytes
    case .responses(let answer): held + answer.keptBytes
    case .messages(let answer): held + answer.keptBytes
    case .none: held
    }
  }

  public var isComplete: Bool {
    switch client {
    case .chat(let answer): answer.isComplete
    case .responses(let answer): answer.isComplete
    case .messages(let answer): answer.isComplete
    case .none: false
    }
  }

  public mutating func feed<Rewriter: AnswerRewriter>(
    _ chunk: UnsafeRawBufferPointer, rewriter: inout Rewriter, into out: ByteArena
  ) {
    guard chunk.count > 0 else { return }
    switch client {
    case .chat(let answer): feed(chunk, answer, &rewriter, out)
    case .responses(let answer): feed(chunk, answer, &rewriter, out)
    case .messages(let answer): feed(chunk, answer, &rewriter, out)
    case .none: break
    }
  }

  public mutating func finish<Rewriter: AnswerRewriter>(rewriter: inout Rewriter, into out: ByteArena) {
    switch client {
    case .chat(let answer): finish(answer, &rewriter, out)
    case .responses(let answer): finish(answer, &rewriter, out)
    case .messages(let answer): finish(answer, &rewriter, out)
    case .none: break
    }
  }

  private mutating func feed<Writer: AnswerWriter, Rewriter: AnswerRewriter>(
    _ chunk: UnsafeRawBufferPointer, _ answer: AnswerTranslator<Writer>, _ rewriter: inout Rewriter, _ out: ByteArena
  ) {
    guard answer.state == .open, let wire else { return }
    if isBinary { frames.open(chunk) } else { events.open(chunk) }
    do throws(InferenceError) { try drain(wire, answer, &rewriter, out) } catch { answer.fail(error.refusal) }
    guard answer.state != .open else { return }
    frames.close()
    events.close()
  }

  private mutating func finish<Writer: AnswerWriter, Rewriter: AnswerRewriter>(
    _ answer: AnswerTranslator<Writer>, _ rewriter: inout Rewriter, _ out: ByteArena
  ) {
    guard answer.state == .open, let wire else { return }
    var isCut = isBinary && frames.heldBytes > 0
    if !isBinary, events.heldBytes > 0 {
      events.openEnd()
      // A cut last event is no malformed one: the stream is then simply not complete.
      do throws(InferenceError) { try drain(wire, answer, &rewriter, out) } catch { isCut = true }
      events.close()
    }
    answer.finish(isLastWord: wire.endsWithStream && !isCut, rewriter: &rewriter, into: out)
  }

  private mutating func drain<Writer: AnswerWriter, Rewriter: AnswerRewriter>(
    _ wire: WireReader, _ answer: AnswerTranslator<Writer>, _ rewriter: inout Rewriter, _ out: ByteArena
  ) throws(InferenceError) {
    if isBinary {
      while answer.state == .open, try frames.next() {
        steps.reset()
        try wire.read(binary: frames.event, into: steps)
        answer.take(steps, frames.event.payload, rewriter: &rewriter, into: out)
      }
    } else {
      while answer.state == .open, try events.next() {
        steps.reset()
        try wire.read(event: events.data, into: steps)
        answer.take(steps, events.data, rewriter: &rewriter, into: out)
      }
    }
  }

  public mutating func appendEnd(to out: ByteArena) {
    switch client {
    case .chat(let answer): answer.appendEnd(to: out)
    case .responses(let answer): answer.appendEnd(to: out)
    case .messages(let answer): answer.appendEnd(to: out)
    case .none: break
    }
  }

  public mutating func appendError(_ refusal: Refusal, requestID: String, to out: ByteArena) {
    switch client {
    case .chat(let answer): answer.appendError(refusal, requestID: requestID, to: out)
    case .responses(let answer): answer.appendError(refusal, requestID: requestID, to: out)
    case .messages(let answer): answer.appendError(refusal, requestID: requestID, to: out)
    case .none: ErrorBody.appendEvent(refusal, requestID: requestID, to: out)
    }
  }

  public mutating func appendKeepAlive(to out: ByteArena) {
    switch client {
    case .chat(let answer): answer.appendKeepAlive(to: out)
    case .responses(let answer): answer.appendKeepAlive(to: out)
    case .messages(let answer): answer.appendKeepAlive(to: out)
    case .none: break
    }
  }
}
