import Routing

/// The loop's circuit breakers, one per provider: five failures in a row take it out for a while.
struct BreakerTable {
  private var breakers: [String: Breaker] = [:]

  mutating func admits(_ provider: String, nowMilliseconds: Int64) -> Bool {
    breakers[provider, default: Breaker()].admits(at: nowMilliseconds)
  }

  mutating func succeeded(_ provider: String, nowMilliseconds: Int64) {
    breakers[provider, default: Breaker()].succeeded(at: nowMilliseconds)
  }

  mutating func failed(_ provider: String, nowMilliseconds: Int64) {
    breakers[provider, default: Breaker()].failed(at: nowMilliseconds)
  }
}
