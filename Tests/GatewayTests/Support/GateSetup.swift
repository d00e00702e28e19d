import Gateway
import Inference
import Policies
import Quotas
import Redaction
import Routing
import SealedLog
import Tenancy

/// What a test changes of the usual gate: a tenant with one key, an alias `chat` with its candidates, everything on.
struct GateSetup {
  /// A provider with one model, in the order of the alias.
  struct Candidate {
    var provider: String
    var country = "NO"
    var agreementExpires: String?
    var maxOutput: Int64 = 1000
    var deniedFields: [String] = []
    var concurrency: Int?
    var weight = 1
    /// What this one speaks, unlike the others.
    var wires: [ProviderWire]?
    var capabilities: ModelCapabilities?
    var context: Int64?
    /// Prices beside the usual one.
    var tiers: PriceTiers?
  }

  static let tenant = TenantID(0xAAAA_0000_0000_0000_0000_0000_0000_0001)
  static let project = ProjectID(0xAAAA_0000_0000_0000_0000_0000_0000_0002)
  static let tokensPerDay = LimitScope(.tenant, tenant.value)

  var candidates = [Candidate(provider: "first")]
  /// What the providers speak.
  var wires = ProviderWire.allCases.filter { $0 != .gemini && $0 != .converse }
  var order = Alias.Order.listed
  var unit: UnitPrice?
  /// Amounts of the tenant's hard limits.
  var tokensPerDay: Int64 = 1_000_000_000
  var moneyPerMonth: Int64 = 1_000_000_000_000_000
  var requestsPerMinute: Int64 = 1_000_000
  var concurrency: Int64 = 1_000
  var redacts = true
  /// Images, sound and files pass although texts are redacted.
  var passesBinary = false
  var action = Redaction.RedactionAction.pseudonymise
  var places: RedactionRule.Places = .input
  var patterns: (any PatternSet)?
  var mode = ContentMode.managed
  var durability = Durability.buffered
  var plan = TenantRules.Plan(bodyBytes: 1 << 20, outputTokens: 500, clamp: .never)
  var role = "clerk"
  var changePolicy: (inout EffectivePolicy) -> Void = { _ in }
  var limits = Limits()
  /// Large bodies are worked on by threads of their own, and come back by ``TestGate/takeBack(until:)``.
  var hasHelpers = false
  var writer = WriterOptions()

  static let policies = """
    kind: Providers
    providers:
      - {id: eu, adapter: openai, endpoint: "https://eu.example/v1", credential: eu, country: NO,
         agreement: {kind: avv, expires: 2027-12-31}, retention: 0d, training: never,
         models: [{id: m, max-output: 1000, price: {version: 1, currency: EUR, input: "1", output: "2"}}]}
    ---
    kind: Routing
    aliases:
      chat: {candidates: [eu/m]}
    ---
    kind: Roles
    roles:
      clerk: {scope: project, can: [chat, embed]}
      reader: {scope: project, can: [reports.read]}
    ---
    kind: Policy
    translation: loud
    id: p@1
    models: [chat]
    roles: {clerk: {}, reader: {}}

    """

  func quotaLimits() throws -> [Limit] {
    let scope = LimitScope(.tenant, Self.tenant.value)
    return [
      try Limit(
        scope: scope, dimension: .tokens, kind: .budget(.day, zone: "UTC"), amount: tokensPerDay, name: "tokens per day"
      ),
      try Limit(
        scope: scope, dimension: .money, kind: .budget(.month, zone: "UTC"), amount: moneyPerMonth,
        name: "money per month"),
      try Limit(
        scope: LimitScope(.key, 7), dimension: .requests, kind: .rate(.minute), amount: requestsPerMinute,
        name: "requests per minute"),
      try Limit(
        scope: scope, dimension: .concurrency, kind: .concurrent, amount: concurrency, name: "concurrent requests"),
    ]
  }

  func profile() throws -> RedactionProfile? {
    guard redacts else { return nil }
    if let patterns {
      return try RedactionProfile(
        name: "faulty", rules: [RedactionRule(id: "own", patterns: [.init(name: "own", regex: "x")])],
        patterns: patterns)
    }
    return try RedactionProfile(
      name: "people", rules: [RedactionRule(id: "people", detect: [.email, .iban], action: action, places: places)],
      passesBinary: passesBinary)
  }

  func route() throws -> ModelRoute {
    ModelRoute(alias: "chat", order: order, candidates: try candidates.map(callable), created: 1_700_000_000)
  }

  /// One token in costs 1,000 and one out 2,000 × 10⁻⁹ EUR, without a rest to round.
  static let price = Price(version: "1", currency: "EUR", input: 1_000_000_000, output: 2_000_000_000)

  /// By the piece there is no price of tokens.
  private func callable(_ candidate: Candidate) throws -> CallableModel {
    var price = unit.map { Price(version: "1", currency: "EUR", input: 0, unit: $0) } ?? Self.price
    price.tiers = candidate.tiers
    let model = Model(
      id: "\(candidate.provider)-model", maxOutput: candidate.maxOutput, context: candidate.context, price: price,
      capabilities: candidate.capabilities, maxSeconds: 600)
    let provider = Provider(
      id: candidate.provider, adapter: .openAI,
      endpoint: try Endpoint("https://\(candidate.provider).example/v1", local: false),
      credential: candidate.provider, country: try Country(candidate.country),
      agreement: Agreement(kind: .avv, expires: try candidate.agreementExpires.map { try CalendarDay($0) }),
      certificates: [:], retentionDays: 0, training: .never, models: [model],
      traits: WireTraits(
        maxTokensField: "max_completion_tokens", includesUsage: true, deniedFields: candidate.deniedFields),
      limits: ProviderLimits(concurrency: candidate.concurrency))
    let limits = limits
    @Sendable func target(_ path: String, _ more: [String] = []) -> UpstreamTarget {
      UpstreamTarget(
        provider: candidate.provider, url: "https://\(candidate.provider).example/v1\(path)",
        headerLines: ["content-type: application/json"] + more, poolKey: candidate.provider,
        limits: limits)
    }
    var targets = UpstreamTargets()
    var further: [ProviderWire: UpstreamTarget] = [:]
    for wire in candidate.wires ?? wires {
      let plain = target(Dialects.path(wire, stream: false))
      let paths = UpstreamTargets.PathTargets(plain: plain, stream: target(Dialects.path(wire, stream: true)))
      switch wire {
      case .chat: targets.chat = plain
      case .completions: targets.completions = plain
      case .embeddings: targets.embeddings = plain
      case .responses: targets.responses = plain
      case .messages: targets.messages = MessagesTargets(version: "2023-06-01") { target("/messages", $0) }
      case .gemini: targets.gemini = paths
      case .converse: targets.converse = paths
      case .moderations, .rerank, .images, .speech, .transcriptions, .translations: further[wire] = plain
      }
    }
    targets.further = FurtherTargets(further)
    if candidate.capabilities?.contains(.batch) == true {
      targets.batches = BatchTargets { method, path, isForm in
        UpstreamTarget(
          provider: candidate.provider, url: "https://\(candidate.provider).example/v1\(path)",
          headerLines: [isForm ? FormTarget.contentType : "content-type: application/json"],
          poolKey: candidate.provider, limits: limits, method: method)
      }
    }
    return CallableModel(
      provider: provider, model: model, price: price, targets: targets, weight: candidate.weight)
  }
}

/// A pattern set that cannot say for sure.
struct FailingPatterns: PatternSet {
  var count: Int { 1 }
  func match(_ text: UnsafeRawBufferPointer, into hits: inout [PatternHit]) throws(RedactionError) {
    throw .failed("test")
  }
}
