import CTimex
import Foundation
import Glibc
import Quotas

/// The kernel's clocks.
package struct SystemQuotaClock: QuotaClock {
  /// Wall time minus boot time when this began to look.
  private let offsetAtStart: Int64

  package init() { offsetAtStart = Self.read(CLOCK_REALTIME) &- Self.read(CLOCK_BOOTTIME) }

  package var wallNanoseconds: Int64 { Self.read(CLOCK_REALTIME) }
  package var bootNanoseconds: Int64 { Self.read(CLOCK_BOOTTIME) }

  package var isSynchronised: Bool {
    var state = timex()
    return Self.vouches(adjtimex(&state), drift: wallNanoseconds &- bootNanoseconds &- offsetAtStart)
  }

  /// Whether there is reason to believe the wall clock.
  ///
  /// Where the kernel may not be asked, as in a container that forbids adjtimex(2), nobody vouches for a jump. A start is
  /// none: a process that was away cannot tell the time it was away from a jump, and windows that stood still at every
  /// start would stay behind for good.
  /// - Parameters:
  ///   - state: What adjtimex returned; negative: it failed.
  ///   - drift: By how many nanoseconds wall and boot time have moved apart since the start.
  package static func vouches(_ state: Int32, drift: Int64) -> Bool {
    guard state < 0 else { return state != TIME_ERROR }
    return drift.magnitude <= UInt64(WindowClock.tolerance)
  }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }
}

/// Time zones as Foundation knows them.
package struct SystemZoneRules: ZoneRules {
  package init() {}

  package func offsetSeconds(zone: String, at utcSeconds: Int64) -> Int64? {
    guard let zone = TimeZone(identifier: zone) else { return nil }
    return Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(utcSeconds))))
  }
}
