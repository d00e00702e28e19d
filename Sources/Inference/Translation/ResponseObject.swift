internal import JSONText

/// The object of a Responses answer, which its stream shows three times.
struct ResponseObject {
  private let options: AnswerOptions

  init(_ options: AnswerOptions) { self.options = options }

  /// - Parameters:
  ///   - reason: Why the response is incomplete.
  ///   - error: A code, and a message as raw string content.
  func append(
    status: StaticString, reason: AnswerEnd? = nil, error: (code: StaticString, message: UnsafeRawBufferPointer)? = nil,
    items: UnsafeRawBufferPointer, usage: Usage? = nil, to out: ByteArena
  ) {
    out.append("{\"id\":\"resp_")
    out.append(options.answerID)
    out.append("\",\"object\":\"response\",\"created_at\":")
    out.append(number: options.created)
    out.append(",\"status\":\"")
    out.append(status)
    out.append("\",\"error\":")
    if let error {
      out.append("{\"code\":\"")
      out.append(error.code)
      out.append("\",\"message\":\"")
      out.append(error.message)
      out.append("\"}")
    } else {
      out.append("null")
    }
    out.append(",\"incomplete_details\":")
    switch reason {
    case nil: out.append("null")
    case .filtered: out.append("{\"reason\":\"content_filter\"}")
    default: out.append("{\"reason\":\"max_output_tokens\"}")
    }
    out.append(",\"model\":")
    JSONEscape.appendQuoted(options.alias, to: out)
    out.append(0x2C)
    // All that the request has said or left to its defaults: whole members, without line breaks.
    out.append(options.echo)
    out.append("\"output\":[")
    out.append(items)
    out.append("],\"usage\":")
    if let usage { Self.append(usage, to: out) } else { out.append("null") }
    out.append("}")
  }

  private static func append(_ usage: Usage, to out: ByteArena) {
    out.append("{\"input_tokens\":")
    out.append(number: usage.inputTokens)
    out.append(",\"input_tokens_details\":{\"cached_tokens\":")
    out.append(number: usage.cachedTokens)
    out.append(",\"cache_write_tokens\":")
    out.append(number: usage.cacheWriteTokens)
    out.append("},\"output_tokens\":")
    out.append(number: usage.outputTokens)
    out.append(",\"output_tokens_details\":{\"reasoning_tokens\":")
    out.append(number: usage.reasoningTokens)
    out.append("},\"total_tokens\":")
    out.append(number: usage.inputTokens &+ usage.outputTokens)
    out.append("}")
  }
}
