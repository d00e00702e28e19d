import Tenancy

/// Slugs of a tenant's projects by id, for answers.
struct ProjectNames: Sendable {
  private let slugs: [ProjectID: String]

  init(_ call: AdminCall) async throws {
    let projects = try await call.services.tenancy.projects(of: try call.tenant().id)
    slugs = Dictionary(projects.map { ($0.id, $0.slug.text) }, uniquingKeysWith: { first, _ in first })
  }

  subscript(id: ProjectID) -> String? { slugs[id] }
}

/// Slugs of the tenants, and of their projects, that the caller's answer may name.
struct TenantNames: Sendable {
  private let tenants: [TenantID: String]
  private var projects: [ProjectID: String] = [:]

  init(_ call: AdminCall) async throws {
    let caller = try call.who()
    let visible = try await call.services.tenancy.tenants().filter { caller.sees($0.id) }
    tenants = Dictionary(visible.map { ($0.id, $0.slug.text) }, uniquingKeysWith: { first, _ in first })
    for case .project(let tenant, _) in caller.actor.bindings.map(\.scope) where tenants[tenant] != nil {
      for project in try await call.services.tenancy.projects(of: tenant) { projects[project.id] = project.slug.text }
    }
  }

  init(_ tenant: TenantRecord, projects: [ProjectRecord]) {
    tenants = [tenant.id: tenant.slug.text]
    self.projects = Dictionary(projects.map { ($0.id, $0.slug.text) }, uniquingKeysWith: { first, _ in first })
  }

  /// Names nothing: for what holds on the installation.
  static let none = TenantNames()

  private init() { tenants = [:] }

  subscript(id: TenantID) -> String? { tenants[id] }
  subscript(id: ProjectID) -> String? { projects[id] }
}
