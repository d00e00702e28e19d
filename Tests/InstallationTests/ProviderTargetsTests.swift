import Gateway
import Inference
import Routing
import Tenancy
import Testing

@testable import Installation

/// Candidates of the register as the data plane can call and price them, or not at all.
struct ProviderTargetsTests {
  private static let secret = ["sk", "test", "1234567890"].joined(separator: "-")

  private static func candidate(
    adapter: Adapter = .openAI, credential: String? = "eu", price: Price = price("EUR"),
    endpoint: String = "https://eu.example/v1", headers: [WireTraits.HeaderField] = [], weight: Int = 1,
    networks: [Network]? = nil, connection: ProviderConnection = ProviderConnection()
  ) throws -> Candidate {
    let model = Model(id: "m", maxOutput: 1000, price: price)
    return Candidate(
      provider: Provider(
        id: "provider", adapter: adapter, endpoint: try Endpoint(endpoint, local: networks != nil), networks: networks,
        credential: credential,
        country: try Country("NO"), agreement: Agreement(kind: .avv), certificates: [:],
        retentionDays: 0, training: .never, models: [model],
        traits: WireTraits(maxTokensField: "max_tokens", includesUsage: true, headers: headers),
        connection: connection),
      model: model, weight: weight)
  }

  private static func price(_ currency: String) -> Price {
    Price(
      version: "7", currency: currency, input: 1_000_000_001, cached: 3, cacheWrite5m: 1_500_000_000,
      cacheWrite1h: 2_000_000_001, output: 4_000_000_000)
  }

  private static func targets(
    credentials: [String: [UInt8]] = ["eu": Array(secret.utf8)], origins: Set<String> = [],
    rates: [String: Int64] = [:], dedicated: String? = nil, tenant: String = "kanzlei-a"
  ) -> ProviderTargets {
    let secrets = credentials.mapValues { BoundSecret($0, origins: origins) }
    return ProviderTargets(
      limits: Limits(), credentials: secrets, tenant: tenant, currency: "EUR", currencyRates: rates,
      dedicatedPool: dedicated, loads: ProviderLoads(), transports: TransportTable(credentials: secrets))
  }

  @Test func pricesInTheTenantsCurrencyStay() throws {
    let callable = try #require(Self.targets().callable(try Self.candidate(weight: 3)))
    #expect(callable.price == Self.price("EUR") && callable.weight == 3)
    #expect(callable.targets.chat?.url == "https://eu.example/v1/chat/completions")
    #expect(callable.targets.embeddings?.url == "https://eu.example/v1/embeddings")
  }

  /// A model that is there for a route of its own has that route and no other.
  @Test func aModelForARouteOfItsOwnHasNoOther() throws {
    func targets(
      _ capabilities: ModelCapabilities, _ adapter: Adapter = .openAI, unit: UnitPrice? = nil, maxSeconds: Int64? = nil
    )
      throws -> UpstreamTargets
    {
      let base = try Self.candidate(adapter: adapter)
      let price = Price(version: "1", currency: "USD", input: 1, unit: unit)
      let model = Model(
        id: "m/1", maxOutput: 0, price: price, capabilities: capabilities, maxSeconds: maxSeconds)
      return try #require(
        Self.targets(rates: ["USD": 500_000_000]).callable(Candidate(provider: base.provider, model: model))
      ).targets
    }
    let both = try targets([.moderation, .rerank])
    #expect(both.chat == nil && both.embeddings == nil && both.completions == nil && both.responses == nil)
    #expect(both.further?[.moderations]?.url == "https://eu.example/v1/moderations")
    #expect(both.further?[.rerank]?.url == "https://eu.example/v1/rerank")
    #expect(try targets(.rerank).further?[.moderations] == nil)
    #expect(try targets(.rerank, unit: UnitPrice(.search, amount: 3)).further?[.rerank] != nil)
    // What has no price has no target.
    #expect(try targets(.moderation, unit: UnitPrice(.search, amount: 3)).further == nil)
    let image = UnitPrice(.image, amount: 3)
    #expect(
      try targets(.imageGeneration, unit: image).further?[.images]?.url == "https://eu.example/v1/images/generations")
    let character = UnitPrice(.character, amount: 3)
    #expect(try targets(.speech, unit: character).further?[.speech]?.url == "https://eu.example/v1/audio/speech")
    let minute = UnitPrice(.second, amount: 3)
    let sound = try targets([.transcription, .translation], unit: minute, maxSeconds: 60).further
    #expect(sound?[.transcriptions]?.url == "https://eu.example/v1/audio/transcriptions")
    #expect(sound?[.translations]?.url == "https://eu.example/v1/audio/translations")
    // A form says that it is one, and nothing else says so.
    #expect(sound?[.translations]?.headerLines.filter { $0.hasPrefix("content-type:") } == [FormTarget.contentType])
    #expect(
      try targets(.speech, unit: character).further?[.speech]?.headerLines.first == "content-type: application/json")
    #expect(try targets(.transcription, unit: minute).further == nil, "nobody says how long it may be")
    // By tokens, of which nobody says how many at most.
    #expect(try targets(.imageGeneration).further == nil)
    #expect(try targets(.speech).further == nil)
    for adapter in [Adapter.anthropic, .gemini, .bedrock] {
      let none = try targets(.rerank, adapter)
      #expect(none.further == nil && none.messages == nil && none.gemini == nil && none.converse == nil)
    }
    #expect(try targets(.images).further == nil)
  }

  @Test func whatIsChargedByThePieceIsConvertedToo() throws {
    let base = try Self.candidate()
    let price = Price(version: "1", currency: "USD", input: 0, unit: UnitPrice(.search, amount: 3))
    let model = Model(id: "m", maxOutput: 0, price: price, capabilities: .rerank)
    let callable = try #require(
      Self.targets(rates: ["USD": 500_000_000]).callable(Candidate(provider: base.provider, model: model)))
    #expect(callable.price.unit == UnitPrice(.search, amount: 2))
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

  @Test func everyTierIsConvertedWithIt() throws {
    var price = Self.price("USD")
    price.tiers = PriceTiers([
      PriceTiers.Row(.usual, Self.price("USD"), long: PriceTiers.LongPrompt(above: 5, price: Self.price("USD"))),
      PriceTiers.Row(.flex, Self.price("USD")),
    ])
    let targets = Self.targets(rates: ["USD": 920_000_000])
    let converted = try #require(targets.callable(try Self.candidate(price: price))?.price)
    let rows = try #require(converted.tiers?.rows)
    #expect(rows.map(\.tier) == [.usual, .flex] && rows.allSatisfy { $0.price.input == converted.input })
    #expect(rows[0].long?.price.output == converted.output && rows[0].long?.above == 5)
    #expect(rows.allSatisfy { $0.price.currency == "EUR" })
    #expect(Self.targets().callable(try Self.candidate(price: price)) == nil, "no rate, no candidate")
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

  /// Who may write the register could else have a key sent to a host of their own.
  @Test(arguments: [
    ("https://eu.example/v1", true), ("https://eu.example:443/other", true), ("https://eu.example:444/v1", false),
    ("https://eu.example.evil.test/v1", false), ("https://evil.test/eu.example", false),
  ])
  func aBoundCredentialGoesToNoOtherOrigin(endpoint: String, isSent: Bool) throws {
    let targets = Self.targets(origins: ["https://eu.example:443", "https://b.example:443"])
    let candidate = try Self.candidate(endpoint: endpoint)
    #expect((targets.callable(candidate) != nil) == isSent)
    guard !isSent else { return }
    guard case .credential(let fault) = targets.obstacle(to: candidate) else {
      Issue.record("another obstacle")
      return
    }
    #expect(fault.contains("not for \(candidate.provider.endpoint.origin)") && !fault.contains(Self.secret))
  }

  /// A proxy reads along where nothing is encrypted, and where the record says who is believed to be the provider.
  @Test(arguments: [
    ("https://eu.example/v1", nil, "http://proxy.example:3128", true),
    ("https://eu.example/v1", "/ca.pem", "http://proxy.example:3128", false),
    ("https://eu.example/v1", "/ca.pem", "http://known.example:3128", true),
    ("http://10.0.0.5:8000", nil, "http://proxy.example:3128", false),
    ("http://10.0.0.5:8000", nil, "http://known.example:3128", true),
  ])
  func aBoundCredentialGoesThroughNoStrangersProxy(endpoint: String, ca: String?, proxy: String, isSent: Bool) throws {
    let origins: Set = ["https://eu.example:443", "http://10.0.0.5:8000", "http://known.example:3128"]
    let connection = ProviderConnection(proxy: try ProxyEndpoint(proxy, local: false), authorities: ca)
    let networks = endpoint.hasPrefix("http:") ? [try #require(Network("10.0.0.5"))] : nil
    let provider = try Self.candidate(endpoint: endpoint, networks: networks, connection: connection).provider
    let bound = ["eu": BoundSecret(Array(Self.secret.utf8), origins: origins)]
    #expect((bound.fault("eu", of: provider) == nil) == isSent)
    #expect(bound.mapValues { BoundSecret($0.bytes) }.fault("eu", of: provider) == nil, "nobody has bound it")
  }

  /// What is meant for another must not fall back to the common one.
  @Test func aTenantsOwnCredentialIsBoundByItself() throws {
    let secrets = [
      "eu": BoundSecret(Array("common".utf8)),
      "eu@kanzlei-a": BoundSecret(Array("its-own".utf8), origins: ["https://other.example:443"]),
    ]
    func targets(_ tenant: String) -> ProviderTargets {
      ProviderTargets(
        limits: Limits(), credentials: secrets, tenant: tenant, currency: "EUR", currencyRates: [:],
        dedicatedPool: nil, loads: ProviderLoads(), transports: TransportTable(credentials: secrets))
    }
    #expect(targets("kanzlei-a").callable(try Self.candidate()) == nil)
    #expect(targets("kanzlei-b").callable(try Self.candidate()) != nil)
  }

  /// What a record allows no longer must not be reached by a connection of before.
  @Test func otherWaysHaveOtherPools() throws {
    func pool(_ networks: [String]?, _ connection: ProviderConnection = ProviderConnection()) throws -> String? {
      let networks = try networks?.map { try #require(Network($0)) }
      return Self.targets().callable(try Self.candidate(networks: networks, connection: connection))?.targets.chat?
        .poolKey
    }
    var proxy = try ProxyEndpoint("http://proxy.example:3128", local: true)
    proxy.networks = [try #require(Network("10.0.0.0/8"))]
    var narrower = proxy
    narrower.networks = [try #require(Network("10.20.0.0/16"))]
    let pools = [
      try pool(nil), try pool(["10.0.0.0/8"]), try pool(["10.20.0.0/16"]),
      try pool(nil, ProviderConnection(pinnedKeys: ["a"])), try pool(nil, ProviderConnection(pinnedKeys: ["b"])),
      try pool(nil, ProviderConnection(proxy: proxy)), try pool(nil, ProviderConnection(proxy: narrower)),
    ]
    #expect(!pools.contains(nil) && Set(pools).count == pools.count, "\(pools)")
  }

  @Test func ourCertificateIsBoundToo() throws {
    let pem = Array(
      ["-----BEGIN CERTIFICATE-----", ["-----BEGIN PRIVATE", " KEY-----"].joined()].joined(separator: "\n").utf8)
    func isCallable(_ origin: String) throws -> Bool {
      let table = TransportTable(credentials: ["ours": BoundSecret(pem, origins: [origin])])
      let connection = ProviderConnection(clientCertificate: "ours")
      guard case .special = table.transport(of: try Self.candidate(connection: connection).provider) else {
        #expect(table.faults["provider"]?.contains("not for https://eu.example:443") == true)
        return false
      }
      return true
    }
    #expect(try isCallable("https://eu.example:443"))
    #expect(try !isCallable("https://other.example:443"))
  }

  @Test func aProviderThatAsksForNoneIsCalledWithoutCredential() throws {
    let callable = try #require(Self.targets(credentials: [:]).callable(try Self.candidate(credential: nil)))
    let chat = try #require(callable.targets.chat)
    #expect(!chat.headerLines.contains { $0.lowercased().hasPrefix("authorization") })
  }

  @Test(arguments: [
    (Adapter.openAI, "authorization: Bearer "), (.azure, "api-key: "), (.vllm, "authorization: Bearer "),
  ])
  func theCredentialStandsInOneHeaderLineAndNowhereElse(adapter: Adapter, prefix: String) throws {
    let callable = try #require(Self.targets(dedicated: "tenant").callable(try Self.candidate(adapter: adapter)))
    for target in [callable.targets.chat, callable.targets.embeddings].compactMap({ $0 }) {
      #expect(target.headerLines.filter { $0.contains(Self.secret) } == ["\(prefix)\(Self.secret)"])
      for text in [target.url, target.poolKey, target.provider] { #expect(!text.contains(Self.secret)) }
    }
    #expect(!"\(callable.provider)\(callable.model)\(callable.price)".contains(Self.secret))
  }

  private static func targets(_ adapter: Adapter, _ endpoint: String, model: String = "m") throws -> UpstreamTargets {
    let candidate = try candidate(adapter: adapter, endpoint: endpoint)
    return try #require(
      targets().callable(
        Candidate(
          provider: candidate.provider,
          model: Model(id: model, maxOutput: 1000, price: price("EUR"))))
    ).targets
  }

  @Test func anthropicIsSpokenToAsItsClientsDo() throws {
    let targets = try Self.targets(.anthropic, "https://api.example/v1")
    #expect(targets.chat == nil && targets.embeddings == nil && targets.responses == nil)
    let translated = try #require(targets.messages).translated
    #expect(translated.url == "https://api.example/v1/messages")
    #expect(translated.headerLines.contains("x-api-key: \(Self.secret)"))
    #expect(translated.headerLines.contains("anthropic-version: 2023-06-01"))
    #expect(!translated.headerLines.contains { $0.hasPrefix("authorization") })
  }

  @Test func geminisPathsNameTheModelAndTheStream() throws {
    let targets = try Self.targets(.gemini, "https://google.example/v1beta", model: "gemini/2 ?#")
    let gemini = try #require(targets.gemini)
    #expect(gemini.plain.url == "https://google.example/v1beta/models/gemini%2F2%20%3F%23:generateContent")
    #expect(gemini.stream.url.hasSuffix(":streamGenerateContent?alt=sse"))
    #expect(gemini.plain.headerLines.contains("x-goog-api-key: \(Self.secret)"))
    #expect(!gemini.plain.url.contains(Self.secret))
    #expect(targets.embeddings?.url == "https://google.example/v1beta/openai/embeddings")
  }

  @Test func vertexTakesTokens() throws {
    let targets = try Self.targets(
      .gemini, "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google")
    #expect(targets.gemini?.plain.headerLines.contains("authorization: Bearer \(Self.secret)") == true)
  }

  @Test func bedrockHasPathsForBoth() throws {
    let targets = try Self.targets(.bedrock, "https://bedrock.example", model: "eu.anthropic.claude-v1:0")
    #expect(targets.converse?.plain.url == "https://bedrock.example/model/eu.anthropic.claude-v1%3A0/converse")
    #expect(targets.converse?.stream.url.hasSuffix("/converse-stream") == true)
    #expect(targets.converse?.plain.headerLines.contains("authorization: Bearer \(Self.secret)") == true)
  }

  @Test func aPairOfKeysSignsAndTravelsNowhere() throws {
    var traits = WireTraits.usual(for: .bedrock)
    traits.awsRegion = "eu-central-1"
    let model = Model(id: "m", maxOutput: 1000, price: Self.price("EUR"))
    let provider = Provider(
      id: "bedrock", adapter: .bedrock, endpoint: try Endpoint("https://bedrock.example", local: false),
      credential: "eu", country: try Country("DE"), agreement: Agreement(kind: .avv),
      certificates: [:], retentionDays: 0, training: .never, models: [model], traits: traits)
    let targets = Self.targets(credentials: ["eu": Array("AKIDEXAMPLE:wJalr/x:y".utf8)])
    let callable = try #require(targets.callable(Candidate(provider: provider, model: model)))
    let plain = try #require(callable.targets.converse).plain
    #expect(plain.signature?.region == "eu-central-1" && plain.signature?.service == "bedrock")
    #expect(plain.signature?.accessKey == "AKIDEXAMPLE" && plain.signature?.secretKey == "wJalr/x:y")
    #expect(!plain.headerLines.contains { $0.contains("AKID") || $0.contains("wJalr") })
  }

  @Test(arguments: ["..", ".", "a/../b", "a%2fb", "ü"]) func aNameStaysInsideItsSegment(name: String) {
    let segment = PathSegment.encoded(name)
    #expect(segment != "." && segment != "..")
    #expect(segment.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x2F })
  }

  @Test func aTenantsOwnAccountComesFirstAndSharesNothing() throws {
    let credentials = ["eu": Array("common".utf8), "eu@kanzlei-a": Array("its-own".utf8)]
    let own = try #require(Self.targets(credentials: credentials).callable(try Self.candidate()))
    let other = try #require(Self.targets(credentials: credentials, tenant: "kanzlei-b").callable(try Self.candidate()))
    #expect(own.targets.chat?.headerLines.contains("authorization: Bearer its-own") == true)
    #expect(other.targets.chat?.headerLines.contains("authorization: Bearer common") == true)
    #expect(own.targets.chat?.poolKey != other.targets.chat?.poolKey)
    #expect(Self.targets(credentials: credentials).isTenantsOwn)
    #expect(!Self.targets(credentials: credentials, tenant: "a").isTenantsOwn)
  }

  @Test func connectionsAreSharedByCredentialOnly() throws {
    let shared = try #require(Self.targets().callable(try Self.candidate())).targets.chat?.poolKey
    let other = try #require(
      Self.targets(credentials: ["us": Array(Self.secret.utf8)]).callable(try Self.candidate(credential: "us")))
    let own = try #require(Self.targets(dedicated: "tenant").callable(try Self.candidate())).targets.chat?.poolKey
    #expect(Set([shared, other.targets.chat?.poolKey, own]).count == 3)
  }

  @Test func theRecordsHeadersAreSentAlong() throws {
    let callable = try #require(
      Self.targets().callable(
        try Self.candidate(headers: [.init(name: "openai-organization", value: "org"), .init(name: "x-a", value: "b")]))
    )
    let chat = try #require(callable.targets.chat)
    for line in ["openai-organization: org", "x-a: b", "accept-encoding: identity", "content-type: application/json"] {
      #expect(chat.headerLines.contains(line))
    }
    let names = chat.headerLines.compactMap { $0.split(separator: ":").first }
    #expect(Set(names).count == names.count)
  }

  @Test func namesThatAreAnUpstreamsOwnGoThere() throws {
    let first = try #require(Self.targets().callable(try Self.candidate()))
    let claude = try #require(Self.targets().callable(try Self.candidate(endpoint: "https://other.example/v1")))
    let open = OpenModels([first], others: [OpenModels.Template(prefix: "claude", models: [claude])])
    func place(_ name: String) -> String? { open.route(name).candidates.first?.targets.chat?.url }
    #expect(place("gpt-5-mini") == "https://eu.example/v1/chat/completions")
    #expect(place("claude-haiku-4-5") == "https://other.example/v1/chat/completions")
    #expect(open.route("claude-haiku-4-5").candidates.map(\.model.id) == ["claude-haiku-4-5"])
    #expect(place("claud") == "https://eu.example/v1/chat/completions")
  }
}
