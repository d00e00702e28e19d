import Foundation
import Policies
import Routing
import Testing

/// What a record has from a catalogue, what it says itself, and how old prices are told.
struct CatalogueTests {
  private static let catalogue = """
    kind: Catalogue
    catalogue:
      service:
        adapter: mistral
        endpoint: "https://service.example/v1"
        deny-fields: [user]
        model-defaults: {context: 1000}
        models:
          - {id: large, max-output: 500, capabilities: [tools], price: {version: 2026-01-01, currency: USD, input: "1", output: "2"}}
          - {id: embed, price: {version: 2026-01-01, currency: USD, input: "0.1"}}
      own:
        adapter: vllm
        endpoint: "http://127.0.0.1:8000/v1"
        local: true
        model-defaults: {max-output: 100, price: {version: own, currency: EUR, input: "0", output: "0"}}
    ---

    """

  private static func record(_ members: String) -> String {
    catalogue + """
      kind: Providers
      providers:
        - {id: x, country: DE, agreement: {kind: avv}, retention: 0d, training: never, \(members)}
      """
  }

  private static func provider(_ members: String) throws -> Provider {
    try #require(try PolicyFixture.load(record(members)).routes.providers.first { $0.id == "x" })
  }

  @Test func aRecordHasWhatItDoesNotSayItself() throws {
    let provider = try Self.provider("catalogue: service, credential: x, models: [large, embed]")
    #expect(provider.adapter == .mistral && "\(provider.endpoint)" == "https://service.example/v1")
    #expect(provider.traits.deniedFields == ["user"] && !provider.isLocal)
    #expect(provider.models.map(\.id) == ["large", "embed"])
    let large = try #require(provider.models.first)
    #expect(large.maxOutput == 500 && large.context == 1000 && large.capabilities == [.tools])
    #expect(large.price.version == "2026-01-01" && large.price.output == 2_000_000_000)
  }

  @Test func whatItSaysWins() throws {
    let provider = try Self.provider(
      """
      catalogue: service, credential: x, endpoint: "https://eu.service.example/v1", deny-fields: [],
      models: [{id: large, max-output: 50, price: {version: 2026-11-01, currency: EUR, input: "3", output: "4"}},
               {id: new, max-output: 5, price: {version: 2026-11-01, currency: EUR, input: "3", output: "4"}}]
      """)
    #expect("\(provider.endpoint)" == "https://eu.service.example/v1" && provider.traits.deniedFields == [])
    #expect(provider.models.map(\.maxOutput) == [50, 5] && provider.models.map(\.context) == [1000, 1000])
    // A price is one thing: nothing of the catalogue's is mixed into it.
    #expect(provider.models.allSatisfy { $0.price.currency == "EUR" && $0.price.cached == 3_000_000_000 })
    #expect(provider.models.map(\.capabilities) == [[.tools], nil])
  }

  @Test func anyModelMayBeNamedWhereNoneIsListed() throws {
    let provider = try Self.provider("catalogue: own, models: [llama, {id: bge, max-output: 0}]")
    #expect(provider.isLocal && provider.adapter == .vllm && provider.credential == nil)
    #expect(provider.models.map(\.id) == ["llama", "bge"] && provider.models.map(\.maxOutput) == [100, 0])
    #expect(provider.models.allSatisfy { $0.price.isFree })
  }

  @Test(arguments: [
    ("catalogue: servic, credential: x, models: []", "did you mean 'service'?"),
    ("catalogue: service, credential: x, models: [larg]", "did you mean 'large'?"),
    ("catalogue: service, credential: x, models: [quite-another]", "known here: embed, large"),
    ("catalogue: service, credential: x, models: [large, large]", "model 'large' stands twice"),
    ("catalogue: service, credential: x, models: [{id: new, max-output: 5}]", "a model needs 'price'"),
    ("catalogue: service, models: [large]", "'x' needs a credential"),
    ("catalogue: [service], credential: x, models: []", "there is no catalogue ''"),
    ("catalogue: service, credential: x", "a provider needs 'models'"),
  ])
  func mistakesAreToldWithTheirPlace(members: String, says: String) {
    let errors = PolicyFixture.errors(Self.record(members))
    #expect(errors.count == 1 && errors[0].contains(says) && errors[0].contains("test.yaml:"), "\(errors)")
  }

  @Test(arguments: [
    ("country: DE", "a catalogue has no 'country'"), ("adaptor: openai", "did you mean 'adapter'?"),
    ("models: [{id: m}]", "a model needs 'price'"), ("models: [{id: m, capabilities: [vision]}]", "is no capability"),
    ("models: x", "'models' must be a list"), ("adapter: x", "is no value of 'adapter'"),
  ])
  func aCatalogueIsCheckedThoughNobodyUsesIt(members: String, says: String) {
    let errors = PolicyFixture.errors("kind: Catalogue\ncatalogue: {unused: {\(members)}}\n")
    #expect(errors.contains { $0.contains(says) && $0.contains("test.yaml:2:") }, "\(errors)")
  }

  @Test func oldPricesAreToldWithTheLineTheyStandIn() throws {
    let set = try PolicyFixture.load(Self.record("catalogue: service, credential: x, models: [large]"))
    // 2026-01-01 and 180 days are 2026-06-30.
    let last: Int64 = 1_782_777_600
    #expect(
      set.oldPrices(epochSeconds: last, afterDays: 180).map(\.message) == [
        "the price of 'eu/m' has the version '1', which is no date"
      ])
    let warnings = set.oldPrices(epochSeconds: last + 86_400, afterDays: 180)
    #expect(warnings.contains { $0.message == "the price of 'x/large' is of 2026-01-01, 181 days ago" }, "\(warnings)")
    #expect(warnings.first { $0.message.contains("large") }?.place.line == 9)
    let own = try PolicyFixture.load(Self.record("catalogue: own, models: [llama]"))
    #expect(own.oldPrices(epochSeconds: last, afterDays: 0).allSatisfy { !$0.message.contains("llama") })
  }

  @Test func everyShippedCatalogueIsUsableAsItStands() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "policies")
    let bytes = Array(try Data(contentsOf: folder.appending(path: "catalogue.yaml")))
    let own = ["vllm", "ollama", "llama-cpp", "lm-studio"]
    let priced = [
      "openai": "gpt-5-mini", "anthropic": "claude-haiku-4-5", "gemini": "gemini-2.5-flash",
      "mistral": "mistral-small-2603", "nebius": "openai/gpt-oss-120b",
    ]
    let price = "price: {version: 2026-11-29, currency: CHF, input: \"1\", output: \"1\"}"
    var records = own.map { "- {id: \($0), catalogue: \($0), models: [any]" }
    records += priced.map { "- {id: \($0.key), catalogue: \($0.key), credential: x, models: [\($0.value)]" }
    records += ["infomaniak", "swisscom"].map {
      "- {id: \($0), catalogue: \($0), endpoint: \"https://x.example/v1\", credential: x, models: [{id: m, max-output: 1, \(price)}]"
    }
    records.append("- {id: ionos, catalogue: ionos, credential: x, models: [{id: m, max-output: 1, \(price)}]")
    let text =
      "kind: Providers\nproviders:\n"
      + records.map { "  \($0), country: CH, agreement: {kind: avv}, retention: 0d, training: never}\n" }.joined()
    let set = try PolicyLoader.load(files: [PolicyFile(name: "catalogue.yaml", bytes: bytes), PolicyFixture.file(text)])
    #expect(set.routes.providers.count == records.count)
    #expect(set.routes.providers.filter(\.isLocal).map(\.id) == own)
  }
}
