internal import JSONText

/// Why an answer ended, before a dialect has its word for it: the rows of `api.md` section 11.
enum AnswerEnd: Sendable, Equatable {
  case stop
  case stopSequence
  /// The limit of output tokens.
  case length
  /// The model's context is full.
  case contextWindow
  case toolCalls
  /// The provider withheld the answer, or the rest of it.
  case filtered

  /// Whether the last block may lack its end.
  var isEarly: Bool { self == .length || self == .contextWindow || self == .filtered }
}

/// A run of raw string content in an event, or in what a reader has made of it.
struct StepText: Sendable, Equatable {
  var range: ByteRange
  var isMade = false
  var hasEscapes = false

  static let none = StepText(range: ByteRange(0, 0))
  var isEmpty: Bool { range.isEmpty }

  init(range: ByteRange, isMade: Bool = false, hasEscapes: Bool = false) {
    self.range = range
    self.isMade = isMade
    self.hasEscapes = hasEscapes
  }

  init(_ text: JSONString) { self.init(range: text.range, hasEscapes: text.hasEscapes) }
}

/// One thing that happened in an answer, whatever the provider speaks.
struct AnswerStep: Sendable {
  enum Kind: Sendable {
    /// A piece of text; the first of a block opens it.
    case text, thinking, refusal
    /// What proves a thinking block.
    case signature
    /// A thinking block that only its provider can read.
    case redacted
    /// A tool call begins: `text` is its name.
    case tool
    /// A piece of a tool call's arguments: JSON in a string, so escaped twice.
    case arguments
    case blockEnded
  }

  var kind: Kind
  /// The block's key at the provider: unlike in name for each tool call. Pieces with the key of the open block belong to it.
  var block: Int32
  var text = StepText.none
  /// Of a tool call.
  var id = StepText.none
  /// Of a tool call: the signature that must come back with it (Gemini).
  var seal = StepText.none
}

/// What a reader found in one event or in a whole answer; used again and again.
final class AnswerSteps {
  private(set) var list: [AnswerStep] = []
  /// Raw string content that stands in no event: arguments that came as an object.
  let made = ByteArena(capacity: 256)
  /// The event belongs to an answer: it has begun.
  var isAnswer = false
  var usage: Usage?
  /// By which the provider serves; a stream may say it long before its usage.
  var tier: ServiceTier?
  var end: AnswerEnd?
  /// The provider names an end that means failure, or that nobody knows.
  var hasUnknownEnd = false
  /// The value that tells of an error, and the status it stands for; 200 where the value may name one itself.
  var fault: ByteRange?
  var faultStatus = 200
  /// The event is the last of its stream.
  var isLastWord = false
  /// The shape cannot be told: a piece without its beginning.
  var isBroken = false
  /// Members that no step can carry.
  private(set) var lost: [String] = []

  func reset() {
    list.removeAll(keepingCapacity: list.capacity <= 4096)
    made.reset()
    (isAnswer, usage, tier, end, hasUnknownEnd) = (false, nil, nil, nil, false)
    (fault, faultStatus, isLastWord, isBroken) = (nil, 200, false, false)
    lost.removeAll(keepingCapacity: true)
  }

  func append(_ step: AnswerStep) {
    isAnswer = true
    list.append(step)
  }

  func insert(_ step: AnswerStep, at place: Int) {
    isAnswer = true
    list.insert(step, at: min(list.count, max(0, place)))
  }

  func piece(_ kind: AnswerStep.Kind, block: Int32, _ text: JSONString) {
    guard !text.isEmpty else { return }
    append(AnswerStep(kind: kind, block: block, text: StepText(text)))
  }

  /// Gives the steps from `count` on to a block whose key came behind them.
  func setBlock(_ block: Int32, from count: Int) {
    for place in list.indices.dropFirst(max(0, count)) { list[place].block = block }
  }

  /// Forgets the steps from `count` on.
  func truncate(to count: Int) {
    guard count < list.count else { return }
    list.removeLast(list.count - max(0, count))
  }

  func lose(_ path: String) {
    if !lost.contains(path), lost.count < 16 { lost.append(path) }
  }

  /// Makes string content of a JSON value: `{"a":"b"}` becomes `{\"a\":\"b\"}`.
  func make(_ value: UnsafeRawBufferPointer) -> StepText {
    let start = made.count
    JSONEscape.append(value, to: made)
    return StepText(range: ByteRange(start, made.count), isMade: true, hasEscapes: true)
  }

  func bytes(_ text: StepText, in data: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    text.range.of(text.isMade ? made.bytes : data)
  }
}

extension JSONCursor {
  /// Reads a string; any other value is passed over.
  mutating func stringOrSkip() throws(JSONTextError) -> JSONString? {
    guard try peek() == .string else {
      try skipValue()
      return nil
    }
    return try string()
  }

  /// Reads an index of a block or a call; any other value is passed over.
  mutating func indexOrSkip() throws(JSONTextError) -> Int32? {
    guard try peek() == .number else {
      try skipValue()
      return nil
    }
    guard let value = try number().integer, value >= 0, value < 1 << 20 else { return nil }
    return Int32(truncatingIfNeeded: value)
  }

  /// Reads any value without looking into it.
  mutating func rangeOfValue() throws(JSONTextError) -> ByteRange {
    _ = try peek()
    let start = position
    try skipValue()
    return ByteRange(start, position)
  }
}
