import Inference
import JSONText
import Quotas
import SealedLog

/// `count_tokens` is answered by our own estimate: every stage but sending, a request of the rate limit, no money.
extension RequestPipeline {
  /// What this request's input may count as, for a client's eyes: by a fixed ratio, because what settled requests have
  /// taught would show one tenant the traffic of others.
  func estimatedInput(_ exchange: Exchange) -> Int64 {
    let bytes = Int64(clamping: max(exchange.outgoing.count, exchange.scan.textBytes))
    let upper = TokenBound.inUpper(textBytes: exchange.scan.textBytes, messages: exchange.scan.messageCount)
    return max(1, min(upper, bytes / 3 + bytes / 30))
  }

  func answerCount(_ exchange: Exchange) -> Step {
    answerHere(exchange) { CountTokensAnswer.append(inputTokens: estimatedInput(exchange), to: exchange.reply) }
  }

  /// Answers without a provider: settled at nothing but the request itself, and recorded before the answer, as any other.
  func answerHere(_ exchange: Exchange, _ write: () -> Void) -> Step {
    guard let caller = exchange.caller else { return .parked }
    guard !logWriter.isStuck(caller.rules.stream) else { return .refused(Self.logRefusal) }
    exchange.status = 200
    let actual = Actual(inputTokens: 0, outputTokens: 0, money: 0, exit: .complete)
    quotas.sent(&exchange.reservation)
    quotas.settle(&exchange.reservation, actual, journal: &exchange.journal)
    exchange.reply.reset()
    write()
    exchange.stage = .settle
    exchange.closing = exchange.isClientGone ? .nobody : .answer
    let now = clock.monotonicNanoseconds
    exchange.confirmBy = now + Int64(limits.confirmationMilliseconds) * 1_000_000
    exchange.pendingRecord = LogEntry(
      stream: caller.rules.stream, recordID: exchange.id.value, subjects: subjects(exchange),
      metadata: metaWriter.metadata(exchange, actual, now: clock.wallNanoseconds, monotonic: now),
      journal: exchange.journal, token: exchange.ticket)
    handOver(exchange)
    return .parked
  }
}
