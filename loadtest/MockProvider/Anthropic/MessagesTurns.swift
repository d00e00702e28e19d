/// The messages of a Messages request: neighbours of one role are one turn, and calls are answered in the next.
struct MessagesTurns {
  private struct Turn {
    let isUser: Bool
    var blocks: [JSONValue] = []
    /// Whether a message that is a plain string came before any block.
    var beginsWithString = false
  }

  /// Types of blocks that OpenAI's dialects have and this one has not.
  private static let foreignTypes: Set<String> = [
    "image_url", "input_text", "output_text", "input_image", "input_audio", "input_file", "file", "refusal",
    "function", "function_call", "function_call_output", "tool_calls", "reasoning",
  ]
  private static let foreignMembers: Set<String> = [
    "name", "tool_calls", "tool_call_id", "refusal", "reasoning", "reasoning_content", "function_call", "parts",
  ]

  let isNewVersion: Bool
  private(set) var userText: [UInt8] = []
  private(set) var resultText: [UInt8]?
  private(set) var countedBytes = 0

  init(isNewVersion: Bool) { self.isNewVersion = isNewVersion }

  mutating func read(_ messages: JSONValue?) throws(Refused) {
    guard let elements = messages?.elements else { throw .invalid("messages: Field required") }
    guard !elements.isEmpty else { throw .invalid("messages: at least one message is required") }
    var turns: [Turn] = []
    for (index, message) in elements.enumerated() {
      guard let role = message["role"]?.text, role == "user" || role == "assistant" else {
        throw .invalid("messages.\(index).role: Input should be 'user' or 'assistant'")
      }
      if let name = message.foreignMember(Self.foreignMembers) {
        throw .invalid("messages.\(index).\(name): Extra inputs are not permitted")
      }
      if index == 0, role != "user" { throw .invalid("messages: first message must use the \"user\" role") }
      if turns.last?.isUser != (role == "user") { turns.append(Turn(isUser: role == "user")) }
      try readContent(message["content"], index, isLast: index == elements.count - 1, into: &turns[turns.count - 1])
      if role == "user" { takeUserText(message) }
    }
    try checkCalls(turns)
    if let last = turns.last, last.isUser {
      let results = last.blocks.filter { $0["type"]?.text == "tool_result" }
      if !results.isEmpty { resultText = results.flatMap { Self.text(of: $0["content"]) } }
    }
  }

  private mutating func readContent(
    _ content: JSONValue?, _ index: Int, isLast: Bool, into turn: inout Turn
  ) throws(Refused) {
    if let text = content?.bytes {
      if text.isEmpty, turn.isUser || !isLast {
        throw .invalid("messages.\(index): all messages must have non-empty content")
      }
      if turn.blocks.isEmpty { turn.beginsWithString = true }
      countedBytes += text.count
      return
    }
    guard let blocks = content?.elements else {
      throw .invalid("messages.\(index).content: Input should be a valid string or array")
    }
    guard !blocks.isEmpty || (isLast && !turn.isUser) else {
      throw .invalid("messages.\(index): all messages must have non-empty content")
    }
    for (place, block) in blocks.enumerated() {
      try check(block, "messages.\(index).content.\(place)", turn)
      turn.blocks.append(block)
    }
  }

  private mutating func check(_ block: JSONValue, _ place: String, _ turn: Turn) throws(Refused) {
    guard let type = block["type"]?.text else { throw .invalid("\(place).type: Field required") }
    guard !Self.foreignTypes.contains(type) else {
      throw .invalid("\(place): Input tag '\(type)' found using 'type' does not match any of the expected tags")
    }
    switch type {
    case "text":
      guard let text = block["text"]?.bytes else { throw .invalid("\(place).text.text: Field required") }
      if text.isEmpty { throw .invalid("messages: text content blocks must be non-empty") }
      if isNewVersion, turn.isUser, block["citations"]?.elements?.isEmpty == false {
        throw .invalid("\(place).text.citations: Extra inputs are not permitted")
      }
      countedBytes += text.count
    case "document":
      if isNewVersion, !turn.isUser { throw .invalid("\(place): `document` blocks are only allowed in user turns") }
    case "tool_use":
      guard !turn.isUser else { throw .invalid("\(place): `tool_use` blocks can only be in `assistant` messages") }
      guard let id = block["id"]?.text, MessagesRequest.isName(id, longest: 256) else {
        throw .invalid("\(place).tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
      }
      guard let name = block["name"]?.text, MessagesRequest.isName(name, longest: 128) else {
        throw .invalid("\(place).tool_use.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'")
      }
      guard block["input"]?.members != nil else {
        throw .invalid("\(place).tool_use.input: Input should be a valid dictionary")
      }
    case "tool_result":
      guard turn.isUser else { throw .invalid("\(place): `tool_result` blocks can only be in `user` messages") }
      guard block["tool_use_id"]?.text != nil else {
        throw .invalid("\(place).tool_result.tool_use_id: Field required")
      }
      countedBytes += Self.text(of: block["content"]).count
    case "thinking", "redacted_thinking": try checkThinking(block, type, place, turn)
    default: break
    }
  }

  private func checkThinking(
    _ block: JSONValue, _ type: String, _ place: String, _ turn: Turn
  ) throws(Refused) {
    guard !turn.isUser else { throw .invalid("\(place): `\(type)` blocks can only be in `assistant` messages") }
    if block["cache_control"] != nil {
      throw .invalid("\(place).\(type).cache_control: Extra inputs are not permitted")
    }
    let isGenuine: Bool
    if type == "thinking" {
      guard let text = block["thinking"]?.bytes, let signature = block["signature"]?.text else {
        throw .invalid("\(place).thinking.signature: Field required")
      }
      isGenuine = OpaqueMark.isGenuine(signature, over: text)
    } else {
      isGenuine = block["data"]?.text.map(OpaqueMark.isGenuine(sealed:)) ?? false
    }
    guard isGenuine else { throw .invalid("\(place): Invalid `signature` in `\(type)` block") }
  }

  /// Each call has its result at the start of the next turn, and each result its call in the turn before.
  private func checkCalls(_ turns: [Turn]) throws(Refused) {
    var open: [String] = []
    for (index, turn) in turns.enumerated() {
      let results = turn.blocks.compactMap { $0["type"]?.text == "tool_result" ? $0["tool_use_id"]?.text : nil }
      if let stray = results.first(where: { !open.contains($0) }) {
        throw .invalid(
          "messages.\(index): unexpected `tool_use_id` found in `tool_result` blocks: \(stray). Each `tool_result` block "
            + "must have a corresponding `tool_use` block in the previous message.")
      }
      if let missing = open.first(where: { !results.contains($0) }) {
        throw .invalid(
          "messages.\(index): `tool_use` ids were found without `tool_result` blocks immediately after: \(missing).")
      }
      if !results.isEmpty {
        let types = turn.blocks.map { $0["type"]?.text ?? "" }
        let lead = types.prefix { $0 == "tool_result" }.count
        guard lead == results.count, Set(results).count == results.count, !turn.beginsWithString else {
          throw .invalid("messages.\(index): `tool_result` blocks must come first in the content, each id once")
        }
      }
      open = turn.blocks.compactMap { $0["type"]?.text == "tool_use" ? $0["id"]?.text : nil }
    }
    if let call = open.first {
      throw .invalid("`tool_use` ids were found without `tool_result` blocks immediately after: \(call).")
    }
  }

  private mutating func takeUserText(_ message: JSONValue) {
    if let text = message["content"]?.bytes {
      userText = text
      return
    }
    let texts = message["content"]?.elements?.filter { $0["type"]?.text == "text" } ?? []
    // A turn of results alone asks nothing new.
    if !texts.isEmpty { userText = texts.flatMap { $0["text"]?.bytes ?? [] } }
  }

  /// The text of a tool's result: a string, or the texts of its blocks.
  private static func text(of content: JSONValue?) -> [UInt8] {
    content?.bytes ?? content?.elements?.flatMap { $0["text"]?.bytes ?? [] } ?? []
  }
}
