import Routing

/// The loop's circuit breakers, one per provider and model: five failures in a row take it out for a while.
///
/// An attempt that was let pass is told about exactly once: as a success, a failure, or as one that told nothing.
struct BreakerTable {
  enum Outcome { case succeeded, failed, abandoned }

  private var breakers: [String: Breaker] = [:]

  mutating func admits(_ name: String, nowMilliseconds: Int64) -> Bool {
    // Names come from the register, in the demo also from clients: what has grown beyond all use starts over.
    if breakers.count > 10_000 { breakers.removeAll() }
    return breakers[name, default: Breaker()].admits(at: nowMilliseconds)
  }

  /// Whether an attempt might be let pass; takes nothing.
  func mayAdmit(_ name: String, nowMilliseconds: Int64) -> Bool {
    breakers[name].map { $0.phase(at: nowMilliseconds) != .open } ?? true
  }

  /// An attempt is being answered.
  /// - Returns: Whether its breaker has waited for that: the attempt's success needs not be told then.
  mutating func answering(_ name: String, nowMilliseconds: Int64) -> Bool {
    breakers[name, default: Breaker()].answering(at: nowMilliseconds)
  }

  mutating func note(_ name: String, _ outcome: Outcome, nowMilliseconds: Int64) {
    switch outcome {
    case .succeeded: breakers[name, default: Breaker()].succeeded(at: nowMilliseconds)
    case .failed: breakers[name, default: Breaker()].failed(at: nowMilliseconds)
    case .abandoned: breakers[name, default: Breaker()].abandoned(at: nowMilliseconds)
    }
  }
}

extension RequestPipeline {
  /// A provider that begins to answer is well; its answer may take minutes. One that limits us is told of at the end.
  func noteAnswering(_ exchange: Exchange) {
    let status = exchange.upstreamHead.status
    guard status < 500, status != 408, status != 429, !exchange.isProbeAnswered, let name = exchange.probe else {
      return
    }
    exchange.isProbeAnswered = breakers.answering(name, nowMilliseconds: clock.monotonicNanoseconds / 1_000_000)
  }

  /// Tells the breaker of the attempt under way how it ended, and gives its place back; only the first word counts.
  func endProbe(_ exchange: Exchange, _ outcome: BreakerTable.Outcome) {
    exchange.load?.leave()
    exchange.load = nil
    guard let name = exchange.probe else { return }
    exchange.probe = nil
    let isKnown = exchange.isProbeAnswered && outcome != .failed
    exchange.isProbeAnswered = false
    guard !isKnown else { return }
    breakers.note(name, outcome, nowMilliseconds: clock.monotonicNanoseconds / 1_000_000)
  }
}
