import Foundation
import Testing

@testable import torhausctl

struct ProviderCommandTests {
  private static let providers =
    #"{"data":[{"id":"eu","country":"FR","agreement":{"kind":"avv","expires":"2027-12-31"},"#
    + #""certificates":[{"name":"iso27001","valid_until":"2027-06-30"}],"retention_days":0,"training":"never","#
    + #""models":[{"id":"large","price":{"version":"2026-10-01","currency":"USD","input":"2","cached":"0.2","output":"6","#
    + #""tiers":[{"tier":"default","above_input_tokens":200000,"input":"4","cached":"0.4","output":"9"},"#
    + #"{"tier":"flex","input":"1","cached":"0.1","output":"3"}]}},"#
    + #"{"id":"embed","price":{"version":"2026-10-01","currency":"USD","input":"0.1","cached":"0.1","output":"0"}},"#
    + #"{"id":"rank","price":{"version":"2026-10-01","currency":"USD","input":"0","cached":"0","output":"0","#
    + #""unit":{"unit":"per-search","amount":"0.002"}}}]},"#
    + #"{"id":"bare","country":"DE","agreement":{"kind":"own"},"certificates":[],"retention_days":30,"#
    + #""training":"never","models":[],"fault":"there is no credential 'x'"}]}"#

  @Test func providersAreListedWithTheirModelsAndPrices() {
    let run = Run("provider", "list", answers: [(200, Self.providers)])
    #expect(
      run.data == """
        PROVIDER  COUNTRY  AGREEMENT       CERTIFICATES  RETENTION  TRAINING  MODEL  TIER      ABOVE  INPUT  CACHED  OUTPUT  BY PIECE          CURRENCY  PRICE OF    FAULT
        eu        FR       avv 2027-12-31  iso27001      0d         never     large  default              2     0.2       6                    USD       2026-10-01
        eu        FR       avv 2027-12-31  iso27001      0d         never     large  default  200000      4     0.4       9                    USD       2026-10-01
        eu        FR       avv 2027-12-31  iso27001      0d         never     large  flex                 1     0.1       3                    USD       2026-10-01
        eu        FR       avv 2027-12-31  iso27001      0d         never     embed                     0.1     0.1       0                    USD       2026-10-01
        eu        FR       avv 2027-12-31  iso27001      0d         never     rank                        0       0       0  0.002 per-search  USD       2026-10-01
        bare      DE       own                           30d        never                                                                                            there is no credential 'x'

        """, "\(run.data)")
    let json = Run("provider", "list", "-o", "json", answers: [(200, Self.providers)]).data
    #expect(json.hasPrefix("[\n") && json.contains(#""valid_until": "2027-06-30""#))
  }

  @Test func checksAreAskedOneByOneAndABadOneIsAFailure() {
    let good = #"{"provider":"eu","outcome":"ok","good":true,"status":200,"milliseconds":12,"detail":"","missing":[]}"#
    let bad =
      #"{"provider":"bare","outcome":"models_missing","good":false,"status":200,"milliseconds":9,"detail":"gone","#
      + #""missing":["a","b"]}"#
    let run = Run("provider", "check", answers: [(200, Self.providers), (200, good), (200, bad)])
    #expect(run.requests.map(\.target) == ["/v1/providers", "/v1/providers/eu/check", "/v1/providers/bare/check"])
    #expect(run.exit == 1 && run.data.contains("models missing") && run.data.contains("a b"), "\(run.data)")
    #expect(Run("provider", "check", "eu", answers: [(200, good)]).exit == 0)
    #expect(Run("provider", "check", "nobody", answers: [(404, "{}")]).exit == 6)
  }

  @Test func aRouteIsToldCandidateByCandidate() {
    let answer =
      #"{"alias":"chat","policy":"base@1","currency":"EUR","order":"listed","#
      + #""callers":[{"key":"7","name":"laptop","role":"app","allowed":false,"rule":"hours"}],"candidates":["#
      + #"{"provider":"us","model":"m","country":"US","weight":1,"verdict":"refused","rule":"compliance.countries","#
      + #""detail":"US is not among the policy's countries","most":"0.5"},"#
      + #"{"provider":"eu","model":"m","country":"FR","weight":1,"verdict":"first","detail":"","most":"0.25","#
      + #""tiers":["default","flex"]}]}"#
    let run = Run("route", "why", "--tenant", "a", "--model", "chat", "--tier", "flex", answers: [(200, answer)])
    #expect(run.requests.map(\.target) == ["/v1/tenants/a/route?alias=chat&tier=flex"])
    #expect(
      run.data == """
        CANDIDATE  COUNTRY  VERDICT  RULE                  MOST  CURRENCY  TIERS          DETAIL
        us/m       US       refused  compliance.countries   0.5  EUR                      US is not among the policy's countries
        eu/m       FR       first                          0.25  EUR       default, flex

        """, "\(run.data)")
    #expect(run.talk == "policy base@1, order listed\nkey laptop (app) may not (rule hours)\n", "\(run.talk)")
    #expect(run.exit == 0)
  }

  private func withFile(_ text: String, _ body: (String) -> Void) throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("import-\(UUID().uuidString).yaml")
    try text.write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    body(file.path)
  }

  @Test func aForeignConfigurationIsPrintedAndWhatWasLeftOutIsTold() throws {
    try withFile(
      "model_list:\n  - {model_name: a, litellm_params: {model: openai/gpt-x, api_key: os.environ/K, rpm: 5}}\n"
    ) { file in
      let run = Run("policy", "import", "litellm", file, environment: [:])
      #expect(run.exit == 0 && run.requests.isEmpty)
      #expect(run.data.contains("kind: Providers") && run.data.contains("kind: Routing"))
      #expect(run.talk.contains("'rpm' of 'openai/gpt-x' is not taken over") && run.talk.contains(":2:"), "\(run.talk)")
    }
    try withFile("a: b\n") { file in #expect(Run("policy", "import", "litellm", file).exit == 1) }
    #expect(Run("policy", "import", "litellm", "/nonexistent").exit == 1)
    #expect(Run("policy", "import", "portkey", "/nonexistent").exit == 64)
  }

  @Test func oldPricesAreWarnings() throws {
    let record = """
      kind: Providers
      providers:
        - {id: x, adapter: openai, endpoint: "https://x.example", credential: x, country: DE, agreement: {kind: avv},
           retention: 0d, training: never, models: [{id: m, price: {version: 2020-01-01, currency: EUR, input: "1"}}]}
      """
    try withFile(record) { file in
      let run = Run("policy", "check", file)
      #expect(run.exit == 0 && run.talk.contains("the price of 'x/m' is of 2020-01-01"), "\(run.talk)")
      #expect(Run("policy", "check", file, "--price-days", "100000").talk.isEmpty)
    }
  }
}
