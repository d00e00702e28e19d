internal import JSONText

extension PlainAnswer {
  /// Anthropic to Anthropic: bytes pass with edits.
  func readMessages<Rewriter: AnswerRewriter>(
    _ body: UnsafeRawBufferPointer, options: AnswerOptions, rewriter: inout Rewriter, into out: ByteArena
  ) -> Outcome { .malformed }
}
