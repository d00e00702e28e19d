public import JSONText

/// A streamed answer on its way from a provider to its client, whatever the two speak; one per exchange.
///
/// Kept in one place: a copy stands for the same stream. What is to go out stands in `out`, whole events only. The
/// dialect's final event is kept back until the exchange is settled (``appendEnd(to:)``).
public enum AnswerStream {
  /// No stream has begun.
  case none
  /// Chat, and the legacy completions.
  case chat(ReaderPlace<ChatStreamReader>)
  case responses(ReaderPlace<ResponsesStreamReader>)
  case messages(ReaderPlace<MessagesStreamReader>)
  case translated(ReaderPlace<TranslatedStream>)

  /// - Parameter tools: The event loop's, where it has some.
  public init(
    from wire: ProviderWire, to route: InferenceRoute, _ options: AnswerOptions, tools: StreamTools = StreamTools()
  ) {
    self =
      switch (wire, route) {
      case (.chat, .chat): .chat(ReaderPlace(ChatStreamReader(options, tools: tools)))
      case (.completions, .completions):
        .chat(ReaderPlace(ChatStreamReader(options, isCompletion: true, tools: tools)))
      case (.responses, .responses): .responses(ReaderPlace(ResponsesStreamReader(options, tools: tools)))
      case (.messages, .messages): .messages(ReaderPlace(MessagesStreamReader(options, tools: tools)))
      default: .translated(ReaderPlace(TranslatedStream(from: wire, to: route, options, tools: tools)))
      }
  }
}

/// Where a reader lies and is changed: whoever asks a stream for something copies one reference and no reader, and an
/// exchange without a stream has no room for one.
public final class ReaderPlace<Reader: AnswerStreamReader> {
  var reader: Reader
  init(_ reader: Reader) { self.reader = reader }
}

/// What every reader of a stream can do.
public protocol AnswerStreamReader {
  var state: StreamState { get }
  /// The provider's last word on usage.
  var usage: Usage? { get }
  /// By which the provider says that it serves, also where nothing is known of its usage.
  var tier: ServiceTier? { get }
  /// Bytes of text that the model wrote, unescaped, whether delivered or not: our own count.
  var outputBytes: Int { get }
  /// Bytes that lie in memory until the end, or until an event is whole.
  var keptBytes: Int { get }
  /// Whether the answer came to its regular end.
  var isComplete: Bool { get }
  /// Takes the next bytes of the provider and appends to `out` what goes to the client.
  mutating func feed<Rewriter: AnswerRewriter>(
    _ chunk: UnsafeRawBufferPointer, rewriter: inout Rewriter, into out: ByteArena)
  /// The provider has ended: takes a last event without blank line, and ends every held text unless the answer is blocked.
  mutating func finish<Rewriter: AnswerRewriter>(rewriter: inout Rewriter, into out: ByteArena)
  /// Appends the stream's final event; only where ``isComplete``, after settlement and record.
  mutating func appendEnd(to out: ByteArena)
  /// Appends what tells the client that the stream ends with an error, in the dialect's form.
  mutating func appendError(_ refusal: Refusal, requestID: String, to out: ByteArena)
  /// Appends what keeps the connection alive, between whole events.
  mutating func appendKeepAlive(to out: ByteArena)
}

extension AnswerStreamReader {
  public var tier: ServiceTier? { usage?.tier }
}

extension AnswerStream: AnswerStreamReader {
  public var state: StreamState {
    switch self {
    case .none: .open
    case .chat(let place): place.reader.state
    case .responses(let place): place.reader.state
    case .messages(let place): place.reader.state
    case .translated(let place): place.reader.state
    }
  }

  public var usage: Usage? {
    switch self {
    case .none: nil
    case .chat(let place): place.reader.usage
    case .responses(let place): place.reader.usage
    case .messages(let place): place.reader.usage
    case .translated(let place): place.reader.usage
    }
  }

  public var tier: ServiceTier? {
    switch self {
    case .none: nil
    case .chat(let place): place.reader.tier
    case .responses(let place): place.reader.tier
    case .messages(let place): place.reader.tier
    case .translated(let place): place.reader.tier
    }
  }

  public var outputBytes: Int {
    switch self {
    case .none: 0
    case .chat(let place): place.reader.outputBytes
    case .responses(let place): place.reader.outputBytes
    case .messages(let place): place.reader.outputBytes
    case .translated(let place): place.reader.outputBytes
    }
  }

  public var keptBytes: Int {
    switch self {
    case .none: 0
    case .chat(let place): place.reader.keptBytes
    case .responses(let place): place.reader.keptBytes
    case .messages(let place): place.reader.keptBytes
    case .translated(let place): place.reader.keptBytes
    }
  }

  public var isComplete: Bool {
    switch self {
    case .none: false
    case .chat(let place): place.reader.isComplete
    case .responses(let place): place.reader.isComplete
    case .messages(let place): place.reader.isComplete
    case .translated(let place): place.reader.isComplete
    }
  }

  public mutating func feed<Rewriter: AnswerRewriter>(
    _ chunk: UnsafeRawBufferPointer, rewriter: inout Rewriter, into out: ByteArena
  ) {
    switch self {
    case .none: break
    case .chat(let place): place.reader.feed(chunk, rewriter: &rewriter, into: out)
    case .responses(let place): place.reader.feed(chunk, rewriter: &rewriter, into: out)
    case .messages(let place): place.reader.feed(chunk, rewriter: &rewriter, into: out)
    case .translated(let place): place.reader.feed(chunk, rewriter: &rewriter, into: out)
    }
  }

  public mutating func finish<Rewriter: AnswerRewriter>(rewriter: inout Rewriter, into out: ByteArena) {
    switch self {
    case .none: break
    case .chat(let place): place.reader.finish(rewriter: &rewriter, into: out)
    case .responses(let place): place.reader.finish(rewriter: &rewriter, into: out)
    case .messages(let place): place.reader.finish(rewriter: &rewriter, into: out)
    case .translated(let place): place.reader.finish(rewriter: &rewriter, into: out)
    }
  }

  public mutating func appendEnd(to out: ByteArena) {
    switch self {
    case .none: break
    case .chat(let place): place.reader.appendEnd(to: out)
    case .responses(let place): place.reader.appendEnd(to: out)
    case .messages(let place): place.reader.appendEnd(to: out)
    case .translated(let place): place.reader.appendEnd(to: out)
    }
  }

  public mutating func appendError(_ refusal: Refusal, requestID: String, to out: ByteArena) {
    switch self {
    case .none: break
    case .chat(let place): place.reader.appendError(refusal, requestID: requestID, to: out)
    case .responses(let place): place.reader.appendError(refusal, requestID: requestID, to: out)
    case .messages(let place): place.reader.appendError(refusal, requestID: requestID, to: out)
    case .translated(let place): place.reader.appendError(refusal, requestID: requestID, to: out)
    }
  }

  public mutating func appendKeepAlive(to out: ByteArena) {
    switch self {
    case .none: break
    case .chat(let place): place.reader.appendKeepAlive(to: out)
    case .responses(let place): place.reader.appendKeepAlive(to: out)
    case .messages(let place): place.reader.appendKeepAlive(to: out)
    case .translated(let place): place.reader.appendKeepAlive(to: out)
    }
  }
}
