/// What is said in answer to a request, before it takes the form of a dialect.
struct Reply {
  struct Part {
    enum Kind: Equatable {
      case text, thinking, refusal
      /// A call of this function; the part's text are its arguments.
      case call([UInt8])
    }
    let kind: Kind
    var text: [UInt8]

    var isCall: Bool { if case .call = kind { true } else { false } }
  }

  /// Why it ends; each dialect has its own word.
  enum End: Equatable {
    case stop, length, calls, refusal, blocked
    case stopSequence([UInt8])
    /// The script's word, as it is.
    case word(String)
    case failed
  }

  private(set) var parts: [Part]
  private(set) var end: End
  private(set) var usage: ReplyUsage
  /// The service tier that it names, in the dialects that have it.
  let tier: String?

  /// - Parameters:
  ///   - userText: The last user message's text, without a directive.
  ///   - body: The request's body as it came.
  init(_ script: Script, _ prompt: Prompt, userText: [UInt8], body: [UInt8]) {
    tier = script.tierWord
    (parts, end) = Self.content(script, prompt, userText: userText, body: body)
    usage = ReplyUsage(prompt: prompt.promptTokens)
    cutAtStops(prompt.stops)
    if let limit = prompt.tokenLimit { cut(toTokens: limit) }
    if let word = script.finishWord { end = .word(word) }
    let (reasoning, said) = Self.tokens(parts)
    usage.reasoning = reasoning / prompt.made.shown * prompt.made.all
    usage.output = usage.reasoning + said / prompt.made.shown * prompt.made.all
    if prompt.repeatsPrompt {
      for (index, text) in zip(parts.indices, prompt.choiceTexts) { parts[index].text = text + parts[index].text }
    }
    usage.cached = min(script.cachedTokens, usage.prompt)
    usage.cacheWrite = min(script.cacheWriteTokens, usage.prompt - usage.cached)
    usage.cacheWriteLong = min(script.cacheWriteLongTokens, usage.prompt - usage.cached - usage.cacheWrite)
    usage.lie = script.usageLie
    usage.isReported = script.reportsUsage
  }

  private static func content(
    _ script: Script, _ prompt: Prompt, userText: [UInt8], body: [UInt8]
  ) -> ([Part], End) {
    switch script.kind {
    case .fixed:
      return (copies(Answer.fixedText(size: max(script.size, script.deltaCount ?? 0)), prompt), .stop)
    case .endless: return (copies(Answer.fixedText(size: max(1, script.size)), prompt), .stop)
    case .body: return (copies(body, prompt), .stop)
    case .tool: return (calls(script, prompt, userText), .calls)
    case .toolOnce:
      guard let result = prompt.resultText else { return (calls(script, prompt, userText), .calls) }
      return ([Part(kind: .text, text: result)], .stop)
    case .thinking:
      let thinking = [Part(kind: .thinking, text: Array("Considering: ".utf8) + userText)]
      if !prompt.tools.isEmpty, prompt.resultText == nil { return (thinking + calls(script, prompt, userText), .calls) }
      return (thinking + [Part(kind: .text, text: prompt.resultText ?? userText)], .stop)
    case .refusal: return ([Part(kind: .refusal, text: Array("I cannot help with: ".utf8) + userText)], .refusal)
    case .blocked: return ([], .blocked)
    case .failed: return ([], .failed)
    default:
      guard !prompt.choiceTexts.isEmpty else { return (copies(userText, prompt), .stop) }
      return (prompt.choiceTexts.map { Part(kind: .text, text: Directive($0)?.text ?? $0) }, .stop)
    }
  }

  private static func copies(_ text: [UInt8], _ prompt: Prompt) -> [Part] {
    Array(repeating: Part(kind: .text, text: text), count: prompt.choices)
  }

  /// Calls of the declared functions in turn, each with the user's text as its argument.
  private static func calls(_ script: Script, _ prompt: Prompt, _ userText: [UInt8]) -> [Part] {
    let names = prompt.tools.isEmpty ? [Array("lookup".utf8)] : prompt.tools
    let arguments = Array("{\"text\":\"".utf8) + JSONStringText.encoded(userText) + Array("\"}".utf8)
    return (0..<max(1, script.calls)).map { Part(kind: .call(names[$0 % names.count]), text: arguments) }
  }

  private mutating func cutAtStops(_ stops: [[UInt8]]) {
    for index in parts.indices where parts[index].kind == .text {
      var first: (at: Int, stop: [UInt8])?
      for stop in stops {
        guard let at = Self.position(of: stop, in: parts[index].text), at < first?.at ?? .max else { continue }
        first = (at, stop)
      }
      guard let first else { continue }
      parts[index].text = Array(parts[index].text[..<first.at])
      end = .stopSequence(first.stop)
    }
  }

  private static func position(of stop: [UInt8], in text: [UInt8]) -> Int? {
    guard !stop.isEmpty, text.count >= stop.count else { return nil }
    return (0...(text.count - stop.count)).first { text[$0..<($0 + stop.count)].elementsEqual(stop) }
  }

  /// Cuts each choice at a whole character, the thinking first; what no token is left for goes away.
  private mutating func cut(toTokens limit: Int) {
    let isOneAnswer = !parts.allSatisfy { $0.kind == .text }
    var left = limit
    var kept: [Part] = []
    var isCut = false
    for var part in parts {
      if !isOneAnswer { left = limit }
      let size = min(part.text.count, Answer.scalarBoundary(in: part.text, atMost: Self.bytes(inTokens: left)))
      if size < part.text.count {
        isCut = true
        part.text = Array(part.text[..<size])
        if size > 0 || !isOneAnswer || kept.isEmpty { kept.append(part) }
        if isOneAnswer { break }
        continue
      }
      kept.append(part)
      left -= MockUsage.tokens(inBytes: size)
    }
    guard isCut else { return }
    parts = kept
    end = .length
  }

  private static func bytes(inTokens tokens: Int) -> Int { tokens > .max / 4 ? .max : max(0, tokens) * 4 }

  /// Tokens of thinking, and of all that is said; each part begins with a token of its own.
  static func tokens(_ parts: [Part]) -> (reasoning: Int, said: Int) {
    var counts = (reasoning: 0, said: 0)
    for part in parts {
      let tokens = MockUsage.tokens(inBytes: part.text.count)
      if part.kind == .thinking { counts.reasoning += tokens } else { counts.said += tokens }
    }
    return counts
  }
}
