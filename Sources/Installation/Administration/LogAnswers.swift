import Admin
import Foundation
import KeyProviders
import SealedLog
import StorageSQLite
import Tenancy

extension Administration: LogArchive {
  func entries(of tenant: TenantID, matching query: LogQuery) async throws -> LogPage {
    var filter = LogFilter()
    filter.limit = query.limit
    if let from = query.from { filter.from = UInt64(clamping: from.nanoseconds) }
    if let until = query.until { filter.to = UInt64(clamping: until.nanoseconds) }
    filter.after = query.cursor.flatMap(Self.cursor)
    let rows = try reading { () throws(SealedLogError) in try core.index.list(tenant, filter) }
    let next = rows.count < query.limit ? nil : rows.last.map { "\($0.time).\($0.location.recordID)" }
    return LogPage(entries: try names(in: tenant, rows), next: next)
  }

  func entry(of request: String, in tenant: TenantID) async throws -> Admin.LogEntry? {
    guard let row = try row(request, tenant) else { return nil }
    return try names(in: tenant, [row]).first
  }

  func content(of request: String, in tenant: TenantID) async throws -> LogContent? {
    guard let row = try row(request, tenant) else { return nil }
    do throws(SealedLogError) {
      core.log.flush()
      let record = try core.reader.open(row.location.recordID, tenant: tenant, at: row.location)
      let request = if let payload = record.request { try RequestPayload(payload).body } else { [UInt8]() }
      let response = record.response ?? []
      return LogContent(
        request: request, response: record.responseIsAssembled ? AssembledText.plain(response) : response)
    } catch {
      switch error.code {
      case .notFound: return nil
      case .notReadable: throw AdminError.contentNotReadable(error.message)
      default: throw AdminError(.internalFailure, "the record could not be opened", detail: error.detail)
      }
    }
  }

  func verify(_ tenant: TenantID) async throws -> Admin.LogVerification {
    let keys = core.tenantKeys
    core.log.flush()
    let checked = LogVerify.verify(
      folder: core.logFolder, tenant: tenant, installationKey: try core.keyProvider.installationKey(),
      keys: LogVerify.Keys(
        provider: core.keyProvider,
        tenantKeys: { (tenant) throws(SealedLogError) in try keys.load(tenant) }))
    func outcome(_ code: Int) -> Admin.LogVerification.Outcome { .init(rawValue: code) ?? .couldNotRun }
    return Admin.LogVerification(
      outcome: outcome(checked.exitCode), segments: checked.segments, frames: Int64(checked.frames),
      findings: checked.findings.map {
        Admin.LogVerification.Finding(outcome: outcome($0.code.rawValue), segment: $0.segment, detail: $0.text)
      },
      notes: checked.notes.map {
        Admin.LogVerification.Finding(outcome: .intact, segment: $0.segment, detail: $0.text)
      })
  }

  private func reading<Result>(_ work: () throws(SealedLogError) -> Result) throws -> Result {
    do { return try work() } catch {
      throw AdminError(.internalFailure, "the log's index could not be read", detail: error.detail)
    }
  }

  private func row(_ request: String, _ tenant: TenantID) throws -> LogRow? {
    do { return try core.index.lookup(requestID: request, tenant: tenant) } catch {
      guard error.code == .notFound else {
        throw AdminError(.internalFailure, "the log's index could not be read", detail: error.detail)
      }
      return nil
    }
  }

  private static func cursor(_ text: String) -> LogFilter.Cursor? {
    let parts = text.split(separator: ".")
    guard parts.count == 2, let time = UInt64(parts[0]), let record = UInt128(parts[1]) else { return nil }
    return LogFilter.Cursor(time: time, recordID: record)
  }

  private func names(in tenant: TenantID, _ rows: [LogRow]) throws -> [Admin.LogEntry] {
    let projects = Dictionary(
      try core.tenancy.scoped(to: tenant).projects().map { ($0.id.description, $0.slug.text) },
      uniquingKeysWith: { first, _ in first })
    return rows.map { row in
      let meta = (try? JSONSerialization.jsonObject(with: Data(row.metadata))) as? [String: Any] ?? [:]
      let findings = (meta["findings"] as? [String: Any] ?? [:]).compactMapValues { ($0 as? NSNumber)?.intValue }
      return Admin.LogEntry(
        request: row.requestID, time: Timestamp(nanoseconds: Int64(clamping: row.time)),
        project: row.project.map { projects[$0] ?? $0 }, key: row.key.flatMap { KeyID($0) },
        user: row.user.flatMap { UserID($0) }, alias: row.alias, provider: row.provider, model: row.model,
        status: row.status ?? 0, exit: (meta["exit"] as? NSNumber).map { "\($0)" } ?? "",
        inputTokens: row.tokensIn, outputTokens: row.tokensOut, cost: Money(nanos: row.cost),
        currency: meta["currency"] as? String ?? "", findings: findings,
        mode: row.location.stream.mode.rawValue)
    }
  }
}

/// A streamed answer's record, read back as text: each run on its own, tool calls with their place.
enum AssembledText {
  static func plain(_ runs: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    var position = 0
    while position + 8 <= runs.count {
      let length = (0..<4).reduce(0) { $0 | Int(runs[position + 4 + $1]) << (8 * $1) }
      let end = position + 8 + length
      guard end <= runs.count else { break }
      let label: String? =
        switch runs[position] {
        case 3: "\n[tool \(Int(runs[position + 2]) | Int(runs[position + 3]) << 8)] "
        case 4: "\n[reasoning] "
        case 5: "\n[refusal] "
        default: nil
        }
      if let label { out += Array(label.utf8) }
      out += runs[(position + 8)..<end]
      position = end
    }
    return out
  }
}
