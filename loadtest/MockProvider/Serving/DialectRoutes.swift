import NIOCore

/// Every dialect but plain chat: read as the real provider reads, answered by the script of the model's name.
extension ConnectionHandler {
  /// - Parameter script: What the caller has read already; nil to take it from the model's name.
  func dialect(
    _ context: ChannelHandlerContext, _ arrival: Arrival, _ operation: Operation, _ vendor: Vendor, script: Script?
  ) {
    do {
      try Credentials.check(arrival, vendor)
      if vendor == .bedrock { try signature?.check(arrival, service: "bedrock") }
      try answerDialect(context, arrival, operation, vendor, script)
    } catch {
      refuse(context, error, vendor, number: arrival.number, keepsAlive: arrival.head.keepsAlive)
    }
  }

  private func answerDialect(
    _ context: ChannelHandlerContext, _ arrival: Arrival, _ operation: Operation, _ vendor: Vendor, _ known: Script?
  ) throws(Refused) {
    let json = try arrival.json()
    let prompt = try Self.prompt(json, arrival, operation, vendor)
    var script = known ?? Script(model: prompt.model)
    var userText = prompt.userText
    if let directive = Directive(userText) {
      if known == nil { script.apply(settings: directive.settings) }
      userText = directive.text
    }
    if known == nil {
      if let settings = arrival.fields["x-mock"] { script.apply(settings: settings) }
      if let failures = script.failures, !journal.fails(model: prompt.model, limit: failures) { script.kind = .echo }
    }
    if let refused = VendorError.blocked(script, vendor) { throw refused }
    if script.kind == .thinking, let refused = prompt.missingMark { throw refused }
    let reply = Reply(script, prompt, userText: userText, body: Array(arrival.body.readableBytesView))
    let identity = ReplyIdentity(number: arrival.number, model: prompt.model)
    let turn = Turn(
      script: script, content: Self.content(operation, vendor, reply, identity, prompt, json, arrival.body, script),
      number: arrival.number, isStream: prompt.isStream,
      keepsAlive: arrival.head.keepsAlive && !(arrival.head.isHTTP10 && prompt.isStream),
      isHTTP10: arrival.head.isHTTP10)
    after(script.waitMilliseconds, context) { self.answer(context, turn) }
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
    case .converse(let model, let isStream): try ConverseRequest(json, model: model, isStream: isStream).prompt
    case .countContent(let model):
      try GenerateRequest(json["generateContentRequest"] ?? json, model: model, isStream: false).prompt
    }
  }

  private static func content(
    _ operation: Operation, _ vendor: Vendor, _ reply: Reply, _ identity: ReplyIdentity, _ prompt: Prompt,
    _ json: JSONValue, _ body: ByteBuffer, _ script: Script
  ) -> Turn.Content {
    switch operation {
    case .messages: .reply(MessagesForm(reply, identity))
    case .countTokens, .countContent: .whole(.tokenCount(prompt, vendor))
    case .converse: .reply(ConverseForm(reply, identity))
    case .completions: .reply(CompletionsForm(reply, identity, vendor, wantsUsage: prompt.wantsUsage))
    case .responses: .reply(ResponsesForm(reply, identity, vendor, prompt, json))
    case .generate(_, _, let isEvents):
      .reply(GenerateForm(reply, identity, showsThinking: prompt.showsThinking, isEvents: isEvents))
    case .embeddings: .whole(EmbeddingsRequest.answer(body, script, prompt, vendor))
    case .chat: .reply(ChatForm(reply, identity, vendor, wantsUsage: prompt.wantsUsage))
    }
  }
}
