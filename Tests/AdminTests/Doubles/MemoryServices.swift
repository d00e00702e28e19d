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

/// Its tenants live an hour east of UTC, and their calendar begins in 1970.
struct MemoryUsage: UsageReporting {
  let rows: [UsageRow]
  private static let day: Int64 = 86_400

  func day(of instant: Timestamp, in tenant: TenantID) async throws -> Int64? {
    let local = instant.secondsSince1970 + 3_600
    return local < 0 ? nil : local / Self.day
  }

  func usage(of tenant: TenantID, days: Range<Int64>) async throws -> UsageReport? {
    func start(_ day: Int64) -> Timestamp { Timestamp(secondsSince1970: day * Self.day - 3_600) }
    guard days.lowerBound >= 0 else { return nil }
    return UsageReport(from: start(days.lowerBound), until: start(days.upperBound), currency: "EUR", rows: rows)
  }
}

/// Tells what it was asked in its answer.
struct MemoryRoutes: RouteExplaining {
  func why(_ question: RouteQuestion) async throws -> RouteExplanation? {
    guard question.alias == "chat" else { return nil }
    let detail =
      "\(question.tokens) \(question.needs.joined(separator: "+")) \(question.tier.map { "\($0) " } ?? "")"
      + "\(question.project?.description ?? "-") \(question.showsState)"
    return RouteExplanation(
      policy: "base@1", currency: "EUR", order: "listed", rule: nil,
      callers: question.key.map { [RouteExplanation.Caller(key: $0, name: "laptop", role: "app", rule: nil)] } ?? [],
      candidates: [
        RouteExplanation.Candidate(
          provider: "mock", model: "m", country: "DE", weight: 1, verdict: .first, rule: nil, detail: detail,
          most: Money(nanos: 12_500_000), tiers: question.tier == nil ? [] : ["default", "flex"])
      ])
  }
}

struct MemoryProviders: ProviderRegister {
  func providers() async throws -> [ProviderRecord] {
    [
      ProviderRecord(
        id: "mock", adapter: "openai", endpoint: "https://mock.example/v1", isLocal: false, credential: "mock",
        country: "DE", agreement: .init(kind: "avv", expires: "2027-12-31", secrecyUndertaking: true),
        certificates: [.init(name: "iso27001", validUntil: "2027-06-30")], retentionDays: 0, training: "never",
        models: [
          .init(
            id: "m", maxOutput: 1000, context: nil, capabilities: ["tools"],
            price: .init(
              version: "2026-10-01", currency: "USD", input: Money(nanos: 2_000_000_000),
              cached: Money(nanos: 200_000_000), cacheWrite5m: Money(nanos: 0), cacheWrite1h: Money(nanos: 0),
              output: Money(nanos: 6_000_000_000),
              tiers: [
                .init(
                  name: "flex", aboveInputTokens: nil, isAutomatic: false, input: Money(nanos: 1_000_000_000),
                  cached: Money(nanos: 0), cacheWrite5m: Money(nanos: 0), cacheWrite1h: Money(nanos: 0),
                  output: Money(nanos: 3_000_000_000)),
                .init(
                  name: "default", aboveInputTokens: 200_000, isAutomatic: true, input: Money(nanos: 4_000_000_000),
                  cached: Money(nanos: 0), cacheWrite5m: Money(nanos: 0), cacheWrite1h: Money(nanos: 0),
                  output: Money(nanos: 9_000_000_000)),
              ]))
        ], fault: nil)
    ]
  }

  func check(_ provider: String) async throws -> ProviderCheck? {
    provider == "mock"
      ? ProviderCheck(
        provider: "mock", outcome: .modelsMissing, status: 200, milliseconds: 12, detail: "not there", missing: ["m"])
      : nil
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
