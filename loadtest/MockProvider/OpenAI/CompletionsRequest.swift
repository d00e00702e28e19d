/// A request of OpenAI's legacy completions; each prompt has its own choices.
struct CompletionsRequest {
  private(set) var prompt: Prompt

  private static let choiceLimit = 128

  init(_ json: JSONValue) throws(Refused) {
    guard let model = json["model"]?.text, !model.isEmpty else {
      throw .invalid("you must provide a model parameter", param: "model")
    }
    prompt = Prompt(model: model)
    if let name = json.foreignMember(["messages", "input", "tools", "max_completion_tokens", "response_format"]) {
      throw .invalid("Unrecognized request argument supplied: \(name)", param: name, code: "unknown_parameter")
    }
    prompt.isStream = json["stream"]?.flag ?? false
    prompt.wantsUsage = json["stream_options"]?["include_usage"]?.flag ?? false
    prompt.stops = json["stop"]?.elements?.compactMap(\.bytes) ?? json["stop"]?.bytes.map { [$0] } ?? []
    if let limit = json["max_tokens"] {
      guard let tokens = limit.integer, tokens >= 0 else {
        throw .invalid("Invalid 'max_tokens'.", param: "max_tokens")
      }
      prompt.tokenLimit = tokens
    }
    let copies = try Self.count(json, "n") ?? 1
    let made = try Self.count(json, "best_of") ?? copies
    guard made >= copies else { throw .invalid("best_of must be greater than or equal to n.", param: "best_of") }
    if prompt.isStream, made > copies { throw .invalid("best_of cannot be streamed.", param: "best_of") }
    let prompts = try readPrompts(json["prompt"])
    guard prompts.count * copies <= Self.choiceLimit else { throw .invalid("Too many prompts.", param: "prompt") }
    let texts = prompts.flatMap { Array(repeating: $0, count: copies) }
    prompt.choiceTexts = texts
    prompt.choices = texts.count
    prompt.userText = texts.last ?? []
    prompt.repeatsPrompt = json["echo"]?.flag ?? false
    // Tokens are counted once for each answer that was made, shown or not.
    prompt.made = (made, copies)
  }

  private static func count(_ json: JSONValue, _ name: String) throws(Refused) -> Int? {
    guard let value = json[name] else { return nil }
    guard let count = value.integer, (1...choiceLimit).contains(count) else {
      throw .invalid("Invalid '\(name)'.", param: name)
    }
    return count
  }

  /// Texts, or tokens, whose text is their numbers.
  private mutating func readPrompts(_ value: JSONValue?) throws(Refused) -> [[UInt8]] {
    guard let value else { return [Array("<|endoftext|>".utf8)] }
    if let text = value.bytes {
      prompt.countedBytes = text.count
      return [text]
    }
    guard let elements = value.elements, !elements.isEmpty else { throw .invalid("Invalid 'prompt'.", param: "prompt") }
    if elements.allSatisfy({ $0.integer != nil }) { return [tokens(elements)] }
    var texts: [[UInt8]] = []
    for element in elements {
      if let text = element.bytes {
        prompt.countedBytes += text.count
        texts.append(text)
      } else if let inner = element.elements, inner.allSatisfy({ $0.integer != nil }) {
        texts.append(tokens(inner))
      } else {
        throw .invalid("Invalid 'prompt'.", param: "prompt")
      }
    }
    return texts
  }

  private mutating func tokens(_ elements: [JSONValue]) -> [UInt8] {
    prompt.countedTokens += elements.count
    return Array(elements.compactMap { $0.integer.map(String.init) }.joined(separator: " ").utf8)
  }
}
