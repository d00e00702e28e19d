import NIOCore

/// Measures the watched processes and the harness itself from its making to ``stop()``.
struct ProcessMeter {
  private let processes: [Int32]
  private let first: [ProcessUsage]
  private let residentBefore: [Int]
  private var last: [ProcessUsage]
  private var peaks: [Int]
  private let firstNanoseconds = NIODeadline.now().uptimeNanoseconds
  private let firstHarnessSeconds = ProcessUsage.ownCPUSeconds()
  private(set) var seconds = 0.0
  private(set) var harnessCPUSeconds = 0.0

  /// - Parameter residentBefore: What each process held before the load began, in KiB.
  init(_ processes: [Int32], residentBefore: [Int]) throws(LoadError) {
    var usages: [ProcessUsage] = []
    for pid in processes { usages.append(try ProcessUsage.read(pid)) }
    self.processes = processes
    self.residentBefore = residentBefore
    first = usages
    last = usages
    peaks = usages.map(\.residentKiB)
  }

  /// Reads all watched processes and their children; one that has died keeps what it had.
  mutating func sample() {
    for (index, pid) in processes.enumerated() {
      guard let usage = try? ProcessUsage.read(pid) else { continue }
      last[index] = usage
      peaks[index] = max(peaks[index], usage.residentKiB)
    }
  }

  /// Takes the last readings.
  mutating func stop() {
    sample()
    seconds = Double(NIODeadline.now().uptimeNanoseconds - firstNanoseconds) / 1_000_000_000
    harnessCPUSeconds = ProcessUsage.ownCPUSeconds() - firstHarnessSeconds
  }

  /// A point of the timeline from the last sample and what the lanes counted until then.
  func point(_ interval: LaneInterval) -> TimelinePoint {
    let latency = interval.latency.summary
    let descriptors = last.map(\.descriptors)
    return TimelinePoint(
      seconds: Double(NIODeadline.now().uptimeNanoseconds - firstNanoseconds) / 1_000_000_000,
      requests: interval.requests, failed: interval.failed, p50Milliseconds: latency.p50Milliseconds,
      p99Milliseconds: latency.p99Milliseconds,
      cpuSeconds: zip(last, first).reduce(0) { $0 + $1.0.cpuSeconds - $1.1.cpuSeconds },
      residentKiB: last.reduce(0) { $0 + $1.residentKiB }, threads: last.reduce(0) { $0 + $1.threads },
      descriptors: descriptors.contains(nil) ? nil : descriptors.reduce(0) { $0 + ($1 ?? 0) })
  }

  func costs(requests: Int, events: Int) -> [ProcessCost] {
    processes.indices.map { index in
      let cpu = last[index].cpuSeconds - first[index].cpuSeconds
      return ProcessCost(
        pid: processes[index], cpuSeconds: cpu,
        cpuMicrosecondsPerRequest: requests > 0 ? cpu * 1_000_000 / Double(requests) : 0,
        cpuMicrosecondsPerEvent: events > 0 ? cpu * 1_000_000 / Double(events) : 0,
        firstResidentKiB: residentBefore[index], peakResidentKiB: peaks[index],
        lastResidentKiB: last[index].residentKiB)
    }
  }
}
