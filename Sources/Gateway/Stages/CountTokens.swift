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

  /// Answers without a provider: settled at nothing but the request itself, and recorded.
  func answerHere(_ exchange: Exchange, _ write: () -> Void) -> Step {
    guard let caller = exchange.caller else { return .parked }
    exchange.status = 200
    let actual = Actual(inputTokens: 0, outputTokens: 0, money: 0, exit: .complete)
    services.quotas.sent(&exchange.reservation)
    services.quotas.settle(&exchange.reservation, actual, journal: &exchange.journal)
    let entry = HeldEntry(
      LogEntry(
        stream: caller.rules.stream, recordID: exchange.id.value, subjects: subjects(exchange),
        metadata: metaWriter.metadata(
          exchange, actual, now: clock.wallNanoseconds, monotonic: clock.monotonicNanoseconds),
        journal: exchange.journal))
    let isRecorded = log(entry)
    services.quotas.confirmed(&exchange.reservation)
    exchange.journal.removeAll(keepingCapacity: true)
    guard isRecorded else {
      return .refused(Self.logRefusal)
    }
    exchange.reply.reset()
    write()
    respond(exchange, 200, .json)
    return .parked
  }
}
