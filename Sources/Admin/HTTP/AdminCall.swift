import Tenancy

/// A request that passed its route's gate.
package struct AdminCall: Sendable {
  let services: AdminServices
  let now: Timestamp
  let parameters: [String: String]
  let query: [String: String]
  let body: [UInt8]
  private let caller: AdminCaller?
  private let resolvedTenant: TenantRecord?

  init(
    services: AdminServices, now: Timestamp, parameters: [String: String], query: [String: String], body: [UInt8],
    caller: AdminCaller?, tenant: TenantRecord?
  ) {
    self.services = services
    self.now = now
    self.parameters = parameters
    self.query = query
    self.body = body
    self.caller = caller
    resolvedTenant = tenant
  }

  /// Who calls; there on every route but the open ones.
  func who() throws(AdminError) -> AdminCaller {
    guard let caller else { throw .notLoggedIn }
    return caller
  }

  /// Whether somebody is logged in who holds one of the permissions at the installation.
  func isLoggedIn(with asked: Permissions) -> Bool { caller?.holds(anyOf: asked, at: .installation) ?? false }

  /// The tenant that the path names and the caller may see.
  func tenant() throws(AdminError) -> TenantRecord {
    guard let resolvedTenant else { throw .notFound }
    return resolvedTenant
  }

  func fields(_ allowed: Set<String>) throws(AdminError) -> BodyFields {
    try BodyFields(body, allowed: allowed)
  }

  /// An id in the path; a malformed one is as unknown as any other.
  func identifier<Kind>(_ name: String) throws(AdminError) -> Identifier<Kind> {
    guard let text = parameters[name], let id = Identifier<Kind>(text) else { throw .notFound }
    return id
  }

  func queryTime(_ name: String) throws(AdminError) -> Timestamp? {
    guard let text = query[name] else { return nil }
    guard let time = Timestamp(text) else {
      throw .invalid("'\(name)' must be a time such as 2026-12-31T23:00:00Z", param: name)
    }
    return time
  }

  /// A whole day, in whose time zone its reader says, or an instant.
  enum Day {
    case day(CivilDate)
    case instant(Timestamp)
  }

  func queryDay(_ name: String) throws(AdminError) -> Day? {
    guard let time = try queryTime(name), let text = query[name] else { return nil }
    var bytes = Array(text.utf8)[...]
    if let day = CivilDate(prefixOf: &bytes), bytes.isEmpty { return .day(day) }
    return .instant(time)
  }

  /// `limit` of a list, 1 to 1000, 100 without.
  func pageLimit() throws(AdminError) -> Int {
    guard let text = query["limit"] else { return 100 }
    guard let limit = Int(text), (1...1000).contains(limit) else {
      throw .invalid("'limit' must be a whole number from 1 to 1000", param: "limit")
    }
    return limit
  }

  /// The project of a name in the caller's tenant.
  func project(named slug: String) async throws -> ProjectRecord {
    let projects = try await services.tenancy.projects(of: try tenant().id)
    guard let project = projects.first(where: { $0.slug.text == slug }) else { throw AdminError.notFound }
    return project
  }
}
