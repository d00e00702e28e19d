import Tenancy

/// Roles and who holds them. Nobody changes their own, nobody grants more than they hold (`threats.md` row 27).
enum RoleRoutes {
  static let all = [list, bindings, bind, unbind, operatorBindings, operatorBind, operatorUnbind]

  static let list = AdminRoute(
    "role.list", .get, "/v1/roles", .anyone,
    .read { call in
      let roles = try await call.services.tenancy.roles().sorted { $0.name < $1.name }
      return try .list(roles.map(RoleAnswer.init))
    })

  static let bindings = listed("binding.list", "/v1/tenants/{tenant}/bindings", .tenant([.rolesManage, .auditRead]))
  static let bind = bound("role.bind", "/v1/tenants/{tenant}/bindings", .project(.rolesManage))
  static let unbind = unbound("role.unbind", "/v1/tenants/{tenant}/bindings/{binding}", .project(.rolesManage))
  static let operatorBindings = listed(
    "operator.binding.list", "/v1/bindings", .installation([.rolesManage, .auditRead]))
  static let operatorBind = bound("operator.bind", "/v1/bindings", .installation(.rolesManage))
  static let operatorUnbind = unbound("operator.unbind", "/v1/bindings/{binding}", .installation(.rolesManage))

  private static func listed(_ name: String, _ path: String, _ gate: AdminRoute.Gate) -> AdminRoute {
    AdminRoute(
      name, .get, path, gate,
      .read { call in
        let place = try await Place(call)
        let names = place.userNames
        return try .list(
          try await call.services.tenancy.bindings(of: place.tenant).map {
            BindingAnswer($0, userName: names[$0.user], names: place.names)
          })
      })
  }

  private static func bound(_ name: String, _ path: String, _ gate: AdminRoute.Gate) -> AdminRoute {
    AdminRoute(
      name, .post, path, gate,
      .change { call in
        let place = try await Place(call)
        let fields = try call.fields(["user", "role", "project", "reason", "expires_at"])
        guard let user: UserID = try fields.identifier("user") else {
          throw AdminError.invalid("'user' is missing", param: "user")
        }
        guard place.userNames[user] != nil else { throw AdminError.notFound }
        let scope = try place.scope(project: try fields.optionalText("project"))
        let draft = BindingDraft(
          user: user, role: try fields.text("role"), scope: scope, reason: try fields.text("reason", length: 3...200),
          expires: try fields.optionalTime("expires_at"), grantedBy: try call.who().actor.user)
        try call.who().checkGrant(of: draft.role, at: scope, to: user)
        return AuditedAct(on: "\(draft.role) → \(user)", reason: draft.reason) {
          let binding = try await call.services.tenancy.bind(draft)
          return try .json(
            BindingAnswer(binding, userName: place.userNames[user], names: place.names), status: 201)
        }
      })
  }

  private static func unbound(_ name: String, _ path: String, _ gate: AdminRoute.Gate) -> AdminRoute {
    AdminRoute(
      name, .delete, path, gate,
      .change { call in
        let place = try await Place(call)
        let id: BindingID = try call.identifier("binding")
        let held = try await call.services.tenancy.bindings(of: place.tenant)
        guard let binding = held.first(where: { $0.id == id }) else { throw AdminError.notFound }
        try call.who().checkGrant(of: binding.role, at: binding.scope, to: binding.user)
        return AuditedAct(on: "\(binding.role) → \(binding.user)") {
          try await call.services.tenancy.unbind(binding)
          return AdminResponse(status: 204, contentType: "", body: [])
        }
      })
  }
}

/// Where a binding route works: a tenant and its people, or the installation and the operator's.
private struct Place {
  let tenant: TenantID?
  let userNames: [UserID: String]
  let names: TenantNames
  private let projects: [ProjectRecord]

  init(_ call: AdminCall) async throws {
    let record = call.parameters["tenant"] == nil ? nil : try call.tenant()
    tenant = record?.id
    let users = try await call.services.tenancy.users(of: record?.id)
    userNames = Dictionary(users.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
    projects = if let record { try await call.services.tenancy.projects(of: record.id) } else { [] }
    names = record.map { [projects] in TenantNames($0, projects: projects) } ?? .none
  }

  func scope(project slug: String?) throws(AdminError) -> Scope {
    guard let tenant else {
      guard slug == nil else { throw .invalid("the installation has no projects", param: "project") }
      return .installation
    }
    guard let slug else { return .tenant(tenant) }
    guard let project = projects.first(where: { $0.slug.text == slug }) else { throw .notFound }
    return .project(tenant, project.id)
  }
}

private struct RoleAnswer: Encodable {
  let name: String
  let scope: String
  let permissions: [String]

  init(_ role: Role) {
    name = role.name
    scope = role.scope.rawValue
    permissions = role.permissions.nameList
  }
}

struct BindingAnswer: Encodable {
  let id: String
  let user: String
  let userName: String?
  let role: String
  let scope: String
  let tenant: String?
  let project: String?
  let reason: String
  let expiresAt: Timestamp?
  let grantedAt: Timestamp

  init(_ binding: RoleBinding, userName: String?, names: TenantNames) {
    id = binding.id.description
    user = binding.user.description
    self.userName = userName
    role = binding.role
    scope = binding.scope.width.rawValue
    tenant = binding.scope.tenant.flatMap { names[$0] }
    project = if case .project(_, let project) = binding.scope { names[project] } else { nil }
    reason = binding.reason
    expiresAt = binding.expires.map { Timestamp(secondsSince1970: $0) }
    grantedAt = Timestamp(secondsSince1970: binding.grantedAt)
  }
}
