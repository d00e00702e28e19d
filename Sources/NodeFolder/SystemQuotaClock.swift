import CTimex
import Foundation
import Glibc
import Quotas

/// The kernel's clocks.
package struct SystemQuotaClock: QuotaClock {
  package init() {}

  package var wallNanoseconds: Int64 { Self.read(CLOCK_REALTIME) }
  package var bootNanoseconds: Int64 { Self.read(CLOCK_BOOTTIME) }

  package var isSynchronised: Bool {
    var state = timex()
    return Self.vouches(adjtimex(&state))
  }

  /// Whether the kernel vouches for the wall clock by what adjtimex(2) returned. A call that fails, as in a container
  /// that forbids it, vouches for nothing.
  package static func vouches(_ state: Int32) -> Bool { state >= 0 && state != TIME_ERROR }

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
