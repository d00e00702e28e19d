public import JSONText

/// A streamed answer on its way from a provider to its client, whatever the two speak; one per exchange.
///
/// A value to be kept in one place, never copied. What is to go out stands in `out`, whole events only. The dialect's
/// final event is kept back until the exchange is settled (``appendEnd(to:)``).
public enum AnswerStream {
  /// No stream has begun; also what is left in its place while a reader works.
  case none
  /// Chat, and the legacy completions.
  case chat(ChatStreamReader)
  case responses(ResponsesStreamReader)
  case messages(MessagesStreamReader)
  case translated(TranslatedStream)

  /// - Parameter tools: The event loop's, where it has some.
  public init(
    from wire: ProviderWire, to route: InferenceRoute, _ options: AnswerOptions, tools: StreamTools = StreamTools()
  ) {
    self =
      switch (wire, route) {
      case (.chat, .chat): .chat(ChatStreamReader(options, tools: tools))
      case (.completions, .completions): .chat(ChatStreamReader(options, isCompletion: true, tools: tools))
      case (.responses, .responses): .responses(ResponsesStreamReader(options, tools: tools))
      case (.messages, .messages): .messages(MessagesStreamReader(options, tools: tools))
      default: .translated(TranslatedStream(from: wire, to: route, options, tools: tools))
      }
  }
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
    case .chat(let reader): reader.state
    case .responses(let reader): reader.state
    case .messages(let reader): reader.state
    case .translated(let reader): reader.state
    }
  }

  public var usage: Usage? {
    switch self {
    case .none: nil
    case .chat(let reader): reader.usage
    case .responses(let reader): reader.usage
    case .messages(let reader): reader.usage
    case .translated(let reader): reader.usage
    }
  }

  public var tier: ServiceTier? {
    switch self {
    case .none: nil
    case .chat(let reader): reader.tier
    case .responses(let reader): reader.tier
    case .messages(let reader): reader.tier
    case .translated(let reader): reader.tier
    }
  }

  public var outputBytes: Int {
    switch self {
    case .none: 0
    case .chat(let reader): reader.outputBytes
    case .responses(let reader): reader.outputBytes
    case .messages(let reader): reader.outputBytes
    case .translated(let reader): reader.outputBytes
    }
  }

  public var isComplete: Bool {
    switch self {
    case .none: false
    case .chat(let reader): reader.isComplete
    case .responses(let reader): reader.isComplete
    case .messages(let reader): reader.isComplete
    case .translated(let reader): reader.isComplete
    }
  }

  // A reader is taken out while it changes: a second reference to its buffers would copy them.

  public mutating func feed<Rewriter: AnswerRewriter>(
    _ chunk: UnsafeRawBufferPointer, rewriter: inout Rewriter, into out: ByteArena
  ) {
    switch self {
    case .none: break
    case .chat(var reader):
      self = .none
      reader.feed(chunk, rewriter: &rewriter, into: out)
      self = .chat(reader)
    case .responses(var reader):
      self = .none
      reader.feed(chunk, rewriter: &rewriter, into: out)
      self = .responses(reader)
    case .messages(var reader):
      self = .none
      reader.feed(chunk, rewriter: &rewriter, into: out)
      self = .messages(reader)
    case .translated(var reader):
      self = .none
      reader.feed(chunk, rewriter: &rewriter, into: out)
      self = .translated(reader)
    }
  }

  public mutating func finish<Rewriter: AnswerRewriter>(rewriter: inout Rewriter, into out: ByteArena) {
    switch self {
    case .none: break
    case .chat(var reader):
      self = .none
      reader.finish(rewriter: &rewriter, into: out)
      self = .chat(reader)
    case .responses(var reader):
      self = .none
      reader.finish(rewriter: &rewriter, into: out)
      self = .responses(reader)
    case .messages(var reader):
      self = .none
      reader.finish(rewriter: &rewriter, into: out)
      self = .messages(reader)
    case .translated(var reader):
      self = .none
      reader.finish(rewriter: &rewriter, into: out)
      self = .translated(reader)
    }
  }

  public mutating func appendEnd(to out: ByteArena) {
    switch self {
    case .none: break
    case .chat(var reader):
      self = .none
      reader.appendEnd(to: out)
      self = .chat(reader)
    case .responses(var reader):
      self = .none
      reader.appendEnd(to: out)
      self = .responses(reader)
    case .messages(var reader):
      self = .none
      reader.appendEnd(to: out)
      self = .messages(reader)
    case .translated(var reader):
      self = .none
      reader.appendEnd(to: out)
      self = .translated(reader)
    }
  }

  public mutating func appendError(_ refusal: Refusal, requestID: String, to out: ByteArena) {
    switch self {
    case .none: break
    case .chat(var reader):
      self = .none
      reader.appendError(refusal, requestID: requestID, to: out)
      self = .chat(reader)
    case .responses(var reader):
      self = .none
      reader.appendError(refusal, requestID: requestID, to: out)
      self = .responses(reader)
    case .messages(var reader):
      self = .none
      reader.appendError(refusal, requestID: requestID, to: out)
      self = .messages(reader)
    case .translated(var reader):
      self = .none
      reader.appendError(refusal, requestID: requestID, to: out)
      self = .translated(reader)
    }
  }

  public mutating func appendKeepAlive(to out: ByteArena) {
    switch self {
    case .none: break
    case .chat(var reader):
      self = .none
      reader.appendKeepAlive(to: out)
      self = .chat(reader)
    case .responses(var reader):
      self = .none
      reader.appendKeepAlive(to: out)
      self = .responses(reader)
    case .messages(var reader):
      self = .none
      reader.appendKeepAlive(to: out)
      self = .messages(reader)
    case .translated(var reader):
      self = .none
      reader.appendKeepAlive(to: out)
      self = .translated(reader)
    }
  }
}
