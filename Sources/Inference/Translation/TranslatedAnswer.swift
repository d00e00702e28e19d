internal import JSONText

extension PlainAnswer {
  /// Reads an answer of one wire and writes it in another.
  func translate<Rewriter: AnswerRewriter>(
    _ body: UnsafeRawBufferPointer, from wire: ProviderWire, for request: RequestScan, options: AnswerOptions,
    rewriter: inout Rewriter, into out: ByteArena
  ) -> Outcome { .malformed }
}
