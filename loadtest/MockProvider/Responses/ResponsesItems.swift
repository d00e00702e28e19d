/// The input of a Responses request: a text, or items in order. Items of a type that nobody knows pass.
struct ResponsesItems {
  let isStored: Bool
  private(set) var userText: [UInt8] = []
  private(set) var resultText: [UInt8]?
  private(set) var countedBytes = 0

  init(isStored: Bool) { self.isStored = isStored }

  mutating func read(_ input: JSONValue?) throws(Refused) {
    guard let input else {
      throw .invalid("Missing required parameter: 'input'.", param: "input", code: "missing_required_parameter")
    }
    if let text = input.bytes {
      userText = text
      countedBytes = text.count
      return
    }
    guard let items = input.elements, !items.isEmpty else {
      throw .invalid("Invalid type for 'input': expected a string or items.", param: "input", code: "invalid_type")
    }
    var open: [String] = []
    for (index, item) in items.enumerated() {
      let place = "input[\(index)]"
      guard item.members != nil else {
        throw .invalid("Invalid type for '\(place)'.", param: place, code: "invalid_type")
      }
      let type = item["type"]?.text ?? "message"
      if type != "function_call_output" { resultText = nil }
      switch type {
      case "message": try readMessage(item, place)
      case "function_call":
        try Self.checkID(item, "fc", place)
        guard let call = item["call_id"]?.text, item["name"]?.text != nil, item["arguments"]?.bytes != nil else {
          throw .invalid("Missing required parameter in '\(place)'.", param: place, code: "missing_required_parameter")
        }
        open.append(call)
      case "function_call_output":
        guard let call = item["call_id"]?.text, let at = open.firstIndex(of: call) else {
          throw .invalid(
            "No tool call found for function call output with call_id \(item["call_id"]?.text ?? "").", param: "input")
        }
        open.remove(at: at)
        let text = try Self.output(item["output"], place)
        countedBytes += text.count
        resultText = (resultText ?? []) + text
      case "reasoning": try checkReasoning(item, place)
      case "text", "image_url", "tool_use", "tool_result", "tool", "function":
        throw .invalid("Invalid value: '\(type)'.", param: "\(place).type", code: "invalid_value")
      default: break
      }
    }
    if let call = open.first { throw .invalid("No tool output found for function call \(call).", param: "input") }
  }

  private static func checkID(_ item: JSONValue, _ opening: String, _ place: String) throws(Refused) {
    guard let id = item["id"]?.text, !id.hasPrefix(opening) else { return }
    throw .invalid(
      "Invalid '\(place).id': '\(id)'. Expected an ID that begins with '\(opening)'.", param: "\(place).id",
      code: "invalid_value")
  }

  private static func output(_ output: JSONValue?, _ place: String) throws(Refused) -> [UInt8] {
    if let text = output?.bytes { return text }
    guard let parts = output?.elements else {
      throw .invalid(
        "Missing required parameter: '\(place).output'.", param: "\(place).output", code: "missing_required_parameter")
    }
    return parts.flatMap { $0["text"]?.bytes ?? [] }
  }

  private mutating func readMessage(_ item: JSONValue, _ place: String) throws(Refused) {
    guard let role = item["role"]?.text, ["user", "assistant", "system", "developer"].contains(role) else {
      throw .invalid(
        "Invalid value: '\(item["role"]?.text ?? "")'. Supported values are: 'assistant', 'system', 'developer', and 'user'.",
        param: "\(place).role", code: "invalid_value")
    }
    if let name = item.foreignMember(["tool_calls", "tool_call_id", "name", "refusal", "parts"]) {
      throw .invalid(
        "Unknown parameter: '\(place).\(name)'.", param: "\(place).\(name)", code: "unknown_parameter")
    }
    try Self.checkID(item, "msg", place)
    var text: [UInt8] = []
    if let string = item["content"]?.bytes {
      text = string
    } else {
      guard let parts = item["content"]?.elements else {
        throw .invalid(
          "Missing required parameter: '\(place).content'.", param: "\(place).content",
          code: "missing_required_parameter")
      }
      let known: Set<String> =
        role == "assistant"
        ? ["output_text", "refusal"]
        : ["input_text", "input_image", "input_file", "input_audio", "computer_screenshot", "summary_text"]
      for (index, part) in parts.enumerated() {
        guard let type = part["type"]?.text, known.contains(type) else {
          throw .invalid(
            "Invalid value: '\(part["type"]?.text ?? "")'. Supported values are: '\(known.sorted().joined(separator: "', '"))'.",
            param: "\(place).content[\(index)]", code: "invalid_value")
        }
        text += part["text"]?.bytes ?? []
      }
    }
    countedBytes += text.count
    if role == "user" { userText = text }
  }

  /// What is not stored must come back whole; what is sealed must come back unaltered.
  private func checkReasoning(_ item: JSONValue, _ place: String) throws(Refused) {
    try Self.checkID(item, "rs", place)
    guard item["summary"]?.elements != nil else {
      throw .invalid(
        "Missing required parameter: '\(place).summary'.", param: "\(place).summary", code: "missing_required_parameter"
      )
    }
    guard let sealed = item["encrypted_content"]?.text else {
      guard !isStored else { return }
      throw Refused(
        status: 404,
        message: "Item '\(item["id"]?.text ?? "")' not found. Items are not persisted when `store` is set to false.",
        param: "input")
    }
    guard OpaqueMark.isGenuine(sealed: sealed) else {
      throw .invalid("The encrypted content could not be verified.", code: "invalid_encrypted_content")
    }
  }
}
