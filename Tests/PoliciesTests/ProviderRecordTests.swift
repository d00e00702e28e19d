import Routing
import Tenancy
import Testing

@testable import Policies

/// How a record says how its provider is reached, how long it may take and how much it may be given.
struct ProviderRecordTests {
  private static func document(_ members: String, adapter: String = "openai") -> String {
    """
    kind: Providers
    providers:
      - {id: x, adapter: \(adapter), endpoint: "https://x.example", credential: x, country: DE, agreement: {kind: avv},
         retention: 0d, training: never, \(members.contains("models:") ? "" : "models: [], ")\(members)}
    """
  }

  private static func provider(_ members: String, adapter: String = "openai") throws -> Provider {
    try #require(try PolicyFixture.load(document(members, adapter: adapter)).routes.providers.first { $0.id == "x" })
  }

  private static func models(_ model: String, adapter: String = "openai") throws -> [Model] {
    try provider("models: [{id: m, \(model)}]", adapter: adapter).models
  }

  @Test func pricesByThePieceAreRead() throws {
    let model = try #require(
      try Self.models(#"capabilities: [rerank], price: {version: 1, currency: USD, per-search: "0.002"}"#).first)
    #expect(model.price == Price(version: "1", currency: "USD", input: 0, unit: UnitPrice(.search, amount: 2_000_000)))
    #expect(model.routes == .rerank && model.missing(of: .moderation) == .moderation && !model.price.isFree)
    let sound = try #require(
      try Self.models(
        #"capabilities: [transcription, translation], max-duration: 90s, price: {version: 1, currency: USD, per-minute: "0.006"}"#
      ).first)
    #expect(sound.maxSeconds == 90 && sound.price.unit == UnitPrice(.second, amount: 6_000_000) && sound.isPriced)
    let tokens = try #require(
      try Self.models(#"capabilities: [rerank, moderation], price: {version: 1, currency: USD, input: "0"}"#).first)
    #expect(tokens.price.unit == nil && tokens.price.isFree && tokens.routes == [.rerank, .moderation])
    let chat = try #require(
      try Self.models(#"max-output: 1, price: {version: 1, currency: USD, input: "1", output: "1"}"#).first)
    #expect(chat.routes.isEmpty && chat.missing(of: [.rerank, .tools]) == .rerank)
  }

  @Test func batchesAreReadWithTheirPrice() throws {
    let model = try #require(
      try Self.models(
        #"max-output: 1, capabilities: [batch], price: {version: 1, currency: USD, input: "1", output: "2", tiers: {batch: {input: "0.5", output: "1"}}}"#
      ).first)
    #expect(model.capabilities == .batch && model.routes.isEmpty && model.missing(of: .batch).isEmpty)
    #expect(model.price.ofBatch(longestInput: 1).input == 500_000_000)
    #expect(model.price.tiers?.automatic == [.usual], "no request is served at it by itself")
  }

  @Test(arguments: [
    (
      #"max-output: 9, capabilities: [batch], price: {version: 1, currency: USD, input: "1", output: "1"}"#, "mistral",
      "the adapter 'mistral' has no 'batch'"
    ),
    (
      #"capabilities: [batch, rerank], price: {version: 1, currency: USD, input: "1"}"#, "openai",
      "'batch' is for models that talk or embed"
    ),
    (
      #"max-output: 9, price: {version: 1, currency: USD, input: "1", output: "1", tiers: {batch: {input: "1", output: "1"}}, auto: [batch]}"#,
      "openai", "'auto' names 'batch'"
    ),
    (
      #"capabilities: [image-generation], price: {version: 1, currency: USD, input: "1"}"#, "openai",
      "'image-generation' has no price here"
    ),
    (
      #"max-output: 9, capabilities: [speech], price: {version: 1, currency: USD, input: "1", output: "1"}"#, "openai",
      "'speech' has no price here"
    ),
    (
      #"capabilities: [rerank], price: {version: 1, currency: USD, per-search: "1", per-image: "1"}"#, "openai",
      "'per-image' beside 'per-search'"
    ),
    (
      #"capabilities: [transcription], price: {version: 1, currency: USD, per-minute: "1"}"#, "openai",
      "'transcription' has no price here"
    ),
    (
      #"capabilities: [transcription, speech], max-duration: 1h, price: {version: 1, currency: USD, per-minute: "1"}"#,
      "openai", "'per-minute' is no price for this model"
    ),
    // Beside a price by the piece these would count for nothing.
    (
      #"max-output: 9, capabilities: [image-generation], price: {version: 1, currency: USD, per-image: "1", output: "1"}"#,
      "openai", "'output' beside 'per-image'"
    ),
    (
      #"capabilities: [rerank], price: {version: 1, currency: USD, per-search: "1", tiers: {flex: {input: "1"}}}"#,
      "openai", "'tiers' beside 'per-search'"
    ),
    // No price of tokens, and none by the piece.
    (#"capabilities: [rerank], price: {version: 1, currency: USD}"#, "openai", "needs 'input'"),
    (#"price: {version: 1, currency: USD, per-search: "0.002"}"#, "openai", "'per-search' is no price for this model"),
    (
      #"capabilities: [moderation], price: {version: 1, currency: USD, per-search: "0.002"}"#, "openai",
      "'per-search' is no price for this model"
    ),
    (
      #"capabilities: [rerank], price: {version: 1, currency: USD, input: "1"}"#, "anthropic",
      "the adapter 'anthropic' has no 'rerank'"
    ),
    (
      #"capabilities: [rerank], price: {version: 1, currency: USD, per-search: "-1"}"#, "openai", "'-1' is no price"
    ),
  ])
  func aPriceThatDoesNotFitIsAnError(model: String, adapter: String, text: String) {
    let errors = PolicyFixture.errors(Self.document("models: [{id: m, \(model)}]", adapter: adapter))
    #expect(errors.contains { $0.contains(text) }, "\(errors)")
  }

  @Test func everythingIsRead() throws {
    let provider = try Self.provider(
      """
      timeouts: {connect: 500ms, first-byte: 90s, idle: 2min, total: 1h}, limits: {concurrency: 64},
      proxy: {url: "socks5://10.0.0.9:1080", credential: proxy, local: true, ca: /etc/proxy.pem}, ca: /etc/torhaus/haus.pem,
      client-certificate: haus, pinned-keys: ["sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA8="]
      """)
    #expect(
      provider.timeouts == ProviderTimeouts(connect: 500, firstByte: 90_000, idle: 120_000, total: 3_600_000))
    #expect(provider.limits == ProviderLimits(concurrency: 64))
    #expect(
      provider.connection
        == ProviderConnection(
          proxy: try ProxyEndpoint("socks5://10.0.0.9:1080", local: true, credential: "proxy"),
          proxyAuthorities: "/etc/proxy.pem",
          authorities: "/etc/torhaus/haus.pem", clientCertificate: "haus",
          pinnedKeys: ["sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA8="]))
    #expect(provider.connection.proxy?.networks?.map(\.text) == ["10.0.0.9"])
    #expect(provider.networks == nil)
  }

  @Test func nothingIsTheGatewaysOwn() throws {
    let provider = try Self.provider("deny-fields: []")
    #expect(provider.timeouts == ProviderTimeouts() && provider.limits == ProviderLimits())
    #expect(provider.connection == ProviderConnection())
  }

  @Test func theWireIsRead() throws {
    let openAI = try Self.provider("responses: false, completions: true")
    #expect(!openAI.traits.hasResponses && openAI.traits.hasCompletions)
    let claude = try Self.provider(
      """
      anthropic-version: 2026-10-21, betas: {except: [context-management-2025-06-27]}, models: [
        {id: a, max-output: 1, capabilities: [tools, json-schema], price: {version: 1, currency: EUR, input: "1", output: "1"}},
        {id: b, max-output: 1, anthropic-version: 2023-06-01, price: {version: 1, currency: EUR, input: "1", output: "1"}}]
      """, adapter: "anthropic")
    #expect(claude.traits.anthropicVersion == "2026-10-21")
    #expect(claude.models.map { claude.anthropicVersion(for: $0) } == ["2026-10-21", "2023-06-01"])
    #expect(claude.models.map(\.capabilities) == [[.tools, .jsonSchema], nil])
    #expect(claude.traits.betas == .except(["context-management-2025-06-27"]))
    #expect(try Self.provider("betas: none", adapter: "anthropic").traits.betas == .only([]))
    #expect(try Self.provider("region: eu-central-1", adapter: "bedrock").traits.awsRegion == "eu-central-1")
    #expect(try Self.provider("api-version: 2024-10-21", adapter: "azure").traits.apiVersion == "2024-10-21")
  }

  /// What holds where a record says nothing.
  @Test(
    arguments: [
      ("openai", true, false), ("azure", true, false), ("openai-compatible", false, true), ("vllm", false, true),
      ("ollama", false, true), ("mistral", false, false), ("anthropic", false, false), ("gemini", false, false),
    ])
  func theWireIsUsualOtherwise(adapter: String, responses: Bool, completions: Bool) throws {
    let traits = try Self.provider("deny-fields: []", adapter: adapter).traits
    #expect(traits.hasResponses == responses && traits.hasCompletions == completions)
    #expect(traits.anthropicVersion == "2023-06-01" && traits.betas == .all)
    #expect(traits.apiVersion == nil && traits.awsRegion == nil)
  }

  @Test(
    arguments: [
      ("azure", "api-version: 2024-10-21", true), ("azure", "api-version: 2025-04-01-preview", true),
      ("azure", "api-version: \"2024-10-21&x=y\"", false), ("azure", "api-version: latest", false),
      ("openai", "api-version: 2024-10-21", false), ("anthropic", "anthropic-version: 2023-06-01", true),
      ("anthropic", "anthropic-version: \"2023\"", false), ("openai", "anthropic-version: 2023-06-01", false),
      ("anthropic", "betas: all", true), ("anthropic", "betas: some", false), ("anthropic", "betas: {only: []}", true),
      ("anthropic", "betas: {only: [a], except: [b]}", false), ("anthropic", "betas: {}", false),
      ("anthropic", "betas: {only: [\"a,b\"]}", false), ("openai", "betas: none", false),
      ("bedrock", "region: eu-central-1", true), ("bedrock", "deny-fields: []", false),
      ("bedrock", "region: \"eu/../x\"", false), ("openai", "region: eu-central-1", false),
      ("gemini", "responses: true", false), ("gemini", "responses: false", true),
      ("anthropic", "completions: true", false), ("openai", "headers: {anthropic-version: a}", false),
      ("openai", "models: [m]", false),
    ])
  func whatAWireDoesNotHaveIsRefusedWithItsPlace(adapter: String, members: String, isTaken: Bool) {
    let errors = PolicyFixture.errors(Self.document(members, adapter: adapter))
    #expect(errors.isEmpty == isTaken, "\(errors)")
    #expect(errors.allSatisfy { $0.contains("test.yaml:") })
  }

  @Test(arguments: [
    ("timeouts: {connect: 100ms}", true), ("timeouts: {connect: 99ms}", false), ("timeouts: {connect: 60s}", true),
    ("timeouts: {connect: 61s}", false), ("timeouts: {first-byte: 1s}", true), ("timeouts: {first-byte: 999ms}", false),
    ("timeouts: {total: 60min}", true), ("timeouts: {total: 3601s}", false), ("timeouts: {idle: 5}", false),
    ("timeouts: {idle: -5s}", false), ("timeouts: {idle: 1.5s}", false), ("timeouts: {idle: s}", false),
    ("timeouts: {idle: 99999999999999999h}", false), ("timeouts: {write: 5s}", false), ("timeouts: 5s", false),
    ("limits: {concurrency: 1}", true), ("limits: {concurrency: 0}", false), ("limits: {concurrency: -1}", false),
    ("limits: {concurrency: 1000000}", true), ("limits: {concurrency: 1000001}", false), ("limits: {x: 1}", false),
    ("proxy: {url: \"http://proxy.example:3128\"}", true), ("proxy: {url: \"http://10.0.0.9:3128\"}", false),
    ("proxy: {url: \"http://10.0.0.9:3128\", local: true}", true), ("proxy: {local: true}", false),
    ("proxy: {url: \"http://proxy.example:3128\", credential: \"a:b\"}", false),
    ("proxy: {url: \"http://proxy.example:3128\", user: a}", false), ("proxy: \"http://proxy.example:3128\"", false),
    ("ca: /etc/ca.pem", true), ("ca: ca.pem", false), ("client-certificate: haus", true),
    ("client-certificate: \"-----BEGIN\"", false),
    ("local: true, networks: []", false), ("networks: [10.0.0.0/8]", false), ("local: true", false),
    ("local: true, networks: [10.20.0.0/16]", true),
    ("local: true, networks: [10.20.0.1/16]", false), ("local: true, networks: 10.20.0.0/16", false),
    ("local: true, proxy: {url: \"http://proxy.example:3128\"}", true),
    ("proxy: {url: \"http://proxy.example:3128\", local: true}", false),
    ("proxy: {url: \"http://proxy.example:3128\", local: true, networks: [10.20.0.0/16]}", true),
    ("proxy: {url: \"http://localhost:3128\", local: true}", true),
    ("proxy: {url: \"http://proxy.example:3128\", networks: [10.20.0.0/16]}", false),
    ("pinned-keys: []", false), ("pinned-keys: [sha256//AAAA]", false), ("pinned-keys: [\"sha1//A\"]", false),
  ])
  func whatIsOutOfBoundsIsRefusedWithItsPlace(members: String, isTaken: Bool) {
    let errors = PolicyFixture.errors(Self.document(members))
    #expect(errors.isEmpty == isTaken, "\(errors)")
    #expect(errors.allSatisfy { $0.contains("test.yaml:") })
  }

  @Test(
    arguments: [
      ("http://10.1.2.3:8000", "networks: [10.1.0.0/16]", nil), ("http://10.1.2.3:8000", "networks: [10.1.2.3]", nil),
      ("http://10.1.2.3:8000", "networks: [10.2.0.0/16]", "in none of these networks"),
      ("http://10.1.2.3:8000", "pinned-keys: [\"\(pin)\"]", "nothing without TLS"),
      ("http://10.1.2.3:8000", "ca: /ca.pem", "nothing without TLS"),
      ("http://10.1.2.3:8000", "client-certificate: haus", "nothing without TLS"),
      ("https://10.1.2.3:8000", "pinned-keys: [\"\(pin)\"]", nil),
      ("http://[fd00::5]:8000", "networks: [\"fd00:0::/32\"]", nil),
      ("http://gpu.example:8000", "proxy: {url: nonsense, networks: [10.0.0.0/8]}", "no address of a proxy"),
    ] as [(String, String, String?)])
  func whatDoesNotFitItsEndpointIsAnError(endpoint: String, members: String, text: String?) {
    let errors = PolicyFixture.errors(
      Self.document(members + ", local: true").replacing("https://x.example", with: endpoint))
    #expect(errors.count == (text == nil ? 0 : 1), "\(errors)")
    if let text { #expect(errors.joined().contains(text), "\(errors)") }
  }

  private static let pin = "sha256//" + String(repeating: "A", count: 42) + "8="

  /// A password that was written into an address is not said once more.
  @Test func aPasswordIsNotRepeated() {
    let errors = PolicyFixture.errors(Self.document("proxy: {url: \"http://anna:geheim@proxy.example:3128\"}"))
    #expect(errors.count == 1 && !errors.joined().contains("geheim"))
  }
}
