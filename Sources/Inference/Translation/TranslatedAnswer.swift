internal import JSONText

extension PlainAnswer {
  /// Reads an answer of one wire and writes it in another.
  func translate<Rewriter: AnswerRewriter>(
    _ body: UnsafeRawBufferPointer, from wire: ProviderWire, for request: RequestScan, options: AnswerOptions,
    rewriter: inout Rewriter, into out: ByteArena
  ) -> Outcome {
    guard let reader = WireReader(wire) else { return .malformed }
    let field = reader.thinkingField
    switch request.route {
    case .chat:
      return translate(
        body, reader, AnswerTranslator<ChatWriter>(options, thinkingField: field, isPlain: true), &rewriter, out)
    case .responses:
      return translate(
        body, reader, AnswerTranslator<ResponsesWriter>(options, thinkingField: field, isPlain: true), &rewriter, out)
    case .messages:
      return translate(
        body, reader, AnswerTranslator<MessagesWriter>(options, thinkingField: field, isPlain: true), &rewriter, out)
    default: return .malformed
    }
  }

  private func translate<Writer: AnswerWriter, Rewriter: AnswerRewriter>(
    _ body: UnsafeRawBufferPointer, _ reader: WireReader, _ answer: AnswerTranslator<Writer>,
    _ rewriter: inout Rewriter, _ out: ByteArena
  ) -> Outcome {
    let steps = AnswerSteps()
    do throws(InferenceError) { try reader.read(answer: body, into: steps) } catch { return .malformed }
    usage = steps.usage
    if let fault = steps.fault { return .providerError(fault) }
    guard steps.isAnswer else { return .malformed }
    steps.isLastWord = true
    let began = out.count
    answer.take(steps, body, rewriter: &rewriter, into: out)
    outputBytes = answer.outputBytes
    guard answer.isComplete else {
      out.truncate(to: began)
      return answer.endedByRule ? .blocked : .malformed
    }
    answer.appendEnd(to: out)
    dropped = answer.lost
    return .written
  }
}
