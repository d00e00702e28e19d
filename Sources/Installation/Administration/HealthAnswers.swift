import Admin
import EventLoop
import Frontend
import Gateway
import Glibc
import KeyProviders
import Policies
import Quotas
import SealedLog

extension Administration: InstallationHealth {
  func checks() async -> [HealthCheck] {
    let log = core.log.health
    let keys = core.keyProvider.status()
    var logDetail = "\(log.queueBytes) bytes queued"
    if case .failing(let reason) = log.state { logDetail = reason }
    let late = counters.count { $0.isLate }
    let now = SystemClock().monotonicNanoseconds
    let hung = pipelines.count { Watchdog.hangs($0.loop.busySince, at: now) }
    var checks = [
      HealthCheck(
        name: "serving", isReady: core.readiness.isReady, detail: core.readiness.isReady ? "" : "starting or draining"),
      HealthCheck(
        name: "loops", isReady: late == 0 && hung == 0,
        detail: hung > 0
          ? "\(hung) of \(counters.count) event loops hang"
          : late > 0 ? "\(late) of \(counters.count) event loops refuse new requests, because they are late" : ""),
      HealthCheck(name: "log", isReady: log.state == .ok, detail: logDetail),
      HealthCheck(
        name: "ledger", isReady: core.quotas.isLedgerHealthy,
        detail: "\(core.quotas.openReservations) open reservations"),
      HealthCheck(name: "keys", isReady: keys.state == .ready, detail: "\(keys.kind) \(keys.detail)"),
      HealthCheck(
        name: "policies", isReady: core.policyReloadFault == nil,
        detail: core.policyReloadFault ?? "set \(core.policySet.hash.prefix(12))"),
      HealthCheck(
        name: "tenants", isReady: core.unservableTenants.isEmpty,
        detail: core.unservableTenants.joined(separator: "\n")),
      HealthCheck(name: "directory", isReady: core.catchUp.fault == nil, detail: core.catchUp.fault ?? ""),
      HealthCheck(
        name: "clock", isReady: !core.quotas.isClockHeld,
        detail: core.quotas.isClockHeld ? "the wall clock has jumped; budget windows stand still" : ""),
    ]
    if let tls = core.tls {
      let trouble = tls.trouble
      // A certificate may say that it never ends, by a year that nanoseconds do not reach.
      let until = Timestamp(nanoseconds: min(max(0, tls.validUntil), 9_000_000_000) * 1_000_000_000)
      checks.append(
        HealthCheck(name: "tls", isReady: trouble == nil, detail: trouble ?? "certificate until \(until)"))
    }
    return checks
  }
}

/// The loops' counters and the stores' states in Prometheus' text format. Names are stable; labels come from closed sets.
struct LoopMetrics: MetricsText {
  let counters: [LoopCounters]
  let connections: ConnectionCount
  let services: GatewayServices
  let core: InstallationCore

  /// The lines of one histogram under its metric's name; buckets are summed up, as the format wants them.
  private static func samples(_ histogram: OverheadHistogram.Reading, _ stage: String? = nil) -> [(
    labels: String, value: String
  )] {
    var sum: UInt64 = 0
    var samples: [(labels: String, value: String)] = []
    let stage = stage.map { "stage=\"\($0)\"" }
    for (index, count) in histogram.counts.enumerated() {
      sum &+= count
      let bound = OverheadHistogram.Reading.bound(index).map { "\($0)" } ?? "+Inf"
      samples.append(("_bucket{\(stage.map { "\($0)," } ?? "")le=\"\(bound)\"}", "\(sum)"))
    }
    let labels = stage.map { "{\($0)}" } ?? ""
    samples.append(("_sum\(labels)", "\(Double(histogram.nanoseconds) / 1e9)"))
    samples.append(("_count\(labels)", "\(histogram.count)"))
    return samples
  }

  func metricsText() async -> String {
    var reading = LoopCounters.Reading()
    for loop in counters { loop.add(to: &reading) }
    var text = ""
    func metric(_ name: String, _ type: String, _ help: String, _ samples: [(labels: String, value: String)]) {
      text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
      for sample in samples { text += "\(name)\(sample.labels) \(sample.value)\n" }
    }
    metric(
      "torhaus_requests_total", "counter", "Requests answered, by class of status.",
      (1...5).map { ("{status=\"\($0)xx\"}", "\(reading.statuses[$0])") })
    let connections = connections.reading
    let bodies = services.bodies.reading
    let failedKeys = services.failedKeys.reading
    metric("torhaus_connections_open", "gauge", "Open client connections.", [("", "\(connections.open)")])
    metric(
      "torhaus_edge_refusals_total", "counter", "Refused because a limit of the edge was reached, by limit.",
      [
        ("{limit=\"connections\"}", "\(connections.refused)"),
        ("{limit=\"connections_per_source\"}", "\(connections.refusedPerSource)"),
        ("{limit=\"connections_per_tenant\"}", "\(bodies.refusedPlaces)"),
        ("{limit=\"bodies\"}", "\(bodies.refused)"), ("{limit=\"bodies_per_tenant\"}", "\(bodies.refusedPerTenant)"),
        ("{limit=\"failed_keys_per_source\"}", "\(failedKeys.refusedBySource)"),
        ("{limit=\"failed_keys_per_id\"}", "\(failedKeys.refusedByID)"),
      ] + FiredLimit.allCases.map { ("{limit=\"\($0.name)\"}", "\(reading.fired[$0.rawValue])") })
    metric(
      "torhaus_upstream_faults_total", "counter", "Attempts that providers have failed, by provider and cause.",
      services.providerFaults.counts.map {
        ("{provider=\"\($0.cause.provider)\",code=\"\($0.cause.code)\"}", "\($0.count)")
      })
    metric(
      "torhaus_failed_keys_total", "counter", "Requests with keys that are not valid.",
      [("", "\(failedKeys.failures)")])
    metric(
      "torhaus_loop_turn_seconds", "histogram",
      "How long the event loops' turns took: what comes during one waits for its end.", Self.samples(reading.turns))
    metric(
      "torhaus_bodies_bytes", "gauge", "Memory set aside for bodies, in steps of the loops.", [("", "\(bodies.bytes)")])
    metric("torhaus_inflight", "gauge", "Requests in work.", [("", "\(max(0, reading.inFlight))")])
    metric(
      "torhaus_tokens_total", "counter", "Tokens settled.",
      [("{type=\"input\"}", "\(reading.inputTokens)"), ("{type=\"output\"}", "\(reading.outputTokens)")])
    metric(
      "torhaus_redaction_findings_total", "counter", "Findings in requests.", [("", "\(reading.findings)")])
    metric(
      "torhaus_stage_seconds_total", "counter", "Time spent in the stages up to the hand-over to the provider.",
      [("", "\(Double(reading.gatewayNanoseconds) / 1e9)")])
    metric(
      "torhaus_overhead_seconds", "histogram",
      "Time in the gateway: from a request's last byte to its hand-over, and from the provider's last byte to the client's.",
      Self.samples(reading.requestOverhead, "request") + Self.samples(reading.answerOverhead, "answer"))
    metric(
      "torhaus_http2_calmed_total", "counter", "HTTP/2 connections ended for what their clients did too often.",
      [("", "\(reading.calmed)")])
    metric(
      "torhaus_reservations_open", "gauge", "Attempts whose slots are not free.",
      [("", "\(core.quotas.openReservations)")])
    let log = core.log.health
    metric(
      "torhaus_log_lag_seconds", "gauge", "Age of the log's batch in work.",
      [("", "\(Double(log.oldestNanoseconds) / 1e9)")])
    metric("torhaus_log_queue_bytes", "gauge", "Entries not yet written and synced.", [("", "\(log.queueBytes)")])
    metric(
      "torhaus_policy_info", "gauge", "The policy set in force.", [("{hash=\"\(core.policySet.hash)\"}", "1")])
    metric(
      "torhaus_policy_reload_failed", "gauge", "1 while the folder of policies cannot be applied.",
      [("", core.policyReloadFault == nil ? "0" : "1")])
    if let tls = core.tls {
      metric(
        "torhaus_tls_handshakes_total", "counter", "TLS handshakes of clients, by how they ended.",
        TLSFront.Outcome.allCases.map { ("{outcome=\"\($0.name)\"}", "\(tls.front.number(of: $0))") })
      metric(
        "torhaus_cert_expiry_seconds", "gauge", "Until the endpoint's certificate ends; negative afterwards.",
        [("", "\(tls.validUntil - Int64(time(nil)))")])
      metric(
        "torhaus_tls_reload_failed", "gauge", "1 while the endpoint's TLS files cannot be applied.",
        [("", tls.fault == nil ? "0" : "1")])
    }
    return text
  }
}
