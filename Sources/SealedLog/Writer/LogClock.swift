internal import Glibc

/// The clocks of the log, in nanoseconds.
public struct LogClock: Sendable {
  /// Since 1970 UTC; may jump.
  public let wall: @Sendable () -> UInt64
  /// Never goes back, stands while the machine sleeps. Good to some milliseconds.
  public let monotonic: @Sendable () -> UInt64
  /// Never goes back, runs while the machine sleeps.
  public let boot: @Sendable () -> UInt64

  public init(
    wall: @escaping @Sendable () -> UInt64, monotonic: @escaping @Sendable () -> UInt64,
    boot: @escaping @Sendable () -> UInt64
  ) {
    self.wall = wall
    self.monotonic = monotonic
    self.boot = boot
  }

  /// The machine's own clocks.
  public static let system = LogClock(
    wall: { read(CLOCK_REALTIME) }, monotonic: { read(CLOCK_MONOTONIC_COARSE) }, boot: { read(CLOCK_BOOTTIME) })

  private static func read(_ clock: clockid_t) -> UInt64 {
    var now = timespec()
    clock_gettime(clock, &now)
    return UInt64(truncatingIfNeeded: now.tv_sec) &* 1_000_000_000 &+ UInt64(truncatingIfNeeded: now.tv_nsec)
  }
}

/// The UTC day of a time, as folders are named: `yyyy-mm-dd` (civil-from-days after Howard Hinnant).
enum UTCDay {
  static func text(nanoseconds: UInt64) -> String {
    let days = Int(nanoseconds / 86_400_000_000_000) + 719_468
    let era = days / 146_097
    let dayOfEra = days - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shifted + 2) / 5 + 1
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2)
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
  }
}
