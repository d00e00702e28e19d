import NIOCore

/// `/v1/audio/speech`: bytes that are no audio, but hold what was to be spoken.
enum Speech {
  static func prompt(_ json: JSONValue) throws(Refused) -> Prompt {
    guard let model = json["model"]?.text, json["voice"] != nil, let input = json["input"]?.bytes, !input.isEmpty else {
      throw .invalid("'model', 'voice' and 'input' are required.", param: "input")
    }
    guard input.count <= 16_384 else { throw .invalid("'input' is too long.", param: "input") }
    var prompt = Prompt(model: model)
    prompt.userText = input
    prompt.countedBytes = input.count
    return prompt
  }

  /// The real one says no usage and charges for what was to be spoken.
  static func answer(_ prompt: Prompt, _ userText: [UInt8]) -> WholeAnswer {
    var body = ByteBuffer()
    body.writeBytes([0xFF, 0xFB, 0x00, 0x80])
    body.writeBytes(userText)
    body.writeBytes([0x00, 0xC3, 0x28, 0xFF])
    return WholeAnswer(
      body: body, type: "audio/mpeg", vendor: .openAI,
      charge: MockUsage(promptTokens: prompt.promptTokens, completionTokens: 0))
  }
}
