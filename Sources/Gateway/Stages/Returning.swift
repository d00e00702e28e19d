import Inference
import JSONText
import Quotas
import Redaction
import Routing
import SealedLog

/// Stage 10: what the provider sends comes back in the client's words, with the originals in their places.
extension RequestPipeline: UpstreamDelegate {
  public func upstream(_ exchange: Exchange, answered head: UpstreamHead) {
    guard exchange.stage == .returning else { return }
    exchange.upstreamHead = head
    let now = clock.monotonicNanoseconds
    if exchange.firstByteAt == 0 { exchange.firstByteAt = now }
    noteRest(exchange, head)
    // An answer with status 200 that nobody can read is billed all the same: row 9, not row 4.
    let unreadable = head.status == 200 ? Exit.upstreamCut : .upstreamError
    guard !head.isEncoded else { return fault(exchange, .malformed, exit: unreadable, cancel: true) }
    if head.status == 200, exchange.scan.route == .speech {
      beginSound(exchange, head.kind)
      if exchange.isSound { noteAnswering(exchange, now: now) }
      return
    }
    guard head.status == 200, exchange.isStream else { return noteAnswering(exchange, now: now) }
    guard head.kind == exchange.streamKind else { return fault(exchange, .malformed, exit: unreadable, cancel: true) }
    noteAnswering(exchange, now: now)
    beginStream(exchange)
    guard head.hasTakenRequest else { return }
    // What the answer repeats of its request is held beside it, and stays.
    let request = min(exchange.bodyBytes + exchange.copyBytes, exchange.heldBytes)
    exchange.releaseRequest()
    giveBodies(request, of: exchange)
  }

  public func upstream(_ exchange: Exchange, sent bytes: UnsafeRawBufferPointer) {
    guard exchange.stage == .returning else { return }
    if exchange.isStream, exchange.upstreamHead.kind == exchange.streamKind, exchange.upstreamHead.status == 200 {
      return relay(exchange, bytes)
    }
    if exchange.isSound { return relaySound(exchange, bytes) }
    let limit = exchange.upstreamHead.status == 200 ? limits.answerBytes : limits.errorBytes
    guard exchange.answer.count + bytes.count <= limit else {
      if exchange.upstreamHead.status == 200 {
        counters.fired(.answerBytes)
        endProbe(exchange, .abandoned)  // our bound, and its tenant may have asked for so much
        return fault(exchange, .malformed, exit: .upstreamCut, cancel: true, isOurs: true)
      }
      // Of an error body the beginning is enough, and its end may never come.
      exchange.answer.append(UnsafeRawBufferPointer(rebasing: bytes[..<(limit - exchange.answer.count)]))
      upstreamPort?.cancel(exchange)
      exchange.endedAt = clock.monotonicNanoseconds
      return errorEnded(exchange, now: exchange.endedAt)
    }
    exchange.answer.append(bytes)
    holdUnasked(exchange, bytes.count)
    // A small one is no relief; an order that was taken runs, whatever is told of it.
    guard exchange.answer.count > limits.heldHighBytes, exchange.upstreamHead.status == 200, exchange.batch == nil,
      let refusal = lackOfMemory(exchange)
    else { return }
    upstreamPort?.cancel(exchange)
    conclude(exchange, .refusal(refusal), exit: .endedByGate)
  }

  public func upstream(_ exchange: Exchange, ended end: UpstreamEnd) {
    guard exchange.stage == .returning else { return }
    let now = clock.monotonicNanoseconds
    exchange.endedAt = now
    // Whatever happens behind the dialect's last word, the answer is whole.
    if exchange.stream.reader.state == .done, end != .complete { return finishStream(exchange) }
    // An error has said with its status what it is, be its body whole or not.
    let status = exchange.upstreamHead.status
    if status != 200, status != 0 || end == .complete { return errorEnded(exchange, now: now) }
    switch end {
    case .complete:
      endProbe(exchange, .succeeded, now: now)
      if exchange.isSound { return conclude(exchange, .streamEnd, exit: .completeUsageMissing) }
      exchange.isStream ? streamEnded(exchange) : plainEnded(exchange)
    case .notConnected:
      endProbe(exchange, .failed)
      fault(exchange, .unreachable, exit: .notSent, failure: .notSent)
    case .addressRefused:
      endProbe(exchange, .failed)
      fault(exchange, .unreachable, exit: .notSent)
    case .neverSent:
      counters.fired(.providerTime)
      endProbe(exchange, .failed)
      fault(exchange, .timedOut, exit: .notSent)
    case .refused:
      endProbe(exchange, .abandoned)  // a provider that renews its connections is well
      fault(exchange, .unreachable, exit: .notSent, failure: .notSent)
    case .timedOut:
      counters.fired(.providerTime)
      endProbe(exchange, .failed)
      fault(exchange, .timedOut, exit: exchange.firstByteAt == 0 ? .lostBeforeStatus : .upstreamCut)
    case .cut:
      endProbe(exchange, .failed)
      fault(exchange, .cut, exit: exchange.firstByteAt == 0 ? .lostBeforeStatus : .upstreamCut)
    case .tooLarge: fault(exchange, .malformed, exit: .upstreamCut, isOurs: true)
    }
  }

  /// A provider that limits us is well; one that answers 5xx is not.
  private func errorEnded(_ exchange: Exchange, now: Int64) {
    endProbe(exchange, exchange.upstreamHead.status < 500 ? .succeeded : .failed, now: now)
    answeredError(exchange)
  }

  // MARK: Plain answers

  private func plainEnded(_ exchange: Exchange) {
    let bytes = exchange.answer.count
    let isRewritten =
      !exchange.issued.isEmpty || exchange.scan.wantsBase64 || exchange.batch != nil
      || exchange.wire != exchange.scan.route.ownWire
    if isRewritten || bytes > limits.ownCopyBytes, lend(exchange, .reading, bytes: bytes) { return }
    readingEnded(exchange, readPlain(exchange))
  }

  func readingEnded(_ exchange: Exchange, _ reading: PlainReading) {
    switch reading {
    case .faulty(let fault, let exit): self.fault(exchange, fault, exit: exit)
    case .withheld(let refusal): conclude(exchange, .refusal(refusal), exit: .complete)
    case .whole where exchange.batch != nil: keepAnswer(exchange)
    case .whole:
      if exchange.reply.count > limits.heldHighBytes { holdUnasked(exchange, exchange.reply.count) }
      conclude(exchange, .answer, exit: exchange.usage?.hasInput == true ? .complete : .completeUsageMissing)
    }
  }

  /// Reads a plain answer and writes what the client gets; on the loop or a helper's thread.
  func readPlain(_ exchange: Exchange) -> PlainReading {
    if let work = exchange.batch { return readBatch(exchange, work) }
    let body = exchange.answer.bytes
    var restoring = AnswerRestoring(exchange.issued, kept: nil, room: limits.answerBytes)
    exchange.reply.reset()
    let outcome = plainAnswer.read(
      body, from: exchange.wire, for: exchange.scan, options: options(exchange), rewriter: &restoring,
      into: exchange.reply)
    exchange.usage = plainAnswer.usage
    exchange.ownOutputBytes = plainAnswer.outputBytes
    exchange.answeredPieces = plainAnswer.pieces
    exchange.dropped += plainAnswer.dropped
    let isPaid = exchange.usage?.hasFigures == true
    switch outcome {
    case .written: return .whole
    case .providerError(let error):
      return .faulty(
        UpstreamFault(status: 200, body: error.of(body)), isPaid ? .upstreamErrorWithUsage : .upstreamError)
    case .blocked where restoring.isFull: return .withheld(AnswerRestoring.tooLarge)
    case .blocked:
      return .withheld(Refusal(.contentPolicyViolation, message: "The answer was withheld by a rule on content."))
    case .malformed: return .faulty(.malformed, isPaid ? .upstreamErrorWithUsage : .upstreamCut)
    }
  }

  /// What the answer is dressed in.
  func options(_ exchange: Exchange) -> AnswerOptions {
    let usual = AnswerOptions(
      alias: exchange.alias, includeUsage: exchange.scan.includeUsage, dropsLogprobs: !exchange.issued.isEmpty,
      echoBytes: exchange.scan.echoBytes)
    // What passes as it came needs no name of ours.
    guard exchange.wire != exchange.scan.route.ownWire || exchange.scan.route == .responses else { return usual }
    var options = usual
    options.answerID = Array(exchange.id.text.utf8.dropFirst(4))
    options.created = clock.wallNanoseconds / 1_000_000_000
    options.inputEstimate = estimatedInput(exchange)
    if exchange.scan.route == .responses, exchange.wire != .responses {
      options.echo = exchange.scan.responsesEcho(of: exchange.body.bytes)
    }
    return options
  }

  // MARK: Streams

  func beginStream(_ exchange: Exchange) {
    if case .none = exchange.stream.reader {
      let keeps = exchange.caller?.rules.stream.mode != .off
      exchange.stream.kept = keeps ? AssembledAnswer() : nil
      exchange.stream.restoring = AnswerRestoring(
        exchange.issued, kept: exchange.stream.kept, room: limits.heldStreamBytes)
      let options = options(exchange)
      // What a translated answer repeats of its request lies beside it as long as the stream lasts.
      if !options.echo.isEmpty { holdUnasked(exchange, options.echo.count) }
      exchange.stream.reader = AnswerStream(
        from: exchange.wire, to: exchange.scan.route, options, tools: streamTools)
    }
    guard !exchange.stream.hasBegun else { return }
    exchange.stream.hasBegun = true
    exchange.stream.lastSentAt = clock.monotonicNanoseconds
    writeFields(exchange)
    exchange.status = 200
    exchange.client?.begin(ResponseHead(status: 200, kind: .eventStream), fields: exchange.fields.bytes)
  }

  private func relay(_ exchange: Exchange, _ bytes: UnsafeRawBufferPointer) {
    // Behind the last word there is nothing to read; `lookAfter` ends a provider that goes on.
    guard exchange.stream.reader.state == .open, var restoring = exchange.stream.restoring else { return }
    exchange.stream.receivedBytes += bytes.count
    guard exchange.stream.receivedBytes <= limits.streamBytes else {
      counters.fired(.streamBytes)
      endProbe(exchange, .abandoned)  // our bound, and its tenant may have asked for so much
      return fault(exchange, .malformed, exit: .upstreamCut, cancel: true, isOurs: true)
    }
    exchange.stream.restoring = nil  // no second reference: what the restorers hold is changed in place
    restoring.room = limits.heldStreamBytes  // nothing more comes before the client has taken most of it
    sendPiece(of: exchange) { exchange.stream.reader.feed(bytes, rewriter: &restoring, into: $0) }
    exchange.stream.restoring = restoring
    if case .failed(let refusal) = exchange.stream.reader.state {
      upstreamPort?.cancel(exchange)
      endProbe(exchange, refusal.code.isProvidersFault && !restoring.isFull ? .failed : .abandoned)
      if !restoring.isFull { noteStreamFault(exchange, refusal) }
      return conclude(
        exchange, .streamError(restoring.isFull ? AnswerRestoring.tooLarge : refusal),
        exit: restoring.isFull ? .endedByGate : .upstreamCut)
    }
    if let refusal = lackOfMemoryForKept(exchange) {
      upstreamPort?.cancel(exchange)
      return conclude(exchange, .streamError(refusal), exit: .endedByGate)
    }
    let outputBytes = exchange.stream.reader.outputBytes
    if exchange.isClientGone, outputBytes - exchange.stream.bytesAtAbort > 256 * 4 { return abandon(exchange) }
    holdBack(exchange)
  }

  /// An error inside of a stream: no other provider is asked, but who looks after them is told.
  private func noteStreamFault(_ exchange: Exchange, _ refusal: Refusal) {
    let code = refusal.code
    guard code.isProvidersFault || [.upstreamAuth, .upstreamQuota, .upstreamRateLimited].contains(code),
      let candidate = exchange.candidate
    else { return }
    services.providerFaults.note(candidate.provider.id, code)
  }

  /// Thousands of streams are open, and most stay below it.
  private static let keptStep = 16 * 1024

  /// What the log gets of a stream lies in memory until its end, and so does what a translation repeats there; with what
  /// has come of an event, it is counted as the most that it was. Nothing comes on top of a stream that is over.
  private func lackOfMemoryForKept(_ exchange: Exchange) -> Refusal? {
    let kept = (exchange.stream.kept?.runs.count ?? 0) + exchange.stream.reader.keptBytes
    let more = kept - exchange.stream.keptBytes
    guard more >= Self.keptStep else { return nil }
    exchange.stream.keptBytes = kept
    holdUnasked(exchange, more)
    return exchange.stream.reader.state == .open ? lackOfMemory(exchange) : nil
  }

  /// A client that takes nothing holds its provider back. Over HTTP/2 it would hold back all others whose answers come
  /// on the same connection: there the rest waits here, is counted, and has a bound.
  func holdBack(_ exchange: Exchange) {
    guard let waiting = exchange.client?.heldBytes, waiting > limits.heldHighBytes else { return }
    guard exchange.upstreamHead.isHTTP2 else {
      guard !exchange.isPaused else { return }
      exchange.isPaused = true
      upstreamPort?.pause(exchange)
      return
    }
    // All of it is here: nothing more comes, and its client may take its time.
    guard exchange.stream.reader.state != .done else { return }
    // Sound is played while it comes, and nobody can ask for its rest.
    let most = exchange.isSound ? limits.answerBytes : limits.heldStreamBytes
    if waiting <= most, countWaiting(waiting, of: exchange) { return }
    counters.fired(.heldStreamBytes)
    upstreamPort?.cancel(exchange)
    let refusal = Refusal(.overloaded, message: "More of the answer waited for you than is held. Read it faster.")
    conclude(exchange, .streamError(refusal), exit: .endedByGate)
  }

  /// - Returns: False if there is no memory for what has come to wait since it was last counted. What comes first has not
  ///   been offered to the client yet, and is counted in any case.
  private func countWaiting(_ bytes: Int, of exchange: Exchange) -> Bool {
    let more = bytes - exchange.stream.waitingBytes
    if exchange.stream.waitingBytes == 0 {
      holdUnasked(exchange, bytes)
    } else if more > 0 {
      guard holdWaiting(exchange, more) else { return false }
    } else {
      giveBodies(-more, of: exchange)
    }
    exchange.stream.waitingBytes = bytes
    return true
  }

  /// Sends what `write` prepares, all of it at once. What it is prepared in begins empty: it is every stream's in turn.
  func sendPiece(of exchange: Exchange, _ write: (ByteArena) -> Void) {
    streamed.reset()
    write(streamed)
    guard streamed.count > 0 else { return }
    exchange.client?.send(streamed.bytes)
    exchange.stream.lastSentAt = clock.monotonicNanoseconds
  }

  /// The stream has said its last word and its provider has not hung up, or has hung up badly.
  func finishStream(_ exchange: Exchange) {
    upstreamPort?.cancel(exchange)
    endProbe(exchange, exchange.stream.reader.isComplete ? .succeeded : .failed)
    streamEnded(exchange)
  }

  private func streamEnded(_ exchange: Exchange) {
    guard var restoring = exchange.stream.restoring else {
      return fault(exchange, .malformed, exit: .upstreamCut)
    }
    exchange.stream.restoring = nil
    sendPiece(of: exchange) { exchange.stream.reader.finish(rewriter: &restoring, into: $0) }
    if case .failed(let refusal) = exchange.stream.reader.state {
      noteStreamFault(exchange, refusal)
      return conclude(exchange, .streamError(refusal), exit: .upstreamCut)
    }
    guard exchange.stream.reader.isComplete else { return fault(exchange, .cut, exit: .upstreamCut) }
    exchange.stream.reader.appendEnd(to: exchange.reply)
    conclude(
      exchange, .streamEnd, exit: exchange.stream.reader.usage?.hasInput == true ? .complete : .completeUsageMissing)
  }

  /// The client took some of what waited for it.
  public func clientProgress(_ exchange: Exchange) {
    if exchange.stream.waitingBytes > 0, let client = exchange.client {
      let waiting = client.heldBytes
      // More than was counted is looked at when the next piece comes.
      let counted = waiting > limits.heldHighBytes ? min(waiting, exchange.stream.waitingBytes) : 0
      _ = countWaiting(counted, of: exchange)
    }
    guard exchange.isPaused, let client = exchange.client, client.heldBytes < limits.heldLowBytes else { return }
    exchange.isPaused = false
    upstreamPort?.resume(exchange)
  }

  // MARK: What goes wrong

  private func answeredError(_ exchange: Exchange) {
    let head = exchange.upstreamHead
    if let work = exchange.batch { return answeredBatchError(exchange, work) }
    exchange.usage = plainAnswer.usage(ofError: exchange.answer.bytes, from: exchange.wire)
    let isPaid = exchange.usage?.hasFigures == true
    fault(
      exchange,
      UpstreamFault(status: head.status, body: exchange.answer.bytes, retryAfter: head.retryAfterSeconds),
      exit: isPaid ? .upstreamErrorWithUsage : .upstreamError,
      // What was paid for is not asked for again.
      failure: isPaid ? .unknown : .status(head.status, retryAfter: head.retryAfterSeconds))
  }

  /// A provider that says that it has had enough is left alone until it says.
  private func noteRest(_ exchange: Exchange, _ head: UpstreamHead) {
    // What a provider has enough of where files and batches are asked about is nothing to those who talk to its models.
    guard exchange.batch == nil, head.status >= 400 || !head.rest.isEmpty, let candidate = exchange.candidate,
      let rest = head.rest.duration(
        status: head.status, retryAfter: head.retryAfterSeconds, wallMilliseconds: clock.wallNanoseconds / 1_000_000)
    else { return }
    candidate.rest.extend(to: clock.monotonicNanoseconds / 1_000_000 + rest)
  }

  /// An attempt failed: tries another candidate if nothing has gone to the client yet, or the same one after a wait where
  /// that is safe; else tells the client.
  func fault(
    _ exchange: Exchange, _ fault: UpstreamFault, exit: Exit, cancel: Bool = false,
    failure: RetryRule.Failure = .unknown, isOurs: Bool = false
  ) {
    if cancel {
      upstreamPort?.cancel(exchange)
      endProbe(exchange, .failed)
    }
    // A request that no provider would take is its client's matter, and a bound of ours is no fault of the provider's.
    if fault.retry != .never, fault.retry != .longerContext, !isOurs, let candidate = exchange.candidate {
      services.providerFaults.note(candidate.provider.id, fault)
    }
    if exchange.isClientGone { return conclude(exchange, .nobody, exit: exit) }
    if exchange.stream.hasBegun { return conclude(exchange, .streamError(fault.refusal), exit: exit) }
    if fault.retry != .never, exchange.attempt + 1 < limits.attempts, let candidate = exchange.candidate {
      let earlier = exchange.earlier ?? EarlierAttempts()
      exchange.earlier = earlier
      earlier.excluded.append(ObjectIdentifier(candidate))
      earlier.lastFault = fault.refusal
      if fault.retry == .longerContext {
        earlier.refusedContext = max(earlier.refusedContext ?? 0, tooSmall(exchange, candidate))
      }
      if hasAnotherCandidate(exchange) { return tryAgain(exchange, earlier, exit: exit) }
      if let wait = waitForTheSame(exchange, candidate, failure) {
        earlier.excluded.removeLast()
        return tryAgain(exchange, earlier, exit: exit, afterMilliseconds: wait)
      }
    }
    conclude(exchange, .refusal(fault.refusal), exit: exit)
  }

  /// Whoever is asked next must have a larger context than the one that was too small; where nobody wrote that down,
  /// than what we believe that the prompt has.
  private func tooSmall(_ exchange: Exchange, _ candidate: CallableModel) -> Int64 {
    candidate.model.context
      ?? estimator.inputTokens(exchange.alias, bytes: exchange.outgoing.count, upper: exchange.demand.inputTokens)
  }

  private func hasAnotherCandidate(_ exchange: Exchange) -> Bool {
    exchange.modelRoute?.candidates.contains { couldServe(exchange, $0) } ?? false
  }

  /// How long to wait before the provider that has just failed is asked again; nil: it is not.
  private func waitForTheSame(_ exchange: Exchange, _ candidate: CallableModel, _ failure: RetryRule.Failure) -> Int64?
  {
    let random = UInt64(truncatingIfNeeded: ids.next())
    let now = clock.monotonicNanoseconds
    guard let wait = RetryRule.wait(after: failure, attempt: exchange.attempt, random: random),
      (now - exchange.startedAt) / 1_000_000 + wait < Int64(limits.exchangeMilliseconds),
      mayAdmit(candidate, for: exchange, nowMilliseconds: now / 1_000_000 + wait),
      candidate.rest.remaining(at: now / 1_000_000 + wait) == nil
    else { return nil }
    guard candidate.load.takesRetry(at: now / 1_000_000) else {
      counters.fired(.retryBudget)
      return nil
    }
    return wait
  }

  /// Settles the failed attempt by its own row and goes back to *route*, with compliance and reservation anew.
  private func tryAgain(
    _ exchange: Exchange, _ earlier: EarlierAttempts, exit: Exit, afterMilliseconds wait: Int64 = 0
  ) {
    let cost = actual(exchange, exit: exit)
    quotas.settle(&exchange.reservation, cost, journal: &exchange.journal)
    earlier.settle(exchange.reservation, cost)
    exchange.reservation = Reservation()
    endProbe(exchange, .abandoned)
    exchange.attempt += 1
    exchange.attemptID = 0
    exchange.isSent = false
    exchange.firstByteAt = 0
    exchange.endedAt = 0
    exchange.usage = nil
    exchange.ownOutputBytes = 0
    exchange.answeredPieces = 0
    exchange.copy = nil
    exchange.answer.reset()
    exchange.upstreamHead = UpstreamHead()
    exchange.stage = .route
    guard wait > 0, let port = upstreamPort else { return advance(exchange) }
    exchange.isWaiting = true
    port.wake(exchange, afterMilliseconds: wait)
  }

  public func woken(_ exchange: Exchange) {
    if exchange.stage == .returning, exchange.isClientGone, exchange.lent == nil {
      // Timers count from the beginning of the turn that set them, and may come a little early.
      let rest = exchange.drainUntil - clock.monotonicNanoseconds
      if rest > 0 {
        upstreamPort?.wake(exchange, afterMilliseconds: (rest + 999_999) / 1_000_000)
      } else {
        exchange.stream.reader.state == .done ? finishStream(exchange) : abandon(exchange)
      }
      return
    }
    guard exchange.stage == .route, exchange.isWaiting else { return }
    exchange.isWaiting = false
    advance(exchange)
  }

  /// Nobody waits for this answer any more.
  public func clientGone(_ exchange: Exchange) {
    exchange.client = nil
    exchange.isClientGone = true
    if let lent = exchange.lent { return lent.callOff() }  // it ends when it comes back
    switch exchange.stage {
    case .returning:
      // The provider is read on for a moment: its usage is worth more than our count.
      // Sound never says it.
      // An order's name is worth waiting for: without it nobody could ask for what it has cost.
      let milliseconds =
        exchange.batch?.call == .create
        ? limits.firstByteMilliseconds : exchange.scan.route == .speech ? 0 : limits.drainMilliseconds
      exchange.drainUntil = clock.monotonicNanoseconds + Int64(milliseconds) * 1_000_000
      upstreamPort?.wake(exchange, afterMilliseconds: Int64(milliseconds))
      exchange.stream.bytesAtAbort = exchange.stream.reader.outputBytes
      if exchange.isPaused {
        exchange.isPaused = false
        upstreamPort?.resume(exchange)
      }
    case .settle: break  // its record is being written; `close` finds nobody
    case .accept, .authenticate:
      counters.ended(status: 499)
      recycle(exchange)
    default: drop(exchange)
    }
  }

  /// Cancels a provider whose client has gone, and settles by what was seen.
  func abandon(_ exchange: Exchange) {
    upstreamPort?.cancel(exchange)
    conclude(exchange, .nobody, exit: exchange.stream.hasBegun ? .clientGone : .clientGoneEarly)
  }
}

/// What a plain answer turned out to be.
enum PlainReading {
  /// The client's answer stands in ``Exchange/reply``.
  case whole
  case faulty(UpstreamFault, Exit)
  case withheld(Refusal)
}
