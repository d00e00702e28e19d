import Inference
import Quotas

/// What failed attempts of a request have left for the next one. Few requests have any, so it lies beside the exchange.
final class EarlierAttempts {
  /// Candidates that are not asked again.
  var excluded: [ObjectIdentifier] = []
  /// What the client is told if no candidate is left.
  var lastFault: Refusal?
  /// A provider found the prompt too long for so many tokens; nil: none has.
  var refusedContext: Int64?
  /// What they cost; the request's record names the sum.
  private(set) var spent = Actual(inputTokens: 0, outputTokens: 0, money: 0)
  /// Their reservations, confirmed together with the last.
  var settled: [Reservation] = []

  func excludes(_ candidate: CallableModel) -> Bool { excluded.contains(ObjectIdentifier(candidate)) }

  func settle(_ reservation: Reservation, _ cost: Actual) {
    spent.inputTokens &+= cost.inputTokens
    spent.outputTokens &+= cost.outputTokens
    spent.money &+= cost.money
    settled.append(reservation)
  }
}
