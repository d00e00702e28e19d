import Gateway
import Inference
import Routing

/// Turns candidates of the register into what the data plane can send to: URLs, header lines with the credential, pools.
struct ProviderTargets {
  static let version = "0.1.0"
  private static let jsonType = "content-type: application/json"

  let limits: Limits
  /// By credential name; a provider whose credential is missing cannot be called.
  let credentials: BoundSecrets
  /// Its own accounts come first: the credential `NAME@SLUG` before `NAME`.
  let tenant: String
  let currency: String
  let currencyRates: [String: Int64]
  let dedicatedPool: String?
  let loads: ProviderLoads
  let transports: TransportTable

  /// Nil if the credential is missing or the price is in a currency without a rate: an unpriced candidate is none.
  func callable(_ candidate: Candidate) -> CallableModel? {
    let provider = candidate.provider
    guard let price = inTenantCurrency(candidate.model.price) else { return nil }
    let name = credentialName(provider)
    var secret: String?
    if let name {
      guard credentials.fault(name, of: provider) == nil else { return nil }
      secret = credentials[name]?.text
    }
    // What one account has used up or what it may do at once is not another's affair.
    let account = name.map { Self.isOwn($0) ? "\(provider.id)/\($0)" : provider.id } ?? provider.id
    let transport: UpstreamTransport?
    switch transports.transport(of: provider) {
    case .none: return nil
    case .plain: transport = nil
    case .special(let found): transport = found
    }
    return CallableModel(
      provider: provider, model: candidate.model, price: price,
      targets: targets(of: candidate, secret: secret, transport: transport), weight: candidate.weight,
      load: loads.load(of: account), rest: loads.rest(of: candidate.model.id, at: account))
  }

  /// Whether one of the credentials is this tenant's alone, so that its targets are too.
  var isTenantsOwn: Bool { credentials.keys.contains { $0.hasSuffix("@\(tenant)") } }

  func credentialName(_ provider: Provider) -> String? {
    provider.credential.map { name in
      let own = "\(name)@\(tenant)"
      return credentials[own] == nil ? name : own
    }
  }

  private static func isOwn(_ name: String) -> Bool { name.contains("@") }

  /// What this provider has for the model, and under which addresses and headers.
  private func targets(of candidate: Candidate, secret: String?, transport: UpstreamTransport?) -> UpstreamTargets {
    let provider = candidate.provider
    let usual =
      ["accept-encoding: identity", "user-agent: torhaus/\(Self.version)"]
      + provider.traits.headers.map { "\($0.name): \($0.value)" }
    let pool = Self.pool(provider, credentialName(provider)) + (dedicatedPool.map { "/\($0)" } ?? "")
    let (limits, credential) = (limits, ProviderCredential(provider, secret))
    let makeOf: @Sendable (String, String, ProviderCredential.Form, [String]) -> UpstreamTarget = {
      path, type, form, more in
      UpstreamTarget(
        provider: provider.id, url: "\(provider.endpoint)\(path)",
        headerLines: [type] + usual + credential.lines(form) + more, poolKey: pool, networks: provider.networks,
        limits: limits, timeouts: provider.timeouts, transport: transport,
        signature: credential.signature)
    }
    let make: @Sendable (String, ProviderCredential.Form, [String]) -> UpstreamTarget = { path, form, more in
      makeOf(path, Self.jsonType, form, more)
    }
    var targets = UpstreamTargets()
    targets.batches = batches(of: candidate, usual: usual, credential: credential, pool: pool, transport: transport)
    let id = PathSegment.encoded(candidate.model.id)
    guard candidate.model.routes.isEmpty else {
      let (base, query) = Self.base(provider, id)
      guard provider.adapter.hasFurtherRoutes else { return targets }
      targets.further = Self.further(candidate.model) { path, isForm in
        let form: ProviderCredential.Form = provider.adapter == .azure ? .apiKey : .bearer
        return makeOf(
          "\(base)\(path)\(query)", isForm ? FormTarget.contentType : Self.jsonType, form, [])
      }
      return targets
    }
    switch provider.adapter {
    case .openAI, .openAICompatible, .mistral, .vllm, .ollama:
      targets.chat = make("/chat/completions", .bearer, [])
      targets.embeddings = make("/embeddings", .bearer, [])
      if provider.traits.hasCompletions { targets.completions = make("/completions", .bearer, []) }
      if provider.traits.hasResponses { targets.responses = make("/responses", .bearer, []) }
    case .azure:
      let (base, query) = Self.base(provider, id)
      targets.chat = make("\(base)/chat/completions\(query)", .apiKey, [])
      targets.embeddings = make("\(base)/embeddings\(query)", .apiKey, [])
      if provider.traits.hasCompletions { targets.completions = make("\(base)/completions\(query)", .apiKey, []) }
      if provider.traits.hasResponses, provider.traits.apiVersion == nil {
        targets.responses = make("/responses", .apiKey, [])
      }
    case .anthropic:
      let betas = provider.traits.betas
      targets.messages = MessagesTargets(
        version: provider.anthropicVersion(for: candidate.model), allowsBeta: { betas.passes(String($0)) },
        make: { make("/messages", .xAPIKey, $0) })
    case .gemini:
      targets.gemini = UpstreamTargets.PathTargets(
        plain: make("/models/\(id):generateContent", .google, []),
        stream: make("/models/\(id):streamGenerateContent?alt=sse", .google, []))
      targets.embeddings = make("/openai/embeddings", .bearer, [])
    case .bedrock:
      targets.converse = UpstreamTargets.PathTargets(
        plain: make("/model/\(id)/converse", .bearer, []), stream: make("/model/\(id)/converse-stream", .bearer, []))
    }
    return targets
  }

  /// Where a model's record says that there are batches, and its provider has them as OpenAI does.
  private func batches(
    of candidate: Candidate, usual: [String], credential: ProviderCredential, pool: String,
    transport: UpstreamTransport?
  ) -> BatchTargets? {
    let provider = candidate.provider
    guard candidate.model.capabilities?.contains(.batch) == true, provider.adapter.hasBatches,
      provider.traits.apiVersion == nil
    else { return nil }
    let form: ProviderCredential.Form = provider.adapter == .azure ? .apiKey : .bearer
    let lines = usual + credential.lines(form)
    let (limits, signature) = (limits, credential.signature)
    return BatchTargets { method, path, isForm in
      UpstreamTarget(
        provider: provider.id, url: "\(provider.endpoint)\(path)",
        headerLines: (method == .post ? [isForm ? FormTarget.contentType : Self.jsonType] : []) + lines, poolKey: pool,
        networks: provider.networks, limits: limits, timeouts: provider.timeouts, transport: transport,
        signature: signature, method: method)
    }
  }

  /// Azure's old form names the deployment in the path; the new one is OpenAI's own.
  private static func base(_ provider: Provider, _ id: String) -> (path: String, query: String) {
    guard provider.adapter == .azure, let version = provider.traits.apiVersion else { return ("", "") }
    return ("/deployments/\(id)", "?api-version=\(version)")
  }

  /// What is there for a model that is no conversation's; nothing for a price that does not cover it.
  private static func further(_ model: Model, _ make: (String, Bool) -> UpstreamTarget) -> FurtherTargets? {
    guard model.isPriced else { return nil }
    var targets: [ProviderWire: UpstreamTarget] = [:]
    if model.routes.contains(.moderation) { targets[.moderations] = make("/moderations", false) }
    if model.routes.contains(.rerank) { targets[.rerank] = make("/rerank", false) }
    if model.routes.contains(.speech) { targets[.speech] = make("/audio/speech", false) }
    if model.routes.contains(.transcription) { targets[.transcriptions] = make("/audio/transcriptions", true) }
    if model.routes.contains(.translation) { targets[.translations] = make("/audio/translations", true) }
    if model.routes.contains(.imageGeneration) { targets[.images] = make("/images/generations", false) }
    return FurtherTargets(targets)
  }

  /// Connections are shared by requests with the same credential on the same way: where other addresses are allowed, a
  /// proxy, authorities, pins and a certificate of ours have pools of their own.
  private static func pool(_ provider: Provider, _ credential: String?) -> String {
    let connection = provider.connection
    var key = "\(provider.id)/\(credential ?? "")"
    if let networks = provider.networks { key += "|\(networks)" }
    guard connection != ProviderConnection() else { return key }
    if let proxy = connection.proxy {
      key += "|\(proxy)|\(proxy.networks ?? [])|\(proxy.credential ?? "")|\(connection.proxyAuthorities ?? "")"
    }
    return key + "|\(connection.authorities ?? "")|\(connection.clientCertificate ?? "")|\(connection.pinnedKeys)"
  }

  /// Amounts are rounded up: never too cheap.
  private func inTenantCurrency(_ price: Price) -> Price? {
    guard price.currency != currency else { return price }
    guard let rate = currencyRates[price.currency], rate > 0 else { return nil }
    func convert(_ amount: Int64) -> Int64? {
      Int64(exactly: (Int128(amount) * Int128(rate) + 999_999_999) / 1_000_000_000)
    }
    guard let input = convert(price.input), let cached = convert(price.cached), let five = convert(price.cacheWrite5m),
      let hour = convert(price.cacheWrite1h), let output = convert(price.output)
    else { return nil }
    var unit: UnitPrice?
    if let own = price.unit {
      guard let amount = convert(own.amount) else { return nil }
      unit = UnitPrice(own.unit, amount: amount)
    }
    var converted = Price(
      version: price.version, currency: currency, input: input, cached: cached, cacheWrite5m: five,
      cacheWrite1h: hour, output: output, unit: unit)
    if let tiers = price.tiers {
      guard let all = tiers.mapped(inTenantCurrency) else { return nil }
      converted.tiers = all
    }
    return converted
  }
}
