import Tenancy
import Testing

@testable import Admin

/// The register and routes over the API: what is read of a question and what an answer holds.
struct ProviderTests {
  @Test func aRecordIsShownWithoutASecret() async throws {
    let answer = await (try World()).send("GET", "/v1/providers", as: .operatorPerson)
    for part in [
      #""id":"mock""#, #""expires":"2027-12-31""#, #""valid_until":"2027-06-30""#, #""input":"2""#, #""cached":"0.2""#,
      #""cache_write_5m":"0""#, #""capabilities":["tools"]"#, #""retention_days":0"#, #""credential":"mock""#,
      #""tier":"flex""#, #""above_input_tokens":200000"#, #""automatic":false"#, #""input":"4""#,
    ] { #expect(answer.text.contains(part), "\(answer.text)") }
  }

  @Test func aCheckSaysWhatIsMissing() async throws {
    let world = try World()
    let answer = await world.send("POST", "/v1/providers/mock/check", as: .operatorPerson)
    #expect(answer.text.contains(#""good":false"#) && answer.text.contains(#""missing":["m"]"#), "\(answer.text)")
    #expect(await world.send("POST", "/v1/providers/other/check", as: .operatorPerson).status == 404)
    #expect(await world.send("POST", "/v1/providers/..%2fx/check", as: .operatorPerson).status == 400)
  }

  @Test func aQuestionIsReadInFull() async throws {
    let world = try World()
    let target =
      "/v1/tenants/a/route?alias=chat&tokens=20000&needs=tools,images&project=buchhaltung&key=\(World.keyOfA)"
    let answer = await world.send("GET", target, as: .operatorPerson)
    #expect(answer.text.contains("20000 tools+images \(World.projectOfA) true"), "\(answer.text)")
    #expect(answer.text.contains(#""most":"0.0125""#) && answer.text.contains(#""allowed":true"#))
    #expect(!answer.text.contains(#""tiers""#))
    let tiered = await world.send("GET", "/v1/tenants/a/route?alias=chat&tier=flex", as: .operatorPerson)
    #expect(tiered.text.contains("1000  flex - true") && tiered.text.contains(#""tiers":["default","flex"]"#))
  }

  /// A tenant's people do not see what providers are doing with the requests of others.
  @Test func aTenantsPeopleAreToldRulesAndPricesOnly() async throws {
    let answer = await (try World()).send("GET", "/v1/tenants/a/route?alias=chat", as: .auditor)
    #expect(answer.text.contains("1000  - false"), "\(answer.text)")
  }

  @Test(arguments: [
    ("", 400), ("?alias=", 400), ("?alias=other", 404), ("?alias=chat&tokens=-1", 400), ("?alias=chat&tokens=x", 400),
    ("?alias=chat&tokens=100000001", 400), ("?alias=chat&project=nowhere", 404), ("?alias=chat&key=x", 404),
    ("?alias=chat&key=\(World.keyOfB)", 404), ("?alias=chat&more=1", 400),
  ])
  func whatIsNoQuestionIsRefused(query: String, status: Int) async throws {
    let answer = await (try World()).send("GET", "/v1/tenants/a/route\(query)", as: .operatorPerson)
    #expect(answer.status == status, "\(answer.text)")
  }
}
