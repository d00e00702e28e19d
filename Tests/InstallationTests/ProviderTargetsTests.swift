import Gateway
import Routing
import Testing

@testable import Installation

/// Candidates of the register as the data plane can call and price them, or not at all.
struct ProviderTargetsTests {
  private static let secret = ["sk", "test", "1234567890"].joined(separator: "-")

  private static func candidate(
    adapter: Adapter = .openAI, credential: String? = "eu", price: Price = price("EUR"),
    endpoint: String =
      "https://eu.example/v1", headers: [WireTraits.HeaderField] = [], weight: Int = 1
  ) throws -> Candidate {
    let model = Model(id: "m", maxOutput: 1000, price: price)
    return Candidate(
      provider: Provider(
        id: "provider", adapter: adapter, endpoint: try Endpoint(endpoint, local: false), isLocal: false,
        credential: credential, country: try Country("NO"), agreement: Agreement(kind: .avv), certificates: [:],
        retentionDays: 0, training: .never, models: [model],
        traits: WireTraits(maxTokensField: "max_tokens", includesUsage: true, headers: headers)),
      model: model, weight: weight)
  }

  private static func price(_ currency: String) -> Price {
    Price(
      version: "7", currency: currency, input: 1_000_000_001, cached: 3, cacheWrite5m: 1_500_000_000,
      cacheWrite1h: 2_000_000_001, output: 4_000_000_000)
  }

  private static func targets(
    credentials: [String: [UInt8]]? = nil, rates: [String: Int64] = [:], dedicated: String? = nil
  ) -> ProviderTargets {
    ProviderTargets(
      limits: Limits(), credentials: credentials ?? ["eu": Array(secret.utf8)], currency: "EUR", currencyRates: rates,
      dedicatedPool: dedicated, loads: ProviderLoads(),
      transports: TransportTable(credentials: credentials ?? [:]))
  }

  @Test func pricesInTheTenantsCurrencyStay() throws {
    let callable = try #require(Self.targets().callable(try Self.candidate(weight: 3)))
    #expect(callable.price == Self.price("EUR") && callable.weight == 3)
    #expect(callable.chat.url == "https://eu.example/v1/chat/completions")
    #expect(callable.embeddings.url == "https://eu.example/v1/embeddings")
  }

  @Test func anotherCurrencyIsConvertedAndRoundedUp() throws {
    let callable = try #require(
      Self.targets(rates: ["USD": 920_000_000]).callable(try Self.candidate(price: Self.price("USD"))))
    let price = callable.price
    #expect(price.currency == "EUR" && price.version == "7")
    // 1,000,000,001 × 0.92 = 920,000,000.92 and 3 × 0.92 = 2.76: up, never down.
    #expect(price.input == 920_000_001 && price.cached == 3)
    #expect(price.cacheWrite5m == 1_380_000_000 && price.cacheWrite1h == 1_840_000_001 && price.output == 3_680_000_000)
  }

  @Test(arguments: [1, 333_333_333, 999_999_999, 1_000_000_001] as [Int64])
  func aConvertedPriceIsNeverTooCheap(rate: Int64) throws {
    for amount in [0, 1, 2, 999_999_999, 1_000_000_001, 123_456_789_012] as [Int64] {
      let price = Price(version: "1", currency: "USD", input: amount, output: amount)
      let callable = try #require(Self.targets(rates: ["USD": rate]).callable(try Self.candidate(price: price)))
      let exact = Int128(amount) * Int128(rate)
      let converted = Int128(callable.price.input) * 1_000_000_000
      #expect(converted >= exact && converted - exact < 1_000_000_000)
      #expect(callable.price.output == callable.price.input)
    }
  }

  @Test func withoutARateThereIsNoCandidate() throws {
    let candidate = try Self.candidate(price: Self.price("USD"))
    #expect(Self.targets().callable(candidate) == nil)
    #expect(Self.targets(rates: ["CHF": 1_000_000_000]).callable(candidate) == nil)
    #expect(Self.targets(rates: ["USD": 0]).callable(candidate) == nil)
    #expect(Self.targets(rates: ["USD": -1]).callable(candidate) == nil)
  }

  @Test func aPriceThatDoesNotFitIsNoCandidate() throws {
    let price = Price(version: "1", currency: "USD", input: .max, output: 1)
    #expect(Self.targets(rates: ["USD": 999_999_000_000_000]).callable(try Self.candidate(price: price)) == nil)
  }

  @Test(arguments: [nil, [], Array("a b".utf8), Array("a\r\nx: y".utf8), [0x80], [0x7F], [0]] as [[UInt8]?])
  func aMissingOrUnfitCredentialIsNoCandidate(secret: [UInt8]?) throws {
    let credentials = secret.map { ["eu": $0] } ?? ["other": Array(Self.secret.utf8)]
    #expect(Self.targets(credentials: credentials).callable(try Self.candidate()) == nil)
  }

  @Test func aProviderThatAsksForNoneIsCalledWithoutCredential() throws {
    let callable = try #require(Self.targets(credentials: [:]).callable(try Self.candidate(credential: nil)))
    #expect(!callable.chat.headerLines.contains { $0.lowercased().hasPrefix("authorization") })
  }

  @Test(arguments: [
    (Adapter.openAI, "authorization: Bearer "), (.azure, "api-key: "), (.vllm, "authorization: Bearer "),
  ])
  func theCredentialStandsInOneHeaderLineAndNowhereElse(adapter: Adapter, prefix: String) throws {
    let callable = try #require(Self.targets(dedicated: "tenant").callable(try Self.candidate(adapter: adapter)))
    for target in [callable.chat, callable.embeddings] {
      #expect(target.headerLines.filter { $0.contains(Self.secret) } == ["\(prefix)\(Self.secret)"])
      for text in [target.url, target.poolKey, target.provider] { #expect(!text.contains(Self.secret)) }
    }
    #expect(!"\(callable.provider)\(callable.model)\(callable.price)".contains(Self.secret))
  }

  @Test(arguments: [Adapter.anthropic, .gemini, .bedrock]) func aWireNobodySpeaksIsNoCandidate(adapter: Adapter) throws
  {
    #expect(Self.targets().callable(try Self.candidate(adapter: adapter)) == nil)
  }

  @Test func connectionsAreSharedByCredentialOnly() throws {
    let shared = try #require(Self.targets().callable(try Self.candidate())).chat.poolKey
    let other = try #require(
      Self.targets(credentials: ["us": Array(Self.secret.utf8)]).callable(try Self.candidate(credential: "us")))
    let own = try #require(Self.targets(dedicated: "tenant").callable(try Self.candidate())).chat.poolKey
    #expect(Set([shared, other.chat.poolKey, own]).count == 3)
  }

  @Test func theRecordsHeadersAreSentAlong() throws {
    let callable = try #require(
      Self.targets().callable(
        try Self.candidate(headers: [.init(name: "openai-organization", value: "org"), .init(name: "x-a", value: "b")]))
    )
    for line in ["openai-organization: org", "x-a: b", "accept-encoding: identity", "content-type: application/json"] {
      #expect(callable.chat.headerLines.contains(line))
    }
    let names = callable.chat.headerLines.compactMap { $0.split(separator: ":").first }
    #expect(Set(names).count == names.count)
  }
}
