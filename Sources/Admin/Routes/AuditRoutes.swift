import Tenancy

/// Who changed or opened what.
enum AuditRoutes {
  static let all = [ofTenant, ofInstallation]

  static let ofTenant = listed("audit.list", "/v1/tenants/{tenant}/audit", .tenant(.auditRead))
  static let ofInstallation = listed("operator.audit.list", "/v1/audit", .installation(.auditRead))

  private static func listed(_ name: String, _ path: String, _ gate: AdminRoute.Gate) -> AdminRoute {
    AdminRoute(
      name, .get, path, gate, query: ["limit", "cursor"],
      .read { call in
        let tenant = call.parameters["tenant"] == nil ? nil : try call.tenant()
        let page = try await call.services.audit.entries(
          of: tenant?.id, limit: try call.pageLimit(), cursor: call.query["cursor"])
        return try .list(page.entries.map { AuditAnswer($0, tenant: tenant?.slug.text) }, next: page.next)
      })
  }
}

private struct AuditAnswer: Encodable {
  let time: Timestamp
  let actor: String
  let actorName: String
  let action: String
  let tenant: String?
  let target: String
  let reason: String?
  let outcome: String
  let requestId: String

  init(_ entry: AuditEntry, tenant: String?) {
    time = entry.time
    actor = entry.actor.description
    actorName = entry.actorName
    action = entry.action
    self.tenant = tenant
    target = entry.target
    reason = entry.reason
    outcome = entry.outcome.rawValue
    requestId = entry.requestID
  }
}
