/// A Messages request, refused where the real API refuses: a translation that is wrong shall not pass here.
///
/// Members that nobody knows pass (newer clients send them); those of OpenAI's dialect do not.
struct MessagesRequest {
  private(set) var prompt: Prompt
  private let isNewVersion: Bool

  private static let versions: Set<String> = ["2023-06-01", "2026-10-21"]
  private static let foreign: Set<String> = [
    "input", "instructions", "max_completion_tokens", "max_output_tokens", "n", "seed", "logit_bias", "logprobs",
    "top_logprobs", "frequency_penalty", "presence_penalty", "response_format", "stop", "stream_options", "user",
    "parallel_tool_calls", "reasoning_effort", "reasoning", "verbosity", "functions", "function_call", "store",
    "modalities", "safety_identifier", "prompt_cache_key", "contents", "generationConfig",
  ]

  /// - Parameter isCount: Whether tokens are only to be counted; then no limit is needed.
  init(_ json: JSONValue, fields: [String: String], isCount: Bool) throws(Refused) {
    guard let version = fields["anthropic-version"] else {
      throw .invalid("anthropic-version: header is required")
    }
    guard Self.versions.contains(version) else {
      throw .invalid("anthropic-version: \"\(version)\" is not a valid version")
    }
    isNewVersion = version == "2026-10-21"
    guard let model = json["model"]?.text, !model.isEmpty else { throw .invalid("model: Field required") }
    prompt = Prompt(model: model)
    if let name = json.foreignMember(Self.foreign) { throw .invalid("\(name): Extra inputs are not permitted") }
    if isCount { prompt.tokenLimit = nil } else { try readLimit(json) }
    try checkSampling(json)
    try checkThinking(json)
    prompt.isStream = json["stream"]?.flag ?? false
    if let stops = json["stop_sequences"] {
      guard let elements = stops.elements else { throw .invalid("stop_sequences: Input should be a valid array") }
      for stop in elements {
        guard let text = stop.bytes, text.contains(where: { $0 > 0x20 }) else {
          throw .invalid("stop_sequences: each stop sequence must contain non-whitespace")
        }
        prompt.stops.append(text)
      }
    }
    try readSystem(json)
    try readTools(json)
    var turns = MessagesTurns(isNewVersion: isNewVersion)
    try turns.read(json["messages"])
    prompt.userText = turns.userText
    prompt.resultText = turns.resultText
    prompt.countedBytes += turns.countedBytes
    if let metadata = json["metadata"], let name = metadata.unknownMember(["user_id"]) {
      throw .invalid("metadata.\(name): Extra inputs are not permitted")
    }
  }

  private mutating func readLimit(_ json: JSONValue) throws(Refused) {
    guard let limit = json["max_tokens"] else { throw .invalid("max_tokens: Field required") }
    guard let tokens = limit.integer else { throw .invalid("max_tokens: Input should be a valid integer") }
    guard tokens >= 1 else { throw .invalid("max_tokens: must be greater than or equal to 1") }
    prompt.tokenLimit = tokens
  }

  private func checkSampling(_ json: JSONValue) throws(Refused) {
    for name in ["temperature", "top_p", "top_k"] {
      guard let value = json[name] else { continue }
      if isNewVersion { throw .invalid("\(name): Extra inputs are not permitted") }
      guard let number = value.number else { throw .invalid("\(name): Input should be a valid number") }
      if name != "top_k", !(0...1).contains(number) { throw .invalid("\(name): range: 0..1") }
      if name == "top_k", value.integer ?? -1 < 0 { throw .invalid("top_k: Input should be a valid integer") }
    }
  }

  private func checkThinking(_ json: JSONValue) throws(Refused) {
    guard let thinking = json["thinking"] else { return }
    switch thinking["type"]?.text {
    case "enabled":
      guard let budget = thinking["budget_tokens"]?.integer else {
        throw .invalid("thinking.enabled.budget_tokens: Field required")
      }
      guard budget >= 1_024 else {
        throw .invalid("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
      }
      guard budget < prompt.tokenLimit ?? .max else {
        throw .invalid("`max_tokens` must be greater than `thinking.budget_tokens`.")
      }
      if let temperature = json["temperature"]?.number, temperature != 1 {
        throw .invalid("`temperature` may only be set to 1 when thinking is enabled.")
      }
      if ["any", "tool"].contains(json["tool_choice"]?["type"]?.text) {
        throw .invalid("Thinking may not be enabled when tool_choice forces tool use.")
      }
    case "adaptive", "disabled": break
    default: throw .invalid("thinking: Input tag does not match any of the expected tags: adaptive, disabled, enabled")
    }
  }

  private mutating func readSystem(_ json: JSONValue) throws(Refused) {
    guard let system = json["system"] else { return }
    if let text = system.bytes {
      prompt.countedBytes += text.count
      return
    }
    guard let blocks = system.elements else { throw .invalid("system: Input should be a valid string or array") }
    for (index, block) in blocks.enumerated() {
      guard block["type"]?.text == "text", let text = block["text"]?.bytes else {
        throw .invalid("system.\(index): Input should be a text block")
      }
      if text.isEmpty { throw .invalid("system: text content blocks must be non-empty") }
      prompt.countedBytes += text.count
    }
  }

  private mutating func readTools(_ json: JSONValue) throws(Refused) {
    if let choice = json["tool_choice"] {
      guard let type = choice["type"]?.text, ["auto", "any", "tool", "none"].contains(type) else {
        throw .invalid("tool_choice: Input does not match any of the expected tags: auto, any, tool, none")
      }
      if type == "tool", choice["name"]?.text == nil { throw .invalid("tool_choice.tool.name: Field required") }
      if json["tools"] == nil { throw .invalid("tool_choice may only be specified while providing tools") }
    }
    guard let tools = json["tools"] else { return }
    guard let elements = tools.elements else { throw .invalid("tools: Input should be a valid array") }
    for (index, tool) in elements.enumerated() {
      guard let name = tool["name"]?.text else { throw .invalid("tools.\(index).custom.name: Field required") }
      // Tools of Anthropic's own have a dated type and no schema.
      guard ["custom", nil].contains(tool["type"]?.text) else { continue }
      guard Self.isName(name, longest: 128) else {
        throw .invalid("tools.\(index).custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'")
      }
      if let foreign = tool.foreignMember(["function", "parameters"]) {
        throw .invalid("tools.\(index).custom.\(foreign): Extra inputs are not permitted")
      }
      guard tool["input_schema"]?["type"]?.text == "object" else {
        throw .invalid("tools.\(index).custom.input_schema.type: Input should be 'object'")
      }
      prompt.tools.append(Array(name.utf8))
    }
  }

  /// Whether `text` is one of the names that tools and their calls may have.
  static func isName(_ text: String, longest: Int) -> Bool {
    (1...longest).contains(text.utf8.count)
      && text.utf8.allSatisfy {
        switch $0 {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D: true
        default: false
        }
      }
  }
}
