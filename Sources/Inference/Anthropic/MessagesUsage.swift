internal import JSONText

/// The figures of one of Anthropic's `usage` objects, as they stand there: what was read from and written to a cache is
/// outside of `input_tokens` (`api.md` section 12).
struct MessagesUsage {
  private var input: Int64?
  private var cacheRead: Int64?
  private var cacheCreation: Int64?
  private var write5m: Int64?
  private var write1h: Int64?
  private var output: Int64?
  private var thinking: Int64?
  private var tier: ServiceTier?
  /// What compacting the context took: it is billed, and in no figure above.
  private var compaction: Usage?
  /// A figure was not believable.
  private var isSuspect = false

  /// Reads a `usage` object; the cursor stands before it. Unknown members are passed over.
  static func read(_ cursor: inout JSONCursor, in body: UnsafeRawBufferPointer) throws(JSONTextError) -> MessagesUsage {
    var usage = MessagesUsage()
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) { try usage.member(key, &cursor, in: body) }
    return usage
  }

  private mutating func member(
    _ key: JSONString, _ cursor: inout JSONCursor, in body: UnsafeRawBufferPointer
  ) throws(JSONTextError) {
    let name = key.range.of(body)
    if name.equals("input_tokens") {
      input = try Usage.figure(&cursor, isSuspect: &isSuspect)
    } else if name.equals("output_tokens") {
      output = try Usage.figure(&cursor, isSuspect: &isSuspect)
    } else if name.equals("cache_read_input_tokens") {
      cacheRead = try Usage.figure(&cursor, isSuspect: &isSuspect)
    } else if name.equals("cache_creation_input_tokens") {
      cacheCreation = try Usage.figure(&cursor, isSuspect: &isSuspect)
    } else if name.equals("cache_creation") || name.equals("output_tokens_details") {
      try details(&cursor, in: body)
    } else if name.equals("iterations") {
      try iterations(&cursor, in: body)
    } else if name.equals("service_tier") {
      _ = try cursor.peek()
      let start = cursor.position
      try cursor.skipValue()
      tier = ServiceTier(answered: ByteRange(start, cursor.position).of(body))
    } else {
      try cursor.skipValue()
    }
  }

  private mutating func details(_ cursor: inout JSONCursor, in body: UnsafeRawBufferPointer) throws(JSONTextError) {
    guard try cursor.peek() == .object else { return try cursor.skipValue() }
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(body)
      if name.equals("ephemeral_5m_input_tokens") {
        write5m = try Usage.figure(&cursor, isSuspect: &isSuspect)
      } else if name.equals("ephemeral_1h_input_tokens") {
        write1h = try Usage.figure(&cursor, isSuspect: &isSuspect)
      } else if name.equals("thinking_tokens") {
        thinking = try Usage.figure(&cursor, isSuspect: &isSuspect)
      } else {
        try cursor.skipValue()
      }
    }
  }

  /// Of the single samplings, those that compacted the context are in none of the sums.
  private mutating func iterations(_ cursor: inout JSONCursor, in body: UnsafeRawBufferPointer) throws(JSONTextError) {
    guard try cursor.peek() == .array else { return try cursor.skipValue() }
    var sum = Usage()
    var walk = try cursor.enterArray()
    while try cursor.nextElement(&walk) {
      guard try cursor.peek() == .object else {
        try cursor.skipValue()
        continue
      }
      var one = MessagesUsage()
      var isCompaction = false
      var members = try cursor.enterObject()
      while let key = try cursor.nextMember(&members) {
        let name = key.range.of(body)
        if name.equals("type"), try cursor.peek() == .string {
          isCompaction = try cursor.string().range.of(body).equals("compaction")
        } else if name.equals("iterations") {
          try cursor.skipValue()
        } else {
          try one.member(key, &cursor, in: body)
        }
      }
      if isCompaction { sum.add(one.sum(isFinal: true)) }
    }
    compaction = sum
  }

  /// Takes the figures of a later event: they are cumulative, so the last ones count; input that has become less is the
  /// word of a server that does not count it twice.
  mutating func update(by later: MessagesUsage) {
    var next = self
    next.input = later.input ?? input
    next.cacheRead = later.cacheRead ?? cacheRead
    next.cacheCreation = later.cacheCreation ?? cacheCreation
    if later.write5m != nil || later.write1h != nil { (next.write5m, next.write1h) = (later.write5m, later.write1h) }
    if next.sum(isFinal: true).inputTokens < sum(isFinal: true).inputTokens {
      (next.input, next.cacheRead, next.cacheCreation) = (input, cacheRead, cacheCreation)
      (next.write5m, next.write1h) = (write5m, write1h)
    }
    next.output = later.output ?? output
    next.thinking = later.thinking ?? thinking
    next.compaction = later.compaction ?? compaction
    next.tier = later.tier ?? tier
    next.isSuspect = isSuspect || later.isSuspect
    self = next
  }

  /// The figures in the internal form.
  /// - Parameter isFinal: Whether the output is more than the estimate that a stream begins with.
  func sum(isFinal: Bool) -> Usage {
    var usage = Usage()
    usage.isSuspect = isSuspect
    let split = (write5m ?? 0) + (write1h ?? 0)
    usage.cachedTokens = cacheRead ?? 0
    usage.cacheWriteTokens = max(cacheCreation ?? 0, split)
    usage.cacheWrite1hTokens = write1h ?? 0
    if let cacheCreation, cacheCreation < split { usage.isSuspect = true }
    if let input {
      usage.inputTokens = input + usage.cachedTokens + usage.cacheWriteTokens
      usage.hasInput = true
    }
    if isFinal, let output {
      (usage.outputTokens, usage.hasOutput) = (output, true)
      usage.reasoningTokens = thinking ?? 0
    }
    if let compaction { usage.add(compaction) }
    usage.tier = tier
    usage.check()
    return usage
  }
}

extension Usage {
  /// Adds what a part of the same answer took.
  fileprivate mutating func add(_ other: Usage) {
    inputTokens = min(Self.absurd, inputTokens + other.inputTokens)
    cachedTokens = min(Self.absurd, cachedTokens + other.cachedTokens)
    cacheWriteTokens = min(Self.absurd, cacheWriteTokens + other.cacheWriteTokens)
    cacheWrite1hTokens = min(Self.absurd, cacheWrite1hTokens + other.cacheWrite1hTokens)
    outputTokens = min(Self.absurd, outputTokens + other.outputTokens)
    reasoningTokens = min(Self.absurd, reasoningTokens + other.reasoningTokens)
    isSuspect = isSuspect || other.isSuspect
  }
}
