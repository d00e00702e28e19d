/// A request of Bedrock's Converse, refused where the real API refuses: unknown members are errors.
struct ConverseRequest {
  private(set) var prompt: Prompt

  private static let members: Set<String> = [
    "messages", "system", "inferenceConfig", "toolConfig", "guardrailConfig", "additionalModelRequestFields",
    "promptVariables", "additionalModelResponseFieldPaths", "requestMetadata", "performanceConfig", "serviceTier",
    "outputConfig",
  ]
  private static let blocks: Set<String> = [
    "text", "image", "document", "video", "audio", "toolUse", "toolResult", "guardContent", "cachePoint",
    "reasoningContent", "citationsContent", "searchResult",
  ]

  init(_ json: JSONValue, model: String, isStream: Bool) throws(Refused) {
    prompt = Prompt(model: model)
    prompt.isStream = isStream
    try Self.check(json, Self.members, "the request")
    if let config = json["inferenceConfig"] {
      try Self.check(config, ["maxTokens", "temperature", "topP", "stopSequences"], "inferenceConfig")
      if let limit = config["maxTokens"] {
        guard let tokens = limit.integer, tokens >= 1 else {
          throw .invalid("Value at 'inferenceConfig.maxTokens' failed to satisfy constraint: at least 1")
        }
        prompt.tokenLimit = tokens
      }
      for name in ["temperature", "topP"] where !(0...1).contains(config[name]?.number ?? 0) {
        throw .invalid("Value at 'inferenceConfig.\(name)' failed to satisfy constraint: from 0 to 1")
      }
      prompt.stops = config["stopSequences"]?.elements?.compactMap(\.bytes) ?? []
    }
    for (index, block) in (json["system"]?.elements ?? []).enumerated() {
      try Self.check(block, ["text", "guardContent", "cachePoint"], "system.\(index)")
      prompt.countedBytes += block["text"]?.bytes?.count ?? 0
    }
    try readTools(json["toolConfig"])
    try readMessages(json["messages"])
  }

  private static func check(_ value: JSONValue, _ known: Set<String>, _ place: String) throws(Refused) {
    guard let name = value.unknownMember(known) else { return }
    throw .invalid("The model returned the following errors: \(place): extraneous key [\(name)] is not permitted")
  }

  private mutating func readTools(_ config: JSONValue?) throws(Refused) {
    guard let config else { return }
    try Self.check(config, ["tools", "toolChoice"], "toolConfig")
    guard let tools = config["tools"]?.elements, !tools.isEmpty else {
      throw .invalid("Value at 'toolConfig.tools' failed to satisfy constraint: at least 1 member")
    }
    for (index, tool) in tools.enumerated() {
      try Self.check(tool, ["toolSpec", "systemTool", "cachePoint"], "toolConfig.tools.\(index)")
      guard let spec = tool["toolSpec"] else { continue }
      try Self.check(spec, ["name", "description", "inputSchema", "strict"], "toolConfig.tools.\(index).toolSpec")
      guard let name = spec["name"]?.text, MessagesRequest.isName(name, longest: 64) else {
        throw .invalid(
          "Value at 'toolConfig.tools.\(index).toolSpec.name' failed to satisfy constraint: [a-zA-Z0-9_-]+")
      }
      guard spec["inputSchema"]?["json"]?.members != nil else {
        throw .invalid("Value at 'toolConfig.tools.\(index).toolSpec.inputSchema.json' must not be null")
      }
      prompt.tools.append(Array(name.utf8))
    }
    if let choice = config["toolChoice"] {
      let isKnown = choice.members?.count == 1 && choice.unknownMember(["auto", "any", "tool"]) == nil
      guard isKnown else { throw .invalid("toolConfig.toolChoice: only one subject of auto, any, tool may be set") }
    }
  }

  private mutating func readMessages(_ messages: JSONValue?) throws(Refused) {
    guard let elements = messages?.elements, !elements.isEmpty else {
      throw .invalid("Value at 'messages' failed to satisfy constraint: at least 1 member")
    }
    var open: [String] = []
    var wasUser: Bool?
    for (index, message) in elements.enumerated() {
      try Self.check(message, ["role", "content"], "messages.\(index)")
      guard let role = message["role"]?.text, role == "user" || role == "assistant" else {
        throw .invalid("Value at 'messages.\(index).role' failed to satisfy constraint: [user, assistant]")
      }
      let isUser = role == "user"
      if index == 0, !isUser { throw .invalid("A conversation must start with a user message.") }
      guard wasUser != isUser else {
        throw .invalid("A conversation must alternate between user and assistant roles.")
      }
      wasUser = isUser
      guard let blocks = message["content"]?.elements, !blocks.isEmpty else {
        throw .invalid("The content field in the Message object at messages.\(index) is empty.")
      }
      open = try readBlocks(blocks, "messages.\(index).content", isUser: isUser, open: open)
    }
    guard wasUser == true else { throw .invalid("The last turn in a conversation must be a user message.") }
  }

  /// - Returns: The ids of the calls that are open afterwards.
  private mutating func readBlocks(
    _ blocks: [JSONValue], _ place: String, isUser: Bool, open: [String]
  ) throws(Refused) -> [String] {
    var calls: [String] = []
    var answered: [String] = []
    var texts: [UInt8]?
    var results: [UInt8]?
    for (number, block) in blocks.enumerated() {
      try Self.check(block, Self.blocks, "\(place).\(number)")
      guard block.members?.count == 1 else { throw .invalid("\(place).\(number): one content type must be set") }
      if let text = block["text"] {
        guard let bytes = text.bytes, !bytes.isEmpty else {
          throw .invalid("The text field in the ContentBlock object at \(place).\(number) is blank.")
        }
        texts = (texts ?? []) + bytes
        prompt.countedBytes += bytes.count
      }
      if let call = block["toolUse"] {
        guard !isUser, let id = call["toolUseId"]?.text, call["name"]?.text != nil, call["input"]?.members != nil else {
          throw .invalid(
            "\(place).\(number).toolUse: toolUseId, name and an object as input are required of an assistant")
        }
        calls.append(id)
      }
      if let result = block["toolResult"] {
        guard isUser, let id = result["toolUseId"]?.text, let content = result["content"]?.elements else {
          throw .invalid("\(place).\(number).toolResult: toolUseId and content are required of a user")
        }
        answered.append(id)
        let text = content.flatMap { $0["text"]?.bytes ?? [] }
        results = (results ?? []) + text
        prompt.countedBytes += text.count
      }
      if let reasoning = block["reasoningContent"]?["reasoningText"] {
        let isGenuine = reasoning["signature"]?.text.map {
          OpaqueMark.isGenuine($0, over: reasoning["text"]?.bytes ?? [])
        }
        guard isGenuine ?? false else { throw .invalid("\(place).\(number): Invalid `signature` in `thinking` block") }
      }
    }
    guard answered.sorted() == open.sorted() else {
      throw .invalid(
        "The number of toolResult blocks at \(place) does not match the number of toolUse blocks of previous turn.")
    }
    if isUser {
      if let texts { prompt.userText = texts }
      prompt.resultText = results
    }
    return calls
  }
}
