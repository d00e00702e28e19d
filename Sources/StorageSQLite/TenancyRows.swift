internal import Cryptography
internal import Foundation
internal import GRDB
internal import Tenancy

extension Identifier {
  /// 16 bytes, most significant first.
  var blob: Data { Data(bytes) }

  init(blob: Data) throws {
    guard blob.count == 16 else { throw TenancyError(.storage, "A stored id is damaged.") }
    self.init(blob.reduce(UInt128(0)) { $0 << 8 | UInt128($1) })
  }
}

extension Row {
  func id<Kind>(_ column: String) throws -> Identifier<Kind> { try Identifier(blob: self[column]) }
  func optionalID<Kind>(_ column: String) throws -> Identifier<Kind>? {
    let blob: Data? = self[column]
    return try blob.map { try Identifier(blob: $0) }
  }
  func slug(_ column: String) throws -> Slug {
    guard let slug = Slug(self[column] as String) else { throw TenancyError(.storage, "A stored name is damaged.") }
    return slug
  }
  func standing() throws -> Standing {
    guard let standing = Standing(rawValue: self["standing"]) else {
      throw TenancyError(.storage, "A stored standing is damaged.")
    }
    return standing
  }
  func digest() throws -> Digest256 {
    let blob: Data = self["digest"]
    guard blob.count == 32 else { throw TenancyError(.storage, "A stored digest is damaged.") }
    return Digest256(bytes: blob)
  }
}

extension Tenant {
  init(row: Row) throws {
    self.init(
      id: try row.id("id"), slug: try row.slug("slug"), name: row["name"], standing: try row.standing(),
      policy: row["policy"], group: row["tag"], timeZone: row["zone"], currency: row["currency"],
      createdAt: row["created"])
  }
}

extension Project {
  init(row: Row) throws {
    self.init(
      id: try row.id("id"), tenant: try row.id("tenant"), slug: try row.slug("slug"), name: row["name"],
      createdAt: row["created"])
  }
}

extension User {
  init(row: Row) throws {
    self.init(
      id: try row.id("id"), tenant: try row.optionalID("tenant"), name: row["name"], email: row["email"],
      standing: try row.standing(), createdAt: row["created"])
  }
}

extension APIKey {
  /// Lists are lines: neither aliases nor networks hold a line break.
  init(row: Row) throws {
    let models: String? = row["models"]
    let networks: String = row["networks"]
    self.init(
      id: try row.id("id"), tenant: try row.id("tenant"), project: try row.id("project"),
      user: try row.optionalID("user"), name: row["name"], role: row["role"], digest: try row.digest(),
      models: models.map { $0.split(separator: "\n").map(String.init) },
      networks: try networks.split(separator: "\n").map { line in
        guard let network = Network(String(line)) else { throw TenancyError(.storage, "A stored network is damaged.") }
        return network
      },
      expires: row["expires"], revokedAt: row["revoked"], createdAt: row["created"])
  }

  func insert(_ db: Database) throws {
    try db.execute(
      sql: "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      arguments: [
        id.blob, tenant.blob, project.blob, user?.blob, name, role, Data(digest.bytes),
        models?.joined(separator: "\n"), networks.map(\.text).joined(separator: "\n"), expires, revokedAt, createdAt,
      ])
  }
}

extension AdminToken {
  init(row: Row) throws {
    self.init(
      id: try row.id("id"), user: try row.id("user"), digest: try row.digest(), expires: row["expires"],
      createdAt: row["created"])
  }
}

extension RoleBinding {
  init(row: Row) throws {
    let tenant: TenantID? = try row.optionalID("tenant")
    let project: ProjectID? = try row.optionalID("project")
    let scope: Scope =
      switch (tenant, project) {
      case (nil, _): .installation
      case (let tenant?, nil): .tenant(tenant)
      case (let tenant?, let project?): .project(tenant, project)
      }
    self.init(
      id: try row.id("id"), user: try row.id("user"), role: row["role"], scope: scope, reason: row["reason"],
      expires: row["expires"], grantedBy: try row.optionalID("granted_by"), grantedAt: row["granted_at"])
  }

  func insert(_ db: Database) throws {
    var project: ProjectID?
    if case .project(_, let id) = scope { project = id }
    try db.execute(
      sql: "INSERT INTO bindings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      arguments: [
        id.blob, user.blob, role, scope.tenant?.blob, project?.blob, reason, expires, grantedBy?.blob, grantedAt,
      ])
  }
}

extension LimitOverride {
  init(row: Row) throws {
    let key: Data = row["key"]
    guard let dimension = Dimension(rawValue: row["dimension"]) else {
      throw TenancyError(.storage, "A stored limit is damaged.")
    }
    try self.init(key: key.isEmpty ? nil : try Identifier(blob: key), dimension: dimension, value: row["value"])
  }
}

extension AuditRow {
  init(row: Row) throws {
    self.init(
      sequence: row["sequence"], at: row["at"], actor: row["actor"], tenant: try row.optionalID("tenant"),
      action: row["action"], target: row["target"], detail: row["detail"])
  }
}

extension AppliedPolicySet {
  init(row: Row) throws {
    let content: Data = row["content"]
    self.init(
      hash: row["hash"], content: Array(content), appliedAt: row["applied"],
      appliedBy: try row.optionalID("applied_by"))
  }
}
