import NIOCore

/// `/v1/audio/transcriptions`: what the mock "hears" is the prompt, or the name and the size of the file.
struct Transcription {
  private(set) var prompt: Prompt
  private let text: [UInt8]
  private let isText: Bool
  private let audioTokens: Int

  init(_ arrival: Arrival) throws(Refused) {
    let bytes = Array(arrival.body.readableBytesView)
    self = try Self.read(bytes, type: arrival.fields["content-type"])
  }

  private init(prompt: Prompt, text: [UInt8], isText: Bool, audioTokens: Int) {
    self.prompt = prompt
    self.text = text
    self.isText = isText
    self.audioTokens = audioTokens
  }

  private static func read(_ bytes: [UInt8], type: String?) throws(Refused) -> Transcription {
    let form: MultipartForm
    do {
      form = try bytes.withUnsafeBytes { try MultipartForm($0, type: type) }
    } catch {
      throw error as? Refused ?? .invalid("The multipart body could not be parsed.")
    }
    guard let model = form["model"].map({ String(decoding: bytes[$0.content], as: UTF8.self) }), !model.isEmpty else {
      throw .invalid("you must provide a model parameter", param: "model")
    }
    guard let file = form["file"], let name = file.fileName else {
      throw .invalid("Missing required parameter: 'file'.", param: "file")
    }
    let format = form["response_format"].map { String(decoding: bytes[$0.content], as: UTF8.self) } ?? "json"
    guard ["json", "text"].contains(format) else {
      throw .invalid("The mock has response_format json and text.", param: "response_format")
    }
    let hint = form["prompt"].map { Array(bytes[$0.content]) }
    var prompt = Prompt(model: model)
    prompt.userText = hint ?? []
    prompt.countedBytes = hint?.count ?? 0
    return Transcription(
      prompt: prompt, text: hint ?? Array("The mock heard \(file.content.count) bytes of \(name).".utf8),
      isText: format == "text", audioTokens: MockUsage.tokens(inBytes: file.content.count))
  }

  /// Audio counts as prompt: a token for four of its bytes.
  func answer(_ script: Script) -> WholeAnswer {
    let promptTokens = prompt.promptTokens + audioTokens
    let said = MockUsage.tokens(inBytes: text.count)
    let charge = MockUsage(promptTokens: promptTokens, completionTokens: said)
    var body = ByteBuffer()
    if isText {
      body.writeBytes(text)
      return WholeAnswer(body: body, type: "text/plain; charset=utf-8", vendor: .openAI, charge: charge)
    }
    body.writeStaticString("{\"text\":")
    body.writeQuoted(text)
    if script.reportsUsage {
      body.writeString(",\"usage\":{\"type\":\"tokens\",\"input_tokens\":\(promptTokens),\"input_token_details\":")
      body.writeString(
        "{\"text_tokens\":\(prompt.promptTokens),\"audio_tokens\":\(audioTokens)},\"output_tokens\":\(said)")
      body.writeString(",\"total_tokens\":\(promptTokens + said)}")
    }
    body.writeStaticString("}")
    return WholeAnswer(body: body, vendor: .openAI, charge: charge)
  }
}
