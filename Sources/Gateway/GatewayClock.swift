import Glibc

/// The clocks the pipeline looks at; injected so that tests decide what time it is.
public protocol GatewayClock: AnyObject, Sendable {
  /// CLOCK_MONOTONIC in nanoseconds.
  var monotonicNanoseconds: Int64 { get }
  /// CLOCK_REALTIME in nanoseconds since 1970.
  var wallNanoseconds: Int64 { get }
}

/// The machine's clocks.
public final class SystemClock: GatewayClock {
  public init() {}

  public var monotonicNanoseconds: Int64 { Self.read(CLOCK_MONOTONIC) }
  /// To the kernel's tick, some milliseconds: nothing here needs more, and it costs a third.
  public var wallNanoseconds: Int64 { Self.read(CLOCK_REALTIME_COARSE) }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }
}
