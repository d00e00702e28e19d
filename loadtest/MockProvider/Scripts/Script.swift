/// What the mock does with a request, as its model name (and the header `x-mock`) say.
///
/// Syntax: `NAME` or `NAME;key=value;key=value`; `:` and `,` separate as well as `;`. A name that is not known behaves
/// like `mock-echo`; a key that is not known, or a value that is no number, is ignored.
struct Script: Equatable, Sendable {
  enum Kind: Equatable, Sendable {
    /// A fixed text of `size` bytes.
    case fixed
    /// The text of the last user message.
    case echo
    /// A tool call that holds the text of the last user message.
    case tool
    case error(Int)
    /// The connection ends in the middle of the answer, without a terminator.
    case cut
    /// The connection is reset: before a byte of the answer, or after `after` deltas of a stream.
    case reset
    /// What comes back is no HTTP.
    case garbage
    /// What comes back is HTTP, but its JSON is broken.
    case garbageBody
    /// Garbage stands in the middle of an answer that else is good: bytes that are no JSON, or no chunk of a stream.
    case garbageMiddle
    /// A stream that never says it is over; the bounds of the script cut it.
    case endless
    /// Nothing comes any more.
    case hang
    /// The whole body of the request, as text.
    case body
    /// As `tool`, but once a tool's result has come, its text.
    case toolOnce
    /// Thinking first; then a call if there are tools and no result yet, else a text.
    case thinking
    /// A refusal by the model.
    case refusal
    /// Held back by the provider's filter: no text at all.
    case blocked
    /// The dialect's answer that says it failed, with status 200 where the dialect has that.
    case failed
    /// An error with this status inside a stream, after `after` deltas (1); a plain request gets the status.
    case streamError(Int)
  }

  /// What an answer says of its usage instead of the truth; the bill keeps to the truth.
  enum UsageLie: Equatable, Sendable {
    case zero, huge, negative, text

    /// What is said instead of each figure.
    var text: String {
      switch self {
      case .zero: "0"
      case .huge: "99999999999999999999"  // more than 64 bits hold
      case .negative: "-7"
      case .text: "\"many\""
      }
    }
  }

  /// What `delay` means to a script.
  private enum DelayMeaning { case betweenDeltas, beforeHead, beforeBody, betweenHeadBytes }

  static let names = [
    "mock-echo", "mock-fast", "mock-stream", "mock-slow", "mock-tool", "mock-no-usage", "mock-error-400",
    "mock-error-401", "mock-error-429", "mock-error-500", "mock-error-503", "mock-cut", "mock-cut-plain",
    "mock-cut-stream", "mock-reset", "mock-reset-at", "mock-garbage", "mock-garbage-body", "mock-garbage-middle",
    "mock-late-head", "mock-late-body", "mock-slow-head", "mock-endless", "mock-huge-line", "mock-usage-zero",
    "mock-usage-huge", "mock-usage-negative", "mock-usage-text", "mock-hang", "mock-body", "mock-tools",
    "mock-tool-once", "mock-thinking", "mock-refusal", "mock-blocked", "mock-failed", "mock-stream-error",
    "mock-cached",
  ]
  /// The largest fixed text, in bytes.
  static let sizeLimit = 16_777_216
  /// The longest wait and the longest delay, in milliseconds.
  static let delayLimitMilliseconds = 3_600_000
  /// The longest pause between two bytes of a head; a head has some 300 bytes.
  static let headDelayLimitMilliseconds = 10_000
  /// The most deltas of an endless stream, and the most bytes of its text.
  static let endlessLimit = 1_000_000
  static let endlessByteLimit = 67_108_864

  var kind = Kind.echo
  /// Whether the answer says what it used.
  var reportsUsage = true
  /// Unicode scalars in each delta of a stream.
  var deltaScalars = 16
  /// Deltas in all, however long they then are; wins over `deltaScalars`.
  var deltaCount: Int?
  /// Between one delta and the next.
  var delayMilliseconds = 0
  /// Before the first byte of the answer.
  var waitMilliseconds = 0
  /// Between the head of the answer and its body.
  var holdMilliseconds = 0
  /// Between one byte of the head and the next.
  var headDelayMilliseconds = 0
  /// After so many bytes of the answer, head included, the connection is reset.
  var resetAt: Int?
  var usageLie: UsageLie?
  /// How long an endless stream goes on; its deltas are counted, not its time.
  var endlessSeconds = 30
  /// Bytes in each write to the socket; 0 leaves it to the loop.
  var splitBytes = 0
  /// Length of the fixed text.
  var size = 1_024
  /// Deltas that are sent before a cut, a reset or a hang.
  var after: Int?
  /// How many requests for one model fail; the ones after them are echoed.
  var failures: Int?
  var retryAfterSeconds = 1
  /// Calls in one answer; the declared functions take turns.
  var calls = 1
  /// Tokens of the prompt that are said to come from a cache, or to have been written to it.
  var cachedTokens = 0
  var cacheWriteTokens = 0
  var cacheWriteLongTokens = 0
  /// The word for the end of the answer, whatever the dialect would say.
  var finishWord: String?
  /// The service tier that the answer names.
  var tierWord: String?
  /// Of a batch: after how many looks it is over, whether it runs out of time in the middle of its lines, and whether it
  /// sums its usage up.
  var looks = 1
  var expires = false
  var sumsUsage = true
  /// The model's context: a longer prompt is refused.
  var contextTokens: Int?

  init(model: String) {
    let parts = model.split(whereSeparator: { $0 == ";" || $0 == ":" || $0 == "," })
    readName(parts.first.map(String.init) ?? "")
    for part in parts.dropFirst() { readSetting(part) }
  }

  /// Takes the settings of the header `x-mock` over those of the model name; `script=NAME` changes the name too.
  mutating func apply(settings: String) {
    for part in settings.split(whereSeparator: { $0 == ";" || $0 == "," || $0 == ":" }) {
      let trimmed = part.drop(while: { $0 == " " })
      if trimmed.hasPrefix("script=") {
        readName(String(trimmed.dropFirst(7)))
      } else {
        readSetting(trimmed)
      }
    }
  }

  private mutating func readName(_ name: String) {
    delayMeaning = .betweenDeltas
    switch name {
    case "mock-fast", "mock-stream": kind = .fixed
    case "mock-slow":
      kind = .echo
      waitMilliseconds = 500
      delayMeaning = .beforeHead
    case "mock-tool": kind = .tool
    case "mock-no-usage":
      kind = .echo
      reportsUsage = false
    case "mock-cut", "mock-cut-plain", "mock-cut-stream": kind = .cut
    case "mock-reset": kind = .reset
    case "mock-garbage": kind = .garbage
    case "mock-garbage-body": kind = .garbageBody
    case "mock-garbage-middle": kind = .garbageMiddle
    case "mock-hang": kind = .hang
    case "mock-usage-zero": (kind, usageLie) = (.echo, .zero)
    case "mock-usage-huge": (kind, usageLie) = (.echo, .huge)
    case "mock-usage-negative": (kind, usageLie) = (.echo, .negative)
    case "mock-usage-text": (kind, usageLie) = (.echo, .text)
    case "mock-reset-at": (kind, resetAt) = (.fixed, 600)
    case "mock-huge-line": (kind, size, deltaCount) = (.fixed, 4_194_304, 1)
    case "mock-endless": (kind, delayMilliseconds) = (.endless, 10)
    case "mock-late-head": (kind, waitMilliseconds, delayMeaning) = (.fixed, 1_000, .beforeHead)
    case "mock-late-body": (kind, holdMilliseconds, delayMeaning) = (.fixed, 1_000, .beforeBody)
    case "mock-slow-head": (kind, headDelayMilliseconds, delayMeaning) = (.fixed, 10, .betweenHeadBytes)
    case "mock-body": kind = .body
    case "mock-tools": (kind, calls) = (.tool, 2)
    case "mock-tool-once": kind = .toolOnce
    case "mock-thinking": kind = .thinking
    case "mock-refusal": kind = .refusal
    case "mock-blocked": kind = .blocked
    case "mock-failed": kind = .failed
    case "mock-stream-error": kind = .streamError(529)
    case "mock-cached": (kind, cachedTokens, cacheWriteTokens) = (.echo, 2, 1)
    default: readLongName(name)
    }
  }

  /// Names that end in a status or a word.
  private mutating func readLongName(_ name: String) {
    kind = .echo
    if let status = Self.status(name, after: "mock-error-") { kind = .error(status) }
    if let status = Self.status(name, after: "mock-stream-error-") { kind = .streamError(status) }
    if name.hasPrefix("mock-finish-") {
      let word = name.dropFirst(12)
      let isWord = word.utf8.allSatisfy { $0 == 0x5F || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }
      if isWord, (1...64).contains(word.count) { finishWord = String(word) }
    }
    if name.hasPrefix("mock-tier-") {
      let word = name.dropFirst(10)
      let isWord = word.utf8.allSatisfy { $0 == 0x5F || (0x61...0x7A).contains($0) }
      if isWord, (1...64).contains(word.count) { tierWord = String(word) }
    }
    if name.hasPrefix("mock-context-") { contextTokens = Int(name.dropFirst(13)) }
  }

  private static func status(_ name: String, after opening: String) -> Int? {
    guard name.hasPrefix(opening), let status = Int(name.dropFirst(opening.count)) else { return nil }
    return (400...599).contains(status) ? status : nil
  }

  private var delayMeaning = DelayMeaning.betweenDeltas

  private mutating func readSetting(_ setting: Substring) {
    guard let equals = setting.firstIndex(of: "="),
      let number = Int(setting[setting.index(after: equals)...]), number >= 0
    else { return }
    switch setting[..<equals] {
    case "chunk": deltaScalars = max(1, number)
    case "chunks": deltaCount = min(max(1, number), Self.sizeLimit)
    case "delay": setDelay(min(number, Self.delayLimitMilliseconds))
    case "hold": holdMilliseconds = min(number, Self.delayLimitMilliseconds)
    case "at": resetAt = number
    case "seconds": endlessSeconds = min(number, 3_600)
    case "wait": waitMilliseconds = min(number, Self.delayLimitMilliseconds)
    case "split": splitBytes = min(number, Self.sizeLimit)
    case "size": size = min(number, Self.sizeLimit)
    case "after": after = number
    case "times": failures = number
    case "calls": calls = min(max(1, number), 128)
    case "cached": cachedTokens = number
    case "cache-write": cacheWriteTokens = number
    case "cache-write-1h": cacheWriteLongTokens = number
    case "retry-after": retryAfterSeconds = number
    case "usage": reportsUsage = number != 0
    case "looks": looks = min(max(1, number), 1_000)
    case "expires": expires = number != 0
    case "sum": sumsUsage = number != 0
    default: break
    }
  }

  private mutating func setDelay(_ milliseconds: Int) {
    switch delayMeaning {
    case .betweenDeltas: delayMilliseconds = milliseconds
    case .beforeHead: waitMilliseconds = milliseconds
    case .beforeBody: holdMilliseconds = milliseconds
    case .betweenHeadBytes: headDelayMilliseconds = min(milliseconds, Self.headDelayLimitMilliseconds)
    }
  }

  /// After how many deltas an endless stream is cut.
  var endlessDeltas: Int {
    min(deltaCount ?? Self.endlessLimit, endlessSeconds * 1_000 / max(1, delayMilliseconds), Self.endlessLimit)
  }

  /// The fault that is due after `count` deltas; nil while none is.
  func fault(at count: Int, isLong: Bool) -> AnswerStream.Step? {
    switch kind {
    case .cut: count >= after ?? 3 ? .cut : nil
    case .reset: count >= after ?? 0 ? .reset : nil
    case .hang: count >= after ?? 0 ? .stall : nil
    case .endless: count >= endlessDeltas || isLong ? .cut : nil
    default: nil
    }
  }

  /// Whether a chat request needs the careful reading and the forms that all dialects share.
  var needsForm: Bool {
    switch kind {
    case .toolOnce, .thinking, .refusal, .blocked, .failed, .streamError: true
    default:
      calls > 1 || finishWord != nil || tierWord != nil || contextTokens != nil || cachedTokens > 0
        || cacheWriteTokens > 0 || cacheWriteLongTokens > 0
    }
  }

  /// Whether a plain request for it can be answered from the prepared answer.
  var isPrepared: Bool {
    kind == .fixed && waitMilliseconds == 0 && splitBytes == 0 && reportsUsage && size == 1_024
      && deltaCount ?? 0 <= 1_024 && holdMilliseconds == 0 && headDelayMilliseconds == 0 && resetAt == nil
      && usageLie == nil && !needsForm
  }
}
