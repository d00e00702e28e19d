import Tenancy

enum TenantRoutes {
  static let all = [list, create, show, suspend, resume]

  /// The tenants that the caller may see; for most that is their own.
  static let list = AdminRoute(
    "tenant.list", .get, "/v1/tenants", .anyone,
    .read { call in
      let caller = try call.who()
      let visible = try await call.services.tenancy.tenants().filter { caller.sees($0.id) }
      return try .list(visible.map(TenantAnswer.init))
    })

  static let create = AdminRoute(
    "tenant.create", .post, "/v1/tenants", .installation(.tenantsManage),
    .change { call in
      let fields = try call.fields(["slug", "name", "policy"])
      let slug = try fields.slug("slug")
      let draft = TenantDraft(
        slug: slug, name: try fields.optionalText("name") ?? slug.text, policy: try fields.optionalText("policy"))
      return AuditedAct(on: slug.text) {
        try .json(TenantAnswer(try await call.services.tenancy.createTenant(draft)), status: 201)
      }
    })

  static let show = AdminRoute(
    "tenant.show", .get, "/v1/tenants/{tenant}", .anyone, .read { call in try .json(TenantAnswer(try call.tenant())) })

  static let suspend = setState("tenant.suspend", "/v1/tenants/{tenant}/suspend", suspended: true)
  static let resume = setState("tenant.resume", "/v1/tenants/{tenant}/resume", suspended: false)

  private static func setState(_ name: String, _ path: String, suspended: Bool) -> AdminRoute {
    AdminRoute(
      name, .post, path, .installation(.tenantsManage),
      .change { call in
        let tenant = try call.tenant()
        let reason = try call.fields(["reason"]).optionalText("reason", length: 1...500)
        return AuditedAct(on: tenant.slug.text, reason: reason) {
          try .json(TenantAnswer(try await call.services.tenancy.setSuspended(suspended, tenant: tenant.id)))
        }
      })
  }
}

private struct TenantAnswer: Encodable {
  let id: String
  let slug: String
  let name: String
  let policy: String?
  let state: String
  let createdAt: Timestamp

  init(_ record: TenantRecord) {
    id = record.id.description
    slug = record.slug.text
    name = record.name
    policy = record.policy
    state = record.suspended ? "suspended" : "active"
    createdAt = record.created
  }
}
