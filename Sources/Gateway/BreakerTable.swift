import Routing

/// The loop's circuit breakers, one per provider and model: five failures in a row take it out for a while.
struct BreakerTable {
  private var breakers: [String: LoopBreaker] = [:]
  private var last: (candidate: CallableModel, breaker: LoopBreaker)?

  /// Whoever lets an attempt pass keeps it until the attempt has ended.
  mutating func breaker(of candidate: CallableModel) -> LoopBreaker {
    // Many requests in a row go to one model: its name is hashed once.
    if let last, last.candidate === candidate { return last.breaker }
    // Names come from the register, in the demo also from clients: what has grown beyond all use starts over.
    if breakers.count > 10_000 { breakers.removeAll() }
    let breaker = breakers[candidate.breakerName] ?? LoopBreaker()
    breakers[candidate.breakerName] = breaker
    last = (candidate, breaker)
    return breaker
  }

  /// Whether an attempt might be let pass; takes nothing.
  func mayAdmit(_ name: String, nowMilliseconds: Int64) -> Bool {
    breakers[name].map { $0.breaker.phase(at: nowMilliseconds) != .open } ?? true
  }
}

/// A breaker of one loop. An attempt that was let pass is told about exactly once: as a success, a failure, or as one that
/// told nothing.
final class LoopBreaker {
  enum Outcome { case succeeded, failed, abandoned }

  fileprivate var breaker = Breaker()

  func admits(nowMilliseconds: Int64) -> Bool { breaker.admits(at: nowMilliseconds) }

  /// An attempt is being answered.
  /// - Returns: Whether the breaker has waited for that: the attempt's success needs not be told then.
  func answering(nowMilliseconds: Int64) -> Bool { breaker.answering(at: nowMilliseconds) }

  func note(_ outcome: Outcome, nowMilliseconds: Int64) {
    switch outcome {
    case .succeeded: breaker.succeeded(at: nowMilliseconds)
    case .failed: breaker.failed(at: nowMilliseconds)
    case .abandoned: breaker.abandoned(at: nowMilliseconds)
    }
  }
}

extension RequestPipeline {
  func breaker(of candidate: CallableModel, for exchange: Exchange) -> LoopBreaker {
    exchange.batch == nil ? breakers.breaker(of: candidate) : batchBreakers.breaker(of: candidate)
  }

  /// Whether a candidate's breaker might let this request pass; takes nothing.
  func mayAdmit(_ candidate: CallableModel, for exchange: Exchange, nowMilliseconds now: Int64) -> Bool {
    exchange.batch == nil
      ? breakers.mayAdmit(candidate.breakerName, nowMilliseconds: now)
      : batchBreakers.mayAdmit(candidate.breakerName, nowMilliseconds: now)
  }

  /// A provider that begins to answer is well; its answer may take minutes. One that limits us is told of at the end.
  /// - Parameter now: Nanoseconds of the monotonic clock.
  func noteAnswering(_ exchange: Exchange, now: Int64) {
    let status = exchange.upstreamHead.status
    guard status < 500, status != 408, status != 429, !exchange.isProbeAnswered, let breaker = exchange.probe else {
      return
    }
    exchange.isProbeAnswered = breaker.answering(nowMilliseconds: now / 1_000_000)
  }

  /// Tells the breaker of the attempt under way how it ended, and gives its place back; only the first word counts.
  /// - Parameter now: Nanoseconds of the monotonic clock, where they are known.
  func endProbe(_ exchange: Exchange, _ outcome: LoopBreaker.Outcome, now: Int64? = nil) {
    if let load = exchange.load {
      load.leave()
      exchange.load = nil
    }
    guard let breaker = exchange.probe else { return }
    exchange.probe = nil
    let isKnown = exchange.isProbeAnswered && outcome != .failed
    exchange.isProbeAnswered = false
    guard !isKnown else { return }
    breaker.note(outcome, nowMilliseconds: (now ?? clock.monotonicNanoseconds) / 1_000_000)
  }
}
