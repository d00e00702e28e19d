internal import JSONText

/// `POST /v1/responses` (`api.md` section 7): the body's own members. Nothing is stored, so whatever refers to what was
/// is refused.
extension RequestScan {
  func scanResponses(_ cursor: inout JSONCursor) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    var (hasInput, hasMessages) = (false, false)
    while let key = try cursor.nextMember(&walk) {
      let member = try find(Members.responses, key, &seen, cursor, in: "")
      _ = try cursor.peek()
      let start = cursor.position
      switch member {
      case .model:
        places.model = members.count
        try modelValue(&cursor)
      case .input:
        hasInput = true
        try responsesInput(&cursor)
      case .instructions: try instructions(&cursor)
      case .stream: stream = try boolean("stream", &cursor)
      case .streamOptions: try responsesStreamOptions(&cursor)
      case .maxOutputTokens:
        places.maxOutputTokens = members.count
        if let value = try count("max_output_tokens", upTo: Self.largestTokenLimit, &cursor) {
          (maxTokens, maxTokensRange) = (value, ByteRange(start, cursor.position))
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
        places.isStoreFalse = ByteRange(start, cursor.position).of(body).equals("false")
      case .background: if try boolean("background", &cursor) { features.insert(.background) }
      case .previousResponseID:
        try absent(
          .previousResponseNotFound, "previous_response_id",
          "No answers are stored here: send the whole conversation in 'input', without 'previous_response_id'.", &cursor
        )
      case .conversation:
        try absent(
          .unsupportedParameter, "conversation",
          "No conversations are stored here: send the whole conversation in 'input'.", &cursor)
      case .prompt:
        try absent(
          .unsupportedParameter, "prompt",
          "Prompts that lie with the provider cannot be checked: send their text in 'instructions' and 'input'.",
          &cursor)
      case .tools: try responsesTools("tools", &cursor)
      case .toolChoice: try toolReference(&cursor)
      case .text: try textOptions(&cursor)
      case .reasoning: try reasoningOptions(&cursor)
      case .serviceTier: try tier(&cursor)
      case .include: try include(&cursor)
      case .truncation: try structural(.truncation, &cursor)
      case .promptCacheRetention: try structural(.cacheRetention, &cursor)
      case .promptCacheKey: try cacheKey(&cursor)
      case .temperature, .topP, .topLogprobs, .parallelToolCalls, .maxToolCalls: try scalar(&cursor)
      case .messages:
        hasMessages = true
        try unknown(key, &cursor)
      case nil: try unknown(key, &cursor)
      }
      note(key, start, cursor)
    }
    guard hasInput else {
      throw refuse(
        .missingRequiredParameter, "input",
        hasMessages
          ? "'input' is missing: this looks like a body for /v1/chat/completions ('messages'). Send it there, or send 'input'."
          : "'input' is missing.", at: cursor)
    }
    guard places.model >= 0 else {
      throw refuse(.missingRequiredParameter, "model", "'model' is missing.", at: cursor)
    }
  }

  /// Takes null for a member that cannot be served.
  private func absent(
    _ code: Refusal.Code, _ param: String, _ message: String, _ cursor: inout JSONCursor
  ) throws(JSONTextError) {
    guard try cursor.peek() == .null else { throw refuse(code, param, message, at: cursor) }
    _ = try cursor.literal()
  }

  private func instructions(_ cursor: inout JSONCursor) throws(JSONTextError) {
    switch try cursor.peek() {
    case .null: _ = try cursor.literal()
    case .string: addText(try cursor.string())
    default: throw wrongType("instructions", "a string", at: cursor)
    }
  }

  private func responsesStreamOptions(_ cursor: inout JSONCursor) throws(JSONTextError) {
    switch try cursor.peek() {
    case .null: _ = try cursor.literal()
    case .object:
      var walk = try cursor.enterObject()
      while let key = try cursor.nextMember(&walk) {
        if key.range.of(body).equals("include_obfuscation") { try scalar(&cursor) } else { try unknown(key, &cursor) }
      }
    default: throw wrongType("stream_options", "an object", at: cursor)
    }
  }

  private func textOptions(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .object else { return try free(&cursor) }
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    while let key = try cursor.nextMember(&walk) {
      switch try find(Members.responsesText, key, &seen, cursor, in: "text.") {
      case .format: try textFormat(&cursor)
      case .verbosity: try structural(.verbosity, &cursor)
      case nil: try unknown(key, &cursor)
      }
    }
  }

  private func textFormat(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .object else { return try free(&cursor) }
    let start = cursor.position
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    while let key = try cursor.nextMember(&walk) {
      switch try find(Members.responsesFormat, key, &seen, cursor, in: "text.format.") {
      case .type: try structural(.responseFormat, &cursor)
      case .name: try identifier(&cursor)
      case .schema:
        features.insert(.jsonSchema)
        try schema(&cursor)
      case .strict: try scalar(&cursor)
      case .description: try free(&cursor)
      case nil: try unknown(key, &cursor)
      }
    }
    textBytes &+= cursor.position - start
  }

  private func reasoningOptions(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .object else { return try free(&cursor) }
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    while let key = try cursor.nextMember(&walk) {
      switch try find(Members.reasoning, key, &seen, cursor, in: "reasoning.") {
      case .effort: try effort(try cursor.peek(), &cursor)
      case .summary, .generateSummary: try structural(.summary, &cursor)
      case nil: try unknown(key, &cursor)
      }
    }
  }

  private func include(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .array else { return try free(&cursor) }
    var walk = try cursor.enterArray()
    while try cursor.nextElement(&walk) { try structural(.include, &cursor) }
  }

  // MARK: Tools

  /// Reads `tools`, of the body or of an item that brings more of them, or those of a namespace.
  func responsesTools(_ path: @autoclosure () -> String, _ cursor: inout JSONCursor) throws(JSONTextError) {
    switch try cursor.peek() {
    case .null:
      _ = try cursor.literal()
      return
    case .array: break
    default: throw wrongType(path(), "an array", at: cursor)
    }
    let start = cursor.position
    var walk = try cursor.enterArray()
    while try cursor.nextElement(&walk) {
      features.insert(.tools)
      guard try cursor.peek() == .object else {
        throw wrongType("\(path())[\(walk.met - 1)]", "an object", at: cursor)
      }
      try responsesTool("\(path())[\(walk.met - 1)]", &cursor)
    }
    textBytes &+= cursor.position - start  // syntax and names go into the prompt in a form of the provider's own
  }

  private func responsesTool(_ path: @autoclosure () -> String, _ cursor: inout JSONCursor) throws(JSONTextError) {
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    var type: JSONString?
    while let key = try cursor.nextMember(&walk) {
      switch try find(Members.responsesTool, key, &seen, cursor, in: path() + ".") {
      case .type:
        guard try cursor.peek() == .string else { throw wrongType(path() + ".type", "a string", at: cursor) }
        let text = try cursor.string()
        type = text
        structural(.responsesTool, text)
      case .name: try identifier(&cursor)
      case .parameters: try schema(&cursor)
      case .tools: try responsesTools(path() + ".tools", &cursor)
      case .function, .custom: try function(&cursor)
      case .description, .format: try free(&cursor)
      case nil: try unknown(key, &cursor)
      }
    }
    // An escaped or unknown spelling could mean anything that costs.
    if let type, ClosedValues.clientTool.contains(type.range.of(body)) { return }
    features.insert(.hostedTool)
    if hostedTool == nil { hostedTool = type?.range ?? ByteRange(0, 0) }
  }
}
