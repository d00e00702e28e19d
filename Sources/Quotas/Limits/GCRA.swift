/// A rate limit as one integer: the generic cell rate algorithm (ITU-T I.371, virtual scheduling).
///
/// Admits at most burst + amount · t / period in any interval t. Times are nanoseconds of the boot clock.
public struct GCRA: Sendable, Equatable {
  public enum Check: Equatable, Sendable {
    case fits
    /// Nanoseconds until it would.
    case wait(Int64)
    /// It costs more than the whole burst.
    case never
  }

  /// The theoretical arrival time: the bucket is full at or before now.
  public private(set) var arrival: Int64
  /// Nanoseconds per unit, rounded up: never too fast.
  public private(set) var emission: Int64
  /// Units.
  public private(set) var burst: Int64
  private var tolerance: Int64

  /// - Parameter arrival: 0 is a full bucket.
  public init(amount: Int64, periodNanoseconds: Int64, arrival: Int64 = 0) {
    self.arrival = arrival
    emission = 0
    burst = 0
    tolerance = 0
    set(amount: amount, periodNanoseconds: periodNanoseconds)
  }

  /// A changed policy; what was debited stays debited.
  public mutating func set(amount: Int64, periodNanoseconds: Int64) {
    let units = max(amount, 0)
    emission = units == 0 ? periodNanoseconds : periodNanoseconds / units + (periodNanoseconds % units == 0 ? 0 : 1)
    // emission ≤ period / units + 1: a burst of 2⁶² units is the largest whose tolerance fits.
    burst = min(units, Int64.max / 4 / emission)
    tolerance = burst * emission
  }

  /// Takes up a time that outlived the process; an absurd one is an empty bucket.
  public mutating func restore(arrival saved: Int64, now: Int64) {
    arrival = max(0, min(saved, Amount.sum(now, Amount.sum(tolerance, tolerance))))
  }

  /// Empties the bucket as of an instant, as after a restart that knows nothing of the time before it.
  public mutating func empty(at instant: Int64) { arrival = max(arrival, Amount.sum(instant, tolerance)) }

  @inline(__always) public func check(_ cost: Int64, now: Int64) -> Check {
    guard cost <= burst else { return .never }
    guard cost > 0 else { return .fits }
    let over = Amount.difference(Amount.sum(max(arrival, now), cost &* emission), Amount.sum(now, tolerance))
    return over <= 0 ? .fits : .wait(over)
  }

  /// Only after a check, or where the cost is a fact.
  @inline(__always) public mutating func debit(_ cost: Int64, now: Int64) {
    let (duration, overflow) = cost.multipliedReportingOverflow(by: emission)
    arrival = Amount.sum(max(arrival, now), overflow ? Int64.max / 2 : duration)
  }

  /// Gives back what a settlement did not need, never beyond a full bucket.
  @inline(__always) public mutating func credit(_ unused: Int64, now: Int64) {
    guard arrival > now, unused > 0 else { return }
    let (duration, overflow) = unused.multipliedReportingOverflow(by: emission)
    arrival = overflow ? now : max(now, Amount.difference(arrival, duration))
  }

  /// Units that would be admitted now.
  public func remaining(now: Int64) -> Int64 {
    let used = Amount.difference(max(arrival, now), now)
    return max(0, Amount.difference(tolerance, used)) / emission
  }

  /// Nanoseconds until the bucket is full.
  public func fullIn(now: Int64) -> Int64 { max(0, Amount.difference(arrival, now)) }
}
