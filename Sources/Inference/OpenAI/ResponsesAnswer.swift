internal import JSONText

extension PlainAnswer {
  /// Responses to Responses: bytes pass with edits.
  func readResponses<Rewriter: AnswerRewriter>(
    _ body: UnsafeRawBufferPointer, options: AnswerOptions, rewriter: inout Rewriter, into out: ByteArena
  ) -> Outcome { .malformed }
}
