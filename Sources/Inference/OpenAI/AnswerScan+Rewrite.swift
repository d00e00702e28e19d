public import JSONText

extension AnswerScan {
  /// How a plain answer came out.
  public enum Rewritten: Sendable, Equatable {
    case done
    /// A rule for output forbids the answer.
    case blocked
    /// An upstream's finish reason means failure.
    case failed
  }

  /// Adds what changes in a plain answer: its texts by the rewriter, `model` to the alias, finish reasons to OpenAI's.
  ///
  /// - Parameters:
  ///   - body: The bytes of the last ``scan(_:)``.
  ///   - dropsLogprobs: True where texts are restored; the caller names `logprobs` in `x-torhaus-dropped`.
  public func rewrite<Rewriter: AnswerRewriter>(
    _ body: UnsafeRawBufferPointer, alias: String, dropsLogprobs: Bool, rewriter: inout Rewriter, scratch: ByteArena,
    edits: inout EditList
  ) -> Rewritten {
    guard !hasUnknownFinish else { return .failed }
    if let model { edits.replace(model.start, model.end, quoted: alias) }
    for finish in finishes where !finish.isExact {
      edits.replace(finish.value.start + 1, finish.value.end - 1, utf8: finish.reason.rawValue)
    }
    if dropsLogprobs { for range in logprobs { edits.replace(range.start, range.end, with: "null") } }
    for span in spans {
      scratch.reset()
      let outcome = rewriter.rewrite(span.range.of(body), channel: span.channel, into: scratch)
      if outcome == .unchanged { scratch.append(span.range.of(body)) }
      let rest = rewriter.flush(channel: span.channel, into: scratch)
      if outcome == .blocked || rest == .blocked { return .blocked }
      if outcome == .replaced || rest == .replaced { edits.replace(span.start, span.end, with: scratch.bytes) }
    }
    return .done
  }

  /// Bytes of text that the model wrote, unescaped: our own count for metering.
  public func textBytes(in body: UnsafeRawBufferPointer) -> Int {
    var count = 0
    for span in spans where span.channel.field != .whole { count += Self.length(span, in: body) }
    return count
  }

  static func length(_ span: AnswerSpan, in body: UnsafeRawBufferPointer) -> Int {
    span.hasEscapes ? JSONEscape.unescapedLength(span.range.of(body)) : span.end - span.start
  }
}
