internal import JSONText

/// Converse's `usage`, which counts the cache outside of the input.
struct ConverseFigures {
  private var input: Int64?
  private var cacheRead: Int64?
  private var cacheWrite: Int64?
  private var cacheWrite1h: Int64?
  private var output: Int64?
  private var isSuspect = false

  /// Nil where the value is no object.
  static func read(_ cursor: inout JSONCursor, in body: UnsafeRawBufferPointer) throws(JSONTextError) -> Usage? {
    guard try cursor.peek() == .object else {
      try cursor.skipValue()
      return nil
    }
    var figures = ConverseFigures()
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(body)
      if name.equals("inputTokens") {
        figures.input = try TokenFigure.read(&cursor, &figures.isSuspect)
      } else if name.equals("cacheReadInputTokens") {
        figures.cacheRead = try TokenFigure.read(&cursor, &figures.isSuspect)
      } else if name.equals("cacheWriteInputTokens") {
        figures.cacheWrite = try TokenFigure.read(&cursor, &figures.isSuspect)
      } else if name.equals("outputTokens") {
        figures.output = try TokenFigure.read(&cursor, &figures.isSuspect)
      } else if name.equals("cacheDetails"), try cursor.peek() == .array {
        try figures.cacheDetails(&cursor, in: body)
      } else {
        try cursor.skipValue()
      }
    }
    return figures.usage
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

  /// Nil where nothing was told.
  private var usage: Usage? {
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
    usage.isSuspect = isSuspect
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
