import Tenancy

/// Where a request of a tenant would go, and why not elsewhere.
enum RouteRoutes {
  static let all = [why]

  static let why = AdminRoute(
    "route.why", .get, "/v1/tenants/{tenant}/route", .tenant([.providersRead, .policiesRead]),
    query: ["alias", "project", "key", "tokens", "needs", "tier"],
    .read { call in
      let question = try await read(call)
      guard let explanation = try await call.services.routes.why(question) else { throw AdminError.notFound }
      return try .json(RouteAnswer(question.alias, explanation))
    })

  private static func read(_ call: AdminCall) async throws -> RouteQuestion {
    guard let alias = call.query["alias"], !alias.isEmpty else {
      throw AdminError.invalid("name an alias", param: "alias", hint: "as the routing file has it")
    }
    let tenant = try call.tenant().id
    var project: ProjectID?
    if let name = call.query["project"] { project = try await call.project(named: name).id }
    var key: KeyID?
    if let text = call.query["key"] {
      let keys = try await call.services.tenancy.keys(of: tenant)
      guard let id = KeyID(text), let record = keys.first(where: { $0.id == id }),
        project.map({ $0 == record.project }) ?? true
      else { throw AdminError.notFound }
      key = id
    }
    var tokens: Int64 = 1000
    if let text = call.query["tokens"] {
      guard let number = Int64(text), (0...100_000_000).contains(number) else {
        throw AdminError.invalid("'tokens' must be a whole number from 0 to 100000000", param: "tokens")
      }
      tokens = number
    }
    let needs = (call.query["needs"] ?? "").split(separator: ",").map(String.init)
    return RouteQuestion(
      tenant: tenant, alias: alias, project: project, key: key, tokens: tokens, needs: needs,
      tier: call.query["tier"].flatMap { $0.isEmpty ? nil : $0 },
      showsState: call.isLoggedIn(with: [.providersRead, .providersManage, .installationManage]))
  }
}

private struct RouteAnswer: Encodable {
  struct Caller: Encodable {
    let key: String
    let name: String
    let role: String
    let allowed: Bool
    let rule: String?
  }
  struct Candidate: Encodable {
    let provider: String
    let model: String
    let country: String
    let weight: Int
    let verdict: String
    let rule: String?
    let detail: String
    let most: Money?
    let tiers: [String]?
  }

  let alias: String
  let policy: String
  let currency: String
  let order: String
  let rule: String?
  let callers: [Caller]
  let candidates: [Candidate]

  init(_ alias: String, _ explanation: RouteExplanation) {
    self.alias = alias
    policy = explanation.policy
    currency = explanation.currency
    order = explanation.order
    rule = explanation.rule
    callers = explanation.callers.map {
      Caller(key: $0.key.description, name: $0.name, role: $0.role, allowed: $0.rule == nil, rule: $0.rule)
    }
    candidates = explanation.candidates.map {
      Candidate(
        provider: $0.provider, model: $0.model, country: $0.country, weight: $0.weight, verdict: $0.verdict.rawValue,
        rule: $0.rule, detail: $0.detail, most: $0.most, tiers: $0.tiers.isEmpty ? nil : $0.tiers)
    }
  }
}
