import Histogram

/// Latencies in nanoseconds, three digits exact (coarse: two, in a tenth of the memory); values beyond its range count
/// as the largest it has.
package struct LatencyRecorder: Sendable {
  private static let highest: UInt64 = 600_000_000_000
  private static let curvePercentiles = [
    0, 5, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 97.5, 98, 99, 99.5, 99.75, 99.9, 99.95, 99.99, 99.999,
    100,
  ]
  private var histogram: Histogram<UInt64>

  package init(isCoarse: Bool = false) {
    histogram = Histogram(
      lowestDiscernibleValue: 1_000, highestTrackableValue: Self.highest,
      numberOfSignificantValueDigits: isCoarse ? .two : .three)
  }

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

  /// Percentiles and their latencies, for a plot; empty if nothing was recorded. Percentiles that the number of records
  /// does not bear out are left out.
  package var curve: [LatencyPoint] {
    guard count > 0 else { return [] }
    return Self.curvePercentiles.filter { $0 == 100 || (100 - $0) / 100 * Double(count) >= 1 }.map {
      LatencyPoint(percentile: $0, milliseconds: Double(histogram.valueAtPercentile($0)) / 1_000_000)
    }
  }
}
