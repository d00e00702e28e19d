internal import JSONText

/// Takes the steps of an answer, passes its texts through the rewriter and has them written in the client's dialect; one
/// per answer.
///
/// One block is open at a time, as all three dialects want it. A piece for a block that is closed cannot be told any
/// more and ends the answer: arguments are never lost in silence.
final class AnswerTranslator<Writer: AnswerWriter> {
  private(set) var state = StreamState.open
  private(set) var usage: Usage?
  private(set) var tier: ServiceTier?
  private(set) var outputBytes = 0
  private(set) var isComplete = false
  private(set) var lost: [String] = []

  private let options: AnswerOptions
  private let thinkingField: AnswerChannel.Field
  /// Bytes of texts that are kept until the end: a plain answer's are bound by its body, a stream's by nothing else.
  private let mostKept: Int
  private var writer: Writer
  var keptBytes: Int { writer.keptBytes }
  private let text = ByteArena(capacity: 256)
  private let name = ByteArena(capacity: 64)
  private var open: AnswerBlock?
  private var end: AnswerEnd?
  private var hasBegun = false
  private var isBlocked = false
  // Blocks so far, by kind
  private var texts: Int32 = 0
  private var thoughts: Int32 = 0
  private var refusals: Int32 = 0
  private var tools: Int32 = 0

  private static var mostBlocks: Int32 { 1024 }

  init(_ options: AnswerOptions, thinkingField: AnswerChannel.Field, isPlain: Bool) {
    self.options = options
    self.thinkingField = thinkingField
    mostKept = isPlain ? .max : 8 << 20
    writer = Writer(options, isPlain: isPlain)
  }

  func fail(_ refusal: Refusal) { if state == .open { state = .failed(refusal) } }

  /// Whether a rule on output ended the answer.
  var endedByRule: Bool { isBlocked }

  // MARK: What happened

  /// Takes what one event, or a whole plain answer, says.
  func take<Rewriter: AnswerRewriter>(
    _ steps: AnswerSteps, _ data: UnsafeRawBufferPointer, rewriter: inout Rewriter, into out: ByteArena
  ) {
    guard state == .open else { return }
    if tier == nil { tier = steps.tier }
    if let found = steps.usage {
      tier = found.tier ?? tier
      usage = found
      usage?.tier = tier
    }
    for path in steps.lost { lose(path) }
    if let fault = steps.fault {
      return fail(UpstreamFault(status: steps.faultStatus, body: fault.of(data)).refusal)
    }
    guard !steps.hasUnknownEnd else {
      return fail(Refusal(.upstreamError, message: "The provider ended the answer with an error."))
    }
    guard !steps.isBroken else { return breakOff() }
    if steps.isAnswer, !hasBegun {
      hasBegun = true
      writer.begin(to: out)
    }
    for step in steps.list {
      take(step, steps, data, &rewriter, out)
      guard state == .open else { return }
    }
    if let found = steps.end { end = found }
    if steps.isLastWord { conclude(&rewriter, out) }
  }

  private func take<Rewriter: AnswerRewriter>(
    _ step: AnswerStep, _ steps: AnswerSteps, _ data: UnsafeRawBufferPointer, _ rewriter: inout Rewriter,
    _ out: ByteArena
  ) {
    switch step.kind {
    case .text, .thinking, .refusal:
      guard continues(step) || begin(step, &rewriter, out) else { return }
      write(step, steps, data, &rewriter, out)
    case .arguments:
      guard continues(AnswerStep(kind: .tool, block: step.block)) else { return breakOff() }
      write(step, steps, data, &rewriter, out)
    case .tool:
      guard closeOpen(&rewriter, out), let block = makeBlock(.tool, step.block) else { return }
      beginCall(block, step, steps, data, &rewriter, out)
    case .signature:
      guard Writer.carriesProofs else { return lose("thinking.signature") }
      let thinking = AnswerStep(kind: .thinking, block: step.block)
      guard continues(thinking) || begin(thinking, &rewriter, out) else { return }
      // Held text belongs before its proof.
      guard let block = open, flush(block, &rewriter, out) else { return }
      writer.signature(steps.bytes(step.text, in: data), to: out)
    case .redacted:
      guard Writer.carriesProofs else { return lose("redacted_thinking") }
      guard closeOpen(&rewriter, out), makeBlock(.thinking, step.block) != nil else { return }
      writer.redacted(steps.bytes(step.text, in: data), to: out)
    case .blockEnded: if open?.key == step.block { open?.isOver = true }
    }
  }

  /// The stream has ended.
  /// - Parameter isLastWord: Whether that is a regular end for an answer that has told how it ended.
  func finish<Rewriter: AnswerRewriter>(isLastWord: Bool, rewriter: inout Rewriter, into out: ByteArena) {
    guard state == .open else { return }
    if isLastWord, end != nil { return conclude(&rewriter, out) }
    if let block = open { _ = flush(block, &rewriter, out) }
  }

  private func conclude<Rewriter: AnswerRewriter>(_ rewriter: inout Rewriter, _ out: ByteArena) {
    guard let end else {
      // A last word without an end: nothing says that the answer is whole.
      if let block = open { _ = flush(block, &rewriter, out) }
      if state == .open { state = .done }
      return
    }
    guard closeOpen(&rewriter, out) else { return }
    // With a forced tool some say `stop`; a client would not look at the calls then.
    writer.end(end == .stop && tools > 0 ? .toolCalls : end, figures, to: out)
    state = .done
    isComplete = true
  }

  /// What the client is told: the provider's figures, and our own count where it gives none.
  private var figures: Usage {
    var figures = usage ?? Usage()
    if !figures.hasInput { figures.inputTokens = max(0, options.inputEstimate) }
    if !figures.hasOutput { figures.outputTokens = Int64(outputBytes / 4 + (outputBytes % 4 > 0 ? 1 : 0)) }
    return figures
  }

  private func breakOff() { fail(Refusal(.upstreamError, message: "The provider's stream could not be read.")) }

  private func lose(_ path: String) { if !lost.contains(path), lost.count < 32 { lost.append(path) } }

  // MARK: Blocks

  private func continues(_ step: AnswerStep) -> Bool {
    guard let open else { return false }
    return open.kind == step.kind && open.key == step.block && !open.isOver
  }

  private func makeBlock(_ kind: AnswerStep.Kind, _ key: Int32) -> AnswerBlock? {
    let field: AnswerChannel.Field
    let index: Int32
    switch kind {
    case .thinking:
      (field, index) = (thinkingField, thoughts)
      thoughts += 1
    case .refusal:
      (field, index) = (.refusal, refusals)
      refusals += 1
    case .tool:
      (field, index) = (.toolArguments, tools)
      tools += 1
    default:
      (field, index) = (.content, texts)
      texts += 1
    }
    guard index < Self.mostBlocks else {
      fail(Refusal(.upstreamError, message: "The provider's answer has too many parts."))
      return nil
    }
    return AnswerBlock(kind: kind, key: key, channel: AnswerChannel(choice: 0, index: index, field: field))
  }

  private func begin<Rewriter: AnswerRewriter>(
    _ step: AnswerStep, _ rewriter: inout Rewriter, _ out: ByteArena
  ) -> Bool {
    guard closeOpen(&rewriter, out), let block = makeBlock(step.kind, step.block) else { return false }
    open = block
    writer.open(block, to: out)
    return true
  }

  private func beginCall<Rewriter: AnswerRewriter>(
    _ block: AnswerBlock, _ step: AnswerStep, _ steps: AnswerSteps, _ data: UnsafeRawBufferPointer,
    _ rewriter: inout Rewriter, _ out: ByteArena
  ) {
    name.reset()
    let channel = AnswerChannel(choice: 0, index: block.channel.index, field: .whole)
    let given = steps.bytes(step.text, in: data)
    let outcome = rewriter.rewrite(given, channel: channel, into: name)
    if outcome == .unchanged { name.append(given) }
    guard outcome != .blocked, rewriter.flush(channel: channel, into: name) != .blocked else { return endByRule() }
    open = block
    writer.open(
      block,
      call: ToolCallStart(
        id: steps.bytes(step.id, in: data), name: name.bytes, seal: steps.bytes(step.seal, in: data)), to: out)
  }

  /// - Returns: False if the answer ends here.
  private func closeOpen<Rewriter: AnswerRewriter>(_ rewriter: inout Rewriter, _ out: ByteArena) -> Bool {
    guard let block = open else { return true }
    guard flush(block, &rewriter, out) else { return false }
    if block.kind == .tool, open?.hasText == false {
      // No arguments are `""` at one provider and `{}` at the next; every client can read the second.
      let none: StaticString = "{}"
      writer.piece(block, UnsafeRawBufferPointer(start: none.utf8Start, count: none.utf8CodeUnitCount), to: out)
    }
    open = nil
    guard writer.close(block, isEarly: end?.isEarly ?? false, to: out) else {
      breakOff()
      return false
    }
    return true
  }

  // MARK: Texts

  private func write<Rewriter: AnswerRewriter>(
    _ step: AnswerStep, _ steps: AnswerSteps, _ data: UnsafeRawBufferPointer, _ rewriter: inout Rewriter,
    _ out: ByteArena
  ) {
    guard let block = open else { return }
    let piece = steps.bytes(step.text, in: data)
    outputBytes &+= step.text.hasEscapes ? JSONEscape.unescapedLength(piece) : piece.count
    text.reset()
    switch rewriter.rewrite(piece, channel: block.channel, into: text) {
    case .unchanged: put(block, piece, out)
    case .replaced: put(block, text.bytes, out)
    case .blocked: endByRule()
    }
  }

  private func flush<Rewriter: AnswerRewriter>(
    _ block: AnswerBlock, _ rewriter: inout Rewriter, _ out: ByteArena
  ) -> Bool {
    text.reset()
    switch rewriter.flush(channel: block.channel, into: text) {
    case .unchanged: break
    case .replaced: put(block, text.bytes, out)
    case .blocked: endByRule()
    }
    return state == .open
  }

  private func put(_ block: AnswerBlock, _ piece: UnsafeRawBufferPointer, _ out: ByteArena) {
    guard !piece.isEmpty else { return }
    open?.hasText = true
    writer.piece(block, piece, to: out)
    if writer.keptBytes > mostKept {
      fail(Refusal(.upstreamError, message: "The provider's answer is too long."))
    }
  }

  private func endByRule() {
    isBlocked = true
    fail(Refusal(.contentPolicyViolation, message: "The answer was ended by a rule on content."))
  }

  // MARK: The last word

  func appendEnd(to out: ByteArena) {
    guard isComplete else { return }
    writer.appendEnd(to: out)
    for path in writer.lost { lose(path) }
  }

  func appendError(_ refusal: Refusal, requestID: String, to out: ByteArena) {
    writer.appendError(refusal, requestID: requestID, to: out)
  }

  func appendKeepAlive(to out: ByteArena) { writer.appendKeepAlive(to: out) }
}
