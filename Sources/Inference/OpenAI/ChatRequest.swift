internal import JSONText

/// `POST /v1/chat/completions`: the body's own members (`api.md` sections 4 and 5).
extension RequestScan {
  /// No model writes more in one answer; a larger number is a mistake or an attack on arithmetic.
  static let largestTokenLimit: Int64 = 100_000_000
  static let largestCount: Int64 = 128

  func scanChat(_ cursor: inout JSONCursor) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    var bestOf: Int64 = 1
    var hasMessages = false
    var hasInput = false
    var limits: (tokens: (Int64, ByteRange)?, completionTokens: (Int64, ByteRange)?) = (nil, nil)
    while let key = try cursor.nextMember(&walk) {
      let member = try find(Members.chat, key, &seen, cursor, in: "")
      let kind = try cursor.peek()
      let start = cursor.position
      switch member {
      case .model:
        places.model = members.count
        try modelValue(&cursor)
      case .messages:
        hasMessages = true
        try messages(&cursor)
      case .stream: stream = try boolean("stream", &cursor)
      case .streamOptions:
        places.streamOptions = members.count
        try streamOptions(&cursor)
      case .n: n = try count("n", upTo: Self.largestCount, &cursor) ?? 1
      case .bestOf: bestOf = try count("best_of", upTo: Self.largestCount, &cursor) ?? 1
      case .maxTokens:
        places.maxTokens = members.count
        if let value = try count("max_tokens", upTo: Self.largestTokenLimit, &cursor) {
          limits.tokens = (value, ByteRange(start, cursor.position))
        }
      case .maxCompletionTokens:
        places.maxCompletionTokens = members.count
        if let value = try count("max_completion_tokens", upTo: Self.largestTokenLimit, &cursor) {
          limits.completionTokens = (value, ByteRange(start, cursor.position))
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
      case .store:
        places.store = members.count
        if try boolean("store", &cursor) { features.insert(.store) }
      case .background: if try boolean("background", &cursor) { features.insert(.background) }
      case .tools: try tools(&cursor)
      case .functions: try functions(&cursor)
      case .toolChoice, .functionCall: try toolReference(&cursor)
      case .responseFormat: try responseFormat(&cursor)
      case .prediction: try prediction(&cursor)
      case .serviceTier: try tier(&cursor)
      case .webSearchOptions:
        if kind != .null { features.insert(.hostedTool) }
        try free(&cursor)
      case .modalities: try modalities(&cursor)
      case .audio:
        if kind != .null { features.insert(.audioOutput) }
        try audioOptions(&cursor)
      case .reasoningEffort: try effort(kind, &cursor)
      case .verbosity: try structural(.verbosity, &cursor)
      case .promptCacheRetention: try structural(.cacheRetention, &cursor)
      case .promptCacheKey: try cacheKey(&cursor)
      case .previousResponseID: try identifier(&cursor)
      case .temperature, .seed, .logprobs, .topP, .frequencyPenalty, .presencePenalty, .topLogprobs,
        .parallelToolCalls:
        try scalar(&cursor)
      case .input:
        hasInput = true
        try free(&cursor)
      case .stop: try free(&cursor)
      case nil: try unknown(key, &cursor)
      }
      note(key, start, cursor)
    }
    n = max(n, bestOf)
    settleLimits(limits.tokens, limits.completionTokens)
    guard hasMessages else {
      throw refuse(
        .missingRequiredParameter, "messages",
        hasInput
          ? "'messages' is missing: this looks like a body for /v1/responses ('input'). Send it there, or send 'messages'."
          : "'messages' is missing.", at: cursor)
    }
    guard places.model >= 0 else {
      throw refuse(.missingRequiredParameter, "model", "'model' is missing.", at: cursor)
    }
  }

  /// The smaller of both limits counts; the other member will not travel.
  private func settleLimits(_ tokens: (Int64, ByteRange)?, _ completionTokens: (Int64, ByteRange)?) {
    if let tokens {
      (maxTokens, maxTokensRange, maxTokensField) = (tokens.0, tokens.1, .maxTokens)
    }
    if let completionTokens, completionTokens.0 <= maxTokens ?? .max {
      (maxTokens, maxTokensRange) = (completionTokens.0, completionTokens.1)
      maxTokensField = .maxCompletionTokens
    }
  }

  func streamOptions(_ cursor: inout JSONCursor) throws(JSONTextError) {
    switch try cursor.peek() {
    case .null: _ = try cursor.literal()
    case .object:
      places.streamOptionsIsObject = true
      var walk = try cursor.enterObject()
      var seen: UInt64 = 0
      while let key = try cursor.nextMember(&walk) {
        places.streamOptionsIsEmpty = false
        if try find(Members.streamOptions, key, &seen, cursor, in: "stream_options.") == .includeUsage {
          _ = try cursor.peek()
          let start = cursor.position
          includeUsage = try boolean("stream_options.include_usage", &cursor)
          places.includeUsage = ByteRange(start, cursor.position)
        } else {
          try unknown(key, &cursor)
        }
      }
    default: throw wrongType("stream_options", "an object", at: cursor)
    }
  }

  func tier(_ cursor: inout JSONCursor) throws(JSONTextError) {
    switch try cursor.peek() {
    case .null: _ = try cursor.literal()
    case .string:
      let text = try cursor.string()
      let name = text.range.of(body)
      // Its name is compared with the price table's as it stands here.
      guard !text.isEmpty, name.count <= 64, !text.hasEscapes, text.isASCII, !name.contains(0x20) else {
        throw refuse(.invalidValue, "service_tier", "'service_tier' is not the name of a tier.", at: cursor)
      }
      structural(.tier, text)
      serviceTier = text.range
      tier = ServiceTier(asked: name)
      if tier == .other { features.insert(.pricedTier) }
    default: throw wrongType("service_tier", "a string", at: cursor)
    }
  }

  func effort(_ kind: JSONKind, _ cursor: inout JSONCursor) throws(JSONTextError) {
    guard kind == .string else { return try structural(.effort, &cursor) }
    let text = try cursor.string()
    if !text.range.of(body).equals("none") { features.insert(.reasoning) }
    structural(.effort, text)
  }

  private func modalities(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .array else { return try free(&cursor) }
    var walk = try cursor.enterArray()
    while try cursor.nextElement(&walk) {
      guard try cursor.peek() == .string else {
        try free(&cursor)
        continue
      }
      let text = try cursor.string()
      let name = text.range.of(body)
      if name.equals("text") { continue }
      // An escaped or unknown spelling could mean audio too.
      features.insert(.audioOutput)
      structural(.modality, text)
    }
  }

  private func audioOptions(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .object else { return try free(&cursor) }
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(body)
      if name.equals("voice") {
        try structural(.voice, &cursor)
      } else if name.equals("format") {
        try structural(.mediaFormat, &cursor)
      } else {
        try unknown(key, &cursor)
      }
    }
  }
}
