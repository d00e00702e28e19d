import Tenancy

/// API keys. The text of a key is in the answer that made it and in no other.
enum KeyRoutes {
  static let all = [list, create, revoke, rotate]

  static let list = AdminRoute(
    "key.list", .get, "/v1/tenants/{tenant}/keys", .project([.keysManage, .auditRead]),
    .read { call in
      let tenant = try call.tenant()
      let caller = try call.who()
      let names = try await ProjectNames(call)
      let visible = try await call.services.tenancy.keys(of: tenant.id).filter {
        caller.holds(anyOf: [.keysManage, .auditRead], at: .project(tenant.id, $0.project))
      }
      return try .list(visible.map { KeyAnswer($0, names: names) })
    })

  static let create = AdminRoute(
    "key.create", .post, "/v1/tenants/{tenant}/keys", .project(.keysManage),
    .change { call in
      let tenant = try call.tenant()
      let fields = try call.fields(["project", "name", "user", "role", "expires_at"])
      let project = try await call.project(named: try fields.text("project"))
      try call.who().require(.keysManage, at: .project(tenant.id, project.id))
      let draft = KeyDraft(
        project: project.id, name: try fields.text("name"), user: try fields.identifier("user"),
        role: try fields.optionalText("role"), expires: try fields.optionalTime("expires_at"))
      try await checkRole(draft.role, at: .project(tenant.id, project.id), call)
      let names = try await ProjectNames(call)
      return AuditedAct(on: "\(project.slug)/\(draft.name)") {
        let issued = try await call.services.tenancy.createKey(draft, in: tenant.id)
        return try .json(
          IssuedKeyAnswer(key: issued.secret, record: KeyAnswer(issued.record, names: names)), status: 201)
      }
    })

  static let revoke = AdminRoute(
    "key.revoke", .post, "/v1/tenants/{tenant}/keys/{key}/revoke", .project(.keysManage),
    .change { call in
      let tenant = try call.tenant()
      let key = try await managedKey(call)
      let reason = try call.fields(["reason"]).optionalText("reason", length: 1...500)
      let names = try await ProjectNames(call)
      return AuditedAct(on: key.id.description, reason: reason) {
        try .json(KeyAnswer(try await call.services.tenancy.revokeKey(key.id, in: tenant.id), names: names))
      }
    })

  static let rotate = AdminRoute(
    "key.rotate", .post, "/v1/tenants/{tenant}/keys/{key}/rotate", .project(.keysManage),
    .change { call in
      let tenant = try call.tenant()
      let key = try await managedKey(call)
      let overlap = try call.fields(["overlap_seconds"]).optionalInteger("overlap_seconds", range: 0...2_592_000)
      let names = try await ProjectNames(call)
      return AuditedAct(on: key.id.description) {
        let issued = try await call.services.tenancy.rotateKey(
          key.id, overlapSeconds: overlap ?? 86_400, in: tenant.id)
        return try .json(
          IssuedKeyAnswer(key: issued.secret, record: KeyAnswer(issued.record, names: names)), status: 201)
      }
    })

  /// A key of the path that the caller may manage; one in a project closed to them does not exist.
  private static func managedKey(_ call: AdminCall) async throws -> KeyRecord {
    let tenant = try call.tenant()
    let id: KeyID = try call.identifier("key")
    let caller = try call.who()
    guard let key = try await call.services.tenancy.keys(of: tenant.id).first(where: { $0.id == id }),
      caller.holds(anyOf: .keysManage, at: .project(tenant.id, key.project))
    else { throw AdminError.notFound }
    return key
  }

  /// A key carries no more than its maker holds: of its role, what keys can use at all.
  private static func checkRole(_ name: String?, at scope: Scope, _ call: AdminCall) async throws {
    guard let name else { return }
    guard let role = try await call.services.tenancy.roles().first(where: { $0.name == name }) else {
      throw AdminError.invalid("there is no role of that name", param: "role", hint: "list them with 'role list'")
    }
    let missing = role.permissions.intersection(.ofKeys).subtracting(try call.who().permissions(at: scope))
    guard missing.isEmpty else { throw AdminError.forbidden(missing.nameList.joined(separator: ", ")) }
  }
}

private struct KeyAnswer: Encodable {
  let id: String
  let name: String
  let project: String?
  let user: String?
  let role: String?
  let state: String
  let createdAt: Timestamp
  let expiresAt: Timestamp?
  let lastUsedAt: Timestamp?

  init(_ record: KeyRecord, names: ProjectNames) {
    id = record.id.description
    name = record.name
    project = names[record.project]
    user = record.user?.description
    role = record.role
    state = record.state.rawValue
    createdAt = record.created
    expiresAt = record.expires
    lastUsedAt = record.lastUsed
  }
}

private struct IssuedKeyAnswer: Encodable {
  let key: String
  let record: KeyAnswer
}
