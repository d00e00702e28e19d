/// What happened between one sample and the one before it, and what the watched processes had at its end.
package struct TimelinePoint: Sendable, Equatable, Codable {
  /// Since the measured time began.
  package var seconds: Double
  /// Answers that came well, and failures, since the last point.
  package var requests: Int
  package var failed: Int
  /// Of those answers.
  package var p50Milliseconds: Double
  package var p99Milliseconds: Double
  /// CPU of the watched processes and their children since the measured time began.
  package var cpuSeconds: Double
  package var residentKiB: Int
  package var threads: Int
  /// Open descriptors; nil if they may not be counted.
  package var descriptors: Int?

  private enum CodingKeys: String, CodingKey {
    case requests, failed, threads, descriptors
    case seconds = "t_s"
    case p50Milliseconds = "p50_ms"
    case p99Milliseconds = "p99_ms"
    case cpuSeconds = "cpu_s"
    case residentKiB = "rss_kib"
  }
}

/// A percentile and its latency.
package struct LatencyPoint: Sendable, Equatable, Codable {
  package var percentile: Double
  package var milliseconds: Double

  private enum CodingKeys: String, CodingKey {
    case percentile
    case milliseconds = "ms"
  }
}
