import NIOCore

/// What each route answers.
extension ConnectionHandler {
  func respond(
    _ context: ChannelHandlerContext, _ head: RequestHead, _ headBytes: ByteBuffer, _ body: ByteBuffer
  ) {
    let keepsAlive = head.keepsAlive
    let route = headBytes.withUnsafeReadableBytes { Route(head, $0) }
    switch route {
    case .chat: chat(context, head, headBytes, body)
    case .embeddings: embeddings(context, head, headBytes, body)
    case .models(let vendor):
      let arrival = Arrival(head, headBytes, body, number: journal.record(head: headBytes, body: body))
      let isAnthropic = vendor == .openAI && arrival.hasKey("anthropic-version")
      send(
        context, body: ModelList.body(isAnthropic ? .anthropic : vendor), vendor: isAnthropic ? .anthropic : vendor,
        number: arrival.number, keepsAlive: keepsAlive)
    case .report:
      let last = headBytes.withUnsafeReadableBytes { Route.last(head, $0) }
      send(context, body: JournalEntryText.json(journal.report(last: last)), keepsAlive: keepsAlive)
    case .bill: send(context, body: JournalEntryText.json(journal.bill), keepsAlive: keepsAlive)
    case .reset:
      journal.reset()
      send(context, body: ByteBuffer(string: "{}"), keepsAlive: keepsAlive)
    case .batches(let operation):
      let number = journal.record(head: headBytes, body: body)
      batches(context, operation, Arrival(head, headBytes, body, number: number), headBytes)
    case .dialect(let operation, let vendor):
      let number = journal.record(head: headBytes, body: body)
      dialect(context, Arrival(head, headBytes, body, number: number), operation, vendor, script: nil)
    case .unknown:
      _ = journal.record(head: headBytes, body: body)
      sendError(context, status: 404, message: "The mock has no such route.", keepsAlive: keepsAlive)
    case .wrongMethod:
      _ = journal.record(head: headBytes, body: body)
      sendError(context, status: 405, message: "The mock has this route for another method.", keepsAlive: keepsAlive)
    }
  }

  private func chat(
    _ context: ChannelHandlerContext, _ head: RequestHead, _ headBytes: ByteBuffer, _ body: ByteBuffer
  ) {
    guard let scan = body.withUnsafeReadableBytes({ ChatScan($0) }), let model = scan.model,
      let rawModel = body.getSlice(at: body.readerIndex + model.lowerBound, length: model.count)
    else {
      _ = journal.record(head: headBytes, body: body)
      sendError(
        context, status: 400, message: "We could not parse the JSON body of your request.", keepsAlive: head.keepsAlive)
      return
    }
    if isPrepared(head, scan, body, model) {
      sendPrepared(context, scan, headBytes, body)
      return
    }
    var script = Script(model: String(buffer: rawModel))
    if script.isPrepared, prepared?.rawModel != Array(rawModel.readableBytesView) {
      prepared = PreparedAnswer(rawModel: rawModel)
      if isPrepared(head, scan, body, model) {
        sendPrepared(context, scan, headBytes, body)
        return
      }
    }
    var userText = body.withUnsafeReadableBytes { scan.decodedUserText($0) }
    if let directive = Directive(userText) {
      script.apply(settings: directive.settings)
      userText = directive.text
    }
    if let settings = head.mockSettings,
      let text = headBytes.getString(at: headBytes.readerIndex + settings.lowerBound, length: settings.count)
    {
      script.apply(settings: text)
    }
    let number = journal.record(head: headBytes, body: body)
    guard script.kind == .fixed || RequestValidation.isObject(body) else {
      sendError(context, status: 400, message: "The request body is not valid JSON.", keepsAlive: head.keepsAlive)
      return
    }
    if let failures = script.failures, !journal.fails(model: String(buffer: rawModel), limit: failures) {
      script.kind = .echo
    }
    if script.needsForm {
      return dialect(
        context, Arrival(head, headBytes, body, number: number), .chat(model: nil), .openAI, script: script)
    }
    let turn = Turn(
      script: script,
      content: .chat(
        body.withUnsafeReadableBytes { Answer(script, scan, userText: userText, $0) },
        AnswerIdentity(number: number, rawModel: rawModel), wantsUsage: scan.wantsUsage),
      number: number, isStream: scan.isStream, keepsAlive: head.keepsAlive && !(head.isHTTP10 && scan.isStream),
      isHTTP10: head.isHTTP10)
    after(script.waitMilliseconds, context) { self.answer(context, turn) }
  }

  /// Whether the answer that was prepared for this connection's last model fits this request as well.
  private func isPrepared(_ head: RequestHead, _ scan: ChatScan, _ body: ByteBuffer, _ model: Range<Int>) -> Bool {
    guard let prepared, !scan.isStream, head.keepsAlive, head.mockSettings == nil,
      scan.tokenLimit ?? .max >= PreparedAnswer.completionTokens, prepared.rawModel.count == model.count
    else { return false }
    return body.withUnsafeReadableBytes { bytes in
      !scan.mayHaveDirective(bytes) && prepared.rawModel.elementsEqual(bytes[model])
    }
  }

  private func sendPrepared(
    _ context: ChannelHandlerContext, _ scan: ChatScan, _ headBytes: ByteBuffer, _ body: ByteBuffer
  ) {
    let promptTokens = MockUsage.tokens(inBytes: scan.contentBytes)
    let number = journal.record(
      head: headBytes, body: body,
      charge: MockUsage(promptTokens: promptTokens, completionTokens: PreparedAnswer.completionTokens))
    write(context) { prepared?.write(number: number, promptTokens: promptTokens, into: &$0) }
  }

  func answer(_ context: ChannelHandlerContext, _ turn: Turn) {
    prepareOutput(turn.script)
    switch turn.script.kind {
    case .error(let status):
      let retryAfter = status == 429 || status == 503 ? turn.script.retryAfterSeconds : nil
      refuse(
        context, VendorError.scripted(status, turn.vendor), turn.vendor, number: turn.number, retryAfter: retryAfter,
        keepsAlive: turn.keepsAlive)
    case .streamError(let status) where !turn.isStream:
      refuse(
        context, VendorError.scripted(status, turn.vendor), turn.vendor, number: turn.number,
        keepsAlive: turn.keepsAlive)
    case .reset where turn.script.after == nil || !turn.isStream: closeNow(context, withReset: true)
    case .hang where turn.script.after == nil || !turn.isStream: stall()
    case .garbage:
      write(context) { $0.writeStaticString("\u{1}\u{2}\u{3} this is no HTTP \u{7F}\r\n\r\n") }
      closeNow(context, withReset: false)
    default:
      if turn.isStream { beginStream(context, turn) } else { sendPlain(context, turn) }
    }
  }

  private func embeddings(
    _ context: ChannelHandlerContext, _ head: RequestHead, _ headBytes: ByteBuffer, _ body: ByteBuffer
  ) {
    let number = journal.record(head: headBytes, body: body)
    guard RequestValidation.isObject(body), let answer = body.withUnsafeReadableBytes({ EmbeddingsAnswer($0) }),
      let model = answer.model,
      let rawModel = body.getSlice(at: body.readerIndex + model.lowerBound, length: model.count)
    else {
      sendError(context, status: 400, message: "The request body is not valid.", keepsAlive: head.keepsAlive)
      return
    }
    let script = Script(model: String(buffer: rawModel))
    var text = ByteBuffer()
    answer.write(rawModel: rawModel, script, into: &text)
    let turn = Turn(
      script: script, content: .whole(WholeAnswer(body: text, vendor: .openAI, charge: answer.usage)), number: number,
      isStream: false, keepsAlive: head.keepsAlive, isHTTP10: head.isHTTP10)
    after(script.waitMilliseconds, context) { self.answer(context, turn) }
  }
}
