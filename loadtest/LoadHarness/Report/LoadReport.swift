/// Percentiles of one kind of latency; all zero if nothing was recorded.
package struct LatencySummary: Sendable, Equatable, Codable {
  package var count = 0
  package var meanMilliseconds = 0.0
  package var p50Milliseconds = 0.0
  package var p90Milliseconds = 0.0
  package var p99Milliseconds = 0.0
  package var p999Milliseconds = 0.0
  package var maxMilliseconds = 0.0

  private enum CodingKeys: String, CodingKey {
    case count
    case meanMilliseconds = "mean_ms"
    case p50Milliseconds = "p50_ms"
    case p90Milliseconds = "p90_ms"
    case p99Milliseconds = "p99_ms"
    case p999Milliseconds = "p999_ms"
    case maxMilliseconds = "max_ms"
  }
}

/// Successes and failures of one key or one target.
package struct LoadTally: Sendable, Equatable, Codable {
  package var succeeded = 0
  package var failed = 0
}

/// What one watched process, with its children, used while the run was measured.
package struct ProcessCost: Sendable, Equatable, Codable {
  package var pid: Int32
  package var cpuSeconds: Double
  package var cpuMicrosecondsPerRequest: Double
  package var cpuMicrosecondsPerEvent: Double
  /// The resident set before the first connection, the largest that was seen, and the one at the end, in KiB.
  package var firstResidentKiB: Int
  package var peakResidentKiB: Int
  package var lastResidentKiB: Int

  private enum CodingKeys: String, CodingKey {
    case pid
    case cpuSeconds = "cpu_s"
    case cpuMicrosecondsPerRequest = "cpu_us_per_request"
    case cpuMicrosecondsPerEvent = "cpu_us_per_event"
    case firstResidentKiB = "rss_first_kib"
    case peakResidentKiB = "rss_peak_kib"
    case lastResidentKiB = "rss_last_kib"
  }
}

/// What a run found.
package struct LoadReport: Sendable, Codable {
  /// The time that was measured, after the warm-up.
  package var measuredSeconds = 0.0
  /// Requests that completed well in that time, and their rate.
  package var measuredRequests = 0
  package var requestsPerSecond = 0.0
  /// Over the whole run, warm-up included.
  package var succeeded = 0
  package var errors: [String: Int] = [:]
  /// Requests that were sent, and those that their client gave up as the plan said.
  package var offered = 0
  package var aborted = 0
  package var connections = 0
  package var reconnects = 0
  package var bodyBytes = 0
  /// From the time a request was due (open loop) or sent (closed loop) to its last byte; successes after the warm-up.
  package var latency = LatencySummary()
  /// To the first byte of the answer's head; of streams those from the warm-up as well.
  package var firstByte = LatencySummary()
  /// Between one read with events and the next, within a stream.
  package var eventGap = LatencySummary()
  package var streamsComplete = 0
  /// Events over the whole run, and within the measured time.
  package var events = 0
  package var measuredEvents = 0
  /// Percentiles of ``latency``, for a plot.
  package var curve: [LatencyPoint] = []
  package var timeline: [TimelinePoint] = []
  package var tenants: [GroupReport] = []
  package var classes: [GroupReport] = []
  /// Jain's index of what tenants got of what they asked for, and of how fast (one over their p99); nil for one tenant.
  package var fairness: Double?
  package var latencyFairness: Double?
  /// Empty for more than 1,000 keys.
  package var keys: [LoadTally] = []
  package var targets: [LoadTally] = []
  package var processes: [ProcessCost] = []
  /// CPU that the harness itself used in the measured time.
  package var harnessCPUSeconds = 0.0

  /// Failures of every kind.
  package var failed: Int { errors.values.reduce(0, +) }

  private enum CodingKeys: String, CodingKey {
    case succeeded, errors, connections, reconnects, latency, events, keys, targets, processes
    case offered, aborted, curve, timeline, tenants, classes, fairness
    case latencyFairness = "latency_fairness"
    case measuredSeconds = "measured_s"
    case measuredRequests = "measured_requests"
    case requestsPerSecond = "requests_per_s"
    case bodyBytes = "body_bytes"
    case firstByte = "first_byte"
    case eventGap = "event_gap"
    case streamsComplete = "streams_complete"
    case measuredEvents = "measured_events"
    case harnessCPUSeconds = "harness_cpu_s"
  }
}
