import Routing

/// What a provider is doing now, for who asks why it is not asked. On any thread; takes nothing.
extension CallableModel {
  /// Milliseconds for which the provider has asked to be left alone with this model; nil: it has not.
  public func rest(atMilliseconds now: Int64) -> Int64? { rest.remaining(at: now) }

  /// Whether it has as many requests under way as it may.
  public var isFull: Bool { load.outstanding >= provider.limits.concurrency ?? .max }

  /// The name of its breaker.
  public var breaker: String { breakerName }
}

extension RequestPipeline {
  /// Which of these breakers let nothing pass at the moment. On the loop.
  public func openBreakers(among names: [String]) -> Set<String> {
    let now = clock.monotonicNanoseconds / 1_000_000
    return Set(names.filter { !breakers.mayAdmit($0, nowMilliseconds: now) })
  }
}
