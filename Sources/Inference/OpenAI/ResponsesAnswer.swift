internal import JSONText

extension PlainAnswer {
  /// Responses to Responses: bytes pass with edits.
  func readResponses<Rewriter: AnswerRewriter>(
    _ body: UnsafeRawBufferPointer, options: AnswerOptions, rewriter: inout Rewriter, into out: ByteArena
  ) -> Outcome {
    do throws(InferenceError) { try responses.scanAnswer(body) } catch { return .malformed }
    usage = responses.usage
    if let error = responses.error { return .providerError(error) }
    switch responses.status {
    case .ended, .unknown: break
    case .failed: return .providerError(ByteRange(0, body.count))
    // Nothing here asks for work in the background.
    case .open: return .malformed
    }
    guard responses.hasOutput else { return .malformed }
    outputBytes = responses.outputBytes(in: body)
    scratch.reset()
    JSONEscape.appendQuoted(options.alias, to: scratch)
    if responses.addEdits(
      body, alias: Array(scratch.bytes), dropsLogprobs: options.dropsLogprobs, to: &edits)
    {
      dropped.append("logprobs")
    }
    for span in responses.spans {
      scratch.reset()
      let piece = span.range.of(body)
      let outcome = rewriter.rewrite(piece, channel: span.channel, into: scratch)
      if outcome == .unchanged { scratch.append(piece) }
      let rest = rewriter.flush(channel: span.channel, into: scratch)
      if outcome == .blocked || rest == .blocked { return .blocked }
      if outcome == .replaced || rest == .replaced { edits.replace(span.start, span.end, with: scratch.bytes) }
    }
    return edits.apply(to: body, into: out) ? .written : .malformed
  }
}
