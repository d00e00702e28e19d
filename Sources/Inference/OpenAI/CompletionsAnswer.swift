internal import JSONText

extension PlainAnswer {
  /// Completions to completions: bytes pass with edits.
  func readCompletions<Rewriter: AnswerRewriter>(
    _ body: UnsafeRawBufferPointer, options: AnswerOptions, rewriter: inout Rewriter, into out: ByteArena
  ) -> Outcome { .malformed }
}
