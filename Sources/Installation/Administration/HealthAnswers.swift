import Admin
import Foundation
import Gateway
import Quotas
import SealedLog
import Tenancy

extension Administration: AuditTrail {
  func append(_ entry: AuditEntry) async throws {
    let detail = [entry.outcome.rawValue, entry.requestID, entry.reason].compactMap { $0 }.joined(separator: " | ")
    _ = try adapting {
      try core.tenancy.appendAudit(
        AuditRow(
          at: entry.time.secondsSince1970, actor: "\(entry.actor) \(entry.actorName)", tenant: entry.tenant,
          action: entry.action, target: entry.target, detail: detail))
    }
  }

  func entries(of tenant: TenantID?, limit: Int, cursor: String?) async throws -> AuditPage {
    let before = cursor.flatMap { Int64($0) }
    let rows = try adapting {
      try tenant.map { try core.tenancy.scoped(to: $0).audit(before: before, limit: limit) }
        ?? core.tenancy.audit(before: before, limit: limit)
    }
    let entries = rows.map { row in
      let actor = row.actor.split(separator: " ", maxSplits: 1)
      let detail = row.detail.components(separatedBy: " | ")
      return AuditEntry(
        time: Timestamp(secondsSince1970: row.at), actor: UserID(actor.first ?? "") ?? UserID(0),
        actorName: actor.count > 1 ? String(actor[1]) : "", action: row.action, tenant: row.tenant,
        target: row.target, reason: detail.count > 2 ? detail[2...].joined(separator: " | ") : nil,
        outcome: AuditEntry.Outcome(rawValue: detail.first ?? "") ?? .intended,
        requestID: detail.count > 1 ? detail[1] : "")
    }
    return AuditPage(entries: entries, next: rows.count < limit ? nil : rows.last.map { "\($0.sequence)" })
  }
}

extension Administration: InstallationHealth {
  func checks() async -> [HealthCheck] {
    let log = core.log.health
    let keys = core.keyProvider.status()
    var logDetail = "\(log.queueBytes) bytes queued"
    if case .failing(let reason) = log.state { logDetail = reason }
    return [
      HealthCheck(
        name: "serving", isReady: core.readiness.isReady, detail: core.readiness.isReady ? "" : "starting or draining"),
      HealthCheck(name: "log", isReady: log.state == .ok, detail: logDetail),
      HealthCheck(
        name: "ledger", isReady: core.quotas.isLedgerHealthy,
        detail: "\(core.quotas.openReservations) open reservations"),
      HealthCheck(name: "keys", isReady: keys.state == .ready, detail: "\(keys.kind) \(keys.detail)"),
      HealthCheck(
        name: "policies", isReady: core.policyReloadFault == nil,
        detail: core.policyReloadFault ?? "set \(core.policySet.hash.prefix(12))"),
      HealthCheck(
        name: "clock", isReady: !core.quotas.isClockHeld,
        detail: core.quotas.isClockHeld ? "the wall clock has jumped; budget windows stand still" : ""),
    ]
  }
}

/// The loops' counters and the stores' states in Prometheus' text format. Names are stable; labels come from closed sets.
struct LoopMetrics: MetricsText {
  let counters: [LoopCounters]
  let core: InstallationCore

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
    return text
  }
}
