/// A chat request, read as carefully as its vendor reads it.
struct ChatRequest {
  private(set) var prompt: Prompt

  private static let roles: Set<String> = ["developer", "system", "user", "assistant", "tool", "function"]
  /// What Mistral knows; anything else is answered with 422.
  private static let mistralMembers: Set<String> = [
    "model", "messages", "temperature", "top_p", "max_tokens", "stream", "stop", "random_seed", "response_format",
    "tools", "tool_choice", "presence_penalty", "frequency_penalty", "n", "prediction", "parallel_tool_calls",
    "prompt_mode", "reasoning_effort", "safe_prompt", "metadata", "prompt_cache_key",
  ]
  private static let foreign: Set<String> = [
    "system", "input", "instructions", "stop_sequences", "top_k", "thinking", "max_output_tokens", "contents",
    "generationConfig", "tool_config",
  ]

  /// - Parameter model: The model of the path, where a deployment stands for it.
  init(_ json: JSONValue, _ vendor: Vendor, model: String? = nil) throws(Refused) {
    guard let name = model ?? json["model"]?.text, !name.isEmpty else {
      throw .invalid("you must provide a model parameter", param: "model")
    }
    prompt = Prompt(model: name)
    if vendor == .mistral, let name = json.unknownMember(Self.mistralMembers) {
      throw Refused(status: 422, message: "Extra inputs are not permitted", param: name)
    }
    // Others run models whose settings go by these names.
    if vendor == .openAI || vendor == .azure, let name = json.foreignMember(Self.foreign) {
      throw .invalid("Unrecognized request argument supplied: \(name)", param: name, code: "unknown_parameter")
    }
    let highest: Double = vendor == .mistral ? 1.5 : 2
    if let temperature = json["temperature"], !(0...highest).contains(temperature.number ?? -1) {
      throw .invalid("Invalid 'temperature': expected a value from 0 to \(highest).", param: "temperature")
    }
    prompt.isStream = json["stream"]?.flag ?? false
    prompt.wantsUsage = json["stream_options"]?["include_usage"]?.flag ?? false
    for name in ["max_tokens", "max_completion_tokens"] {
      guard let limit = json[name] else { continue }
      guard let tokens = limit.integer, tokens >= 0 else { throw .invalid("Invalid '\(name)'.", param: name) }
      prompt.tokenLimit = min(prompt.tokenLimit ?? tokens, tokens)
    }
    prompt.stops = json["stop"]?.elements?.compactMap(\.bytes) ?? json["stop"]?.bytes.map { [$0] } ?? []
    if prompt.stops.count > 4 { throw .invalid("Invalid 'stop': at most 4 sequences.", param: "stop") }
    try readTools(json["tools"])
    try readMessages(json["messages"], vendor)
  }

  private mutating func readTools(_ tools: JSONValue?) throws(Refused) {
    for (index, tool) in (tools?.elements ?? []).enumerated() {
      guard let type = tool["type"]?.text else {
        throw .invalid("Missing required parameter: 'tools[\(index)].type'.", param: "tools[\(index)].type")
      }
      guard type == "function" else { continue }
      guard let name = tool["function"]?["name"]?.text, MessagesRequest.isName(name, longest: 64) else {
        throw .invalid("Missing or invalid 'tools[\(index)].function.name'.", param: "tools[\(index)].function.name")
      }
      prompt.tools.append(Array(name.utf8))
    }
  }

  private mutating func readMessages(_ messages: JSONValue?, _ vendor: Vendor) throws(Refused) {
    guard let elements = messages?.elements, !elements.isEmpty else {
      throw .invalid("Missing required parameter: 'messages'.", param: "messages", code: "missing_required_parameter")
    }
    var open: [String] = []
    var results: [UInt8]?
    for (index, message) in elements.enumerated() {
      let place = "messages[\(index)]"
      guard let role = message["role"]?.text, Self.roles.contains(role) else {
        throw .invalid("Invalid value for '\(place).role'.", param: "\(place).role", code: "invalid_value")
      }
      let text = try Self.text(of: message["content"], place)
      prompt.countedBytes += text.count
      if role == "tool" {
        guard let id = message["tool_call_id"]?.text, let at = open.firstIndex(of: id) else {
          throw .invalid(
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
            param: "\(place).role")
        }
        open.remove(at: at)
        results = (results ?? []) + text
        continue
      }
      if let missing = open.first {
        throw .invalid(
          "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
            + "The following tool_call_ids did not have response messages: \(missing)", param: "messages")
      }
      results = nil
      if role == "user" { prompt.userText = text }
      if role == "assistant" { open = try Self.calls(message, place, vendor) }
    }
    if let missing = open.first {
      throw .invalid("The tool call \(missing) has no tool message that answers it.", param: "messages")
    }
    if vendor == .mistral, elements.last?["role"]?.text == "assistant", elements.last?["prefix"]?.flag != true {
      throw .invalid("Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant")
    }
    prompt.resultText = results
  }

  /// The ids of a message's calls.
  private static func calls(_ message: JSONValue, _ place: String, _ vendor: Vendor) throws(Refused) -> [String] {
    var ids: [String] = []
    for (index, call) in (message["tool_calls"]?.elements ?? []).enumerated() {
      let place = "\(place).tool_calls[\(index)]"
      guard let id = call["id"]?.text, let function = call["function"], function["name"]?.text != nil,
        function["arguments"]?.bytes != nil, !ids.contains(id)
      else { throw .invalid("Missing required parameter in '\(place)'.", param: place) }
      if vendor == .mistral, id.utf8.count != 9 || !id.utf8.allSatisfy({ $0 != 0x5F && $0 != 0x2D }) {
        throw .invalid("Tool call id was \(id) but must be a-z, A-Z, 0-9, with a length of 9.")
      }
      if vendor == .geminiChat, index == 0 {
        let mark = call["extra_content"]?["google"]?["thought_signature"]?.text
        guard mark.map({ OpaqueMark.isGenuine($0, over: function["name"]?.bytes ?? []) }) ?? false else {
          throw .invalid("Function call is missing a thought_signature in functionCall parts.")
        }
      }
      ids.append(id)
    }
    return ids
  }

  /// The text of a content: a string, or the texts of its parts.
  private static func text(of content: JSONValue?, _ place: String) throws(Refused) -> [UInt8] {
    guard let content else { return [] }
    if let text = content.bytes { return text }
    guard let parts = content.elements else {
      throw .invalid("Invalid type for '\(place).content'.", param: "\(place).content", code: "invalid_type")
    }
    var text: [UInt8] = []
    for (index, part) in parts.enumerated() {
      if let type = part["type"]?.text,
        ["input_text", "output_text", "input_image", "tool_use", "tool_result"].contains(type)
      {
        throw .invalid(
          "Invalid value: '\(type)'.", param: "\(place).content[\(index)].type", code: "invalid_value")
      }
      text += part["text"]?.bytes ?? []
    }
    return text
  }
}
