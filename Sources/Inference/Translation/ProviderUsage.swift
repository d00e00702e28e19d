internal import JSONText

/// The figures of providers that count the cache outside of the input: Anthropic and Converse. A stream tells them bit by
/// bit; what comes later replaces what came before.
struct CacheOutsideFigures {
  private var input: Int64?
  private var cacheRead: Int64?
  private var cacheWrite: Int64?
  private var cacheWrite1h: Int64?
  private var output: Int64?
  private var thinking: Int64?
  private var tier: ServiceTier?
  private var isSuspect = false

  /// - Parameter takesOutput: False where the figure of the output is only a beginning (`message_start`).
  mutating func read(
    _ cursor: inout JSONCursor, in body: UnsafeRawBufferPointer, takesOutput: Bool = true
  ) throws(JSONTextError) {
    guard try cursor.peek() == .object else { return try cursor.skipValue() }
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(body)
      if name.equals("input_tokens") || name.equals("inputTokens") {
        input = try TokenFigure.read(&cursor, &isSuspect) ?? input
      } else if name.equals("cache_read_input_tokens") || name.equals("cacheReadInputTokens") {
        cacheRead = try TokenFigure.read(&cursor, &isSuspect) ?? cacheRead
      } else if name.equals("cache_creation_input_tokens") || name.equals("cacheWriteInputTokens") {
        cacheWrite = try TokenFigure.read(&cursor, &isSuspect) ?? cacheWrite
      } else if takesOutput, name.equals("output_tokens") || name.equals("outputTokens") {
        output = try TokenFigure.read(&cursor, &isSuspect) ?? output
      } else if name.equals("cache_creation"), try cursor.peek() == .object {
        var details = try cursor.enterObject()
        while let key = try cursor.nextMember(&details) {
          if key.range.of(body).equals("ephemeral_1h_input_tokens") {
            cacheWrite1h = try TokenFigure.read(&cursor, &isSuspect) ?? cacheWrite1h
          } else {
            try cursor.skipValue()
          }
        }
      } else if name.equals("service_tier") {
        tier = ServiceTier(answered: try cursor.rangeOfValue().of(body)) ?? tier
      } else if name.equals("cacheDetails"), try cursor.peek() == .array {
        try cacheDetails(&cursor, in: body)
      } else if takesOutput, name.equals("output_tokens_details"), try cursor.peek() == .object {
        var details = try cursor.enterObject()
        while let key = try cursor.nextMember(&details) {
          if key.range.of(body).equals("thinking_tokens") {
            thinking = try TokenFigure.read(&cursor, &isSuspect) ?? thinking
          } else {
            try cursor.skipValue()
          }
        }
      } else {
        try cursor.skipValue()
      }
    }
  }

  /// Converse's `[{"inputTokens":N,"ttl":"1h"}]`.
  private mutating func cacheDetails(_ cursor: inout JSONCursor, in body: UnsafeRawBufferPointer) throws(JSONTextError)
  {
    var walk = try cursor.enterArray()
    var hour: Int64 = 0
    while try cursor.nextElement(&walk) {
      guard try cursor.peek() == .object else {
        try cursor.skipValue()
        continue
      }
      var (tokens, isHour): (Int64, Bool) = (0, false)
      var detail = try cursor.enterObject()
      while let key = try cursor.nextMember(&detail) {
        let name = key.range.of(body)
        if name.equals("inputTokens") {
          tokens = try TokenFigure.read(&cursor, &isSuspect) ?? 0
        } else if name.equals("ttl"), try cursor.peek() == .string {
          isHour = try cursor.string().range.of(body).equals("1h")
        } else {
          try cursor.skipValue()
        }
      }
      if isHour { hour = min(1 << 40, hour + tokens) }
    }
    cacheWrite1h = hour
  }

  /// Nil as long as nothing was told.
  var usage: Usage? {
    guard input != nil || output != nil || isSuspect else { return nil }
    var usage = Usage()
    usage.cachedTokens = cacheRead ?? 0
    usage.cacheWriteTokens = cacheWrite ?? 0
    usage.cacheWrite1hTokens = min(cacheWrite1h ?? 0, usage.cacheWriteTokens)
    // Three figures of at most 2^40 each.
    usage.inputTokens = (input ?? 0) + usage.cachedTokens + usage.cacheWriteTokens
    usage.hasInput = input != nil
    usage.outputTokens = output ?? 0
    usage.hasOutput = output != nil
    usage.reasoningTokens = min(thinking ?? 0, usage.outputTokens)
    usage.isSuspect = isSuspect || (thinking ?? 0) > usage.outputTokens
    usage.tier = tier
    return usage
  }
}

/// Gemini's `usageMetadata`: the cache inside of the input, the thoughts beside the answer's candidates.
enum GeminiFigures {
  static func read(
    _ cursor: inout JSONCursor, in body: UnsafeRawBufferPointer
  ) throws(JSONTextError) -> Usage? {
    guard try cursor.peek() == .object else {
      try cursor.skipValue()
      return nil
    }
    var usage = Usage()
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(body)
      if name.equals("promptTokenCount") {
        if let value = try TokenFigure.read(&cursor, &usage.isSuspect) {
          (usage.inputTokens, usage.hasInput) = (value, true)
        }
      } else if name.equals("cachedContentTokenCount") {
        usage.cachedTokens = try TokenFigure.read(&cursor, &usage.isSuspect) ?? 0
      } else if name.equals("candidatesTokenCount") {
        if let value = try TokenFigure.read(&cursor, &usage.isSuspect) {
          (usage.outputTokens, usage.hasOutput) = (value, true)
        }
      } else if name.equals("thoughtsTokenCount") {
        usage.reasoningTokens = try TokenFigure.read(&cursor, &usage.isSuspect) ?? 0
      } else {
        try cursor.skipValue()
      }
    }
    usage.outputTokens += usage.reasoningTokens
    if usage.reasoningTokens > 0 { usage.hasOutput = true }
    if usage.hasInput, usage.cachedTokens > usage.inputTokens {
      usage.cachedTokens = usage.inputTokens
      usage.isSuspect = true
    }
    return usage
  }
}

/// One figure of a provider's usage.
enum TokenFigure {
  /// Null is none; anything else but a sane count is none and suspect.
  static func read(_ cursor: inout JSONCursor, _ isSuspect: inout Bool) throws(JSONTextError) -> Int64? {
    switch try cursor.peek() {
    case .null:
      _ = try cursor.literal()
      return nil
    case .number:
      if let value = try cursor.number().integer, value >= 0, value <= Usage.absurd { return value }
    default: try cursor.skipValue()
    }
    isSuspect = true
    return nil
  }
}
