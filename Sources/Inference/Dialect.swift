/// How a client speaks on a route: what its errors, headers and model lists look like. It follows from the path of a
/// request, never from its body.
public enum Dialect: String, Sendable, CaseIterable {
  case openAI = "openai"
  case anthropic
}

/// What a request asks for: a row of `api.md` section 1 that carries a body of JSON.
public enum InferenceRoute: String, Sendable, CaseIterable {
  case chat
  case completions
  case embeddings
  case responses
  case messages
  case countTokens = "count_tokens"
  case moderations
  case rerank
  case images
  case speech
  case transcriptions
  case translations

  /// Reads a request path, exactly: with `/v1` or without, no normalisation; `?beta=true` only where Anthropic's
  /// clients send it.
  public init?(path: UnsafeRawBufferPointer) {
    for route in Self.allCases {
      let long = route.path
      if path.equals(long) || path.isBehindVersion(of: long) {
        self = route
        return
      }
      guard route.dialect == .anthropic, path.count > Self.betaQuery.utf8CodeUnitCount else { continue }
      let head = UnsafeRawBufferPointer(rebasing: path.dropLast(Self.betaQuery.utf8CodeUnitCount))
      let tail = UnsafeRawBufferPointer(rebasing: path.suffix(Self.betaQuery.utf8CodeUnitCount))
      if tail.equals(Self.betaQuery), head.equals(long) || head.isBehindVersion(of: long) {
        self = route
        return
      }
    }
    return nil
  }

  private static let betaQuery: StaticString = "?beta=true"

  private var path: StaticString {
    switch self {
    case .chat: "/v1/chat/completions"
    case .completions: "/v1/completions"
    case .embeddings: "/v1/embeddings"
    case .responses: "/v1/responses"
    case .messages: "/v1/messages"
    case .countTokens: "/v1/messages/count_tokens"
    case .moderations: "/v1/moderations"
    case .rerank: "/v1/rerank"
    case .images: "/v1/images/generations"
    case .speech: "/v1/audio/speech"
    case .transcriptions: "/v1/audio/transcriptions"
    case .translations: "/v1/audio/translations"
    }
  }

  public var dialect: Dialect {
    switch self {
    case .chat, .completions, .embeddings, .responses, .moderations, .rerank, .images, .speech,
      .transcriptions, .translations:
      .openAI
    case .messages, .countTokens: .anthropic
    }
  }

  /// Whether the model writes: such a request has a limit of output tokens, and its answer may be a stream of events.
  public var generates: Bool {
    switch self {
    case .chat, .completions, .responses, .messages: true
    case .embeddings, .countTokens, .moderations, .rerank, .images, .speech, .transcriptions, .translations: false
    }
  }

  /// The member that holds what a request is about.
  public var contentMember: String {
    switch self {
    case .chat, .messages, .countTokens: "messages"
    case .completions, .images: "prompt"
    case .embeddings, .responses, .moderations, .speech: "input"
    case .rerank: "documents"
    case .transcriptions, .translations: "file"
    }
  }

  /// Whether its body is a form (`multipart/form-data`) and no JSON.
  public var takesForm: Bool { self == .transcriptions || self == .translations }

  /// The member in which clients of this route name the limit of an answer.
  public var limitMember: String {
    switch self {
    case .completions, .messages, .countTokens: TokenLimitField.maxTokens.rawValue
    case .responses: "max_output_tokens"
    default: TokenLimitField.maxCompletionTokens.rawValue
    }
  }

  /// The wire that passes this route's bodies on as they are; nil where nothing is sent.
  public var ownWire: ProviderWire? {
    switch self {
    case .chat: .chat
    case .completions: .completions
    case .embeddings: .embeddings
    case .responses: .responses
    case .messages: .messages
    case .moderations: .moderations
    case .rerank: .rerank
    case .images: .images
    case .speech: .speech
    case .transcriptions: .transcriptions
    case .translations: .translations
    case .countTokens: nil
    }
  }
}

extension UnsafeRawBufferPointer {
  /// Whether this is `path` without its leading `/v1`.
  fileprivate func isBehindVersion(of path: StaticString) -> Bool {
    let count = path.utf8CodeUnitCount - 3
    guard self.count == count else { return false }
    for offset in 0..<count where self[offset] != path.utf8Start[offset + 3] { return false }
    return true
  }
}

/// What a provider speaks on one of its routes: the form of the body that is sent and of the answer that comes back.
public enum ProviderWire: String, Sendable, CaseIterable {
  /// OpenAI's chat completions, and whatever calls itself compatible.
  case chat
  /// OpenAI's legacy completions.
  case completions
  case embeddings
  case moderations
  /// As Cohere, Jina and vLLM have it.
  case rerank
  /// OpenAI's generated images.
  case images
  /// Words made sound: the answer is no text.
  case speech
  /// Sound written down, in its own language and in English: a form goes in.
  case transcriptions
  case translations
  /// OpenAI's Responses.
  case responses
  /// Anthropic's Messages.
  case messages
  /// Google's `generateContent` and `streamGenerateContent?alt=sse`.
  case gemini
  /// AWS Bedrock's Converse; its streams are binary events.
  case converse
}
