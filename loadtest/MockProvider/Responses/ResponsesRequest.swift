/// A Responses request, refused where the real API refuses the shapes of other dialects.
struct ResponsesRequest {
  private(set) var prompt: Prompt

  /// Names of other dialects, with what the real API says of them.
  private static let foreign: [(name: String, hint: String)] = [
    ("messages", "In the Responses API, this parameter has moved to 'input'."),
    ("max_tokens", "In the Responses API, this parameter has moved to 'max_output_tokens'."),
    ("max_completion_tokens", "In the Responses API, this parameter has moved to 'max_output_tokens'."),
    ("response_format", "In the Responses API, this parameter has moved to 'text.format'."),
    ("reasoning_effort", "In the Responses API, this parameter has moved to 'reasoning.effort'."),
    ("verbosity", "In the Responses API, this parameter has moved to 'text.verbosity'."),
    ("functions", "In the Responses API, this parameter has moved to 'tools'."),
    ("function_call", "In the Responses API, this parameter has moved to 'tool_choice'."),
    ("stop", ""), ("stop_sequences", ""), ("n", ""), ("seed", ""), ("logit_bias", ""), ("logprobs", ""),
    ("frequency_penalty", ""), ("presence_penalty", ""), ("system", ""), ("top_k", ""), ("thinking", ""),
    ("contents", ""),
  ]

  init(_ json: JSONValue) throws(Refused) {
    guard let model = json["model"]?.text, !model.isEmpty else {
      throw .invalid("Missing required parameter: 'model'.", param: "model", code: "missing_required_parameter")
    }
    prompt = Prompt(model: model)
    for (name, hint) in Self.foreign where json[name] != nil {
      throw .invalid(
        hint.isEmpty ? "Unknown parameter: '\(name)'." : "Unsupported parameter: '\(name)'. \(hint)", param: name,
        code: hint.isEmpty ? "unknown_parameter" : "unsupported_parameter")
    }
    if let id = json["previous_response_id"]?.text {
      throw .invalid(
        "Previous response with id '\(id)' not found.", param: "previous_response_id",
        code: "previous_response_not_found")
    }
    if let options = json["stream_options"], let name = options.unknownMember(["include_obfuscation"]) {
      throw .invalid(
        "Unknown parameter: 'stream_options.\(name)'.", param: "stream_options.\(name)", code: "unknown_parameter")
    }
    prompt.isStream = json["stream"]?.flag ?? false
    if let limit = json["max_output_tokens"] {
      guard let tokens = limit.integer, tokens >= 16 else {
        throw .invalid(
          "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16.",
          param: "max_output_tokens",
          code: "integer_below_min_value")
      }
      prompt.tokenLimit = tokens
    }
    if let temperature = json["temperature"], !(0...2).contains(temperature.number ?? -1) {
      throw .invalid("Invalid 'temperature'.", param: "temperature", code: "decimal_above_max_value")
    }
    prompt.wantsOpaqueReasoning =
      json["include"]?.elements?.contains { $0.text == "reasoning.encrypted_content" } ?? false
    prompt.countedBytes += json["instructions"]?.bytes?.count ?? 0
    try readTools(json)
    var items = ResponsesItems(isStored: json["store"]?.flag ?? true)
    try items.read(json["input"])
    prompt.userText = items.userText
    prompt.resultText = items.resultText
    prompt.countedBytes += items.countedBytes
  }

  private mutating func readTools(_ json: JSONValue) throws(Refused) {
    for (index, tool) in (json["tools"]?.elements ?? []).enumerated() {
      guard let type = tool["type"]?.text else {
        throw .invalid(
          "Missing required parameter: 'tools[\(index)].type'.", param: "tools[\(index)].type",
          code: "missing_required_parameter")
      }
      guard type == "function" || type == "custom" else { continue }
      guard let name = tool["name"]?.bytes, !name.isEmpty else {
        throw .invalid(
          "Missing required parameter: 'tools[\(index)].name'.", param: "tools[\(index)].name",
          code: "missing_required_parameter")
      }
      if type == "function" { prompt.tools.append(name) }
    }
    if let choice = json["tool_choice"] {
      let isWord = choice.text.map { ["none", "auto", "required"].contains($0) } ?? false
      let isObject = choice["type"] != nil && choice["function"] == nil
      guard isWord || isObject else {
        throw .invalid("Invalid value for 'tool_choice'.", param: "tool_choice", code: "invalid_value")
      }
    }
  }
}
