internal import JSONText

/// `POST /v1/messages` and `/v1/messages/count_tokens` (`api.md` section 8): the body's own members.
extension RequestScan {
  func scanMessages(_ cursor: inout JSONCursor) throws(JSONTextError) {
    maxTokensField = .maxTokens
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    var hasMessages = false
    while let key = try cursor.nextMember(&walk) {
      let member = try find(MessagesMembers.body, key, &seen, cursor, in: "")
      let kind = try cursor.peek()
      let start = cursor.position
      switch member {
      case .model:
        places.model = members.count
        try modelValue(&cursor)
      case .messages:
        hasMessages = true
        try turns(&cursor)
      case .system: try system(&cursor)
      case .stream: stream = try boolean("stream", &cursor)
      case .maxTokens:
        places.maxTokens = members.count
        if let value = try count("max_tokens", upTo: Self.largestTokenLimit, &cursor) {
          (maxTokens, maxTokensRange) = (value, ByteRange(start, cursor.position))
        }
      case .metadata:
        places.metadata = members.count
        try anthropicMetadata(&cursor)
      case .tools: try anthropicTools(&cursor)
      case .mcpServers:
        if kind != .null {
          features.insert(.hostedTool)
          if hostedTool == nil { hostedTool = key.range }
        }
        try free(&cursor)
      case .container:
        if kind != .null { features.insert(.remoteFile) }
        try identifier(&cursor)
      case .toolChoice: try anthropicChoice(&cursor)
      case .stopSequences: try free(&cursor)
      case .temperature, .topP, .topK:
        if kind != .null { noteNewerVersionFault(member?.rawValue ?? "", "sampling parameters are not supported") }
        try scalar(&cursor)
      case .thinking: try thinking(&cursor)
      case .outputConfig: try outputConfig(&cursor)
      case .outputFormat: try outputFormat(&cursor)
      case .serviceTier: try anthropicTier(&cursor)
      case .speed: try priced(.speed, usual: "standard", &cursor)
      case .inferenceGeo: try priced(.geo, usual: nil, &cursor)
      case .fallbacks:
        if kind != .null { features.insert(.pricedTier) }
        try free(&cursor)
      case .cacheControl: try cacheControl(&cursor)
      case nil: try unknown(key, &cursor)
      }
      note(key, start, cursor)
    }
    guard hasMessages else {
      throw refuse(.missingRequiredParameter, "messages", "'messages' is missing.", at: cursor)
    }
    guard places.model >= 0 else {
      throw refuse(.missingRequiredParameter, "model", "'model' is missing.", at: cursor)
    }
    guard maxTokens != nil || route == .countTokens else {
      throw refuse(.missingRequiredParameter, "max_tokens", "'max_tokens' is missing.", at: cursor)
    }
  }

  /// Reads Anthropic's `metadata`: of it only a hash of `user_id` travels.
  private func anthropicMetadata(_ cursor: inout JSONCursor) throws(JSONTextError) {
    switch try cursor.peek() {
    case .null: _ = try cursor.literal()
    case .object:
      let start = cursor.position
      var walk = try cursor.enterObject()
      var seen: UInt64 = 0
      while let key = try cursor.nextMember(&walk) {
        if try find(Members.metadata, key, &seen, cursor, in: "metadata.") == .userID {
          metadataUserID = try person("metadata.user_id", &cursor)
        } else {
          places.metadataHasMore = true
          try cursor.skipValue()
        }
      }
      metadata = ByteRange(start, cursor.position)
      user = metadataUserID
    default: throw wrongType("metadata", "an object", at: cursor)
    }
  }

  private func anthropicTier(_ cursor: inout JSONCursor) throws(JSONTextError) {
    switch try cursor.peek() {
    case .null: _ = try cursor.literal()
    case .string:
      let text = try cursor.string()
      let name = text.range.of(body)
      // Its name is compared with the price table's as it stands here.
      guard !text.isEmpty, name.count <= 64, !text.hasEscapes, text.isASCII, !name.contains(0x20) else {
        throw refuse(.invalidValue, "service_tier", "'service_tier' is not the name of a tier.", at: cursor)
      }
      structural(.anthropicTier, text)
      serviceTier = text.range
      if name.equals("standard_only") {
        tier = .usual
      } else if !name.equals("auto") {
        tier = .other
        features.insert(.pricedTier)
      }
    default: throw wrongType("service_tier", "a string", at: cursor)
    }
  }

  /// Reads an enum of which only one value, or none, costs what the price table says.
  private func priced(
    _ known: ClosedValues, usual: StaticString?, _ cursor: inout JSONCursor
  ) throws(JSONTextError) {
    switch try cursor.peek() {
    case .null: _ = try cursor.literal()
    case .string:
      let text = try cursor.string()
      structural(known, text)
      if let usual, text.range.of(body).equals(usual) { return }
      features.insert(.pricedTier)
    default:
      features.insert(.pricedTier)
      try free(&cursor)
    }
  }

  private func thinking(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .object else { return try free(&cursor) }
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(body)
      if name.equals("type") {
        try structural(.thinking, &cursor)
      } else if name.equals("display") {
        try structural(.thinkingDisplay, &cursor)
      } else if name.equals("budget_tokens") {
        try scalar(&cursor)
      } else {
        try unknown(key, &cursor)
      }
    }
  }

  private func outputConfig(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .object else { return try free(&cursor) }
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    while let key = try cursor.nextMember(&walk) {
      switch try find(MessagesMembers.outputConfig, key, &seen, cursor, in: "output_config.") {
      case .effort: try effort(try cursor.peek(), &cursor)
      case .format: try outputFormat(&cursor)
      case nil: try unknown(key, &cursor)
      }
    }
  }

  private func outputFormat(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .object else { return try free(&cursor) }
    let start = cursor.position
    var walk = try cursor.enterObject()
    var seen: UInt64 = 0
    while let key = try cursor.nextMember(&walk) {
      switch try find(MessagesMembers.outputFormat, key, &seen, cursor, in: "output_config.format.") {
      case .type: try structural(.responseFormat, &cursor)
      case .schema:
        features.insert(.jsonSchema)
        try schema(&cursor)
      case nil: try unknown(key, &cursor)
      }
    }
    textBytes &+= cursor.position - start  // the schema goes into the prompt in a form of the provider's own
  }

  func cacheControl(_ cursor: inout JSONCursor) throws(JSONTextError) {
    guard try cursor.peek() == .object else { return try free(&cursor) }
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(body)
      if name.equals("type") {
        try structural(.cacheControl, &cursor)
      } else if name.equals("ttl") {
        try structural(.cacheLifetime, &cursor)
      } else {
        try unknown(key, &cursor)
      }
    }
  }
}
