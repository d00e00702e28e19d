/// The times of a run, in nanoseconds of the monotonic clock.
struct LoadWindow: Sendable {
  let start: UInt64
  /// From here on is measured.
  let warm: UInt64
  let end: UInt64

  func isMeasured(_ now: UInt64) -> Bool { now >= warm && now < end }
}
