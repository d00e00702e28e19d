/// A Gemini request, refused where the real API refuses.
///
/// Its JSON is that of a protocol buffer, so every unknown name is an error.
struct GenerateRequest {
  private(set) var prompt: Prompt

  private static let members: Set<String> = [
    "contents", "systemInstruction", "system_instruction", "tools", "toolConfig", "tool_config", "safetySettings",
    "safety_settings", "generationConfig", "generation_config", "cachedContent", "cached_content", "labels", "model",
    "store", "serviceTier",
  ]
  private static let configMembers: Set<String> = [
    "temperature", "topP", "topK", "maxOutputTokens", "stopSequences", "candidateCount", "responseMimeType",
    "responseSchema", "responseJsonSchema", "seed", "presencePenalty", "frequencyPenalty", "responseLogprobs",
    "logprobs",
    "responseModalities", "thinkingConfig", "speechConfig", "mediaResolution", "enableEnhancedCivicAnswers",
    "imageConfig", "routingConfig", "audioTimestamp",
  ]

  /// - Parameters:
  ///   - model: The model of the path.
  ///   - isStream: Whether the path asks for a stream.
  init(_ json: JSONValue, model: String, isStream: Bool) throws(Refused) {
    prompt = Prompt(model: model)
    prompt.isStream = isStream
    prompt.showsThinking = false
    if let name = json.unknownMember(Self.members) { throw Self.unknown(name, "") }
    try readConfig(json["generationConfig"] ?? json["generation_config"])
    try readTools(json["tools"])
    try checkToolConfig(json["toolConfig"] ?? json["tool_config"])
    if let system = json["systemInstruction"] ?? json["system_instruction"] {
      guard let parts = system["parts"]?.elements else { throw .invalid("systemInstruction.parts must not be empty") }
      prompt.countedBytes += parts.reduce(0) { $0 + ($1["text"]?.bytes?.count ?? 0) }
    }
    var turns = GenerateTurns()
    try turns.read(json["contents"])
    prompt.userText = turns.userText
    prompt.resultText = turns.resultText
    prompt.missingMark = turns.missingMark
    prompt.countedBytes += turns.countedBytes
  }

  static func unknown(_ name: String, _ place: String) -> Refused {
    .invalid(
      "Invalid JSON payload received. Unknown name \"\(name)\"\(place.isEmpty ? "" : " at '\(place)'"): Cannot find field."
    )
  }

  private mutating func readConfig(_ config: JSONValue?) throws(Refused) {
    guard let config else { return }
    if let name = config.unknownMember(Self.configMembers) { throw Self.unknown(name, "generation_config") }
    if let value = config["temperature"], !(0...2).contains(value.number ?? -1) {
      throw .invalid(
        "* GenerateContentRequest.generation_config.temperature: temperature must be in the range [0.0, 2.0].")
    }
    if let value = config["maxOutputTokens"] {
      guard let tokens = value.integer, tokens >= 1 else { throw .invalid("max_output_tokens must be positive.") }
      prompt.tokenLimit = tokens
    }
    if let stops = config["stopSequences"] {
      prompt.stops = stops.elements?.compactMap(\.bytes) ?? []
      guard let count = stops.elements?.count, count <= 5, prompt.stops.count == count else {
        throw .invalid("The maximum number of stop sequences is 5.")
      }
    }
    if let thinking = config["thinkingConfig"] {
      if let name = thinking.unknownMember(["includeThoughts", "thinkingBudget", "thinkingLevel"]) {
        throw Self.unknown(name, "generation_config.thinking_config")
      }
      if thinking["thinkingBudget"] != nil, thinking["thinkingLevel"] != nil {
        throw .invalid("You can only set only one of thinking budget and thinking level.")
      }
      prompt.showsThinking = thinking["includeThoughts"]?.flag ?? false
    }
    if config["responseSchema"] != nil, config["responseJsonSchema"] != nil {
      throw .invalid("Only one of response_schema and response_json_schema may be set.")
    }
    if let schema = config["responseSchema"] { try GenerateSchema.check(schema, "generation_config.response_schema") }
  }

  private mutating func readTools(_ tools: JSONValue?) throws(Refused) {
    for (index, tool) in (tools?.elements ?? []).enumerated() {
      if let name = tool.foreignMember(["type", "function", "name", "input_schema"]) {
        throw Self.unknown(name, "tools[\(index)]")
      }
      let declarations = tool["functionDeclarations"] ?? tool["function_declarations"]
      for (number, declaration) in (declarations?.elements ?? []).enumerated() {
        let place = "tools[\(index)].function_declarations[\(number)]"
        let known: Set<String> = [
          "name", "description", "parameters", "parametersJsonSchema", "parameters_json_schema", "response",
          "responseJsonSchema", "behavior",
        ]
        if let name = declaration.unknownMember(known) { throw Self.unknown(name, place) }
        guard let name = declaration["name"]?.bytes, !name.isEmpty else {
          throw .invalid("* GenerateContentRequest.\(place).name: Invalid function name.")
        }
        if let parameters = declaration["parameters"] {
          if declaration["parametersJsonSchema"] != nil {
            throw .invalid("\(place): only one of parameters and parameters_json_schema may be set.")
          }
          try GenerateSchema.check(parameters, "\(place).parameters")
        }
        prompt.tools.append(name)
      }
    }
  }

  private func checkToolConfig(_ config: JSONValue?) throws(Refused) {
    guard let config else { return }
    let known: Set<String> = [
      "functionCallingConfig", "function_calling_config", "retrievalConfig", "includeServerSideToolInvocations",
    ]
    if let name = config.unknownMember(known) { throw Self.unknown(name, "tool_config") }
    guard let calling = config["functionCallingConfig"] ?? config["function_calling_config"] else { return }
    let mode = calling["mode"]?.text ?? "AUTO"
    guard ["AUTO", "ANY", "NONE", "VALIDATED"].contains(mode) else {
      throw .invalid("Invalid value at 'tool_config.function_calling_config.mode': \"\(mode)\"")
    }
    if calling["allowedFunctionNames"] != nil, mode != "ANY", mode != "VALIDATED" {
      throw .invalid("Function calling config is set without ANY or VALIDATED mode, but allowed_function_names is set.")
    }
  }
}

/// The subset of JSON schema that Gemini's `parameters` and `responseSchema` are.
enum GenerateSchema {
  private static let members: Set<String> = [
    "type", "format", "title", "description", "nullable", "enum", "maxItems", "minItems", "properties", "required",
    "minProperties", "maxProperties", "minLength", "maxLength", "pattern", "example", "anyOf", "propertyOrdering",
    "default", "items", "minimum", "maximum",
  ]

  static func check(_ schema: JSONValue, _ place: String) throws(Refused) {
    if let name = schema.unknownMember(members) { throw GenerateRequest.unknown(name, place) }
    // A list of types is JSON schema's way to say nullable; here a type is one word.
    if let type = schema["type"], type.text == nil {
      throw .invalid("Proto field is not repeating, cannot start list: \(place).type")
    }
    for property in schema["properties"]?.members ?? [] { try check(property.value, "\(place).properties") }
    if let items = schema["items"] { try check(items, "\(place).items") }
    for choice in schema["anyOf"]?.elements ?? [] { try check(choice, "\(place).any_of") }
  }
}
