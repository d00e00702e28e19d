package import Tenancy

/// Says where a request would go and why not elsewhere; sends nothing and takes nothing.
package protocol RouteExplaining: Sendable {
  /// - Returns: Nil for an alias that the policy set does not know.
  func why(_ question: RouteQuestion) async throws -> RouteExplanation?
}

package struct RouteQuestion: Sendable, Hashable {
  package let tenant: TenantID
  package let alias: String
  /// Whose keys are looked at, too; nil: nobody's but ``key``.
  package let project: ProjectID?
  package let key: KeyID?
  /// Of the prompt.
  package let tokens: Int64
  /// Capabilities by their names in the register; unknown ones are refused.
  package let needs: [String]
  /// The service tier that the request names; nil: none.
  package let tier: String?
  /// Whether what providers are doing now is told: other tenants' requests show in it.
  package let showsState: Bool

  package init(
    tenant: TenantID, alias: String, project: ProjectID?, key: KeyID?, tokens: Int64, needs: [String],
    tier: String? = nil, showsState: Bool
  ) {
    self.tenant = tenant
    self.alias = alias
    self.project = project
    self.key = key
    self.tokens = tokens
    self.needs = needs
    self.tier = tier
    self.showsState = showsState
  }
}

package struct RouteExplanation: Sendable, Hashable {
  /// A key, and whether policy lets it use the alias.
  package struct Caller: Sendable, Hashable {
    package let key: KeyID
    package let name: String
    package let role: String
    /// The rule that denies; nil: it may.
    package let rule: String?

    package init(key: KeyID, name: String, role: String, rule: String?) {
      self.key = key
      self.name = name
      self.role = role
      self.rule = rule
    }
  }

  package struct Candidate: Sendable, Hashable {
    /// The raw value is its name in the API.
    package enum Verdict: String, Sendable, CaseIterable {
      /// It is asked first.
      case first
      /// It may be asked: by lot, by load, or after the first.
      case usable
      case refused
    }

    package let provider: String
    package let model: String
    package let country: String
    package let weight: Int
    package let verdict: Verdict
    /// What stands in the way, such as `compliance.countries`, `capability` or `resting`; nil if nothing does.
    package let rule: String?
    package let detail: String
    /// The most that the request can cost, in the tenant's currency; nil where it has no price.
    package let most: Money?
    /// What may be served at prices of its own: `default`, `flex`, `default above 200000`; empty where there is one price.
    package let tiers: [String]

    package init(
      provider: String, model: String, country: String, weight: Int, verdict: Verdict, rule: String?, detail: String,
      most: Money?, tiers: [String] = []
    ) {
      self.provider = provider
      self.model = model
      self.country = country
      self.weight = weight
      self.verdict = verdict
      self.rule = rule
      self.detail = detail
      self.most = most
      self.tiers = tiers
    }
  }

  package let policy: String
  package let currency: String
  /// `listed`, `cheapest`, `weighted` or `least-outstanding`.
  package let order: String
  /// The rule by which the alias is not the tenant's at all; nil: it is.
  package let rule: String?
  package let callers: [Caller]
  package let candidates: [Candidate]

  package init(
    policy: String, currency: String, order: String, rule: String?, callers: [Caller], candidates: [Candidate]
  ) {
    self.policy = policy
    self.currency = currency
    self.order = order
    self.rule = rule
    self.callers = callers
    self.candidates = candidates
  }
}
