import Synchronization
import Tenancy
import Testing

@testable import Admin

struct KeyAndRoleTests {
  @Test func aKeysTextIsInTheAnswerThatMadeItAndInNoOther() async throws {
    let world = try World()
    let made = await world.send(
      "POST", "/v1/tenants/a/keys", as: .adminOfA, body: #"{"project":"buchhaltung","name":"neu"}"#)
    #expect(made.text.contains(World.freshSecret))
    let list = await world.send("GET", "/v1/tenants/a/keys", as: .adminOfA)
    let trail = await world.send("GET", "/v1/tenants/a/audit", as: .adminOfA)
    #expect(list.text.contains("neu"))
    #expect(!list.text.contains(World.freshSecret))
    #expect(trail.text.contains("buchhaltung/neu"))
    #expect(!trail.text.contains(World.freshSecret))
  }

  @Test(arguments: ["revoke", "rotate"]) func aForeignKeyAnswersLikeAnUnknownOne(verb: String) async throws {
    let world = try World()
    let answers = [
      await world.send("POST", "/v1/tenants/a/keys/\(World.keyOfB)/\(verb)", as: .adminOfA),
      await world.send("POST", "/v1/tenants/a/keys/\(KeyID(987))/\(verb)", as: .adminOfA),
      await world.send("POST", "/v1/tenants/a/keys/not-an-id/\(verb)", as: .adminOfA),
    ]
    #expect(answers.allSatisfy { $0 == answers[0] && $0.status == 404 })
    #expect(world.events.all.isEmpty)
  }

  @Test func aKeyKeeperOfOneProjectReachesItsKeysAlone() async throws {
    let world = try World()
    let lager = ProjectID(77)
    world.tenancy.state.withLock { state in
      if let slug = Slug("lager") {
        state.projects[World.a]?.append(ProjectRecord(id: lager, slug: slug, name: "Lager", created: World.now))
      }
      state.bindings.append(
        RoleBinding(
          id: BindingID(91), user: World.freshPersonOfA, role: "key-keeper", scope: .project(World.a, lager),
          reason: "test", grantedAt: World.now.secondsSince1970))
    }
    let own = await world.send("POST", "/v1/tenants/a/keys", as: .nobody, body: #"{"project":"lager","name":"k"}"#)
    let other = await world.send(
      "POST", "/v1/tenants/a/keys", as: .nobody, body: #"{"project":"buchhaltung","name":"k"}"#)
    let revoke = await world.send("POST", "/v1/tenants/a/keys/\(World.keyOfA)/revoke", as: .nobody)
    let list = await world.send("GET", "/v1/tenants/a/keys", as: .nobody)
    let projects = await world.send("GET", "/v1/tenants/a/projects", as: .nobody)
    let quota = await world.send("GET", "/v1/tenants/a/quota", as: .nobody)
    #expect([own, other, revoke, list, projects, quota].map(\.status) == [201, 403, 404, 200, 200, 403])
    #expect(!list.text.contains("laptop"))
    #expect(!projects.text.contains("buchhaltung"))
  }

  @Test func aKeyGetsNoRoleBeyondWhatItsMakerHolds() async throws {
    let world = try World()
    let answer = await world.send(
      "POST", "/v1/tenants/a/keys", as: .adminOfA, body: #"{"project":"buchhaltung","name":"k","role":"clerk"}"#)
    #expect(answer.status == 403)
    #expect(answer.text.contains("chat, embed"))
    let unknown = await world.send(
      "POST", "/v1/tenants/a/keys", as: .adminOfA, body: #"{"project":"buchhaltung","name":"k","role":"king"}"#)
    #expect(unknown.status == 400)
  }

  @Test func nobodyChangesTheirOwnRolesOrGrantsWhatTheyLack() async throws {
    let world = try World()
    func bind(_ user: UserID, _ role: String, _ person: Person) async -> Int {
      await world.send(
        "POST", "/v1/tenants/a/bindings", as: person,
        body: #"{"user":"\#(user)","role":"\#(role)","reason":"because"}"#
      ).status
    }
    #expect(await bind(UserID(2), "reader", .adminOfA) == 403)
    #expect(await bind(UserID(33), "privacy-officer", .adminOfA) == 403)
    #expect(await bind(UserID(33), "privacy-officer", .operatorPerson) == 403)
    #expect(await bind(UserID(33), "operator", .adminOfA) == 403)
    #expect(await bind(UserID(3), "reader", .adminOfA) == 404)
    #expect(await bind(UserID(33), "auditor", .adminOfA) == 403)
    #expect(await bind(UserID(33), "reader", .adminOfA) == 201)
    let own = await world.send("DELETE", "/v1/tenants/a/bindings/\(BindingID(2))", as: .adminOfA)
    #expect(own.status == 403)
    let foreign = await world.send("DELETE", "/v1/tenants/a/bindings/\(BindingID(3))", as: .adminOfA)
    let unknown = await world.send("DELETE", "/v1/tenants/a/bindings/\(BindingID(999))", as: .adminOfA)
    #expect(foreign == unknown)
    #expect(foreign.status == 404)
    #expect(world.events.all == ["audit:role.bind:intended", "bind"])
  }

  @Test func aTokenForSomebodyMightierIsRefused() async throws {
    let world = try World()
    let officer = await world.send("POST", "/v1/tenants/a/users/\(UserID(4))/tokens", as: .adminOfA)
    let byOperator = await world.send("POST", "/v1/tenants/a/users/\(UserID(4))/tokens", as: .operatorPerson)
    let reader = await world.send("POST", "/v1/tenants/a/users/\(UserID(33))/tokens", as: .adminOfA)
    let own = await world.send("POST", "/v1/tenants/a/users/\(UserID(2))/tokens", as: .adminOfA)
    #expect([officer, byOperator, reader, own].map(\.status) == [403, 403, 201, 201])
    #expect(!reader.text.contains(World.canary))
    #expect(reader.text.contains(World.freshToken))
  }

  @Test func listsShowOnlyWhatTheCallerMaySee() async throws {
    let world = try World()
    let ofOperator = await world.send("GET", "/v1/tenants", as: .operatorPerson)
    let ofA = await world.send("GET", "/v1/tenants", as: .adminOfA)
    let ofNobody = await world.send("GET", "/v1/tenants", as: .nobody)
    #expect(ofOperator.text.contains(#""slug":"b""#))
    #expect(ofA.text.contains(#""slug":"a""#) && !ofA.text.contains(#""slug":"b""#))
    #expect(ofNobody.text == #"{"data":[]}"#)
  }

  @Test func aRefusedActOfTheStoreLeavesAFailureInTheTrail() async throws {
    let world = try World()
    let answer = await world.send("POST", "/v1/tenants", as: .operatorPerson, body: #"{"slug":"a"}"#)
    #expect(answer.status == 409)
    #expect(world.events.all == ["audit:tenant.create:intended", "createTenant", "audit:tenant.create:failed"])
  }
}
