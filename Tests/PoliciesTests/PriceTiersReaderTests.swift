import Routing
import Testing

@testable import Policies

/// What stands beside the amounts of a price in the register.
struct PriceTiersReaderTests {
  private static func document(_ more: String, adapter: String, maxOutput: Int = 10) -> String {
    """
    kind: Providers
    providers:
      - {id: x, adapter: \(adapter), \(adapter == "bedrock" ? "region: eu-central-1, " : "")endpoint: "https://x.example",
         credential: x, country: DE, agreement: {kind: avv}, retention: 0d, training: never, models: [
           {id: m, max-output: \(maxOutput), price: {version: 2026-11-29, currency: USD, input: "1", output: "2", \(more)}}]}
    """
  }

  private static func price(_ more: String, adapter: String = "openai") throws -> Price {
    let set = try PolicyFixture.load(document(more, adapter: adapter))
    return try #require(set.routes.providers.first { $0.id == "x" }?.models.first?.price)
  }

  @Test func everythingIsRead() throws {
    let price = try Self.price(
      """
      above: {input-tokens: 200k, input: "2", cached: "0.2", cache-write-5m: "2.5", cache-write-1h: "4", output: "3"},
      tiers: {flex: {input: "0.5", cached: "0.05", output: "1"},
              priority: {input: "3", output: "6", above: {input-tokens: 272000, input: "6", output: "9"}}}, auto: [default, flex]
      """)
    let tiers = try #require(price.tiers)
    #expect(tiers.rows.map(\.tier) == [.usual, .flex, .priority] && tiers.automatic == [.usual, .flex])
    #expect(price.input == 1_000_000_000 && tiers.rows[0].price.input == 1_000_000_000)
    let long = try #require(tiers.rows[0].long)
    #expect(long.above == 200_000 && long.price.cached == 200_000_000 && long.price.cacheWrite1h == 4_000_000_000)
    #expect(tiers.rows[1].price.cached == 50_000_000 && tiers.rows[1].long == nil)
    // What is not given costs as the tier's input, not as the price's.
    #expect(tiers.rows[2].price.cached == 3_000_000_000 && tiers.rows[2].long?.price.output == 9_000_000_000)
    #expect(tiers.rows.allSatisfy { $0.price.version == "2026-11-29" && $0.price.currency == "USD" })
  }

  @Test func withoutThemThereIsOnePrice() throws {
    #expect(try Self.price("cached: \"0.1\"").tiers == nil)
  }

  @Test func aPriceOfARecordTakesNothingOfTheCataloguesTiers() throws {
    let model = #"{id: m, max-output: 5, price: {version: 1, currency: USD, input: "1", output: "2", "#
    let text = """
      kind: Catalogue
      catalogue:
        service: {adapter: openai, endpoint: "https://x.example", models: [\(model)tiers: {flex: {input: "1", output: "1"}}}}]}
      ---
      kind: Providers
      providers:
        - {id: a, catalogue: service, credential: x, country: DE, agreement: {kind: avv}, retention: 0d, training: never,
           models: [m]}
        - {id: b, catalogue: service, credential: x, country: DE, agreement: {kind: avv}, retention: 0d, training: never,
           models: [\(model)cached: "1"}}]}
      """
    let providers = try PolicyFixture.load(text).routes.providers
    #expect(providers.first { $0.id == "a" }?.models.first?.price.offers(.flex) == true)
    #expect(providers.first { $0.id == "b" }?.models.first?.price.tiers == nil)
  }

  @Test(
    arguments: [
      ("openai", #"tiers: {flex: {input: "1"}}"#, "tier 'flex' needs 'output'"),
      ("openai", #"tiers: {flex: {output: "1"}}"#, "tier 'flex' needs 'input'"),
      ("openai", #"tiers: {flx: {input: "1", output: "1"}}"#, "did you mean 'flex'?"),
      ("openai", #"tiers: {default: {input: "1", output: "1"}}"#, "'default' is the price itself"),
      ("anthropic", #"tiers: {standard: {input: "1", output: "1"}}"#, "'standard' is the price itself"),
      ("openai", #"tiers: {auto: {input: "1", output: "1"}}"#, "'auto' is no tier"),
      ("openai", #"tiers: {flex: {input: 1e3, output: "1"}}"#, "'1e3' is no price"),
      ("openai", #"tiers: {flex: {input: "1", output: "1", cheap: "1"}}"#, "tier 'flex' has no 'cheap'"),
      ("openai", #"tiers: [flex]"#, "'tiers' must be a map"),
      ("anthropic", #"tiers: {flex: {input: "1", output: "1"}}"#, "'flex' is no tier of the adapter 'anthropic'"),
      ("gemini", #"tiers: {priority: {input: "1", output: "1"}}"#, "its requests and answers name none"),
      ("bedrock", #"tiers: {priority: {input: "1", output: "1"}}"#, "'priority' is no tier of the adapter 'bedrock'"),
      ("openai", #"above: {input: "1", output: "1"}"#, "'above' needs 'input-tokens'"),
      ("openai", #"above: {input-tokens: 0, input: "1", output: "1"}"#, "'0' is no value of 'input-tokens'"),
      ("openai", #"above: {input-tokens: "-5", input: "1", output: "1"}"#, "'-5' is no value of 'input-tokens'"),
      ("openai", #"above: {input-tokens: 5, input: "1"}"#, "'above' needs 'output'"),
      ("openai", #"above: 200000"#, "'above' must be a map"),
      ("openai", #"auto: [default]"#, "'auto' chooses among 'tiers', and there are none"),
      ("openai", #"tiers: {flex: {input: "1", output: "1"}}, auto: []"#, "'auto' names no tier"),
      (
        "openai", #"tiers: {flex: {input: "1", output: "1"}}, auto: [priority]"#,
        "'auto' names 'priority', which has no price"
      ),
    ])
  func mistakesAreToldWithTheirPlace(adapter: String, more: String, says: String) {
    let errors = PolicyFixture.errors(Self.document(more, adapter: adapter))
    #expect(errors.count == 1 && errors[0].contains(says) && errors[0].contains("test.yaml:"), "\(errors)")
  }

  @Test(arguments: [
    ("anthropic", #"tiers: {priority: {input: "1", output: "1"}}"#),
    ("gemini", #"above: {input-tokens: 5, input: "1", output: "1"}"#),
    ("azure", #"tiers: {scale: {input: "1", output: "1"}, fast: {input: "1", output: "1"}}"#),
  ])
  func whatAnAdapterHasIsTaken(adapter: String, more: String) throws {
    #expect(try Self.price(more, adapter: adapter).tiers != nil)
  }

  @Test func aModelThatWritesNothingNeedsNoOutput() {
    let text = Self.document(
      #"tiers: {flex: {input: "1"}}, above: {input-tokens: 5, input: "1"}"#, adapter: "openai", maxOutput: 0)
    #expect(PolicyFixture.errors(text).isEmpty)
  }
}
