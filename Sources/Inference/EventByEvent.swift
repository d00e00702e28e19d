internal import JSONText

/// How a reader takes a stream of server-sent events one by one, whatever they say.
protocol EventByEvent {
  var state: StreamState { get set }
  var reader: ServerSentEventReader { get set }
  /// Takes the event that ``reader`` stands at.
  mutating func event<Rewriter: AnswerRewriter>(_ rewriter: inout Rewriter, _ out: ByteArena) throws(InferenceError)
}

extension EventByEvent {
  mutating func take<Rewriter: AnswerRewriter>(
    _ chunk: UnsafeRawBufferPointer, _ rewriter: inout Rewriter, _ out: ByteArena
  ) {
    guard state == .open, chunk.count > 0 else { return }
    reader.open(chunk)
    do throws(InferenceError) {
      while state == .open, try reader.next() { try event(&rewriter, out) }
    } catch {
      fail(error.refusal)
    }
    if state != .open { reader.close() }
  }

  /// Takes a last event without blank line.
  mutating func takeRest<Rewriter: AnswerRewriter>(_ rewriter: inout Rewriter, _ out: ByteArena) {
    guard state == .open, reader.heldBytes > 0 else { return }
    reader.openEnd()
    do throws(InferenceError) {
      while state == .open, try reader.next() { try event(&rewriter, out) }
    } catch {
      // A cut last event is no malformed one: the stream is then simply not complete.
      reader.close()
    }
  }

  mutating func fail(_ refusal: Refusal) { if state == .open { state = .failed(refusal) } }

  /// A rule on output forbids what the model wrote.
  mutating func block() {
    fail(Refusal(.contentPolicyViolation, message: "The answer was ended by a rule on content."))
  }
}
