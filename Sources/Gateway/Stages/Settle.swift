import Inference
import JSONText
import Quotas
import Redaction
import Routing
import SealedLog
import Tenancy

/// Stage 11: the one end of an exchange that was sent. Actual cost, response record, and the last byte only after the
/// log's writer has confirmed both.
extension RequestPipeline {
  /// Ends an exchange. Every path comes here exactly once; a second call does nothing.
  func conclude(_ exchange: Exchange, _ closing: Closing, exit: Exit) {
    guard exchange.stage == .returning else { return }
    exchange.stage = .settle
    exchange.closing = exchange.isClientGone ? .nobody : closing
    let isDrained = exchange.isClientGone && (exit == .complete || exit == .completeUsageMissing)
    let actual = actual(
      exchange,
      exit: !isDrained ? exit : exchange.stream.bytesAtAbort > 0 ? .clientGone : .clientGoneEarly)
    quotas.settle(&exchange.reservation, actual, journal: &exchange.journal)
    exchange.cost = (exchange.earlier?.spent.money ?? 0) &+ actual.money
    counters.settled(input: actual.inputTokens, output: actual.outputTokens)
    if exit == .complete, exchange.batch == nil {
      // A stream may have said its last word and its provider not have hung up.
      let end = exchange.endedAt > 0 ? exchange.endedAt : clock.monotonicNanoseconds
      estimator.learn(
        exchange.alias, bytes: exchange.outgoingBytes, inputTokens: actual.inputTokens,
        outputTokens: actual.outputTokens, nanoseconds: end - exchange.sentAt)
    }
    endProbe(exchange, .abandoned)  // unless the provider's answer has told something
    exchange.status = status(of: exchange)
    exchange.confirmBy = .max  // its time begins with the record, at this turn's end
    recordClosing(exchange, actual)
  }

  func writeClosing(_ exchange: Exchange, _ actual: Actual, now wall: Int64, _ monotonic: Int64) {
    exchange.confirmBy = monotonic + Int64(limits.confirmationMilliseconds) * 1_000_000
    exchange.pendingRecord = closingEntry(exchange, actual, now: wall, monotonic)
    handOver(exchange)
  }

  /// Gives the closing record to the writer; if its queue is full, again whenever it has room, until the deadline.
  func handOver(_ exchange: Exchange) {
    guard let entry = exchange.pendingRecord else { return }
    if !log(entry) {
      logWriter.awaitRoom(loop: loop)
      guard log(entry) else {  // nothing has left it just now, either
        if !unrecorded.contains(exchange.ticket) { unrecorded.append(exchange.ticket) }
        return
      }
    }
    exchange.pendingRecord = nil
    exchange.journal = []  // the record's now
  }

  private func status(of exchange: Exchange) -> UInt16 {
    switch exchange.closing {
    case .answer, .streamEnd, .streamError: 200
    case .refusal(let refusal): UInt16(clamping: refusal.code.status(in: exchange.dialect))
    case .nobody, nil: 499
    }
  }

  private func closingEntry(_ exchange: Exchange, _ actual: Actual, now wall: Int64, _ monotonic: Int64) -> LogEntry? {
    guard let caller = exchange.caller else { return nil }
    var response: [UInt8]?
    var isAssembled = false
    if caller.rules.stream.mode != .off {
      if let work = exchange.batch {
        response = batchRecord(exchange, work)
      } else if let kept = exchange.stream.kept {
        response = Array(kept.runs.bytes)
        kept.runs.release()  // many streams may end at once, and the log takes its time
        isAssembled = true
      } else if exchange.answer.count > 0 {
        response = exchange.takeCopy() ?? Array(exchange.answer.bytes)
      } else {
        response = soundRecord(exchange)
      }
    }
    return LogEntry(
      stream: caller.rules.stream, recordID: exchange.id.value, subjects: subjects(exchange), response: response,
      responseIsAssembled: isAssembled,
      metadata: metaWriter.metadata(exchange, actual, now: wall, monotonic: monotonic),
      journal: exchange.journal, token: exchange.ticket)
  }

  /// The record is written: gives back what was reserved.
  /// - Returns: Whether the answer may end now.
  func release(_ exchange: Exchange) -> Bool {
    guard exchange.stage == .settle, exchange.pendingRecord == nil, exchange.closing != nil else { return false }
    quotas.confirmed(&exchange.reservation)
    if let earlier = exchange.earlier {
      for index in earlier.settled.indices { quotas.confirmed(&earlier.settled[index]) }
      earlier.settled = []
    }
    return true
  }

  func carryOut(_ exchange: Exchange, now: Int64) {
    guard let closing = exchange.closing else { return }
    if exchange.endedAt > 0 { counters.answerOverhead.add(nanoseconds: now - exchange.endedAt) }
    exchange.closing = nil
    counters.ended(status: exchange.status)
    tell(exchange, closing)
  }

  private func tell(_ exchange: Exchange, _ closing: Closing) {
    switch closing {
    case .answer:
      writeFields(exchange)
      writeCost(exchange)
      exchange.client?.respond(
        ResponseHead(
          status: 200,
          kind: exchange.batch?.call.isContent == true ? .lines : exchange.scan.answersBareText ? .text : .json),
        fields: exchange.fields.bytes,
        body: exchange.reply.bytes)
    case .streamEnd:
      exchange.client?.send(exchange.reply.bytes)
      exchange.client?.end()
    case .refusal(let refusal): writeRefusal(exchange, refusal)
    case .streamError(let refusal):
      exchange.reply.reset()
      exchange.stream.reader.appendError(refusal, requestID: exchange.id.text, to: exchange.reply)
      exchange.client?.send(exchange.reply.bytes)
      exchange.client?.abort()
    case .nobody: break
    }
  }

  /// Deadlines and keep-alives of one exchange.
  func lookAfter(_ exchange: Exchange, _ now: Int64) {
    if let lent = exchange.lent { return lookAfterStore(exchange, lent, now) }
    switch exchange.stage {
    case .reserve:
      if exchange.waitingSince > 0, now - exchange.waitingSince > Int64(limits.ledgerMilliseconds) * 1_000_000 {
        refuse(exchange, Refusal(.ledgerUnavailable, message: "Quotas cannot be checked now; nothing was sent."))
      }
    case .route where exchange.roomSince > 0: lookAfterLogRoom(exchange, now)
    case .returning:
      if exchange.stream.reader.state == .done {
        finishStream(exchange)
      } else if exchange.isClientGone {
        if now > exchange.drainUntil { abandon(exchange) }
      } else if now - exchange.startedAt > Int64(limits.exchangeMilliseconds) * 1_000_000 {
        upstreamPort?.cancel(exchange)
        counters.fired(.exchangeTime)
        let refusal = Refusal(.upstreamTimeout, message: "The exchange took longer than allowed.")
        conclude(exchange, exchange.stream.hasBegun ? .streamError(refusal) : .refusal(refusal), exit: .endedByGate)
      } else if readiness.isClosed || !isKeyGood(exchange) {
        upstreamPort?.cancel(exchange)
        let refusal =
          readiness.isClosed
          ? Self.closed : Refusal(.invalidAPIKey, message: "The API key is no longer valid.")
        conclude(exchange, exchange.stream.hasBegun ? .streamError(refusal) : .refusal(refusal), exit: .endedByGate)
      } else {
        keepAlive(exchange, now)
      }
    case .settle:
      if exchange.pendingRecord != nil { handOver(exchange) }
      if now > exchange.confirmBy { loseLog(exchange) }
    default: break
    }
  }

  /// A key that was revoked or has run out ends its streams within a tick; the rest of the snapshot stays as it was.
  func isKeyGood(_ exchange: Exchange) -> Bool {
    guard let caller = exchange.caller else { return true }
    if let expires = caller.principal.expires, clock.wallNanoseconds / 1_000_000_000 >= expires { return false }
    let current = snapshots.current
    guard current !== exchange.snapshot, exchange.checkedSnapshot != current.number else { return true }
    guard current.directory.holds(caller.principal.key) else { return false }
    exchange.checkedSnapshot = current.number
    return true
  }

  /// Between whole events only, after 15 s of silence; a stream without any answer begins after 30 s.
  private func keepAlive(_ exchange: Exchange, _ now: Int64) {
    guard exchange.isStream else { return }
    if !exchange.stream.hasBegun, now - exchange.sentAt > 30_000_000_000 { beginStream(exchange) }
    guard exchange.stream.hasBegun,
      now - exchange.stream.lastSentAt > Int64(limits.keepAliveMilliseconds) * 1_000_000
    else { return }
    sendPiece(of: exchange) { exchange.stream.reader.appendKeepAlive(to: $0) }
  }

  /// The writer did not confirm in time: the answer ends as an error. The settlement stands; its record stays queued.
  private func loseLog(_ exchange: Exchange) {
    let refusal = Refusal(.logUnavailable, message: "The answer's record could not be written in time.")
    exchange.confirmBy = .max
    // The answer itself may be what the queue has no room for. What it cost has room.
    exchange.pendingRecord = exchange.pendingRecord?.withoutResponse
    handOver(exchange)
    exchange.status = UInt16(clamping: refusal.code.status(in: exchange.dialect))
    switch exchange.closing {
    case .streamEnd, .streamError: tell(exchange, .streamError(refusal))
    case .nobody, nil: break
    default: tell(exchange, .refusal(refusal))
    }
    // The exchange waits on, without its client, until the record is written: what it cost must not be forgotten.
    exchange.client = nil
    exchange.closing = .nobody
  }

  // MARK: What it cost

  /// The figures of section 5 of the quotas page for this exit.
  func actual(_ exchange: Exchange, exit: Exit) -> Actual {
    let status = exchange.upstreamHead.status
    // However an exchange ends while an error's body comes: the provider has refused it.
    let isRefused = status != 0 && status != 200 && [.clientGone, .clientGoneEarly, .endedByGate].contains(exit)
    let exit = isRefused ? .upstreamError : exit
    if let work = exchange.batch { return batchActual(exchange, work, exit: exit) }
    let usage = exchange.stream.reader.usage ?? exchange.usage
    let ownBytes = max(exchange.ownOutputBytes, exchange.stream.reader.outputBytes)
    // Of an error no image comes.
    let isImages = exchange.scan.route == .images && exit != .upstreamErrorWithUsage
    // What an image takes is known to the provider alone; unsaid, it is the most that one can take.
    let own =
      isImages
      ? Self.images(exchange).multipliedReportingOverflow(by: exchange.outputLimit).partialValue
      : Int64((ownBytes + 3) / 4)
    var actual = Actual(inputTokens: 0, outputTokens: 0, money: 0, exit: exit)
    switch exit {
    case .notSent: actual.flags = [.released]
    case .upstreamError: actual.flags = [.upstreamError]
    case .complete, .upstreamErrorWithUsage, .completeUsageMissing, .upstreamCut, .clientGone, .clientGoneEarly,
      .endedByGate, .lostBeforeStatus, .crash:
      take(usage, into: &actual, own: own, exchange: exchange)
    }
    // Of a plain answer that was cut its bytes are all there is to count.
    let arrived = min(
      exchange.stream.hasBegun || isImages ? own : max(own, Int64((exchange.answer.count + 3) / 4)),
      exchange.demand.outputTokens)
    switch exit {
    case .upstreamErrorWithUsage: actual.flags.insert(.upstreamError)
    case .upstreamCut:
      actual.flags.insert(.cut)
      actual.outputTokens = max(actual.outputTokens, arrived)
    case .clientGone:
      actual.flags.insert(.aborted)
      if usage?.hasOutput != true { actual.outputTokens = min(own + 10, exchange.demand.outputTokens) }
    case .clientGoneEarly:
      actual.flags.insert(.aborted)
      if usage?.hasOutput != true {
        actual.outputTokens = exchange.isStream ? min(own + 10, exchange.demand.outputTokens) : unseen(exchange)
      }
    case .lostBeforeStatus:
      actual.flags.insert(.unknownUpstream)
      actual.outputTokens = unseen(exchange)
    case .endedByGate:
      actual.flags.insert(.ended)
      // A stream that silence began has brought nothing of its provider: what that has made until now nobody saw.
      if usage?.hasOutput != true {
        actual.outputTokens =
          exchange.stream.hasBegun && exchange.firstByteAt > 0
          ? min(own + 10, exchange.demand.outputTokens)
          : max(unseen(exchange), exchange.firstByteAt > 0 ? arrived : 0)
      }
    default: break
    }
    price(&actual, usage, exchange)
    return actual
  }

  private func unseen(_ exchange: Exchange) -> Int64 {
    guard exchange.demand.outputTokens > 0 else { return 0 }
    return estimator.outputTokens(
      exchange.alias, nanoseconds: clock.monotonicNanoseconds - exchange.sentAt, cap: exchange.demand.outputTokens)
  }

  private func take(_ usage: Usage?, into actual: inout Actual, own: Int64, exchange: Exchange) {
    let ceiling = (exchange.demand.inputTokens + exchange.demand.outputTokens).multipliedReportingOverflow(by: 10)
    func isSane(_ value: Int64) -> Bool { ceiling.overflow || value <= ceiling.partialValue }
    if let usage, usage.hasInput, isSane(usage.inputTokens) {
      actual.inputTokens = usage.inputTokens
    } else if let usage, usage.hasInput, isSaneOfMedia(usage.inputTokens, exchange) {
      // Believed, and somebody should look at it.
      actual.inputTokens = usage.inputTokens
      actual.flags.insert(.suspect)
    } else {
      actual.inputTokens = estimator.inputTokens(
        exchange.alias, bytes: exchange.outgoingBytes, upper: exchange.demand.inputTokens)
      actual.flags.insert(usage?.hasInput == true ? .suspect : .estimated)
    }
    if exchange.demand.outputTokens == 0 {
      actual.outputTokens = 0
    } else if let usage, usage.hasOutput, isSane(usage.outputTokens),
      usage.outputTokens >= own / 2 || exchange.scan.route == .images
    {
      actual.outputTokens = usage.outputTokens
    } else {
      actual.outputTokens = own
      actual.flags.insert(usage?.hasOutput == true ? .suspect : .estimated)
    }
    if usage?.isSuspect == true { actual.flags.insert(.suspect) }
  }

  /// What media take is known to the provider alone, and our bound of it is a guess. But no model reads more than its
  /// context.
  private func isSaneOfMedia(_ input: Int64, _ exchange: Exchange) -> Bool {
    guard exchange.scan.images + exchange.scan.files + exchange.scan.audios > 0 || exchange.scan.route.takesForm else {
      return false
    }
    return input <= exchange.candidate?.model.context ?? Self.largestContext
  }

  /// No model has a larger one.
  private static let largestContext: Int64 = 1 << 24

  private func price(_ actual: inout Actual, _ usage: Usage?, _ exchange: Exchange) {
    guard let candidate = exchange.candidate, actual.exit != .notSent, actual.exit != .upstreamError else { return }
    var tokens = TokenUsage(input: actual.inputTokens, output: actual.outputTokens)
    if let usage, usage.hasInput, usage.inputTokens == actual.inputTokens {
      tokens.input = usage.uncachedTokens
      tokens.cached = usage.cachedTokens
      tokens.cacheWrite5m = usage.cacheWrite5mTokens
      tokens.cacheWrite1h = usage.cacheWrite1hTokens
    }
    let cost = candidate.price.settlement(tokens, answered: exchange.answeredTier(usage), choice: exchange.tierChoice)
    // A cost that fits no number is the whole reservation: never free.
    actual.money = cost.money ?? exchange.demand.money
    if cost.isSuspect { actual.flags.insert(.suspect) }
    exchange.priced = cost
    if let unit = candidate.price.unit { price(&actual, by: unit, usage, exchange) }
  }
}
