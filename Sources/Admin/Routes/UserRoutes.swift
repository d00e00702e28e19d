import Tenancy

/// People of a tenant and of the installation, and their admin tokens.
enum UserRoutes {
  static let all = [list, create, token, operatorList, operatorCreate, operatorToken]

  static let list = listed("user.list", "/v1/tenants/{tenant}/users", .tenant([.usersManage, .auditRead]))
  static let create = created("user.create", "/v1/tenants/{tenant}/users", .tenant(.usersManage))
  static let token = issued("user.token", "/v1/tenants/{tenant}/users/{user}/tokens", .tenant(.usersManage))
  static let operatorList = listed("operator.list", "/v1/users", .installation([.usersManage, .auditRead]))
  static let operatorCreate = created("operator.create", "/v1/users", .installation(.usersManage))
  static let operatorToken = issued("operator.token", "/v1/users/{user}/tokens", .installation(.usersManage))

  private static func listed(_ name: String, _ path: String, _ gate: AdminRoute.Gate) -> AdminRoute {
    AdminRoute(
      name, .get, path, gate,
      .read { call in try .list(try await people(call).map(UserAnswer.init)) })
  }

  private static func created(_ name: String, _ path: String, _ gate: AdminRoute.Gate) -> AdminRoute {
    AdminRoute(
      name, .post, path, gate,
      .change { call in
        let fields = try call.fields(["name", "email"])
        let draft = UserDraft(
          tenant: try home(call), name: try fields.text("name"), email: try fields.text("email", length: 3...200))
        return AuditedAct(on: draft.name) {
          try .json(UserAnswer(try await call.services.tenancy.createUser(draft)), status: 201)
        }
      })
  }

  /// Who makes a token for another could act as them: so they must hold all that the other holds.
  private static func issued(_ name: String, _ path: String, _ gate: AdminRoute.Gate) -> AdminRoute {
    AdminRoute(
      name, .post, path, gate,
      .change { call in
        let id: UserID = try call.identifier("user")
        guard let user = try await people(call).first(where: { $0.id == id }) else { throw AdminError.notFound }
        guard try call.who().holdsAll(of: try await call.services.tenancy.bindings(of: id)) else {
          throw AdminError(
            .forbidden, "this person holds roles that you do not hold", hint: "ask somebody who holds them")
        }
        let lifetime = try call.fields(["lifetime_seconds"]).optionalInteger(
          "lifetime_seconds", range: 60...maximumLifetime)
        return AuditedAct(on: user.id.description) {
          let issued = try await call.services.tenancy.issueToken(
            to: user.id, lifetimeSeconds: lifetime ?? defaultLifetime)
          return try .json(TokenAnswer(token: issued.secret, expiresAt: issued.expires), status: 201)
        }
      })
  }

  private static let defaultLifetime: Int64 = 43_200
  private static let maximumLifetime: Int64 = 7_776_000

  private static func home(_ call: AdminCall) throws(AdminError) -> TenantID? {
    call.parameters["tenant"] == nil ? nil : try call.tenant().id
  }

  private static func people(_ call: AdminCall) async throws -> [UserRecord] {
    try await call.services.tenancy.users(of: try home(call))
  }
}

private struct UserAnswer: Encodable {
  let id: String
  let name: String
  let email: String
  let state: String
  let createdAt: Timestamp

  init(_ record: UserRecord) {
    id = record.id.description
    name = record.name
    email = record.email
    state = record.suspended ? "suspended" : "active"
    createdAt = record.created
  }
}

private struct TokenAnswer: Encodable {
  let token: String
  let expiresAt: Timestamp
}
