import NIOCore

/// Makes a ``Turn`` of a request in any dialect; it knows no socket and no clock.
enum DialectTurn {
  /// - Parameters:
  ///   - known: The script, if the caller has read it already; nil to take it from the model's name.
  ///   - fails: Counts a failure of a model, and says whether it is among the first so many.
  static func read(
    _ arrival: Arrival, _ operation: Operation, _ vendor: Vendor, script known: Script?,
    fails: (String, Int) -> Bool
  ) throws(Refused) -> Turn {
    let json = operation == .transcription ? .empty : try arrival.json()
    let prompt = try prompt(json, arrival, operation, vendor)
    var script = known ?? Script(model: prompt.model)
    var userText = prompt.userText
    if let directive = Directive(userText) {
      if known == nil { script.apply(settings: directive.settings) }
      userText = directive.text
    }
    if known == nil {
      if let settings = arrival.fields["x-mock"] { script.apply(settings: settings) }
      if let failures = script.failures, !fails(prompt.model, failures) { script.kind = .echo }
    }
    if let refused = VendorError.blocked(script, vendor) { throw refused }
    if let refused = VendorError.tooLong(prompt.promptTokens, script, vendor) { throw refused }
    if script.kind == .thinking, let refused = prompt.missingMark { throw refused }
    let question = Question(operation: operation, vendor: vendor, prompt: prompt, userText: userText, json: json)
    return Turn(
      script: script, content: try content(question, script, arrival), number: arrival.number,
      isStream: prompt.isStream, keepsAlive: arrival.head.keepsAlive && !(arrival.head.isHTTP10 && prompt.isStream),
      isHTTP10: arrival.head.isHTTP10)
  }

  private static func prompt(
    _ json: JSONValue, _ arrival: Arrival, _ operation: Operation, _ vendor: Vendor
  ) throws(Refused) -> Prompt {
    switch operation {
    case .messages: try MessagesRequest(json, fields: arrival.fields, isCount: false).prompt
    case .countTokens: try MessagesRequest(json, fields: arrival.fields, isCount: true).prompt
    case .chat(let model): try ChatRequest(json, vendor, model: model).prompt
    case .embeddings(let model): try EmbeddingsRequest(json, arrival.body, model: model).prompt
    case .completions: try CompletionsRequest(json).prompt
    case .responses: try ResponsesRequest(json).prompt
    case .generate(let model, let isStream, _): try GenerateRequest(json, model: model, isStream: isStream).prompt
    case .moderations: try Moderations.prompt(json)
    case .transcription: try Transcription(arrival).prompt
    case .speech: try Speech.prompt(json)
    case .images: try Images.prompt(json)
    case .rerank: try Rerank.prompt(json)
    case .converse(let model, let isStream): try ConverseRequest(json, model: model, isStream: isStream).prompt
    case .countContent(let model):
      try GenerateRequest(json["generateContentRequest"] ?? json, model: model, isStream: false).prompt
    }
  }

  /// What was asked, read and with the settings taken off.
  private struct Question {
    let operation: Operation
    let vendor: Vendor
    let prompt: Prompt
    let userText: [UInt8]
    let json: JSONValue
  }

  private static func content(
    _ asked: Question, _ script: Script, _ arrival: Arrival
  ) throws(Refused) -> Turn.Content {
    let (prompt, vendor, userText) = (asked.prompt, asked.vendor, asked.userText)
    let identity = ReplyIdentity(number: arrival.number, model: prompt.model)
    switch asked.operation {
    case .countTokens, .countContent: return .whole(.tokenCount(prompt, vendor))
    case .embeddings: return .whole(EmbeddingsRequest.answer(arrival.body, script, prompt, vendor))
    case .moderations: return .whole(Moderations.answer(script, prompt, identity))
    case .transcription: return .whole(try Transcription(arrival).answer(script))
    case .speech: return .whole(Speech.answer(prompt, userText))
    case .images: return .whole(Images.answer(script, prompt, userText))
    case .rerank: return .whole(Rerank.answer(script, prompt, userText, identity))
    case .messages, .chat, .completions, .responses, .converse, .generate: break
    }
    let reply = Reply(script, prompt, userText: userText, body: Array(arrival.body.readableBytesView))
    switch asked.operation {
    case .messages: return .reply(MessagesForm(reply, identity))
    case .completions: return .reply(CompletionsForm(reply, identity, vendor, wantsUsage: prompt.wantsUsage))
    case .responses: return .reply(ResponsesForm(reply, identity, vendor, prompt, asked.json))
    case .converse: return .reply(ConverseForm(reply, identity))
    case .generate(_, _, let isEvents):
      return .reply(GenerateForm(reply, identity, showsThinking: prompt.showsThinking, isEvents: isEvents))
    default: return .reply(ChatForm(reply, identity, vendor, wantsUsage: prompt.wantsUsage))
    }
  }
}
