public import Tenancy

/// A model of a provider.
public struct Model: Hashable, Sendable {
  public let id: String
  /// Most tokens of one answer; 0 for a model that writes none (embeddings).
  public let maxOutput: Int64
  /// Most tokens of prompt and answer together; nil: unknown, then nothing is checked here.
  public let context: Int64?
  public let price: Price
  /// Numbers of an embedding; nil: as the provider has it.
  public let dimensions: Int?
  /// What it can take and do beyond text; nil: nobody wrote it down, and nothing is checked here.
  public let capabilities: ModelCapabilities?
  /// The version of Anthropic's API for translated requests to this model; nil: the provider's.
  public let anthropicVersion: String?
  /// The longest sound that it takes; nil where it takes none.
  public let maxSeconds: Int64?

  public init(
    id: String, maxOutput: Int64, context: Int64? = nil, price: Price, dimensions: Int? = nil,
    capabilities: ModelCapabilities? = nil, anthropicVersion: String? = nil, maxSeconds: Int64? = nil
  ) {
    self.id = id
    self.maxOutput = maxOutput
    self.context = context
    self.price = price
    self.dimensions = dimensions
    self.capabilities = capabilities
    self.anthropicVersion = anthropicVersion
    self.maxSeconds = maxSeconds
  }

  /// What a request needs and this model is known not to have; where its capabilities are unknown, what must be named.
  public func missing(of needed: ModelCapabilities) -> ModelCapabilities {
    Self.missing(of: needed, among: capabilities)
  }

  static func missing(of needed: ModelCapabilities, among capabilities: ModelCapabilities?) -> ModelCapabilities {
    capabilities.map { needed.subtracting($0) } ?? needed.intersection(.named)
  }

  /// Whether it makes something (words, images, sound), and does not only measure.
  public var makes: Bool { routes.isEmpty ? maxOutput > 0 : !routes.isSubset(of: [.moderation, .rerank]) }

  /// The routes of their own that this model is there for; empty for one that talks or embeds.
  public var routes: ModelCapabilities { capabilities?.intersection(.routes) ?? [] }
}

/// What a provider does with what it is sent.
public enum Training: String, Sendable, CaseIterable, Comparable {
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
  public static func < (left: Training, right: Training) -> Bool { left.rank < right.rank }
}

/// The data-processing agreement with a provider.
public struct Agreement: Hashable, Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    /// None: only for what holds no personal data.
    case none
    /// A contract by Art. 28 GDPR (AVV, DPA).
    case avv
    /// One's own machine: nobody else processes.
    case own
  }

  public let kind: Kind
  /// The last day it holds; nil: until ended.
  public let expires: CalendarDay?
  /// Whether the provider is bound to secrecy in text form (§ 203 StGB, Art. 321 StGB, § 121 StGB).
  public let secrecyUndertaking: Bool

  public init(kind: Kind, expires: CalendarDay? = nil, secrecyUndertaking: Bool = false) {
    self.kind = kind
    self.expires = expires
    self.secrecyUndertaking = secrecyUndertaking
  }
}

/// The wire that a provider speaks, and its oddities.
public enum Adapter: String, Sendable, CaseIterable {
  case openAI = "openai"
  case openAICompatible = "openai-compatible"
  case azure
  case anthropic
  case mistral
  case gemini
  case bedrock
  case vllm
  case ollama

  /// Whether it has OpenAI's paths for what is no conversation.
  public var hasFurtherRoutes: Bool {
    switch self {
    case .openAI, .openAICompatible, .azure, .mistral, .vllm, .ollama: true
    case .anthropic, .gemini, .bedrock: false
    }
  }

  /// Whether it has OpenAI's `/files` and `/batches`; others have ways of their own.
  public var hasBatches: Bool {
    switch self {
    case .openAI, .openAICompatible, .azure: true
    case .anthropic, .mistral, .gemini, .bedrock, .vllm, .ollama: false
    }
  }
}

/// An upstream account of the register. The credential is a name, never the key.
public struct Provider: Hashable, Sendable {
  public let id: String
  public let adapter: Adapter
  public let endpoint: Endpoint
  /// Nil: at a public address. Otherwise the record is local, and exactly these networks may be connected to.
  public let networks: [Network]?
  /// Nil: the provider asks for none.
  public let credential: String?
  public let country: Country
  public let agreement: Agreement
  /// Name, in lower case, and its last day.
  public let certificates: [String: CalendarDay]
  public let retentionDays: Int
  public let training: Training
  public let models: [Model]
  public let traits: WireTraits
  public let timeouts: ProviderTimeouts
  public let limits: ProviderLimits
  public let connection: ProviderConnection

  public init(
    id: String, adapter: Adapter, endpoint: Endpoint, networks: [Network]? = nil, credential: String?,
    country: Country, agreement: Agreement, certificates: [String: CalendarDay], retentionDays: Int, training: Training,
    models: [Model], traits: WireTraits, timeouts: ProviderTimeouts = ProviderTimeouts(),
    limits: ProviderLimits = ProviderLimits(), connection: ProviderConnection = ProviderConnection()
  ) {
    self.id = id
    self.adapter = adapter
    self.endpoint = endpoint
    self.networks = networks
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

  public var isLocal: Bool { networks != nil }

  /// The version of Anthropic's API that a translated request to one of its models names.
  public func anthropicVersion(for model: Model) -> String { model.anthropicVersion ?? traits.anthropicVersion }
}
