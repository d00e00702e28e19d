import NIOCore

/// `/v1/moderations`: a result for each input; the scripts `mock-refusal` and `mock-blocked` flag them all. It is free.
enum Moderations {
  private static let categories = ["harassment", "hate", "illicit", "self-harm", "sexual", "violence"]

  static func prompt(_ json: JSONValue) throws(Refused) -> Prompt {
    guard let input = json["input"] else {
      throw .invalid("Missing required parameter: 'input'.", param: "input", code: "missing_required_parameter")
    }
    var prompt = Prompt(model: json["model"]?.text ?? "omni-moderation-latest")
    if let text = input.bytes {
      prompt.choiceTexts = [text]
    } else {
      guard let elements = input.elements, !elements.isEmpty, elements.count <= 1_024 else {
        throw .invalid("Invalid 'input'.", param: "input")
      }
      // Parts of one input are one input; strings are as many as they are.
      if elements.allSatisfy({ $0["type"] != nil }) {
        prompt.choiceTexts = [elements.flatMap { $0["text"]?.bytes ?? [] }]
      } else {
        prompt.choiceTexts = elements.compactMap(\.bytes)
        guard prompt.choiceTexts.count == elements.count else { throw .invalid("Invalid 'input'.", param: "input") }
      }
    }
    prompt.userText = prompt.choiceTexts.last ?? []
    return prompt
  }

  static func answer(_ script: Script, _ prompt: Prompt, _ identity: ReplyIdentity) -> WholeAnswer {
    let isFlagged = script.kind == .refusal || script.kind == .blocked
    let flags = categories.map { "\"\($0)\":\(isFlagged)" }.joined(separator: ",")
    let scores = categories.map { "\"\($0)\":\(isFlagged ? 0.97 : 0.01)" }.joined(separator: ",")
    let result = "{\"flagged\":\(isFlagged),\"categories\":{\(flags)},\"category_scores\":{\(scores)}}"
    var body = ByteBuffer()
    body.writeString("{\"id\":\"modr-mock\(identity.number)\",\"model\":")
    body.writeQuoted(identity.model)
    body.writeStaticString(",\"results\":[")
    body.writeString(prompt.choiceTexts.map { _ in result }.joined(separator: ","))
    body.writeStaticString("]}")
    return WholeAnswer(body: body, vendor: .openAI)
  }
}
