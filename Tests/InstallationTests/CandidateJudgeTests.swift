import Gateway
import Policies
import Routing
import Testing

@testable import Installation

/// Why a candidate may not serve, by the rule that the data plane would find first.
struct CandidateJudgeTests {
  private static let now: Int64 = 1_795_000_000

  private static func judge(
    _ change: (inout EffectivePolicy) -> Void = { _ in }, tokens: Int64 = 100, needs: ModelCapabilities = [],
    tier: TierChoice = .providers
  ) throws -> CandidateJudge {
    let files = [PolicyFile(name: "p.yaml", bytes: Array("kind: Policy\nid: p@1\n".utf8))]
    var policy = try #require(try PolicyLoader.load(files: files).policies["p@1"])
    policy.compliance = ComplianceRequirement(countries: [try Country("NO")], retentionDays: 30)
    change(&policy)
    return CandidateJudge(
      policy: policy, plan: PlanSpec(name: "p", outputTokens: 500), tokens: tokens, needs: needs, tier: tier,
      epochSeconds: now, state: .init(loops: 2, openBreakers: ["x/broken": 1], milliseconds: 1000))
  }

  private static func candidate(
    _ model: String = "m", country: String = "NO", expires: String? = nil, currency: String = "EUR",
    adapter: Adapter = .openAI, credential: String = "x", context: Int64? = 200, concurrency: Int? = nil,
    tiers: PriceTiers? = nil, loads: ProviderLoads = ProviderLoads()
  ) throws -> SnapshotBuilder.Resolved {
    var price = Price(version: "1", currency: currency, input: 1_000_000_000, output: 2_000_000_000)
    price.tiers = tiers
    let model = Model(id: model, maxOutput: 1000, context: context, price: price, capabilities: [.tools])
    let provider = Provider(
      id: "x", adapter: adapter, endpoint: try Endpoint("https://x.example/v1", local: false), credential: credential,
      country: try Country(country),
      agreement: Agreement(kind: .avv, expires: try expires.map { try CalendarDay($0) }), certificates: [:],
      retentionDays: 0, training: .never, models: [model], traits: .usual(for: adapter),
      limits: ProviderLimits(concurrency: concurrency))
    let targets = ProviderTargets(
      limits: Limits(), credentials: ["x": BoundSecret(Array("key".utf8))], tenant: "t", currency: "EUR",
      currencyRates: [:],
      dedicatedPool: nil,
      loads: loads, transports: TransportTable(credentials: [:]))
    let candidate = Candidate(provider: provider, model: model)
    let callable = targets.callable(candidate)
    return .init(
      candidate: candidate, callable: callable, obstacle: callable == nil ? targets.obstacle(to: candidate) : nil)
  }

  @Test func whoMayServeCostsAtMostThis() throws {
    let judgement = try Self.judge().judge(try Self.candidate())
    // 100 tokens at 1 and 500 at 2 per million.
    #expect(judgement.rule == nil && judgement.most == 1_100_000)
  }

  @Test func aTierNeedsItsPriceAndCostsIt() throws {
    let usual = Price(version: "1", currency: "EUR", input: 1_000_000_000, output: 2_000_000_000)
    let flex = Price(version: "1", currency: "EUR", input: 500_000_000, output: 1_000_000_000)
    let tiers = PriceTiers([PriceTiers.Row(.usual, usual), PriceTiers.Row(.flex, flex)])
    #expect(try Self.judge(tier: .only(.flex)).judge(try Self.candidate()).rule == "tier")
    let judgement = try Self.judge(tier: .only(.flex)).judge(try Self.candidate(tiers: tiers))
    #expect(judgement.rule == nil && judgement.most == 550_000)
    #expect(try Self.judge().judge(try Self.candidate(tiers: tiers)).most == 1_100_000, "the dearest")
  }

  /// Of what is charged by the piece tokens do not tell the cost.
  @Test func whatIsChargedByThePieceHasNoMost() throws {
    let base = try Self.candidate()
    let model = Model(
      id: "m", maxOutput: 0,
      price: Price(version: "1", currency: "EUR", input: 0, unit: UnitPrice(.search, amount: 5)), capabilities: .rerank)
    let targets = ProviderTargets(
      limits: Limits(), credentials: ["x": BoundSecret(Array("key".utf8))], tenant: "t", currency: "EUR",
      currencyRates: [:],
      dedicatedPool: nil, loads: ProviderLoads(), transports: TransportTable(credentials: [:]))
    let candidate = Candidate(provider: base.candidate.provider, model: model)
    let judgement = try Self.judge(needs: .rerank).judge(
      .init(candidate: candidate, callable: targets.callable(candidate), obstacle: nil))
    #expect(judgement.rule == nil && judgement.most == nil)
    // A model whose record does not name the route is not there for it, whatever else it names.
    #expect(try Self.judge(needs: .moderation).judge(base).rule == "capability")
  }

  @Test func everyRuleIsNamed() throws {
    func rule(_ judge: CandidateJudge, _ candidate: SnapshotBuilder.Resolved) -> String? { judge.judge(candidate).rule }
    #expect(rule(try Self.judge(), try Self.candidate(country: "US")) == "compliance.countries")
    #expect(rule(try Self.judge(), try Self.candidate(expires: "2026-11-01")) == "compliance.agreement-expired")
    #expect(rule(try Self.judge(), try Self.candidate(currency: "USD")) == "price")
    #expect(rule(try Self.judge(), try Self.candidate(credential: "gone")) == "credential")
    #expect(rule(try Self.judge(needs: [.tools, .images]), try Self.candidate()) == "capability")
    #expect(rule(try Self.judge(tokens: 201), try Self.candidate()) == "context")
    #expect(rule(try Self.judge(tokens: 200), try Self.candidate()) == nil)
    #expect(rule(try Self.judge(), try Self.candidate("broken")) == "breaker")
    let loads = ProviderLoads()
    loads.rest(of: "m", at: "x").extend(to: 4500)
    let resting = try Self.judge().judge(try Self.candidate(loads: loads))
    #expect(resting.rule == "resting" && resting.detail.contains("4 s"), "\(resting)")
  }

  @Test func whatProvidersDoIsToldOnlyToWhomItMay() throws {
    let judge = try Self.judge()
    let silent = CandidateJudge(
      policy: judge.policy, plan: judge.plan, tokens: 1, needs: [], epochSeconds: Self.now, state: nil)
    #expect(silent.judge(try Self.candidate("broken")).rule == nil)
  }
}
