import Synchronization
import Testing

@testable import Admin

struct LoginTests {
  @Test(arguments: [
    nil, "", "Bearer", "Bearer ", "Basic dGhh", "tha_x_y", "Bearer th_x_y", "Bearer  tha_x_y", "Bearer tha_x\u{7F}y",
    "Bearer tha_" + String(repeating: "x", count: 600),
  ])
  func malformedCredentialsAreNone(header: String?) {
    #expect(BearerToken.read(header) == nil)
  }

  @Test func theSchemeIsReadInAnyCase() { #expect(BearerToken.read("bEARER tha_a_b") == "tha_a_b") }

  @Test func theAccountIsThePublicHalf() {
    #expect(BearerToken.account("tha_abc_secret") == "abc")
    #expect(BearerToken.account("tha_abc") == nil)
  }

  @Test func everyFailureHasOneText() async throws {
    let world = try World()
    let unknown = await world.send("GET", "/v1/me", token: "tha_unknown_x")
    let malformed = await world.send("GET", "/v1/me", token: "x")
    let none = await world.send("GET", "/v1/me")
    #expect(unknown == malformed && malformed == none)
    #expect(unknown.status == 401)
    #expect(unknown.headers["www-authenticate"] == "Bearer")
  }

  @Test func theEleventhFailureInAMinuteIsTurnedAwayButARightTokenPasses() async throws {
    let world = try World()
    for _ in 1...10 { #expect(await world.send("GET", "/v1/me", token: "tha_guess_x").status == 401) }
    let throttled = await world.send("GET", "/v1/me", token: "tha_guess_x")
    #expect(throttled.status == 429)
    #expect(throttled.headers["retry-after"] == "60")
    #expect(await world.send("GET", "/v1/me", as: .adminOfA).status == 200)
    world.monotonic.nanoseconds.withLock { $0 += 6_000_000_000 }
    #expect(await world.send("GET", "/v1/me", token: "tha_guess_x").status == 401)
    #expect(await world.send("GET", "/v1/me", token: "tha_guess_x").status == 429)
  }

  @Test(arguments: [
    ("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "20010db800010002::/64"),
    ("2001:db8:1:2::9", "20010db800010002::/64"),
    ("fe80::1%eth0", "fe80000000000000::/64"), ("::1", "0::/64"), ("", "unknown"), ("x", "unknown"),
  ])
  func aSourceIsAnAddressOrASixtyFourBitNetwork(address: String, name: String) {
    #expect(SourceAddress.name(address) == name)
  }
}
