internal import JSONText

/// What a provider's error body says, in whichever shape it comes: `{"error":{…}}` (OpenAI), `{"error":"…"}` (Ollama),
/// flat (Mistral, vLLM), `{"detail":…}` (FastAPI), an array of any (Gemini). All texts are scrubbed.
struct ProviderError {
  var message = ""
  var type = ""
  var code = ""
  var param = ""
  /// An HTTP status that the body names.
  var status: Int?

  static func read(_ body: UnsafeRawBufferPointer) -> ProviderError {
    var error = ProviderError()
    do throws(JSONTextError) {
      var cursor = try JSONCursor(body, limits: .answer)
      try error.value(&cursor, in: body, level: 0)
    } catch {
      // Not JSON, or cut: what was read until there counts; a page of HTML says nothing to a client.
    }
    return error
  }

  private mutating func value(
    _ cursor: inout JSONCursor, in body: UnsafeRawBufferPointer, level: Int
  ) throws(JSONTextError) {
    switch try cursor.peek() {
    case .string where level > 0:
      let text = try cursor.string()
      if message.isEmpty { message = ErrorScrubber.scrub(text.range.of(body)) }
    case .array where level < 4:
      var walk = try cursor.enterArray()
      while try cursor.nextElement(&walk) { try value(&cursor, in: body, level: level + 1) }
    case .object where level < 4:
      var walk = try cursor.enterObject()
      while let key = try cursor.nextMember(&walk) { try member(key, &cursor, in: body, level: level) }
    default: try cursor.skipValue()
    }
  }

  private mutating func member(
    _ key: JSONString, _ cursor: inout JSONCursor, in body: UnsafeRawBufferPointer, level: Int
  ) throws(JSONTextError) {
    let name = key.range.of(body)
    let kind = try cursor.peek()
    if name.equals("error") || name.equals("detail") || name.equals("errors") || name.equals("msg") {
      try value(&cursor, in: body, level: level + 1)
    } else if name.equals("message") {
      guard kind == .string else { return try value(&cursor, in: body, level: level + 1) }
      message = ErrorScrubber.scrub(try cursor.string().range.of(body))
    } else if kind == .string, name.equals("type") || name.equals("status") {
      let text = Self.word(try cursor.string(), in: body)
      // Anthropic's and OpenAI's envelopes are of the type "error" themselves.
      if type.isEmpty, text != "error" { type = text }
    } else if kind == .string, name.equals("code") {
      code = Self.word(try cursor.string(), in: body)
    } else if kind == .number, name.equals("code") || name.equals("status") {
      if let number = try cursor.number().integer, (400..<600).contains(number) { status = Int(number) }
    } else if kind == .string, name.equals("param") {
      param = Self.path(try cursor.string(), in: body)
    } else {
      try cursor.skipValue()
    }
  }

  /// An enum's word, of at most 64 letters, digits and underscores.
  private static func word(_ text: JSONString, in body: UnsafeRawBufferPointer) -> String {
    let raw = text.range.of(body)
    guard raw.count <= 64, raw.allSatisfy({ isWordByte($0) || $0 == 0x2D || $0 == 0x2E }) else { return "" }
    return String(decoding: raw, as: UTF8.self)
  }

  /// A path such as `messages[2].content`.
  private static func path(_ text: JSONString, in body: UnsafeRawBufferPointer) -> String {
    let raw = text.range.of(body)
    guard raw.count <= 128,
      raw.allSatisfy({ isWordByte($0) || $0 == 0x2E || $0 == 0x5B || $0 == 0x5D || $0 == 0x2D })
    else { return "" }
    return String(decoding: raw, as: UTF8.self)
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
  }

  /// The status that an error inside of a stream would have had.
  var impliedStatus: Int {
    if says(["rate_limit_exceeded", "rate_limit_error", "requests", "tokens", "too_many_requests"]) { return 429 }
    if isAboutContext || isAboutContent || isAboutSupport { return 400 }
    if says(["invalid_request_error", "BadRequestError", "request_too_large"]) { return 400 }
    // Anthropic's types.
    if says(["authentication_error", "permission_error"]) { return 401 }
    if says(["not_found_error"]) { return 404 }
    if says(["timeout_error"]) { return 504 }
    return says(["overloaded_error"]) ? 529 : 500
  }

  private func says(_ words: [String]) -> Bool { words.contains { code == $0 || type == $0 } }

  var isOutOfQuota: Bool {
    says([
      "insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "insufficient_balance", "billing_error",
    ])
  }

  var isAboutContext: Bool {
    if says([
      "context_length_exceeded", "string_above_max_length", "context_window_exceeded", "exceed_context_size_error",
    ]) {
      return true
    }
    let text = message.lowercased()
    return Self.contextPhrases.contains { text.contains($0) }
  }

  /// In whose words a prompt is too long: OpenAI's and vLLM's, Anthropic's, Gemini's, Bedrock's, Mistral's, llama.cpp's and
  /// Ollama's.
  private static let contextPhrases = [
    "maximum context length", "context window", "too many tokens", "max_model_len", "prompt is too long",
    "exceed context limit", "exceeds the maximum number of tokens", "input is too long", "input length exceeds",
    "exceeds the available context size", "exceeds the context length",
  ]

  var isAboutContent: Bool {
    says([
      "content_filter", "content_policy_violation", "moderation_blocked", "invalid_prompt",
      "ResponsibleAIPolicyViolation",
    ])
  }

  var isAboutSupport: Bool {
    says(["unsupported_parameter", "unsupported_value", "unknown_parameter", "extra_forbidden"])
  }

  var isAboutKey: Bool { says(["invalid_api_key", "API_KEY_INVALID", "invalid_authentication", "UNAUTHENTICATED"]) }
}
