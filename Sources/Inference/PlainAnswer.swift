public import JSONText

/// Turns a provider's plain answer into the client's, whatever the two speak. One per event loop, used again and again.
public final class PlainAnswer {
  public enum Outcome: Sendable, Equatable {
    /// The client's answer stands in `out`.
    case written
    /// Status 200, and an error in the body all the same.
    case providerError(ByteRange)
    /// A rule on output forbids the answer.
    case blocked
    /// It is no answer of this wire, or none that can be told.
    case malformed
  }

  /// What the provider says it used, known also where the outcome is no answer.
  public internal(set) var usage: Usage?
  /// Bytes of text that the model wrote, unescaped: our own count.
  public internal(set) var outputBytes = 0
  /// How many things an answer holds that are counted by the piece.
  public internal(set) var pieces = 0
  /// What could not be carried, for `x-torhaus-dropped`.
  public internal(set) var dropped: [String] = []

  let scan = AnswerScan()
  let messages = MessagesScan()
  let scratch = ByteArena(capacity: 8192)
  var edits = EditList()
  let responses = ResponsesScan()
  let further = FurtherScan()

  public init() {}

  /// - Parameters:
  ///   - body: The whole answer.
  ///   - request: Of the same exchange; tells what was asked for (`encoding_format` of embeddings).
  public func read<Rewriter: AnswerRewriter>(
    _ body: UnsafeRawBufferPointer, from wire: ProviderWire, for request: RequestScan, options: AnswerOptions,
    rewriter: inout Rewriter, into out: ByteArena
  ) -> Outcome {
    (usage, outputBytes, pieces) = (nil, 0, 0)
    dropped.removeAll(keepingCapacity: true)
    edits.reset()
    switch (wire, request.route) {
    case (.chat, .chat), (.completions, .completions), (.embeddings, .embeddings):
      return readOpenAI(body, for: request, options: options, rewriter: &rewriter, into: out)
    case (.messages, .messages):
      return readMessages(body, options: options, rewriter: &rewriter, into: out)
    case (.responses, .responses):
      return readResponses(body, options: options, rewriter: &rewriter, into: out)
    case (.moderations, .moderations), (.rerank, .rerank), (.images, .images),
      (.transcriptions, .transcriptions), (.translations, .translations):
      guard !request.answersBareText else { return readBare(body, rewriter: &rewriter, into: out) }
      return readFurther(body, for: request, options: options, rewriter: &rewriter, into: out)
    default:
      return translate(body, from: wire, for: request, options: options, rewriter: &rewriter, into: out)
    }
  }

  /// What the body of an error answer says of usage, in the form of its wire; an error body may be anything.
  public func usage(ofError body: UnsafeRawBufferPointer, from wire: ProviderWire) -> Usage? {
    do throws(InferenceError) {
      switch wire {
      case .chat, .completions, .embeddings:
        try scan.scan(body)
        return scan.usage
      case .moderations, .rerank, .images, .speech, .transcriptions, .translations: return furtherUsage(ofError: body)
      case .responses:
        try responses.scanAnswer(body)
        return responses.usage
      case .messages:
        try messages.scan(body)
        return messages.usage?.sum(isFinal: true)
      case .gemini, .converse:
        let steps = AnswerSteps()
        try WireReader(wire)?.read(answer: body, into: steps)
        return steps.usage
      }
    } catch {
      return nil
    }
  }

  private func readOpenAI<Rewriter: AnswerRewriter>(
    _ body: UnsafeRawBufferPointer, for request: RequestScan, options: AnswerOptions, rewriter: inout Rewriter,
    into out: ByteArena
  ) -> Outcome {
    do throws(InferenceError) { try scan.scan(body, isCompletion: request.route == .completions) } catch {
      return .malformed
    }
    usage = scan.usage
    if let error = scan.error { return .providerError(error) }
    let isEmbeddings = request.route == .embeddings
    guard isEmbeddings ? scan.data != nil : scan.hasChoices else { return .malformed }
    outputBytes = max(0, scan.textBytes(in: body) - options.echoBytes)
    if isEmbeddings, request.wantsBase64, let data = scan.data,
      !EmbeddingsAnswer.encodeBase64(body, data: data, edits: &edits)
    {
      return .malformed
    }
    if options.dropsLogprobs, !scan.logprobs.isEmpty { dropped.append("logprobs") }
    switch scan.rewrite(
      body, alias: options.alias, dropsLogprobs: options.dropsLogprobs, rewriter: &rewriter, scratch: scratch,
      edits: &edits)
    {
    case .done: break
    case .blocked: return .blocked
    case .failed: return .malformed
    }
    return edits.apply(to: body, into: out) ? .written : .malformed
  }
}
