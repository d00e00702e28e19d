import Synchronization
import Tenancy

@testable import Admin

final class MemoryAudit: AuditTrail {
  private let events: EventLog
  private let isBroken: Bool
  private let stored = Mutex<[AuditEntry]>([])

  init(events: EventLog, isBroken: Bool) {
    self.events = events
    self.isBroken = isBroken
  }

  var entries: [AuditEntry] { stored.withLock { $0 } }

  func append(_ entry: AuditEntry) async throws {
    guard !isBroken else { throw AdminError(.internalFailure, "disk", detail: "no space left") }
    events.note("audit:\(entry.action):\(entry.outcome.rawValue)")
    stored.withLock { $0.append(entry) }
  }

  func entries(of tenant: TenantID?, limit: Int, cursor: String?) async throws -> AuditPage {
    AuditPage(entries: Array(entries.reversed().filter { $0.tenant == tenant }.prefix(limit)), next: nil)
  }
}

final class MemoryQuotas: QuotaAdministration {
  private let events: EventLog
  private let stored = Mutex<[String: [QuotaKind: Int64?]]>([:])

  init(events: EventLog) { self.events = events }

  func quota(of tenant: TenantID, key: KeyID?) async throws -> [QuotaLine] {
    let limits = stored.withLock { $0[Self.name(tenant, key)] ?? [:] }
    return QuotaKind.allCases.compactMap { kind in
      limits[kind].map { limit in
        QuotaLine(
          kind: kind, limit: limit, used: 7, reserved: 0, resets: World.now, currency: kind.isMoney ? "EUR" : nil)
      }
    }
  }

  func setQuota(_ change: QuotaChange, of tenant: TenantID, key: KeyID?) async throws -> [QuotaLine] {
    events.note("setQuota")
    stored.withLock { $0[Self.name(tenant, key), default: [:]].merge(change.limits) { $1 } }
    return try await quota(of: tenant, key: key)
  }

  private static func name(_ tenant: TenantID, _ key: KeyID?) -> String {
    "\(tenant)/\(key?.description ?? "")"
  }
}

struct MemoryUsage: UsageReporting {
  let rows: [UsageRow]

  func usage(of tenant: TenantID, from: Timestamp, until: Timestamp) async throws -> UsageReport {
    UsageReport(currency: "EUR", rows: rows)
  }
}

final class MemoryLog: LogArchive {
  private let events: EventLog
  private let stored: [TenantID: [LogEntry]]

  init(entries: [TenantID: [LogEntry]], events: EventLog) {
    stored = entries
    self.events = events
  }

  func entries(of tenant: TenantID, matching query: LogQuery) async throws -> LogPage {
    let all = stored[tenant] ?? []
    let start = query.cursor.flatMap(Int.init) ?? 0
    let end = min(start + query.limit, all.count)
    return LogPage(entries: Array(all[min(start, end)..<end]), next: end < all.count ? String(end) : nil)
  }

  func entry(of request: String, in tenant: TenantID) async throws -> LogEntry? {
    stored[tenant]?.first { $0.request == request }
  }

  func content(of request: String, in tenant: TenantID) async throws -> LogContent? {
    events.note("content")
    return LogContent(request: Array("{\"prompt\":\"\(World.canary)\"}".utf8), response: [0xFF, 0x00])
  }

  func verify(_ tenant: TenantID) async throws -> LogVerification {
    LogVerification(
      outcome: .modified, segments: 2, frames: 40,
      findings: [.init(outcome: .modified, segment: "1-2", detail: "tag of frame 7")])
  }
}

struct MemoryHealth: InstallationHealth, MetricsText {
  let isReady: Bool

  func checks() async -> [HealthCheck] {
    [
      HealthCheck(name: "ledger", isReady: true, detail: ""),
      HealthCheck(name: "log", isReady: isReady, detail: "disk"),
    ]
  }

  func metricsText() async -> String { "torhaus_inflight 0\n" }
}
