/// What an event of a Responses stream means for those behind it; most are only passed on.
enum ResponsesEvent: Equatable {
  /// A piece of a text that goes on in the next event.
  case delta(ResponsesText)
  /// The end of such a text, with the whole of it.
  case done(ResponsesText)
  case partDone
  case summaryPartDone
  case itemDone
  /// The response completed or incomplete: the last event.
  case ended
  case failed
  case error
  case other

  init(_ type: UnsafeRawBufferPointer) {
    for text in ResponsesText.allCases {
      if type.equals(text.deltaType) {
        self = .delta(text)
        return
      }
      if type.equals(text.doneType) {
        self = .done(text)
        return
      }
    }
    self = .other
    for (name, event) in Self.others where type.equals(name) { self = event }
  }

  private static let others: [(StaticString, ResponsesEvent)] = [
    ("response.content_part.done", .partDone), ("response.reasoning_summary_part.done", .summaryPartDone),
    ("response.output_item.done", .itemDone), ("response.completed", .ended), ("response.incomplete", .ended),
    ("response.failed", .failed), ("response.cancelled", .failed), ("error", .error),
  ]

  /// Whether its texts stood in earlier events already.
  var isRepetition: Bool {
    switch self {
    case .done, .partDone, .summaryPartDone, .itemDone, .ended: true
    case .delta, .failed, .error, .other: false
    }
  }

  var isSummary: Bool {
    switch self {
    case .delta(let text), .done(let text): text == .summary
    case .summaryPartDone: true
    default: false
    }
  }

  /// The field of the text that stands in the event itself.
  var field: AnswerChannel.Field? {
    switch self {
    case .delta(let text), .done(let text): text.field
    default: nil
    }
  }
}

/// The texts of an answer that come in pieces.
enum ResponsesText: CaseIterable {
  case output, arguments, summary, reasoning, refusal, customInput, mcpArguments, code

  var deltaType: StaticString {
    switch self {
    case .output: "response.output_text.delta"
    case .arguments: "response.function_call_arguments.delta"
    case .summary: "response.reasoning_summary_text.delta"
    case .reasoning: "response.reasoning_text.delta"
    case .refusal: "response.refusal.delta"
    case .customInput: "response.custom_tool_call_input.delta"
    case .mcpArguments: "response.mcp_call_arguments.delta"
    case .code: "response.code_interpreter_call_code.delta"
    }
  }

  var doneType: StaticString {
    switch self {
    case .output: "response.output_text.done"
    case .arguments: "response.function_call_arguments.done"
    case .summary: "response.reasoning_summary_text.done"
    case .reasoning: "response.reasoning_text.done"
    case .refusal: "response.refusal.done"
    case .customInput: "response.custom_tool_call_input.done"
    case .mcpArguments: "response.mcp_call_arguments.done"
    case .code: "response.code_interpreter_call_code.done"
    }
  }

  /// Items have their own output index, so that one field may serve several kinds of them.
  var field: AnswerChannel.Field {
    switch self {
    case .output, .customInput, .code: .content
    case .arguments, .mcpArguments: .toolArguments
    case .summary: .reasoning
    case .reasoning: .reasoningContent
    case .refusal: .refusal
    }
  }

  /// The member that tells a text of an item from its neighbours.
  var indexName: StaticString? {
    switch self {
    case .output, .reasoning, .refusal: "content_index"
    case .summary: "summary_index"
    case .arguments, .customInput, .mcpArguments, .code: nil
    }
  }
}
