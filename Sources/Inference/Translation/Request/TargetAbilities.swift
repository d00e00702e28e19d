internal import JSONText

/// What a target has a form for, so that the reader can name the rest where it meets it.
struct TargetAbilities {
  let wire: ProviderWire
  /// Whether Claude stands behind a Converse wire: only there Anthropic's own fields mean something.
  let isClaude: Bool
  /// Whether Gemini counts thoughts in tokens (2.x) instead of levels.
  let hasThinkingBudget: Bool

  init(_ target: RequestTranslation.Target) {
    wire = target.wire
    isClaude = wire == .messages || wire == .converse && Self.holds("anthropic", target.model)
    refusesBlankText = wire == .messages || wire == .converse
    hasThinkingBudget = wire == .gemini && Self.holds("gemini-2", target.model)
  }

  /// Whether a model's name holds a word; a search by the string's characters would cost more than the translation.
  private static func holds(_ word: StaticString, _ name: String) -> Bool {
    var name = name
    return name.withUTF8 { bytes in
      let raw = UnsafeRawBufferPointer(bytes)
      let count = word.utf8CodeUnitCount
      guard raw.count >= count else { return false }
      for start in 0...(raw.count - count) where ByteRange(start, start + count).of(raw).equals(word) { return true }
      return false
    }
  }

  /// `detail` of an image.
  var takesDetail: Bool { wire == .chat }
  /// `cache_control` as it is, or as a cache point.
  var takesCacheControl: Bool { isClaude }
  var takesSystemAnywhere: Bool { wire == .chat }
  var takesThoughts: Bool { wire == .converse && isClaude }
  var takesSignatureOfCall: Bool { wire == .gemini }
  var takesPenalties: Bool { wire == .gemini }
  var takesSeed: Bool { wire == .gemini }
  var takesTopK: Bool { wire == .gemini || isClaude }
  var takesSeveralAnswers: Bool { false }
  var takesFileName: Bool { wire == .chat || wire == .messages }
  var takesContext: Bool { wire == .messages || wire == .converse }
  var takesPerson: Bool { wire == .chat || wire == .messages }
  var takesAudio: Bool { wire == .chat || wire == .gemini }
  var takesFileAddress: Bool { wire == .messages || wire == .gemini }
  var takesImageAddress: Bool { wire != .converse }
  var takesStrictTool: Bool { wire != .gemini }
  var takesCustomTool: Bool { wire == .chat }
  /// Blank texts are refused there, and say nothing.
  let refusesBlankText: Bool
  var mostStops: Int {
    switch wire {
    case .chat: 4
    case .gemini: 5
    default: .max
    }
  }
}
