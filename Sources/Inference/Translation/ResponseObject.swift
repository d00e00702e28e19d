internal import JSONText

/// The object of a Responses answer, which its stream shows three times.
struct ResponseObject {
  private let options: AnswerOptions
  /// The members that the request has said, and the defaults of those it has not.
  private let repeated = ByteArena(capacity: 512)

  init(_ options: AnswerOptions) {
    self.options = options
    let names = ByteArena(capacity: 512)
    let said = Self.names(of: options.echo, in: names)
    if said != nil { repeated.append(options.echo) }
    for (name, value) in Self.defaults where !(said ?? []).contains(where: { $0.of(names.bytes).equals(name) }) {
      repeated.append(0x22)
      repeated.append(name)
      repeated.append("\":")
      repeated.append(value)
      repeated.append(0x2C)
    }
  }

  /// What SDKs expect of every response.
  private static let defaults: [(StaticString, StaticString)] = [
    ("instructions", "null"), ("max_output_tokens", "null"), ("metadata", "{}"), ("parallel_tool_calls", "true"),
    ("previous_response_id", "null"), ("reasoning", "{\"effort\":null,\"summary\":null}"), ("store", "false"),
    ("temperature", "null"), ("text", "{\"format\":{\"type\":\"text\"}}"), ("tool_choice", "\"auto\""),
    ("tools", "[]"), ("top_p", "null"),
  ]

  /// The names of whole members with a comma behind each; nil if they are none.
  private static func names(of members: [UInt8], in object: ByteArena) -> [ByteRange]? {
    guard !members.isEmpty else { return [] }
    object.append("{")
    object.append(members)
    object.append("\"\":0}")
    var names: [ByteRange] = []
    do throws(JSONTextError) {
      var cursor = try JSONCursor(object.bytes)
      var walk = try cursor.enterObject()
      while let key = try cursor.nextMember(&walk) {
        names.append(key.range)
        try cursor.skipValue()
      }
      try cursor.finish()
    } catch {
      return nil
    }
    return names
  }

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
    out.append(repeated.bytes)
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
