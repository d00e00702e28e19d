import Histogram

/// Latencies in nanoseconds, three digits exact; values beyond its range count as the largest it has.
package struct LatencyRecorder: Sendable {
  private static let highest: UInt64 = 600_000_000_000
  private var histogram = Histogram<UInt64>(
    lowestDiscernibleValue: 1_000, highestTrackableValue: Self.highest, numberOfSignificantValueDigits: .three)

  package init() {}

  /// - Parameters:
  ///   - intended: When the request was due, not when it could be sent: what a waiting caller has seen.
  ///   - completed: On the same clock.
  package mutating func record(fromIntended intended: UInt64, to completed: UInt64) {
    record(completed > intended ? completed - intended : 0)
  }

  package mutating func record(_ nanoseconds: UInt64) {
    _ = histogram.record(min(nanoseconds, Self.highest))
  }

  package mutating func add(_ other: LatencyRecorder) { histogram.add(other.histogram) }

  package var count: Int { Int(truncatingIfNeeded: histogram.totalCount) }

  package var summary: LatencySummary {
    guard count > 0 else { return LatencySummary() }
    func milliseconds(_ percentile: Double) -> Double { Double(histogram.valueAtPercentile(percentile)) / 1_000_000 }
    return LatencySummary(
      count: count, meanMilliseconds: histogram.mean / 1_000_000, p50Milliseconds: milliseconds(50),
      p90Milliseconds: milliseconds(90), p99Milliseconds: milliseconds(99), p999Milliseconds: milliseconds(99.9),
      maxMilliseconds: Double(histogram.maxRecorded) / 1_000_000)
  }
}
