package import Tenancy

/// The audit trail over the tenancy store's rows.
package final class StoredAuditTrail: AuditTrail {
  private let store: any TenancyStore
  private let calls = BlockingCalls(label: "torhaus.admin.audit")

  package init(store: any TenancyStore) { self.store = store }

  package func append(_ entry: AuditEntry) async throws {
    try await calls.run { [store] in _ = try store.appendAudit(Self.row(entry)) }
  }

  package func entries(of tenant: TenantID?, limit: Int, cursor: String?) async throws -> AuditPage {
    let before = cursor.flatMap { Int64($0) }
    guard (cursor == nil) == (before == nil) else {
      throw AdminError.invalid("'cursor' is none of this list", param: "cursor")
    }
    let rows = try await calls.run { [store] in
      guard let tenant else { return try Self.ofInstallation(store, before: before, limit: limit) }
      return try store.scoped(to: tenant).audit(before: before, limit: limit)
    }
    return AuditPage(
      entries: rows.map(Self.entry), next: rows.count == limit ? rows.last.map { String($0.sequence) } : nil)
  }

  /// The installation's own acts: rows of tenants are passed over, page after page.
  private static func ofInstallation(
    _ store: any TenancyStore, before: Int64?, limit: Int
  ) throws -> [AuditRow] {
    var found: [AuditRow] = []
    var cursor = before
    while found.count < limit {
      let page = try store.audit(before: cursor, limit: 1000)
      found += page.filter { $0.tenant == nil }
      guard page.count == 1000, let last = page.last else { break }
      cursor = last.sequence
    }
    return Array(found.prefix(limit))
  }

  /// `actor` is the id and the name, `detail` outcome, request id and reason, each pair of words divided by one space.
  private static func row(_ entry: AuditEntry) -> AuditRow {
    AuditRow(
      at: entry.time.secondsSince1970, actor: "\(entry.actor) \(entry.actorName)", tenant: entry.tenant,
      action: entry.action, target: entry.target,
      detail: "\(entry.outcome.rawValue) \(entry.requestID)\(entry.reason.map { " " + $0 } ?? "")")
  }

  /// Rows that others wrote are shown as they are.
  private static func entry(_ row: AuditRow) -> AuditEntry {
    let actor = row.actor.split(separator: " ", maxSplits: 1).map(String.init)
    let detail = row.detail.split(separator: " ", maxSplits: 2).map(String.init)
    let outcome = detail.first.flatMap(AuditEntry.Outcome.init)
    let id = actor.first.flatMap { UserID($0) }
    return AuditEntry(
      time: Timestamp(secondsSince1970: row.at), actor: id ?? UserID(0),
      actorName: id == nil ? row.actor : actor.count > 1 ? actor[1] : "", action: row.action, tenant: row.tenant,
      target: row.target, reason: outcome == nil ? row.detail : detail.count > 2 ? detail[2] : nil,
      outcome: outcome ?? .intended, requestID: outcome != nil && detail.count > 1 ? detail[1] : "")
  }
}
