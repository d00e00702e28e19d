public import JSONText

/// Which running text of an answer a piece belongs to: what a restorer keeps its held bytes by.
public struct AnswerChannel: Sendable, Hashable {
  public enum Field: UInt8, Sendable {
    case content, refusal, reasoning, thinking, transcript
    /// A whole answer that is text and no JSON.
    case bare
    case reasoningContent
    /// `tool_calls[].function.arguments`: JSON in a string.
    case toolArguments
    /// `function_call.arguments`, the deprecated form.
    case functionArguments
    /// A string that is complete in itself (names of tools, unknown members): nothing of it may be held back.
    case whole
  }

  public var choice: Int32
  /// The tool call's index, or the content block's in Anthropic's answers; 0 for other fields.
  public var index: Int32
  public var field: Field
  /// The text stands in the request or in an earlier event too: it is restored, and of no account to a record.
  public var isRepeated = false

  public init(choice: Int32, index: Int32 = 0, field: Field) {
    self.choice = choice
    self.index = index
    self.field = field
  }

  /// How often the text is escaped: 2 for JSON in a string, 0 where it stands in none, else 1.
  public var depth: UInt8 {
    switch field {
    case .toolArguments, .functionArguments: 2
    case .bare: 0
    default: 1
    }
  }
}

/// A text in an answer or a stream's event: the raw content of a JSON string.
public struct AnswerSpan: Sendable, Equatable {
  public var start: Int
  public var end: Int
  public var hasEscapes: Bool
  public var channel: AnswerChannel

  public var range: ByteRange { ByteRange(start, end) }
}

/// What became of a piece of text.
public enum TextOutcome: Sendable {
  /// The piece passes as it came; nothing was written.
  case unchanged
  /// What was written takes its place, be it empty.
  case replaced
  /// The answer must end here.
  case blocked
}

/// Changes the texts of an answer on their way to the client: restores placeholders, applies rules to output.
///
/// Text comes and goes as the raw content of a JSON string, escaped ``AnswerChannel/depth`` times. What is held back of
/// a channel is written by the next ``rewrite(_:channel:into:)`` or by ``flush(channel:into:)``.
public protocol AnswerRewriter {
  /// Takes the next piece of a channel's text; writes to `out` only what replaces it.
  mutating func rewrite(_ text: UnsafeRawBufferPointer, channel: AnswerChannel, into out: ByteArena) -> TextOutcome

  /// Writes what is held of a channel, whose text ends here; `unchanged` if nothing is held.
  mutating func flush(channel: AnswerChannel, into out: ByteArena) -> TextOutcome
}

/// Leaves every text as it is: for answers to requests in which nothing was replaced.
public struct UnchangedText: AnswerRewriter {
  /// How many it was given. Without a value it would have no place in memory of its own, and all of them would seem to be
  /// one to the thread sanitizer.
  public private(set) var pieces = 0

  public init() {}
  public mutating func rewrite(
    _ text: UnsafeRawBufferPointer, channel: AnswerChannel, into out: ByteArena
  ) -> TextOutcome {
    pieces &+= 1
    return .unchanged
  }
  public mutating func flush(channel: AnswerChannel, into out: ByteArena) -> TextOutcome { .unchanged }
}

/// Why an answer ended; OpenAI's five and nothing else.
public enum FinishReason: String, Sendable, CaseIterable {
  case stop, length
  case toolCalls = "tool_calls"
  case contentFilter = "content_filter"
  case functionCall = "function_call"

  /// Reads a provider's word; nil for one that means failure or that nobody knows, because no reason is invented.
  init?(provider word: UnsafeRawBufferPointer) {
    if let reason = FinishReason(exactly: word) {
      self = reason
      return
    }
    for (name, reason) in Self.synonyms where word.equals(name) {
      self = reason
      return
    }
    return nil
  }

  /// Reads one of OpenAI's own words.
  init?(exactly word: UnsafeRawBufferPointer) {
    if word.equals("stop") {
      self = .stop
    } else if word.equals("length") {
      self = .length
    } else if word.equals("tool_calls") {
      self = .toolCalls
    } else if word.equals("content_filter") {
      self = .contentFilter
    } else if word.equals("function_call") {
      self = .functionCall
    } else {
      return nil
    }
  }

  private static let synonyms: [(StaticString, FinishReason)] = [
    ("model_length", .length), ("max_tokens", .length), ("MAX_TOKENS", .length), ("eos", .stop),
    ("eos_token", .stop), ("end_turn", .stop), ("stop_sequence", .stop), ("STOP", .stop), ("tool_use", .toolCalls),
    ("safety", .contentFilter), ("SAFETY", .contentFilter), ("recitation", .contentFilter),
    ("RECITATION", .contentFilter), ("refusal", .contentFilter),
  ]
}
