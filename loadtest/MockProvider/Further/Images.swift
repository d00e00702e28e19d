import NIOCore

/// `/v1/images/generations`: pictures that are no pictures, with the usage of the models that report it.
enum Images {
  /// What a picture costs, whatever its size.
  static let tokensEach = 272

  static func prompt(_ json: JSONValue) throws(Refused) -> Prompt {
    guard let text = json["prompt"]?.bytes, !text.isEmpty else {
      throw .invalid("Missing required parameter: 'prompt'.", param: "prompt", code: "missing_required_parameter")
    }
    let count = json["n"] == nil ? 1 : json["n"]?.integer ?? 0
    guard (1...10).contains(count) else { throw .invalid("Invalid 'n'.", param: "n") }
    var prompt = Prompt(model: json["model"]?.text ?? "gpt-image-1")
    prompt.userText = text
    prompt.countedBytes = text.count
    prompt.choices = count
    return prompt
  }

  static func answer(_ script: Script, _ prompt: Prompt, _ userText: [UInt8]) -> WholeAnswer {
    var body = ByteBuffer()
    body.writeString("{\"created\":\(AnswerIdentity.created),\"data\":[")
    for index in 0..<prompt.choices {
      if index > 0 { body.writeStaticString(",") }
      body.writeStaticString("{\"b64_json\":\"")
      Base64Text.write(Array("picture \(index)".utf8)[...], into: &body)
      body.writeStaticString("\",\"revised_prompt\":")
      body.writeQuoted(userText)
      body.writeStaticString("}")
    }
    body.writeStaticString("]")
    let output = Self.tokensEach * prompt.choices
    if script.reportsUsage {
      let input = prompt.promptTokens
      body.writeString(",\"usage\":{\"input_tokens\":\(input),\"input_tokens_details\":{\"text_tokens\":\(input),")
      body.writeString("\"image_tokens\":0},\"output_tokens\":\(output),\"total_tokens\":\(input + output)}")
    }
    body.writeStaticString("}")
    return WholeAnswer(
      body: body, vendor: .openAI, charge: MockUsage(promptTokens: prompt.promptTokens, completionTokens: output))
  }
}
