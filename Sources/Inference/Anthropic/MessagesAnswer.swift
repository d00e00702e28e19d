internal import JSONText

extension PlainAnswer {
  /// Anthropic to Anthropic: bytes pass with edits.
  func readMessages<Rewriter: AnswerRewriter>(
    _ body: UnsafeRawBufferPointer, options: AnswerOptions, rewriter: inout Rewriter, into out: ByteArena
  ) -> Outcome {
    do throws(InferenceError) { try messages.scan(body) } catch { return .malformed }
    usage = messages.usage?.sum(isFinal: true)
    if let error = messages.error { return .providerError(error) }
    guard messages.kind == .message, messages.hasContent else { return .malformed }
    outputBytes = messages.outputBytes(in: body)
    if let model = messages.model { edits.replace(model.start, model.end, quoted: options.alias) }
    for span in messages.spans {
      scratch.reset()
      let outcome = rewriter.rewrite(span.range.of(body), channel: span.channel, into: scratch)
      if outcome == .unchanged { scratch.append(span.range.of(body)) }
      let rest = rewriter.flush(channel: span.channel, into: scratch)
      if outcome == .blocked || rest == .blocked { return .blocked }
      if outcome == .replaced || rest == .replaced { edits.replace(span.start, span.end, with: scratch.bytes) }
    }
    return edits.apply(to: body, into: out) ? .written : .malformed
  }
}
