import Cryptography
import Logging
import Tenancy
import Testing

@testable import Admin

/// The API over the tenancy context's own store.
struct StoredTenancyTests {
  struct House {
    let store = MemoryTenancyStore()
    let cell = SnapshotCell(Directory())
    let tenancy: StoredTenancy
    let audit: StoredAuditTrail
    let dispatcher: AdminDispatcher
    let operatorToken: String
    let pepper = [UInt8](repeating: 7, count: 32)

    init() async throws {
      let roles = RoleCatalog(try World.roles())
      let clock = AdminClock(now: { World.now }, monotonic: { 0 })
      let world = try World()
      tenancy = StoredTenancy(
        store: store,
        surroundings: .init(
          directory: { [cell] in cell.current }, roles: { roles },
          publish: { [store, cell] in _ = cell.swap(Directory(try store.loadAll(), roles: roles)) }, clock: clock,
          pepper: pepper, standardPolicy: "base@1", standardKeyRole: "clerk"))
      audit = StoredAuditTrail(store: store)
      dispatcher = AdminDispatcher(
        services: AdminServices(
          tenancy: tenancy, quotas: world.services.quotas, usage: world.services.usage,
          routes: world.services.routes, providers: world.services.providers, log: world.services.log,
          audit: audit, health: world.services.health, metrics: world.services.metrics, clock: clock,
          makeRequestID: { "req_test" }), hosts: HostRule(),
        logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
      let first = try await tenancy.createUser(UserDraft(tenant: nil, name: "Olga", email: "olga@example.org"))
      _ = try await tenancy.bind(
        BindingDraft(
          user: first.id, role: "operator", scope: .installation, reason: "first start", expires: nil,
          grantedBy: first.id))
      operatorToken = try await tenancy.issueToken(to: first.id, lifetimeSeconds: 60).secret
    }

    func send(_ method: String, _ target: String, _ body: String = "", token: String? = nil) async -> AdminResponse {
      await dispatcher.respond(
        to: AdminRequest(
          method: method, target: target, host: "localhost", authorization: "Bearer \(token ?? operatorToken)",
          contentType: "application/json", peer: "127.0.0.1", body: { _ in Array(body.utf8) }))
    }

    func authenticates(_ key: String) throws -> Bool {
      let pepper = try HMACKey(pepper)
      return Array(key.utf8).withUnsafeBytes {
        cell.current.authenticate($0, pepper: pepper, now: World.now.secondsSince1970) != nil
      }
    }
  }

  private func text(_ answer: AdminResponse, after mark: String) -> String {
    guard let range = answer.text.firstRange(of: mark) else { return "" }
    return String(answer.text[range.upperBound...].prefix { $0 != "\"" })
  }

  @Test func aKeyWorksWhenItIsToldAndNoLongerWhenItIsRevoked() async throws {
    let house = try await House()
    #expect(await house.send("POST", "/v1/tenants", #"{"slug":"a"}"#).status == 201)
    #expect(await house.send("POST", "/v1/tenants/a/projects", #"{"slug":"p"}"#).status == 201)
    let made = await house.send("POST", "/v1/tenants/a/keys", #"{"project":"p","name":"k"}"#)
    let key = text(made, after: #""key":""#)
    let id = text(made, after: #""id":""#)
    #expect(try house.authenticates(key))
    let rotated = await house.send("POST", "/v1/tenants/a/keys/\(id)/rotate", #"{"overlap_seconds":0}"#)
    #expect(try house.authenticates(text(rotated, after: #""key":""#)))
    #expect(try !house.authenticates(key))
    let second = text(rotated, after: #""id":""#)
    let revoked = await house.send("POST", "/v1/tenants/a/keys/\(second)/revoke")
    #expect(revoked.text.contains(#""state":"revoked""#))
    #expect(try !house.authenticates(text(rotated, after: #""key":""#)))
  }

  @Test func aSuspendedTenantsKeysStop() async throws {
    let house = try await House()
    _ = await house.send("POST", "/v1/tenants", #"{"slug":"a"}"#)
    _ = await house.send("POST", "/v1/tenants/a/projects", #"{"slug":"p"}"#)
    let key = text(await house.send("POST", "/v1/tenants/a/keys", #"{"project":"p","name":"k"}"#), after: #""key":""#)
    #expect(await house.send("POST", "/v1/tenants/a/suspend").status == 200)
    #expect(try !house.authenticates(key))
    #expect(await house.send("POST", "/v1/tenants/a/resume").status == 200)
    #expect(try house.authenticates(key))
  }

  @Test func aPersonLogsInWithTheirTokenAndSeesTheirTenantAlone() async throws {
    let house = try await House()
    for slug in ["a", "b"] { _ = await house.send("POST", "/v1/tenants", #"{"slug":"\#(slug)"}"#) }
    let user = text(
      await house.send("POST", "/v1/tenants/a/users", #"{"name":"Anna","email":"anna@example.org"}"#), after: #""id":""#
    )
    let bound = await house.send(
      "POST", "/v1/tenants/a/bindings", #"{"user":"\#(user)","role":"tenant-admin","reason":"first"}"#)
    #expect(bound.status == 201, "\(bound.text)")
    let token = text(await house.send("POST", "/v1/tenants/a/users/\(user)/tokens"), after: #""token":""#)
    let list = await house.send("GET", "/v1/tenants", token: token)
    #expect(list.text.contains(#""slug":"a""#) && !list.text.contains(#""slug":"b""#))
    #expect(await house.send("GET", "/v1/tenants/b", token: token).status == 404)
    let binding = text(bound, after: #""id":""#)
    #expect(await house.send("DELETE", "/v1/tenants/a/bindings/\(binding)").status == 204)
    #expect(await house.send("GET", "/v1/tenants/a", token: token).status == 404)
    let last = String(token.dropLast()) + (token.last == "a" ? "b" : "a")
    #expect(await house.send("GET", "/v1/tenants", token: last).status == 401)
  }

  @Test func theTrailKeepsActorsReasonsAndPages() async throws {
    let house = try await House()
    _ = await house.send("POST", "/v1/tenants", #"{"slug":"a"}"#)
    _ = await house.send("POST", "/v1/tenants/a/suspend", #"{"reason":"not paid for"}"#)
    _ = await house.send("POST", "/v1/tenants", #"{"slug":"a"}"#)
    let ofTenant = await house.send("GET", "/v1/tenants/a/audit")
    #expect(ofTenant.text.contains(#""reason":"not paid for""#))
    #expect(ofTenant.text.contains(#""actor_name":"Olga""#))
    #expect(ofTenant.text.contains(#""request_id":"req_test""#))
    #expect(!ofTenant.text.contains("tenant.create"))
    let first = try await house.audit.entries(of: nil, limit: 2, cursor: nil)
    #expect(first.entries.map(\.outcome) == [.failed, .intended])
    let second = try await house.audit.entries(of: nil, limit: 2, cursor: first.next)
    #expect(second.entries.map(\.action) == ["tenant.create"])
    #expect(second.next == nil)
    #expect(await house.send("GET", "/v1/audit?cursor=x").status == 400)
  }

  @Test func aTakenNameIsAConflict() async throws {
    let house = try await House()
    _ = await house.send("POST", "/v1/tenants", #"{"slug":"a"}"#)
    #expect(await house.send("POST", "/v1/tenants", #"{"slug":"a"}"#).status == 409)
  }
}
