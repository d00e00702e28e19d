import Admin
import EventLoop
import Gateway
import Policies
import Routing
import StorageSQLite
import Tenancy

extension Administration: RouteExplaining {
  func why(_ question: RouteQuestion) async throws -> RouteExplanation? {
    let set = core.policySet
    let tenant = try core.tenancy.tenant(question.tenant)
    guard let alias = set.routes.aliases[question.alias] else { return nil }
    guard let policy = set.policies[tenant.policy] else {
      throw AdminError(.unavailable, "the tenant's policy '\(tenant.policy)' is not in the set", detail: "no policy")
    }
    var needs: ModelCapabilities = []
    for word in question.needs {
      guard let capability = ModelCapabilities(name: word) else {
        throw AdminError.invalid(
          "'\(word)' is no capability", param: "needs",
          hint: "known: \(ModelCapabilities.names.map(\.name).joined(separator: ", "))")
      }
      needs.formUnion(capability)
    }
    var choice = TierChoice.providers
    if let name = question.tier, name != "auto" {
      guard let tier = PriceTier(rawValue: name) else {
        throw AdminError.invalid(
          "'\(name)' is no service tier", param: "tier",
          hint: "known: \(PriceTier.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      choice = .only(tier)
    }
    let plan = set.plan(of: tenant.slug, policy: tenant.policy) ?? policy.plan
    var resolved = core.resolve(alias.candidates, for: tenant, dedicated: policy.dedicatedConnections)
    if alias.order == .cheapest {
      // As the snapshot has them; those that cannot be called come last.
      resolved.sort { left, right in
        func key(_ one: SnapshotBuilder.Resolved) -> (Int64, String) {
          (one.callable?.price.rank ?? .max, one.candidate.provider.id)
        }
        return key(left) < key(right)
      }
    }
    let judge = CandidateJudge(
      policy: policy, plan: plan, tokens: question.tokens, needs: needs, tier: choice,
      epochSeconds: SystemClock().wallNanoseconds / 1_000_000_000,
      state: question.showsState ? await state(of: resolved) : nil)
    let isRanked = alias.order == .listed || alias.order == .cheapest
    var isFirst = true
    let candidates = resolved.map { one in
      let judgement = judge.judge(one)
      var verdict = RouteExplanation.Candidate.Verdict.refused
      if judgement.rule == nil {
        verdict = isFirst && isRanked ? .first : .usable
        isFirst = false
      }
      return RouteExplanation.Candidate(
        provider: one.candidate.provider.id, model: one.candidate.model.id,
        country: one.candidate.provider.country.code, weight: one.candidate.weight, verdict: verdict,
        rule: judgement.rule, detail: judgement.detail, most: judgement.most.map { Money(nanos: $0) },
        tiers: one.candidate.model.price.tierNames)
    }
    return RouteExplanation(
      policy: policy.id, currency: tenant.currency, order: alias.order.rawValue,
      rule: policy.models.contains(alias.name) ? nil : "models", callers: callers(question, policy, alias),
      candidates: candidates)
  }

  /// What providers are doing now; breakers are each loop's own.
  private func state(of resolved: [SnapshotBuilder.Resolved]) async -> CandidateJudge.State {
    let names = resolved.compactMap { $0.callable?.breaker }
    var open: [String: Int] = [:]
    for pipeline in pipelines {
      let found = try? await pipeline.loop.run { pipeline.value.openBreakers(among: names) }
      for name in found ?? [] { open[name, default: 0] += 1 }
    }
    return CandidateJudge.State(
      loops: pipelines.count, openBreakers: open, milliseconds: SystemClock().monotonicNanoseconds / 1_000_000)
  }

  private func callers(_ question: RouteQuestion, _ policy: EffectivePolicy, _ alias: Alias)
    -> [RouteExplanation.Caller]
  {
    guard question.key != nil || question.project != nil else { return [] }
    let now = SystemClock().wallNanoseconds / 1_000_000_000
    let writes = alias.candidates.contains { $0.model.makes }
    var callers: [RouteExplanation.Caller] = []
    for principal in core.directories.current.principals(of: question.tenant) {
      guard question.key.map({ $0 == principal.key }) ?? true,
        question.project.map({ $0 == principal.project }) ?? true
      else { continue }
      var rule: String?
      if let expires = principal.expires, now >= expires {
        rule = "key.expired"
      } else if case .denied(let denied) = policy.decide(
        role: principal.role, held: principal.permissions, needed: writes ? .chat : .embed, alias: alias.name,
        keyModels: principal.models, address: nil, epochSeconds: now, zone: principal.timeZone)
      {
        rule = denied
      }
      callers.append(
        RouteExplanation.Caller(key: principal.key, name: principal.keyName, role: principal.role, rule: rule))
    }
    return callers.sorted { ($0.name, $0.key.description) < ($1.name, $1.key.description) }
  }
}

/// Judges one candidate after the other, by the rules of the data plane and in their order.
struct CandidateJudge {
  struct State {
    let loops: Int
    /// On how many loops each is open.
    let openBreakers: [String: Int]
    /// Of the monotonic clock.
    let milliseconds: Int64
  }
  struct Judgement: Equatable {
    var rule: String?
    var detail = ""
    /// 10⁻⁹ of the tenant's currency.
    var most: Int64?
  }

  let policy: EffectivePolicy
  let plan: PlanSpec
  let tokens: Int64
  let needs: ModelCapabilities
  var tier = TierChoice.providers
  let epochSeconds: Int64
  /// Nil: not to be told.
  let state: State?

  func judge(_ resolved: SnapshotBuilder.Resolved) -> Judgement {
    let (provider, model) = (resolved.candidate.provider, resolved.candidate.model)
    var judgement = Judgement()
    // What is charged by the piece depends on more than tokens.
    if let price = resolved.callable?.price, price.unit == nil {
      judgement.most = price.worstCase(
        input: tokens, outputCap: min(plan.outputTokens, model.maxOutput), answers: 1, by: tier)
    }
    func refused(_ rule: String, _ detail: String) -> Judgement {
      var refused = judgement
      (refused.rule, refused.detail) = (rule, detail)
      return refused
    }
    if let obstacle = policy.compliance.obstacle(to: provider, on: CalendarDay(epochSeconds: epochSeconds)) {
      return refused(obstacle.rawValue, Self.detail(obstacle, provider))
    }
    switch resolved.obstacle {
    case .price:
      return refused("price", "there is no rate for \(model.price.currency); an unpriced request is refused")
    case .credential(let fault): return refused("credential", fault)
    case .connection(let fault): return refused("connection", fault)
    case .wire: return refused("adapter", "nothing here speaks '\(provider.adapter.rawValue)' with it")
    case nil: break
    }
    let missing = model.missing(of: needs)
    if !missing.isEmpty {
      return refused("capability", "it lacks \(missing.nameList.joined(separator: ", "))")
    }
    if case .only(let tier) = tier, !model.price.offers(tier) {
      return refused("tier", "it has no price for the service tier '\(tier.rawValue)'")
    }
    if let context = model.context, tokens > context {
      return refused("context", "\(tokens) tokens do not fit into its \(context)")
    }
    guard judgement.most != nil || resolved.callable?.price.unit != nil else {
      return refused("price", "the cost does not fit into a number")
    }
    if let state, let callable = resolved.callable {
      if let rest = callable.rest(atMilliseconds: state.milliseconds) {
        return refused("resting", "the provider asked to be left alone for another \((rest + 999) / 1000) s")
      }
      if callable.isFull { return refused("full", "as many requests are under way as it may have") }
      if let open = state.openBreakers[callable.breaker], open > 0 {
        return refused("breaker", "open on \(open) of \(state.loops) loops after failures")
      }
    }
    return judgement
  }

  private static func detail(_ obstacle: ComplianceRequirement.Obstacle, _ provider: Provider) -> String {
    switch obstacle {
    case .country: "\(provider.country) is not among the policy's countries"
    case .agreementMissing: "there is no agreement, and the policy requires one"
    case .agreementExpired: "the agreement ended with \(provider.agreement.expires.map { "\($0)" } ?? "")"
    case .training: "it trains: \(provider.training.rawValue)"
    case .retention: "it keeps what it is sent for \(provider.retentionDays) days"
    case .certificate: "a certificate is missing or has run out"
    case .secrecy: "it is not bound to secrecy"
    }
  }
}

extension Price {
  /// What is served at prices of its own, for people; empty where there is only this price.
  fileprivate var tierNames: [String] {
    (tiers?.rows ?? []).flatMap { row in
      [row.tier.rawValue] + (row.long.map { ["\(row.tier.rawValue) above \($0.above)"] } ?? [])
    }
  }
}
