/// The contents of a Gemini request: calls and their answers belong together by name.
struct GenerateTurns {
  private static let partMembers: Set<String> = [
    "text", "inlineData", "inline_data", "fileData", "file_data", "functionCall", "function_call", "functionResponse",
    "function_response", "executableCode", "codeExecutionResult", "thought", "thoughtSignature", "thought_signature",
    "videoMetadata", "mediaResolution", "partMetadata", "toolCall", "toolResponse",
  ]
  /// A part holds exactly one of these.
  private static let dataMembers: Set<String> = [
    "text", "inlineData", "inline_data", "fileData", "file_data", "functionCall", "function_call", "functionResponse",
    "function_response", "executableCode", "codeExecutionResult", "toolCall", "toolResponse",
  ]

  /// The refusal of a model that thinks, if a call came back without the mark it was sent with.
  private(set) var missingMark: Refused?
  private(set) var userText: [UInt8] = []
  private(set) var resultText: [UInt8]?
  private(set) var countedBytes = 0

  mutating func read(_ contents: JSONValue?) throws(Refused) {
    guard let elements = contents?.elements, !elements.isEmpty else {
      throw .invalid("* GenerateContentRequest.contents: contents is not specified")
    }
    var open: [String] = []
    for (index, content) in elements.enumerated() {
      let place = "contents[\(index)]"
      if let name = content.unknownMember(["role", "parts"]) { throw GenerateRequest.unknown(name, place) }
      let role = content["role"]?.text ?? "user"
      guard role == "user" || role == "model" else { throw .invalid("Please use a valid role: user, model.") }
      guard let parts = content["parts"]?.elements, !parts.isEmpty else {
        throw .invalid("* GenerateContentRequest.\(place).parts: contents.parts must not be empty.")
      }
      var calls: [String] = []
      var responses: [String] = []
      var results: [UInt8] = []
      var texts: [UInt8] = []
      var hasText = false
      for (number, part) in parts.enumerated() {
        try check(part, "\(place).parts[\(number)]")
        if let call = part["functionCall"] ?? part["function_call"] {
          guard role == "model" else { throw .invalid("Function calls belong to the role 'model'.") }
          try check(call, part, isFirst: calls.isEmpty)
          calls.append(call["name"]?.text ?? "")
        }
        if let response = part["functionResponse"] ?? part["function_response"] {
          responses.append(try Self.name(of: response, "\(place).parts[\(number)].function_response"))
          results += Self.text(of: response)
          countedBytes += response["response"]?.textBytes ?? 0
        }
        if let text = part["text"]?.bytes, part["thought"]?.flag != true {
          texts += text
          hasText = true
          countedBytes += text.count
        }
      }
      guard responses.sorted() == (responses.isEmpty && open.isEmpty ? [] : open.sorted()) else {
        throw .invalid(
          "Please ensure that the number of function response parts is equal to the number of function call parts of the "
            + "function call turn.")
      }
      if !calls.isEmpty, index == 0 {
        throw .invalid(
          "Please ensure that function call turn comes immediately after a user turn or after a function response turn."
        )
      }
      open = calls
      if role == "user" {
        if hasText { userText = texts }
        resultText = responses.isEmpty ? nil : results
      }
    }
    guard open.isEmpty else {
      throw .invalid("Please ensure that a function call turn is followed by a function response turn.")
    }
  }

  private func check(_ part: JSONValue, _ place: String) throws(Refused) {
    if let name = part.unknownMember(Self.partMembers) { throw GenerateRequest.unknown(name, place) }
    let data = part.members?.count { Self.dataMembers.contains($0.name) } ?? 0
    guard data == 1 else {
      throw .invalid(
        "* GenerateContentRequest.\(place).data: required oneof field 'data' must have one initialized field")
    }
    if let text = part["text"], text.bytes == nil { throw .invalid("Invalid value at '\(place).text' (TYPE_STRING)") }
  }

  /// Only the first of parallel calls is marked.
  private mutating func check(_ call: JSONValue, _ part: JSONValue, isFirst: Bool) throws(Refused) {
    if let name = call.unknownMember(["id", "name", "args", "partialArgs", "willContinue"]) {
      throw GenerateRequest.unknown(name, "function_call")
    }
    guard let name = call["name"]?.bytes else { throw .invalid("function_call.name: Name cannot be empty.") }
    if let args = call["args"], args.members == nil {
      throw .invalid("Invalid value at 'function_call.args' (type.googleapis.com/google.protobuf.Struct)")
    }
    guard let mark = (part["thoughtSignature"] ?? part["thought_signature"])?.text else {
      if isFirst, missingMark == nil {
        missingMark = .invalid(
          "Function call `\(String(decoding: name, as: UTF8.self))` in the current turn is missing a thought_signature in "
            + "functionCall parts. This is required for tools to work correctly.")
      }
      return
    }
    // Google's own word for a call that no thinking of its made: such a mark is not looked at.
    guard mark == "skip_thought_signature_validator" || OpaqueMark.isGenuine(mark, over: name) else {
      throw .invalid("Corrupted thought signature.")
    }
  }

  private static func name(of response: JSONValue, _ place: String) throws(Refused) -> String {
    if let name = response.unknownMember(["id", "name", "response", "willContinue", "scheduling", "parts"]) {
      throw GenerateRequest.unknown(name, place)
    }
    guard let name = response["name"]?.text, !name.isEmpty else {
      throw .invalid("* GenerateContentRequest.\(place).name: Name cannot be empty.")
    }
    guard response["response"]?.members != nil else {
      throw .invalid("Invalid value at '\(place).response' (type.googleapis.com/google.protobuf.Struct)")
    }
    return name
  }

  /// What a function answered: the strings of its object, one after the other.
  private static func text(of response: JSONValue) -> [UInt8] {
    (response["response"]?.members ?? []).flatMap { $0.value.bytes ?? [] }
  }
}
