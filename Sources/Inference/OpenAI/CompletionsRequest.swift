internal import JSONText

/// `POST /v1/completions`, the legacy route (`api.md` section 6).
extension RequestScan {
  /// What OpenAI and its like generate where nobody says how much.
  private static let usualTokenLimit: Int64 = 16

  func scanCompletions(_ cursor: inout JSONCursor) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    var bestOf: Int64 = 1
    var (hasPrompt, hasMessages, echoes, promptBytes) = (false, false, false, 0)
    var completionTokens: (value: Int64, range: ByteRange)?
    while let key = try cursor.nextMember(&walk) {
      let member = try find(Members.completions, key, &seen, cursor, in: "")
      _ = try cursor.peek()
      let start = cursor.position
      switch member {
      case .model:
        places.model = members.count
        try modelValue(&cursor)
      case .prompt:
        hasPrompt = true
        let before = textBytes
        try prompts(&cursor)
        if !isTokenArray { promptBytes = textBytes &- before }
      case .suffix: try free(&cursor)
      case .echo: echoes = try boolean("echo", &cursor)
      case .stream: stream = try boolean("stream", &cursor)
      case .streamOptions:
        places.streamOptions = members.count
        try streamOptions(&cursor)
      case .n: n = try count("n", upTo: Self.largestCount, &cursor) ?? 1
      case .bestOf: bestOf = try count("best_of", upTo: Self.largestCount, &cursor) ?? 1
      case .maxTokens:
        places.maxTokens = members.count
        // None at all is how the likelihood of a prompt is asked for.
        if let value = try count("max_tokens", from: 0, upTo: Self.largestTokenLimit, &cursor) {
          (maxTokens, maxTokensRange) = (value, ByteRange(start, cursor.position))
        }
      case .maxCompletionTokens:
        places.maxCompletionTokens = members.count
        if let value = try count("max_completion_tokens", upTo: Self.largestTokenLimit, &cursor) {
          completionTokens = (value, ByteRange(start, cursor.position))
        }
      case .user:
        places.user = members.count
        user = try person("user", &cursor)
      case .safetyIdentifier:
        places.safetyIdentifier = members.count
        safetyIdentifier = try person("safety_identifier", &cursor)
      case .metadata:
        places.metadata = members.count
        try metadataValue(&cursor)
      case .serviceTier: try tier(&cursor)
      case .temperature, .seed, .logprobs, .topP, .frequencyPenalty, .presencePenalty: try scalar(&cursor)
      case .stop: try free(&cursor)
      case .messages:
        hasMessages = true
        try free(&cursor)
      case nil: try unknown(key, &cursor)
      }
      note(key, start, cursor)
    }
    maxTokensField = .maxTokens
    if let completionTokens, completionTokens.value <= maxTokens ?? .max {
      (maxTokens, maxTokensRange, maxTokensField) = (
        completionTokens.value, completionTokens.range, .maxCompletionTokens
      )
    }
    if maxTokens == nil { maxTokens = Self.usualTokenLimit }
    guard hasPrompt else {
      throw refuse(
        .missingRequiredParameter, "prompt",
        hasMessages
          ? "'prompt' is missing: this looks like a body for /v1/chat/completions ('messages'). Send it there."
          : "'prompt' is missing.", at: cursor)
    }
    guard places.model >= 0 else {
      throw refuse(.missingRequiredParameter, "model", "'model' is missing.", at: cursor)
    }
    // Both are bound: by `largestCount` and by the bytes of a body.
    if echoes { echoBytes = promptBytes &* Int(n) }
    n = max(n, bestOf) * Int64(max(1, inputItems))
  }

  /// A text, texts, tokens or lists of tokens; each but a bare list of tokens is answered on its own.
  private func prompts(_ cursor: inout JSONCursor) throws(JSONTextError) {
    switch try cursor.peek() {
    case .null: _ = try cursor.literal()
    case .string: addText(try cursor.string())
    case .array:
      var walk = try cursor.enterArray()
      while try cursor.nextElement(&walk) {
        switch try cursor.peek() {
        case .string:
          inputItems += 1
          addText(try cursor.string())
        case .number: try token("prompt", &cursor)
        case .array:
          inputItems += 1
          var inner = try cursor.enterArray()
          while try cursor.nextElement(&inner) { try token("prompt", &cursor) }
        default:
          throw wrongType("prompt[\(walk.met - 1)]", "a string, a token or an array of tokens", at: cursor)
        }
      }
      guard walk.met > 0 else { throw refuse(.invalidValue, "prompt", "'prompt' must not be empty.", at: cursor) }
    default: throw wrongType("prompt", "a string or an array", at: cursor)
    }
    inputItems = max(1, inputItems)
  }
}
