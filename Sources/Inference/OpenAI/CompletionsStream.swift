package import JSONText

package struct CompletionsStreamReader: AnswerStreamReader {
  package private(set) var state = StreamState.open
  package private(set) var usage: Usage?
  package private(set) var outputBytes = 0
  package var isComplete: Bool { false }

  package init(_ options: AnswerOptions) {}

  package mutating func feed<Rewriter: AnswerRewriter>(
    _ chunk: UnsafeRawBufferPointer, rewriter: inout Rewriter, into out: ByteArena
  ) {}
  package mutating func finish<Rewriter: AnswerRewriter>(rewriter: inout Rewriter, into out: ByteArena) {}
  package mutating func appendEnd(to out: ByteArena) {}
  package mutating func appendError(_ refusal: Refusal, requestID: String, to out: ByteArena) {}
  package mutating func appendKeepAlive(to out: ByteArena) {}
}
