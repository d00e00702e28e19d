/// How a provider's wire deviates from its adapter's.
public struct WireTraits: Hashable, Sendable {
  /// The field that caps an answer, such as `max_completion_tokens`.
  public var maxTokensField: String
  /// Whether `stream_options.include_usage` is understood.
  public var includesUsage: Bool
  /// Fields the upstream does not know and refuses: taken out loudly.
  public var deniedFields: [String]
  /// Further fixed request headers of the record, names in lower case: organisation, project.
  public var headers: [HeaderField]
  /// Tokens that the provider adds to each request by itself.
  public var overheadTokens: Int64
  /// Whether the upstream has `/responses`; without it, such a request travels as chat.
  public var hasResponses: Bool
  /// Whether the upstream has the legacy `/completions`.
  public var hasCompletions: Bool
  /// Azure's old URL form, `/openai/deployments/{d}/…?api-version=`; nil: the new one, `/openai/v1/`.
  public var apiVersion: String?
  /// The version of Anthropic's API that a translated request names, unless its model has another.
  public var anthropicVersion: String
  /// Which values of `anthropic-beta` this upstream is sent.
  public var betas: BetaRule
  /// Where a Bedrock endpoint lies, for signatures (SigV4), such as `eu-central-1`; nil elsewhere.
  public var awsRegion: String?

  /// A platform that lags behind refuses values of `anthropic-beta` that it does not know.
  public enum BetaRule: Hashable, Sendable {
    case all
    case only(Set<String>)
    case except(Set<String>)

    public func passes(_ beta: String) -> Bool {
      switch self {
      case .all: true
      case .only(let known): known.contains(beta)
      case .except(let unknown): !unknown.contains(beta)
      }
    }
  }

  public struct HeaderField: Hashable, Sendable {
    public let name: String
    public let value: String
    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// Anthropic's API as every upstream of that dialect knows it.
  public static let usualAnthropicVersion = "2023-06-01"

  public init(
    maxTokensField: String, includesUsage: Bool, deniedFields: [String] = [], headers: [HeaderField] = [],
    overheadTokens: Int64 = 0, hasResponses: Bool = false, hasCompletions: Bool = false
  ) {
    self.maxTokensField = maxTokensField
    self.includesUsage = includesUsage
    self.deniedFields = deniedFields
    self.headers = headers
    self.overheadTokens = overheadTokens
    self.hasResponses = hasResponses
    self.hasCompletions = hasCompletions
    anthropicVersion = Self.usualAnthropicVersion
    betas = .all
  }

  /// What holds for an adapter unless its record says otherwise.
  public static func usual(for adapter: Adapter) -> WireTraits {
    switch adapter {
    case .openAI, .azure:
      WireTraits(maxTokensField: "max_completion_tokens", includesUsage: true, hasResponses: true)
    case .gemini: WireTraits(maxTokensField: "maxOutputTokens", includesUsage: true)
    case .openAICompatible, .vllm, .ollama:
      WireTraits(maxTokensField: "max_tokens", includesUsage: true, hasCompletions: true)
    // It refuses what it does not know, and tells its usage unasked.
    case .mistral:
      WireTraits(
        maxTokensField: "max_tokens", includesUsage: true,
        deniedFields: [
          "user", "logit_bias", "logprobs", "top_logprobs", "store", "metadata", "service_tier", "stream_options",
        ])
    case .anthropic, .bedrock: WireTraits(maxTokensField: "max_tokens", includesUsage: true)
    }
  }
}
