/// A model of a provider.
package struct Model: Hashable, Sendable {
  package let id: String
  /// Most tokens of one answer; 0 for a model that writes none (embeddings).
  package let maxOutput: Int64
  /// Most tokens of prompt and answer together; nil: unknown, then nothing is checked here.
  package let context: Int64?
  package let price: Price
  /// Numbers of an embedding; nil: as the provider has it.
  package let dimensions: Int?

  package init(id: String, maxOutput: Int64, context: Int64? = nil, price: Price, dimensions: Int? = nil) {
    self.id = id
    self.maxOutput = maxOutput
    self.context = context
    self.price = price
    self.dimensions = dimensions
  }
}

/// What a provider does with what it is sent.
package enum Training: String, Sendable, CaseIterable, Comparable {
  case never
  case optOut = "opt-out"
  case allowed

  private var rank: Int {
    switch self {
    case .never: 0
    case .optOut: 1
    case .allowed: 2
    }
  }
  package static func < (left: Training, right: Training) -> Bool { left.rank < right.rank }
}

/// The data-processing agreement with a provider.
package struct Agreement: Hashable, Sendable {
  package enum Kind: String, Sendable, CaseIterable {
    /// None: only for what holds no personal data.
    case none
    /// A contract by Art. 28 GDPR (AVV, DPA).
    case avv
    /// One's own machine: nobody else processes.
    case own
  }

  package let kind: Kind
  /// The last day it holds; nil: until ended.
  package let expires: CalendarDay?
  /// Whether the provider is bound to secrecy in text form (§ 203 StGB, Art. 321 StGB, § 121 StGB).
  package let secrecyUndertaking: Bool

  package init(kind: Kind, expires: CalendarDay? = nil, secrecyUndertaking: Bool = false) {
    self.kind = kind
    self.expires = expires
    self.secrecyUndertaking = secrecyUndertaking
  }
}

/// The wire that a provider speaks, and its oddities.
package enum Adapter: String, Sendable, CaseIterable {
  case openAI = "openai"
  case openAICompatible = "openai-compatible"
  case azure
  case anthropic
  case mistral
  case gemini
  case bedrock
  case vllm
  case ollama
}

/// How a provider's wire deviates from its adapter's.
package struct WireTraits: Hashable, Sendable {
  /// The field that caps an answer, such as `max_completion_tokens`.
  package let maxTokensField: String
  /// Whether `stream_options.include_usage` is understood.
  package let includesUsage: Bool
  /// Fields the upstream does not know and refuses: taken out loudly.
  package let deniedFields: [String]
  /// Further fixed request headers of the record, names in lower case: organisation, project, versions.
  package let headers: [HeaderField]
  /// Tokens that the provider adds to each request by itself.
  package let overheadTokens: Int64

  package struct HeaderField: Hashable, Sendable {
    package let name: String
    package let value: String
    package init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  package init(
    maxTokensField: String, includesUsage: Bool, deniedFields: [String] = [], headers: [HeaderField] = [],
    overheadTokens: Int64 = 0
  ) {
    self.maxTokensField = maxTokensField
    self.includesUsage = includesUsage
    self.deniedFields = deniedFields
    self.headers = headers
    self.overheadTokens = overheadTokens
  }

  /// What holds for an adapter unless its record says otherwise.
  package static func usual(for adapter: Adapter) -> WireTraits {
    switch adapter {
    case .openAI, .azure: WireTraits(maxTokensField: "max_completion_tokens", includesUsage: true)
    case .gemini: WireTraits(maxTokensField: "maxOutputTokens", includesUsage: true)
    case .openAICompatible, .anthropic, .mistral, .bedrock, .vllm, .ollama:
      WireTraits(maxTokensField: "max_tokens", includesUsage: true)
    }
  }
}

/// An upstream account of the register. The credential is a name, never the key.
package struct Provider: Hashable, Sendable {
  package let id: String
  package let adapter: Adapter
  package let endpoint: Endpoint
  package let isLocal: Bool
  /// Nil: the provider asks for none.
  package let credential: String?
  package let country: Country
  package let agreement: Agreement
  /// Name, in lower case, and its last day.
  package let certificates: [String: CalendarDay]
  package let retentionDays: Int
  package let training: Training
  package let models: [Model]
  package let traits: WireTraits
  package let timeouts: ProviderTimeouts
  package let limits: ProviderLimits
  package let connection: ProviderConnection

  package init(
    id: String, adapter: Adapter, endpoint: Endpoint, isLocal: Bool, credential: String?, country: Country,
    agreement: Agreement, certificates: [String: CalendarDay], retentionDays: Int, training: Training,
    models: [Model], traits: WireTraits, timeouts: ProviderTimeouts = ProviderTimeouts(),
    limits: ProviderLimits = ProviderLimits(), connection: ProviderConnection = ProviderConnection()
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
    self.traits = traits
    self.timeouts = timeouts
    self.limits = limits
    self.connection = connection
  }
}
