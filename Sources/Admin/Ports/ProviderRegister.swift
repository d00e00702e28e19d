/// The provider register as it is in force, and whether its providers answer.
package protocol ProviderRegister: Sendable {
  func providers() async throws -> [ProviderRecord]
  /// Asks one provider for the list of its models, or only connects where there is none; sends no content.
  /// - Returns: Nil for a provider that is not in the register.
  func check(_ provider: String) async throws -> ProviderCheck?
}

/// A record of the register; the credential is a name.
package struct ProviderRecord: Sendable, Hashable {
  package struct Agreement: Sendable, Hashable {
    /// `none`, `avv` or `own`.
    package let kind: String
    /// The last day, `YYYY-MM-DD`; nil: until ended.
    package let expires: String?
    package let secrecyUndertaking: Bool

    package init(kind: String, expires: String?, secrecyUndertaking: Bool) {
      self.kind = kind
      self.expires = expires
      self.secrecyUndertaking = secrecyUndertaking
    }
  }

  package struct Certificate: Sendable, Hashable {
    package let name: String
    package let validUntil: String

    package init(name: String, validUntil: String) {
      self.name = name
      self.validUntil = validUntil
    }
  }

  /// By the piece.
  package struct UnitPrice: Sendable, Hashable {
    /// As the register names it: `per-search`.
    package let unit: String
    package let amount: Money
    package init(unit: String, amount: Money) {
      self.unit = unit
      self.amount = amount
    }
  }

  /// Per 1,000,000 tokens.
  package struct Price: Sendable, Hashable {
    package let version: String
    package let currency: String
    package let input: Money
    package let cached: Money
    package let cacheWrite5m: Money
    package let cacheWrite1h: Money
    package let output: Money
    /// Beside this one; empty where it is the only price.
    package let tiers: [Tier]
    /// Beside or instead of tokens.
    package let unit: UnitPrice?

    package init(
      version: String, currency: String, input: Money, cached: Money, cacheWrite5m: Money, cacheWrite1h: Money,
      output: Money, tiers: [Tier] = [], unit: UnitPrice? = nil
    ) {
      self.version = version
      self.currency = currency
      self.input = input
      self.cached = cached
      self.cacheWrite5m = cacheWrite5m
      self.cacheWrite1h = cacheWrite1h
      self.output = output
      self.tiers = tiers
      self.unit = unit
    }
  }

  /// What a model costs by a service tier, or from a length of the prompt on.
  package struct Tier: Sendable, Hashable {
    /// `default`, `flex`, `priority`, …
    package let name: String
    /// Holds for prompts with more tokens; nil: for all others.
    package let aboveInputTokens: Int64?
    /// Whether the provider may choose it by itself.
    package let isAutomatic: Bool
    package let input: Money
    package let cached: Money
    package let cacheWrite5m: Money
    package let cacheWrite1h: Money
    package let output: Money

    package init(
      name: String, aboveInputTokens: Int64?, isAutomatic: Bool, input: Money, cached: Money, cacheWrite5m: Money,
      cacheWrite1h: Money, output: Money
    ) {
      self.name = name
      self.aboveInputTokens = aboveInputTokens
      self.isAutomatic = isAutomatic
      self.input = input
      self.cached = cached
      self.cacheWrite5m = cacheWrite5m
      self.cacheWrite1h = cacheWrite1h
      self.output = output
    }
  }

  package struct Model: Sendable, Hashable {
    package let id: String
    package let maxOutput: Int64
    package let context: Int64?
    /// Nil: nobody wrote them down.
    package let capabilities: [String]?
    package let price: Price

    package init(id: String, maxOutput: Int64, context: Int64?, capabilities: [String]?, price: Price) {
      self.id = id
      self.maxOutput = maxOutput
      self.context = context
      self.capabilities = capabilities
      self.price = price
    }
  }

  package let id: String
  package let adapter: String
  package let endpoint: String
  package let isLocal: Bool
  /// Its name, never its value.
  package let credential: String?
  package let country: String
  package let agreement: Agreement
  package let certificates: [Certificate]
  package let retentionDays: Int
  package let training: String
  package let models: [Model]
  /// Why it cannot be called at all; nil if it can.
  package let fault: String?

  package init(
    id: String, adapter: String, endpoint: String, isLocal: Bool, credential: String?, country: String,
    agreement: Agreement, certificates: [Certificate], retentionDays: Int, training: String, models: [Model],
    fault: String?
  ) {
    self.id = id
    self.adapter = adapter
    self.endpoint = endpoint
    self.isLocal = isLocal
    self.credential = credential
    self.country = country
    self.agreement = agreement
    self.certificates = certificates
    self.retentionDays = retentionDays
    self.training = training
    self.models = models
    self.fault = fault
  }
}

/// What a provider answered when it was asked for its models.
package struct ProviderCheck: Sendable, Hashable {
  /// The raw value is its name in the API.
  package enum Outcome: String, Sendable, CaseIterable {
    /// It answers, and the register's models are there.
    case ok
    /// It answers; some of the register's models are not in its list.
    case modelsMissing = "models_missing"
    /// A connection stands; its wire has no cheap question.
    case connected
    /// It answers, but has no list of models.
    case noList = "no_list"
    case credentialMissing = "credential_missing"
    case credentialRefused = "credential_refused"
    /// The credential is known and lacks the right to this list.
    case forbidden
    case rateLimited = "rate_limited"
    /// Another status, or an answer that cannot be read.
    case failed
    case unreachable
    /// Not asked: a file or credential of its connection cannot be read.
    case notCallable = "not_callable"

    package var isGood: Bool { self == .ok || self == .connected || self == .noList }
  }

  package let provider: String
  package let outcome: Outcome
  /// Of HTTP; nil if nothing was answered.
  package let status: Int?
  /// Until the whole answer; nil if nothing was sent.
  package let milliseconds: Int?
  /// What happened, in words of ours: nothing that the provider said, no secret.
  package let detail: String
  /// Models of the register that are not in the provider's list.
  package let missing: [String]

  package init(
    provider: String, outcome: Outcome, status: Int? = nil, milliseconds: Int? = nil, detail: String = "",
    missing: [String] = []
  ) {
    self.provider = provider
    self.outcome = outcome
    self.status = status
    self.milliseconds = milliseconds
    self.detail = detail
    self.missing = missing
  }
}
