import Gateway
import Quotas

/// One time for the pipeline and the quotas, which stands until a test moves it.
final class GateClock: GatewayClock {
  /// 2026-11-24T12:00:00Z.
  static let start: Int64 = 1_795_521_600_000_000_000

  let quotas = ManualQuotaClock(wallNanoseconds: GateClock.start)

  var monotonicNanoseconds: Int64 { quotas.bootNanoseconds }
  var wallNanoseconds: Int64 { quotas.wallNanoseconds }

  func advance(milliseconds: Int64) { quotas.advance(nanoseconds: milliseconds * 1_000_000) }
}
