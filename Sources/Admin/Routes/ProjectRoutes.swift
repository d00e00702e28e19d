import Tenancy

enum ProjectRoutes {
  static let all = [list, create]

  /// Whoever has rights in one project alone sees that one alone.
  static let list = AdminRoute(
    "project.list", .get, "/v1/tenants/{tenant}/projects", .anyone,
    .read { call in
      let tenant = try call.tenant()
      let caller = try call.who()
      let visible = try await call.services.tenancy.projects(of: tenant.id).filter {
        !caller.permissions(at: .project(tenant.id, $0.id)).isEmpty
      }
      return try .list(visible.map(ProjectAnswer.init))
    })

  static let create = AdminRoute(
    "project.create", .post, "/v1/tenants/{tenant}/projects", .tenant(.projectsManage),
    .change { call in
      let tenant = try call.tenant()
      let fields = try call.fields(["slug", "name"])
      let slug = try fields.slug("slug")
      let draft = ProjectDraft(
        tenant: tenant.id, slug: slug, name: try fields.optionalText("name") ?? slug.text)
      return AuditedAct(on: slug.text) {
        try .json(ProjectAnswer(try await call.services.tenancy.createProject(draft)), status: 201)
      }
    })
}

private struct ProjectAnswer: Encodable {
  let id: String
  let slug: String
  let name: String
  let createdAt: Timestamp

  init(_ record: ProjectRecord) {
    id = record.id.description
    slug = record.slug.text
    name = record.name
    createdAt = record.created
  }
}
