import Admin
import Gateway
import Routing
import Tenancy
import Testing
import Upstream

@testable import Installation

/// What a provider is asked when it is checked, and what its answer means.
struct ProviderCheckTests {
  private static let secret = ["sk", "test", "1234567890"].joined(separator: "-")

  private static func target(_ adapter: Adapter, _ endpoint: String = "https://x.example/v1", version: String? = nil)
    throws -> ProbeTarget
  {
    var traits = WireTraits.usual(for: adapter)
    traits.apiVersion = version
    let price = Price(version: "1", currency: "EUR", input: 1, output: 1)
    let provider = Provider(
      id: "x", adapter: adapter, endpoint: try Endpoint(endpoint, local: false), credential: "x",
      country: try Country("DE"), agreement: Agreement(kind: .avv), certificates: [:], retentionDays: 0,
      training: .never, models: ["a", "b"].map { Model(id: $0, maxOutput: 1, price: price) }, traits: traits)
    return ProbeTarget(provider: provider, secret: secret, transport: .plain, credentialFault: nil, fault: nil)
  }

  @Test(
    arguments: [
      (Adapter.openAI, "https://x.example/v1/models", "authorization: Bearer "),
      (.vllm, "https://x.example/v1/models", "authorization: Bearer "),
      (.azure, "https://x.example/v1/models", "api-key: "),
      (.anthropic, "https://x.example/v1/models?limit=1000", "x-api-key: "),
      (.gemini, "https://x.example/v1/models?pageSize=1000", "x-goog-api-key: "),
    ])
  func eachDialectIsAskedInItsOwnWay(adapter: Adapter, url: String, header: String) throws {
    let probe = try Self.target(adapter).probe(milliseconds: 5)
    #expect(probe.url == url && !probe.connectsOnly && probe.milliseconds == 5)
    #expect(probe.headerLines.filter { $0.contains(Self.secret) } == [header + Self.secret])
    #expect(probe.headerLines.contains("anthropic-version: 2023-06-01") == (adapter == .anthropic))
  }

  @Test func azuresOldFormNamesItsVersionAndBedrockIsOnlyConnectedTo() throws {
    let old = try Self.target(.azure, "https://x.example/openai", version: "2024-10-21").probe(milliseconds: 5)
    #expect(old.url == "https://x.example/openai/models?api-version=2024-10-21")
    let bedrock = try Self.target(.bedrock, "https://bedrock-runtime.eu-central-1.amazonaws.com").probe(milliseconds: 5)
    #expect(bedrock.connectsOnly && !bedrock.headerLines.joined().contains(Self.secret))
  }

  @Test(
    arguments: [
      (200, #"{"data":[{"id":"a"},{"id":"b"}]}"#, ProviderCheck.Outcome.ok, []),
      (200, #"{"data":[{"id":"a-20251001"},{"id":"b:latest"}]}"#, .ok, []),
      (200, #"{"models":[{"name":"models/a"},{"name":"models/b"}]}"#, .ok, []),
      (200, #"{"data":[{"id":"a"},{"id":"b-large"},{"id":"b-2025100"}]}"#, .modelsMissing, ["b"]),
      (200, #"{"data":[]}"#, .modelsMissing, ["a", "b"]), (200, #"{"error":"no"}"#, .failed, []),
      (200, "<html>", .failed, []), (200, #"{"data":5}"#, .failed, []), (401, "", .credentialRefused, []),
      (403, "", .forbidden, []), (404, "", .noList, []), (429, "", .rateLimited, []), (500, "", .failed, []),
      (302, "", .failed, []),
    ] as [(Int, String, ProviderCheck.Outcome, [String])])
  func anAnswerMeansThis(status: Int, body: String, outcome: ProviderCheck.Outcome, missing: [String]) throws {
    let check = Administration.check(
      try Self.target(.openAI), .answered(status: status, body: Array(body.utf8)), milliseconds: 7)
    #expect(check.outcome == outcome && check.missing == missing && check.status == status && check.milliseconds == 7)
    #expect(!check.detail.contains("html") && !check.detail.contains(Self.secret))
  }

  @Test func azuresListIsNoListOfDeployments() throws {
    let check = Administration.check(
      try Self.target(.azure), .answered(status: 200, body: Array(#"{"data":[]}"#.utf8)), milliseconds: 7)
    #expect(check.outcome == .ok && check.missing.isEmpty)
  }

  @Test(arguments: [nil, [], Array("a b".utf8), [0x0A]] as [[UInt8]?])
  func anUnfitCredentialIsSeenBeforeSending(secret: [UInt8]?) {
    let secrets = secret.map { ["x": BoundSecret($0)] } ?? [:]
    #expect(secrets.fault("x", to: "https://x.example:443")?.contains("'x'") == true)
  }

  /// Loopback is for records that say `local`; nothing is connected to, let alone sent.
  @Test func theRulesForAddressesHoldForChecksToo() throws {
    let probe = ProviderProbe(
      url: "https://127.0.0.1:1/v1/models", headerLines: [], networks: nil, transport: nil, connectsOnly: false,
      milliseconds: 5000)
    #expect(probe.run() == .failed(.refusedAddress))
    let plain = ProviderProbe(
      url: "http://127.0.0.1:1/v1/models", headerLines: [], networks: [try #require(Network("127.0.0.1"))],
      transport: nil, connectsOnly: false, milliseconds: 5000)
    #expect(plain.run() == .failed(.connection))
  }
}
