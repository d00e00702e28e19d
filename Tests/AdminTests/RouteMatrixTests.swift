import Tenancy
import Testing

@testable import Admin

/// Every route × every kind of person, on tenant A. The statuses stand in the order of `Person`: operator, administrator
/// of A, administrator of B, privacy officer of A, auditor of A, somebody without roles.
struct RouteMatrixTests {
  struct Row: CustomTestStringConvertible, Sendable {
    let route: String
    let statuses: [Int]
    var target = ""
    var body: String?
    var testDescription: String { route }
  }

  static let open = [200, 200, 200, 200, 200, 200]
  static let read = [200, 200, 404, 200, 200, 404]
  static let manage = [200, 200, 404, 403, 403, 404]
  static let make = [201, 201, 404, 403, 403, 404]
  static let operatorRead = [200, 403, 403, 403, 403, 403]
  static let operatorMake = [201, 403, 403, 403, 403, 403]

  static let rows = [
    Row(route: "livez", statuses: open), Row(route: "readyz", statuses: open),
    Row(route: "metrics", statuses: operatorRead),
    Row(route: "openapi", statuses: open), Row(route: "me", statuses: open),
    Row(route: "tenant.list", statuses: open),
    Row(route: "tenant.create", statuses: operatorMake, body: #"{"slug":"c"}"#),
    Row(route: "tenant.show", statuses: read),
    Row(route: "tenant.suspend", statuses: [200, 403, 404, 403, 403, 404]),
    Row(route: "tenant.resume", statuses: [200, 403, 404, 403, 403, 404]),
    Row(route: "project.list", statuses: read),
    Row(route: "project.create", statuses: make, body: #"{"slug":"lager"}"#),
    Row(route: "key.list", statuses: read),
    Row(route: "key.create", statuses: make, body: #"{"project":"buchhaltung","name":"k"}"#),
    Row(route: "key.revoke", statuses: manage), Row(route: "key.rotate", statuses: make),
    Row(route: "user.list", statuses: read),
    Row(route: "user.create", statuses: make, body: #"{"name":"Zoe","email":"zoe@example.org"}"#),
    Row(route: "user.token", statuses: make, target: "/v1/tenants/a/users/\(World.freshPersonOfA)/tokens"),
    Row(route: "operator.list", statuses: operatorRead),
    Row(route: "operator.create", statuses: operatorMake, body: #"{"name":"Zoe","email":"zoe@example.org"}"#),
    Row(route: "operator.token", statuses: operatorMake, target: "/v1/users/\(World.freshOperator)/tokens"),
    Row(route: "role.list", statuses: open),
    Row(route: "binding.list", statuses: read),
    Row(
      route: "role.bind", statuses: [201, 201, 404, 403, 403, 404],
      body: #"{"user":"\#(UserID(33))","role":"reader","reason":"review"}"#),
    Row(
      route: "role.unbind", statuses: [204, 204, 404, 403, 403, 404],
      target: "/v1/tenants/a/bindings/\(World.bindingOfA)"),
    Row(route: "operator.binding.list", statuses: operatorRead),
    Row(
      route: "operator.bind", statuses: operatorMake,
      body: #"{"user":"\#(World.freshOperator)","role":"watcher","reason":"review"}"#),
    Row(
      route: "operator.unbind", statuses: [204, 403, 403, 403, 403, 403],
      target: "/v1/bindings/\(World.bindingOfInstallation)"),
    Row(route: "quota.show", statuses: manage),
    Row(route: "quota.set", statuses: manage, body: #"{"tokens_per_day":5}"#),
    Row(route: "usage.show", statuses: read),
    Row(route: "log.list", statuses: read), Row(route: "log.show", statuses: read),
    Row(
      route: "log.open", statuses: [403, 403, 404, 200, 403, 404], body: #"{"reason":"complaint 4711"}"#),
    Row(route: "log.verify", statuses: read),
    Row(route: "route.why", statuses: [200, 403, 404, 403, 200, 404], target: "/v1/tenants/a/route?alias=chat"),
    Row(route: "provider.list", statuses: operatorRead),
    Row(route: "provider.check", statuses: operatorRead, target: "/v1/providers/mock/check"),
    Row(route: "audit.list", statuses: read), Row(route: "operator.audit.list", statuses: operatorRead),
  ]

  static func target(_ row: Row, _ route: AdminRoute) -> String {
    row.target.isEmpty
      ? route.path.replacing("{tenant}", with: "a").replacing("{key}", with: "\(World.keyOfA)")
        .replacing("{request}", with: World.requestOfA) : row.target
  }

  @Test func everyRouteStandsInTheMatrixOnce() {
    #expect(Self.rows.map(\.route).sorted() == AdminRoutes.all.map(\.name).sorted())
  }

  @Test(arguments: rows) func routeAdmitsWhomTheMatrixSays(row: Row) async throws {
    let route = try #require(AdminRoutes.all.first { $0.name == row.route })
    for (person, status) in zip(Person.allCases, row.statuses) {
      let world = try World()
      let answer = await world.send(route.method.rawValue, Self.target(row, route), as: person, body: row.body)
      #expect(answer.status == status, "\(person) at \(row.route): \(answer.text)")
      if status >= 400 {
        #expect(world.events.all.isEmpty, "\(person) was refused at \(row.route), yet: \(world.events.all)")
      }
    }
  }

  @Test(arguments: rows) func withoutLoginOnlyTheOpenRoutesAnswer(row: Row) async throws {
    let world = try World()
    let route = try #require(AdminRoutes.all.first { $0.name == row.route })
    let answer = await world.send(route.method.rawValue, Self.target(row, route), body: row.body)
    #expect(answer.status == ([.open, .optional].contains(route.gate) ? 200 : 401))
    #expect(world.events.all.isEmpty)
  }

  @Test(arguments: rows) func foreignTenantAnswersLikeAnUnknownOneByteForByte(row: Row) async throws {
    let route = try #require(AdminRoutes.all.first { $0.name == row.route })
    guard route.path.contains("{tenant}") else { return }
    let target = Self.target(row, route)
    let world = try World()
    for person in [Person.adminOfB, .nobody] {
      let foreign = await world.send(route.method.rawValue, target, as: person, body: row.body)
      let unknown = await world.send(
        route.method.rawValue, target.replacing("/tenants/a", with: "/tenants/nowhere"), as: person, body: row.body)
      #expect(foreign == unknown)
      #expect(foreign.status == 404)
    }
  }

  @Test(arguments: rows) func nothingChangesWhenTheAuditTrailCannotBeWritten(row: Row) async throws {
    let route = try #require(AdminRoutes.all.first { $0.name == row.route })
    guard case .change = route.work else { return }
    let world = try World(auditIsBroken: true)
    let person: Person = row.route == "log.open" ? .privacyOfficer : .operatorPerson
    let answer = await world.send(route.method.rawValue, Self.target(row, route), as: person, body: row.body)
    #expect(answer.status == 503)
    #expect(world.events.acts.isEmpty)
    #expect(!answer.text.contains("no space left"))
  }

  @Test(arguments: rows) func everyActIsAuditedBeforeItHappens(row: Row) async throws {
    let route = try #require(AdminRoutes.all.first { $0.name == row.route })
    guard case .change = route.work else { return }
    let world = try World()
    let person: Person = row.route == "log.open" ? .privacyOfficer : .operatorPerson
    _ = await world.send(route.method.rawValue, Self.target(row, route), as: person, body: row.body)
    #expect(world.events.all.first == "audit:\(row.route):intended")
    #expect(world.events.all.count == 2)
    #expect(world.audit.entries.first?.requestID == "req_test")
  }
}
