package import Foundation

/// The report for people and for programs.
package enum ReportText {
  /// A few lines for the terminal.
  package static func lines(_ report: LoadReport) -> String {
    var lines = [
      "requests    \(report.measuredRequests) in \(number(report.measuredSeconds, 2)) s = "
        + "\(number(report.requestsPerSecond, 0))/s on \(report.connections) connections "
        + "(whole run: \(report.succeeded) well, \(report.failed) failed, \(report.reconnects) reconnects)"
    ]
    lines.append("latency     " + percentiles(report.latency))
    lines.append("first byte  " + percentiles(report.firstByte))
    if report.events > 0 {
      lines.append("event gap   " + percentiles(report.eventGap))
      lines.append(
        "streams     \(report.streamsComplete) complete, \(report.events) events, "
          + "\(number(Double(report.measuredEvents) / max(report.measuredSeconds, 0.001), 0))/s")
    }
    for (kind, count) in report.errors.sorted(by: { $0.key < $1.key }) { lines.append("error       \(kind): \(count)") }
    if report.keys.count > 1 {
      let low = report.keys.map(\.succeeded).min() ?? 0
      let high = report.keys.map(\.succeeded).max() ?? 0
      lines.append("keys        \(report.keys.count), \(low) to \(high) answers each")
    }
    if report.aborted > 0 { lines.append("aborted     \(report.aborted) given up by the client") }
    for group in report.classes where report.classes.count > 1 { lines.append("class       " + text(group)) }
    for group in report.tenants where (2...20).contains(report.tenants.count) {
      lines.append("tenant      " + text(group))
    }
    if let fairness = report.fairness {
      lines.append(
        "fairness    \(number(fairness, 4)) of what was asked, \(number(report.latencyFairness ?? 0, 4)) of p99")
    }
    for (index, target) in report.targets.enumerated() where report.targets.count > 1 {
      lines.append("target \(index)    \(target.succeeded) well, \(target.failed) failed")
    }
    for process in report.processes {
      lines.append(
        "process     \(process.pid): \(number(process.cpuSeconds, 2)) s CPU, "
          + "\(number(process.cpuMicrosecondsPerRequest, 1)) us/request, "
          + (report.events > 0 ? "\(number(process.cpuMicrosecondsPerEvent, 1)) us/event, " : "")
          + "RSS \(process.lastResidentKiB) KiB, peak \(process.peakResidentKiB) KiB")
    }
    lines.append("harness     \(number(report.harnessCPUSeconds, 2)) s CPU")
    return lines.joined(separator: "\n")
  }

  /// One JSON object.
  package static func json(_ report: LoadReport) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return try encoder.encode(report)
  }

  private static func text(_ group: GroupReport) -> String {
    "\(group.name): \(group.succeeded) of \(group.offered) well, \(group.failed) failed, \(group.aborted) aborted, "
      + "p99 \(number(group.latency?.p99Milliseconds ?? 0, 3)) ms"
  }

  private static func percentiles(_ summary: LatencySummary) -> String {
    guard summary.count > 0 else { return "-" }
    return "p50 \(number(summary.p50Milliseconds, 3))  p90 \(number(summary.p90Milliseconds, 3))  "
      + "p99 \(number(summary.p99Milliseconds, 3))  p99.9 \(number(summary.p999Milliseconds, 3))  "
      + "max \(number(summary.maxMilliseconds, 3)) ms"
  }

  private static func number(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
}
