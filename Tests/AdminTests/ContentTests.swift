import Synchronization
import Tenancy
import Testing

@testable import Admin

struct ContentTests {
  static let path = "/v1/tenants/a/log/\(World.requestOfA)/content"

  @Test func openingShowsContentWithItsReasonInTheTrail() async throws {
    let world = try World()
    let answer = await world.send("POST", Self.path, as: .privacyOfficer, body: #"{"reason":"complaint 4711"}"#)
    #expect(answer.status == 200)
    #expect(answer.text.contains(World.canary))
    #expect(answer.text.contains(#""response":{"base64":"/wA="}"#))
    #expect(answer.headers["cache-control"] == "no-store")
    #expect(world.events.all == ["audit:log.open:intended", "content"])
    let entry = try #require(world.audit.entries.first)
    #expect(entry.reason == "complaint 4711")
    #expect(entry.target == World.requestOfA)
    #expect(entry.tenant == World.a)
  }

  @Test(arguments: [
    "", "{}", #"{"reason":""}"#, #"{"reason":"too short"}"#, #"{"reason":"            "}"#, #"{"reason":12345678901}"#,
    #"{"reason":"a b c d e f g"}"#, #"{"reason":"line\nbreak in it"}"#,
  ])
  func openingNeedsAReasonOfTenCharacters(body: String) async throws {
    let world = try World()
    let answer = await world.send("POST", Self.path, as: .privacyOfficer, body: body)
    #expect(answer.status == 400)
    #expect(world.events.all.isEmpty)
  }

  @Test func aReasonInTheAddressIsRefused() async throws {
    let world = try World()
    let answer = await world.send("POST", Self.path + "?reason=complaint-4711", as: .privacyOfficer)
    #expect(answer.status == 400)
  }

  @Test func noRoleOfTheInstallationOpensContent() async throws {
    let world = try World()
    world.tenancy.state.withLock { state in
      for role in ["privacy-officer", "operator", "tenant-admin"] {
        state.bindings.append(
          RoleBinding(
            id: BindingID(90), user: UserID(1), role: role, scope: .installation, reason: "forged",
            grantedAt: World.now.secondsSince1970))
      }
    }
    let answer = await world.send("POST", Self.path, as: .operatorPerson, body: #"{"reason":"complaint 4711"}"#)
    #expect(answer.status == 403)
    #expect(world.events.all.isEmpty)
  }

  @Test func anExpiredRoleOpensNothing() async throws {
    let world = try World()
    world.tenancy.state.withLock { state in
      state.bindings = state.bindings.map { binding in
        RoleBinding(
          id: binding.id, user: binding.user, role: binding.role, scope: binding.scope, reason: binding.reason,
          expires: World.now.secondsSince1970, grantedAt: binding.grantedAt)
      }
    }
    let answer = await world.send("POST", Self.path, as: .privacyOfficer, body: #"{"reason":"complaint 4711"}"#)
    #expect(answer.status == 404)
  }

  @Test func metadataHoldsNoContent() async throws {
    let world = try World()
    let list = await world.send("GET", "/v1/tenants/a/log", as: .auditor)
    let one = await world.send("GET", "/v1/tenants/a/log/\(World.requestOfA)", as: .operatorPerson)
    #expect(list.text.contains(World.requestOfA))
    #expect(!(list.text + one.text).contains(World.canary))
    #expect(world.events.all.isEmpty)
  }
}
