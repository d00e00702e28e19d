internal import JSONText

/// What an upstream says it used, in tokens; the form behind `api.md` section 12.
///
/// A figure that is negative, fractional or absurd is not taken: it stays 0, its `has…` flag false, ``isSuspect`` true.
public struct Usage: Sendable, Equatable {
  /// All input, cached included.
  public var inputTokens: Int64 = 0
  /// Read from a cache, inside ``inputTokens``.
  public var cachedTokens: Int64 = 0
  /// Written to a cache for any time, inside ``inputTokens``.
  public var cacheWriteTokens: Int64 = 0
  /// Written to a cache for an hour, inside ``cacheWriteTokens``; the rest of them is for minutes.
  public var cacheWrite1hTokens: Int64 = 0
  /// All output, reasoning included.
  public var outputTokens: Int64 = 0
  /// Inside ``outputTokens``.
  public var reasoningTokens: Int64 = 0
  /// Inside input and output, both directions together.
  public var audioTokens: Int64 = 0
  public var imageTokens: Int64 = 0
  /// By which the answer says that it was served; nil: it does not say.
  public var tier: ServiceTier?
  /// Searches that a reranker bills; nil: it counts none, or does not say.
  public var searches: Int64?
  /// Of sound; nil where it is not counted so.
  public var seconds: Int64?
  public var hasInput = false
  public var hasOutput = false
  /// A figure was not believable, or parts exceed their whole.
  public var isSuspect = false

  public init() {}

  /// Whether a figure was told, believable or not: an empty object is no usage.
  public var hasFigures: Bool { hasInput || hasOutput || isSuspect || searches != nil || seconds != nil }

  /// Input that was neither read from nor written to a cache.
  public var uncachedTokens: Int64 { max(0, inputTokens - cachedTokens - cacheWriteTokens) }

  /// Written to a cache for minutes.
  public var cacheWrite5mTokens: Int64 { max(0, cacheWriteTokens - cacheWrite1hTokens) }

  /// More than any request can use.
  static let absurd: Int64 = 1 << 40

  /// Reads a `usage` object; the cursor stands before it. Unknown members are passed over.
  static func read(_ cursor: inout JSONCursor, in body: UnsafeRawBufferPointer) throws(JSONTextError) -> Usage {
    var usage = Usage()
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(body)
      if name.equals("prompt_tokens") {
        if let value = try usage.figure(&cursor) { (usage.inputTokens, usage.hasInput) = (value, true) }
      } else if name.equals("completion_tokens") {
        if let value = try usage.figure(&cursor) { (usage.outputTokens, usage.hasOutput) = (value, true) }
      } else if name.equals("prompt_tokens_details") || name.equals("completion_tokens_details") {
        try usage.details(&cursor, in: body)
      } else {
        try cursor.skipValue()
      }
    }
    usage.check()
    return usage
  }

  mutating func details(_ cursor: inout JSONCursor, in body: UnsafeRawBufferPointer) throws(JSONTextError) {
    guard try cursor.peek() == .object else { return try cursor.skipValue() }
    var walk = try cursor.enterObject()
    while let key = try cursor.nextMember(&walk) {
      let name = key.range.of(body)
      if name.equals("cached_tokens") {
        cachedTokens = try figure(&cursor) ?? 0
      } else if name.equals("cache_write_tokens") {
        cacheWriteTokens = try figure(&cursor) ?? 0
      } else if name.equals("reasoning_tokens") {
        reasoningTokens = try figure(&cursor) ?? 0
      } else if name.equals("audio_tokens") {
        audioTokens = min(Self.absurd, audioTokens + (try figure(&cursor) ?? 0))
      } else if name.equals("image_tokens") {
        imageTokens = min(Self.absurd, imageTokens + (try figure(&cursor) ?? 0))
      } else {
        try cursor.skipValue()
      }
    }
  }

  /// One figure; null is none, anything else but a sane count is suspect.
  mutating func figure(_ cursor: inout JSONCursor) throws(JSONTextError) -> Int64? {
    try Self.figure(&cursor, isSuspect: &isSuspect)
  }

  static func figure(_ cursor: inout JSONCursor, isSuspect: inout Bool) throws(JSONTextError) -> Int64? {
    switch try cursor.peek() {
    case .null:
      _ = try cursor.literal()
      return nil
    case .number:
      let number = try cursor.number()
      guard let value = number.integer, value >= 0, value <= absurd else {
        isSuspect = true
        return nil
      }
      return value
    default:
      try cursor.skipValue()
      isSuspect = true
      return nil
    }
  }

  mutating func check() {
    if hasInput, cachedTokens + cacheWriteTokens > inputTokens {
      isSuspect = true
      cachedTokens = min(cachedTokens, inputTokens)
      cacheWriteTokens = min(cacheWriteTokens, inputTokens - cachedTokens)
      cacheWrite1hTokens = min(cacheWrite1hTokens, cacheWriteTokens)
    }
    if hasOutput, reasoningTokens > outputTokens {
      isSuspect = true
      reasoningTokens = outputTokens
    }
  }
}
