import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// Makes one run and says what it found; blocks the calling thread until the run is over.
package enum LoadRun {
  private static let keyListLimit = 1_000

  /// - Throws: ``LoadError`` if the plan is not sound, no connection could be made or a watched process is gone.
  package static func run(_ plan: LoadPlan) throws(LoadError) -> LoadReport {
    try plan.check()
    // Before there is a connection: what streams take in memory is counted from here.
    var residentBefore: [Int] = []
    for pid in plan.processes { residentBefore.append(try ProcessUsage.read(pid).residentKiB) }
    let group = MultiThreadedEventLoopGroup(numberOfThreads: plan.loops)
    defer { try? group.syncShutdownGracefully() }
    let lanes = try Lanes(plan, group)
    let connected = try lanes.connect()
    guard connected > 0 else {
      throw LoadError(.connectFailed, "No connection to \(plan.targets[0].host) could be made.")
    }
    var report = LoadReport()
    report.connections = connected
    report.bodyBytes = lanes.bodyBytes

    let start = NIODeadline.now().uptimeNanoseconds + 5_000_000
    let warm = start + UInt64(plan.warmUpSeconds * 1_000_000_000)
    let window = LoadWindow(start: start, warm: warm, end: warm + UInt64(plan.durationSeconds * 1_000_000_000))
    lanes.begin(window)
    lanes.waitUntilDone(orNanoseconds: window.warm)
    var meter = try ProcessMeter(plan.processes, residentBefore: residentBefore)
    _ = try lanes.takeInterval()
    while !lanes.areDone, NIODeadline.now().uptimeNanoseconds < window.end {
      let next = NIODeadline.now().uptimeNanoseconds + UInt64(plan.sampleSeconds * 1_000_000_000)
      lanes.waitUntilDone(orNanoseconds: min(window.end, next))
      meter.sample()
      report.timeline.append(meter.point(try lanes.takeInterval()))
    }
    meter.stop()
    lanes.stopIssuing()
    lanes.waitUntilDone(
      orNanoseconds: NIODeadline.now().uptimeNanoseconds + UInt64(plan.drainSeconds * 1_000_000_000))
    let result = try lanes.end()
    fill(&report, with: result, meter, plan)
    return report
  }

  private static func fill(
    _ report: inout LoadReport, with result: LaneResult, _ meter: ProcessMeter, _ plan: LoadPlan
  ) {
    report.measuredSeconds = meter.seconds
    report.measuredRequests = result.measured
    report.requestsPerSecond = meter.seconds > 0 ? Double(result.measured) / meter.seconds : 0
    report.succeeded = result.succeeded
    report.errors = result.errors
    report.reconnects = result.reconnects
    report.latency = result.latency.summary
    report.firstByte = result.firstByte.summary
    report.eventGap = result.eventGap.summary
    report.streamsComplete = result.streamsComplete
    report.events = result.events
    report.measuredEvents = result.measuredEvents
    report.aborted = result.aborted
    report.offered = result.classes.reduce(0) { $0 + $1.offered }
    report.curve = result.latency.curve
    report.keys = result.keys.count <= keyListLimit ? result.keys : []
    report.tenants = zip(plan.tenants, result.tenants).map { GroupReport($0.name, $1) }
    report.classes = zip(plan.classes, result.classes).map { GroupReport($0.name, $1) }
    if plan.tenants.count > 1 {
      // In a closed loop a tenant asks for its share of the connections; in an open one for what was drawn for it.
      report.fairness = Fairness.jain(
        zip(plan.tenants, result.tenants).map { tenant, count in
          let asked = plan.bindsConnections ? tenant.weight : Double(count.offered)
          return asked > 0 ? Double(count.succeeded + count.aborted) / asked : 0
        })
      // Who asked and was never served had the worst latency of all.
      report.latencyFairness = Fairness.jain(
        result.tenants.filter { $0.offered > 0 }.map { tenant in
          let p99 = tenant.latency?.summary.p99Milliseconds ?? 0
          return p99 > 0 ? 1 / p99 : 0
        })
    }
    report.targets = result.targets
    report.harnessCPUSeconds = meter.harnessCPUSeconds
    report.processes = meter.costs(requests: result.measured, events: result.measuredEvents)
  }
}
