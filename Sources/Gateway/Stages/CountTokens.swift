import Inference
import JSONText
import Quotas
import SealedLog

/// `count_tokens` is answered by our own estimate: every stage but sending, a request of the rate limit, no money.
extension RequestPipeline {
  /// What this request's input will count as, as far as settled requests of the alias have taught.
  func estimatedInput(_ exchange: Exchange) -> Int64 {
    estimator.inputTokens(
      exchange.alias, bytes: max(exchange.outgoing.count, exchange.scan.textBytes),
      upper: TokenBound.inUpper(textBytes: exchange.scan.textBytes, messages: exchange.scan.messageCount))
  }

  func answerCount(_ exchange: Exchange) -> Step {
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
      return .refused(Refusal(.logUnavailable, message: "The log cannot be written now; nothing was sent."))
    }
    exchange.reply.reset()
    CountTokensAnswer.append(inputTokens: estimatedInput(exchange), to: exchange.reply)
    respond(exchange, 200, .json)
    return .parked
  }
}
