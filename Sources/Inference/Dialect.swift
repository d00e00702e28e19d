/// An API's wire format; it follows from the path of a request, never from its body.
package enum Dialect: String, Sendable, CaseIterable {
  case openAI = "openai"
}

/// What a request asks for: a row of `api.md` section 1 that carries a body to an upstream.
package enum InferenceRoute: String, Sendable, CaseIterable {
  case chat
  case embeddings

  /// Reads a request path, exactly: with `/v1` or without, no query, no normalisation.
  package init?(path: UnsafeRawBufferPointer) {
    if path.equals("/v1/chat/completions") || path.equals("/chat/completions") {
      self = .chat
    } else if path.equals("/v1/embeddings") || path.equals("/embeddings") {
      self = .embeddings
    } else {
      return nil
    }
  }

  package var dialect: Dialect { .openAI }

  /// What is appended to a provider's base URL, which ends in its version (`…/v1`).
  package var upstreamPath: StaticString {
    switch self {
    case .chat: "/chat/completions"
    case .embeddings: "/embeddings"
    }
  }

  /// Whether an answer to this route may be a stream of events.
  package var canStream: Bool { self == .chat }
}
