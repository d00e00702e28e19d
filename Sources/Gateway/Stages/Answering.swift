import Inference
import JSONText
import Policies
import Quotas
import Redaction
import Routing
import SealedLog
import Tenancy

/// How a client is told: heads, refusals, and what is recorded of requests that were never sent.
extension RequestPipeline {
  /// The head fields that every answer of this exchange has.
  func writeFields(_ exchange: Exchange) {
    let fields = ResponseFields(arena: exchange.fields)
    fields.addRequestID(exchange.id)
    guard let caller = exchange.caller, exchange.route.isMetered else { return }
    if !exchange.dropped.isEmpty {
      fields.add("x-torhaus-dropped", text: exchange.dropped.joined(separator: ","))
    }
    if exchange.batch?.areOriginalsGone == true { fields.add("x-torhaus-originals", "gone") }
    if exchange.batch?.isForgotten == true { fields.add("x-torhaus-provider-copy", "unreachable") }
    if let clamped = exchange.clampedTo {
      fields.add("x-torhaus-clamped", text: "\(exchange.scan.route.limitMember)=\(clamped)")
    }
    if caller.rules.policy.showsRedactions, exchange.findings.total > 0 {
      fields.add("x-torhaus-redactions", counts: exchange.findings)
    }
    if caller.rules.policy.showsProvider, let candidate = exchange.candidate { exchange.fields.append(candidate.field) }
    if exchange.dialect == .anthropic { writeAnthropicLimits(fields, caller) } else { writeLimits(fields, caller) }
    writeTiming(exchange)
  }

  private func writeLimits(_ fields: ResponseFields, _ caller: Caller) {
    let status = quotas.status(caller.quota)
    if let requests = status.requests {
      fields.add("x-ratelimit-limit-requests", requests.limit)
      fields.add("x-ratelimit-remaining-requests", requests.remaining)
      fields.add("x-ratelimit-reset-requests", milliseconds: requests.resetMilliseconds)
    }
    if let tokens = status.tokens {
      fields.add("x-ratelimit-limit-tokens", tokens.limit)
      fields.add("x-ratelimit-remaining-tokens", tokens.remaining)
      fields.add("x-ratelimit-reset-tokens", milliseconds: tokens.resetMilliseconds)
    }
  }

  private func writeAnthropicLimits(_ fields: ResponseFields, _ caller: Caller) {
    let status = quotas.status(caller.quota)
    if let requests = status.requests {
      fields.add("anthropic-ratelimit-requests-limit", requests.limit)
      fields.add("anthropic-ratelimit-requests-remaining", requests.remaining)
      fields.add("anthropic-ratelimit-requests-reset", moment: moment(in: requests.resetMilliseconds))
    }
    if let tokens = status.tokens {
      fields.add("anthropic-ratelimit-tokens-limit", tokens.limit)
      fields.add("anthropic-ratelimit-tokens-remaining", tokens.remaining)
      fields.add("anthropic-ratelimit-tokens-reset", moment: moment(in: tokens.resetMilliseconds))
    }
  }

  /// Seconds since 1970, rounded up.
  private func moment(in milliseconds: Int64) -> Int64 {
    clock.wallNanoseconds / 1_000_000_000 + (max(0, milliseconds) &+ 999) / 1_000
  }

  /// A stream has sent its head long before anybody knows.
  func writeCost(_ exchange: Exchange) {
    guard exchange.caller?.rules.policy.showsCost == true, let price = exchange.candidate?.price else { return }
    exchange.fields.append("x-torhaus-cost: ")
    Decimal.append(exchange.cost, decimals: 9, to: exchange.fields)
    exchange.fields.append(" ")
    exchange.fields.append(utf8: price.currency)
    exchange.fields.append("\r\n")
  }

  /// `gateway`: our own time until now, from the request's last byte on; `upstream`: from sending to the provider's last
  /// byte, in a stream its first.
  private func writeTiming(_ exchange: Exchange) {
    guard exchange.sentAt > 0 else { return }
    let now = clock.monotonicNanoseconds
    let upstream =
      (exchange.stream.hasBegun ? exchange.firstByteAt : exchange.endedAt > 0 ? exchange.endedAt : now)
      - exchange.sentAt
    let gateway = max(0, now - exchange.arrivedAt - max(0, upstream))
    exchange.fields.append("server-timing: gateway;dur=")
    appendMilliseconds(gateway, to: exchange.fields)
    exchange.fields.append(", upstream;dur=")
    appendMilliseconds(max(0, upstream), to: exchange.fields)
    exchange.fields.append("\r\n")
  }

  private func appendMilliseconds(_ nanoseconds: Int64, to arena: ByteArena) {
    let hundredths = nanoseconds / 10_000
    Decimal.append(hundredths / 100, to: arena)
    arena.append(0x2E)
    if hundredths % 100 < 10 { arena.append(0x30) }
    Decimal.append(hundredths % 100, to: arena)
  }

  /// An answer that no stage refused and no provider gave.
  func respond(_ exchange: Exchange, _ status: UInt16, _ kind: ResponseHead.ContentKind) {
    if status == 405 { ResponseFields(arena: exchange.fields).add("allow", "GET, HEAD, POST") }
    writeFields(exchange)
    counters.ended(status: status)
    exchange.client?.respond(
      ResponseHead(status: status, kind: kind), fields: exchange.fields.bytes, body: exchange.reply.bytes)
    recycle(exchange)
  }

  /// A fault of framing, told by the front end; the connection closes behind it.
  /// - Parameter path: Of a head that goes no further, if it has one: in whose words the client is told.
  public func refuse(_ exchange: Exchange, status: UInt16, message: String, path: UnsafeRawBufferPointer? = nil) {
    if let path { exchange.dialect = Route.dialect(of: path) }
    if exchange.id.value == 0 { exchange.id = RequestID(ids.next()) }
    exchange.reply.reset()
    let code: Refusal.Code =
      switch status {
      case 413: .requestTooLarge
      case 431: .headersTooLarge
      case 408: .requestTimeout
      case 405: .methodNotAllowed
      default: .invalidRequest
      }
    ErrorBody.append(
      Refusal(code, message: message), requestID: exchange.id.text, dialect: exchange.dialect, to: exchange.reply)
    writeFields(exchange)
    counters.ended(status: status)
    exchange.client?.respond(
      ResponseHead(status: status, kind: .json, closes: true), fields: exchange.fields.bytes,
      body: exchange.reply.bytes)
    recycle(exchange)
  }

  /// Ends a request that was not sent: gives back what was set aside, records the refusal, answers.
  func refuse(_ exchange: Exchange, _ refusal: Refusal) {
    let refusal = refusal.code == .noRoute ? exchange.earlier?.lastFault ?? refusal : refusal
    exchange.status = UInt16(clamping: refusal.code.status(in: exchange.dialect))
    guard exchange.earlier?.settled.isEmpty != false else { return settleRefusal(exchange, refusal) }
    forgo(exchange)
    counters.ended(status: exchange.status)
    writeRefusal(exchange, refusal)
    recycle(exchange)
  }

  /// Refused after an attempt that was sent: its settlement must be written before anybody is told.
  private func settleRefusal(_ exchange: Exchange, _ refusal: Refusal) {
    endProbe(exchange, .abandoned)  // the log may take its time; the provider's place is not held for that
    if exchange.reservation.isMade { quotas.release(&exchange.reservation, journal: &exchange.journal) }
    guard let caller = exchange.caller else { return }
    exchange.stage = .settle
    exchange.closing = exchange.isClientGone ? .nobody : .refusal(refusal)
    let actual = Actual(inputTokens: 0, outputTokens: 0, money: 0, exit: .notSent, flags: [.released])
    exchange.pendingRecord = LogEntry(
      stream: caller.rules.stream, recordID: exchange.id.value,
      metadata: metaWriter.metadata(
        exchange, actual, now: clock.wallNanoseconds, monotonic: clock.monotonicNanoseconds),
      journal: exchange.journal, token: exchange.ticket)
    exchange.confirmBy = clock.monotonicNanoseconds + Int64(limits.confirmationMilliseconds) * 1_000_000
    handOver(exchange)
    guard refusal.code == .logUnavailable, !exchange.isClientGone else { return }
    // The log is what failed: its word is not waited for. What was spent stays held until it is written.
    writeRefusal(exchange, refusal)
    exchange.client = nil
    exchange.closing = .nobody
    exchange.confirmBy = .max
  }

  /// The client went before the request was sent.
  func drop(_ exchange: Exchange) {
    exchange.status = 499
    exchange.isClientGone = true
    guard exchange.earlier?.settled.isEmpty != false else {
      return settleRefusal(exchange, Refusal(.overloaded, message: "The client has gone."))
    }
    forgo(exchange)
    counters.ended(status: 499)
    recycle(exchange)
  }

  /// Releases the reservation and writes what is known of the request: a refusal is a decision, and decisions are kept.
  private func forgo(_ exchange: Exchange) {
    if exchange.reservation.isMade {
      quotas.release(&exchange.reservation, journal: &exchange.journal)
    }
    guard let caller = exchange.caller, exchange.route.isMetered else { return }
    let actual = Actual(inputTokens: 0, outputTokens: 0, money: 0, exit: .notSent, flags: [.released])
    // Nobody waits for this record: the request was refused and cost nothing, whether it can be written or not.
    _ = log(
      LogEntry(
        stream: caller.rules.stream, recordID: exchange.id.value,
        metadata: metaWriter.metadata(
          exchange, actual, now: clock.wallNanoseconds, monotonic: clock.monotonicNanoseconds),
        journal: exchange.journal))
    quotas.confirmed(&exchange.reservation)
  }

  func writeRefusal(_ exchange: Exchange, _ refusal: Refusal) {
    exchange.reply.reset()
    ErrorBody.append(refusal, requestID: exchange.id.text, dialect: exchange.dialect, to: exchange.reply)
    let fields = ResponseFields(arena: exchange.fields)
    if let seconds = refusal.retryAfterSeconds { fields.add("retry-after", Int64(seconds)) }
    if refusal.code.forbidsRetry || exchange.forbidsRetry {
      fields.add("x-should-retry", "false")
      if refusal.code == .insufficientQuota, let seconds = refusal.retryAfter {
        fields.add("retry-after", Int64(min(60, max(1, seconds))))
      }
    }
    writeFields(exchange)
    exchange.client?.respond(
      ResponseHead(
        status: UInt16(clamping: refusal.code.status(in: exchange.dialect)), kind: .json,
        closes: refusal.code.closesConnection),
      fields: exchange.fields.bytes, body: exchange.reply.bytes)
  }
}
