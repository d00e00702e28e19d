internal import JSONText

/// Tells in steps what a provider's answer says, whatever wire it comes on.
enum WireReader {
  case chat(ChatWire)
  case messages(MessagesWire)
  case gemini(GeminiWire)
  case converse(ConverseWire)

  /// Nil for a wire whose answers are not translated.
  init?(_ wire: ProviderWire) {
    switch wire {
    case .chat: self = .chat(ChatWire())
    case .messages: self = .messages(MessagesWire())
    case .gemini: self = .gemini(GeminiWire())
    case .converse: self = .converse(ConverseWire())
    default: return nil
    }
  }

  /// Whether the end of the stream is its last word, where the answer has told how it ended.
  var endsWithStream: Bool {
    switch self {
    case .chat, .messages: false
    case .gemini, .converse: true
    }
  }

  /// Whether thinking is signed, so that what proves it may travel with it.
  var thinkingField: AnswerChannel.Field {
    switch self {
    case .chat, .gemini: .reasoningContent
    case .messages, .converse: .thinking
    }
  }

  /// Reads the data of a server-sent event.
  func read(event data: UnsafeRawBufferPointer, into steps: AnswerSteps) throws(InferenceError) {
    try reading { () throws(JSONTextError) in
      switch self {
      case .chat(let reader): try reader.read(data, into: steps)
      case .messages(let reader): try reader.read(data, into: steps)
      case .gemini(let reader): try reader.read(data, into: steps)
      case .converse: break  // its streams are binary
      }
    }
  }

  func read(binary event: BinaryEvent, into steps: AnswerSteps) throws(InferenceError) {
    guard case .converse(let reader) = self else { return }
    try reading { () throws(JSONTextError) in try reader.read(event, into: steps) }
  }

  /// Reads a plain answer.
  func read(answer body: UnsafeRawBufferPointer, into steps: AnswerSteps) throws(InferenceError) {
    try reading { () throws(JSONTextError) in
      switch self {
      case .chat(let reader): try reader.read(body, into: steps)
      case .messages(let reader): try reader.read(body, into: steps)
      case .gemini(let reader): try reader.read(body, into: steps)
      case .converse(let reader): try reader.readAnswer(body, into: steps)
      }
    }
  }

  private func reading(_ read: () throws(JSONTextError) -> Void) throws(InferenceError) {
    do throws(JSONTextError) { try read() } catch {
      throw InferenceError(
        .upstreamError, message: "The provider sent an answer that is no valid JSON.",
        detail: "\(error.code.rawValue) at \(error.offset)")
    }
  }
}
