import Gateway
import Routing

/// Turns candidates of the register into what the data plane can send to: URLs, header lines with the credential, pools.
struct ProviderTargets {
  static let version = "0.1.0"

  let limits: Limits
  /// By credential name; a provider whose credential is missing cannot be called.
  let credentials: [String: [UInt8]]
  let currency: String
  let currencyRates: [String: Int64]
  let dedicatedPool: String?
  let loads: ProviderLoads
  let transports: TransportTable

  /// Nil if the credential is missing or the price is in a currency without a rate: an unpriced candidate is none.
  func callable(_ candidate: Candidate) -> CallableModel? {
    let provider = candidate.provider
    guard let price = inTenantCurrency(candidate.model.price) else { return nil }
    var lines = ["content-type: application/json", "accept-encoding: identity", "user-agent: torhaus/\(Self.version)"]
    if let name = provider.credential {
      guard let secret = credentials[name], !secret.isEmpty, secret.allSatisfy({ (0x21...0x7E).contains($0) }) else {
        return nil
      }
      let text = String(decoding: secret, as: UTF8.self)
      switch provider.adapter {
      case .azure: lines.append("api-key: \(text)")
      default: lines.append("authorization: Bearer \(text)")
      }
    }
    // The wire of these is not OpenAI's: nothing here can speak to them yet, so they are no candidates.
    switch provider.adapter {
    case .anthropic, .gemini, .bedrock: return nil
    case .openAI, .openAICompatible, .azure, .mistral, .vllm, .ollama: break
    }
    let transport: UpstreamTransport?
    switch transports.transport(of: provider) {
    case .none: return nil
    case .plain: transport = nil
    case .special(let found): transport = found
    }
    lines += provider.traits.headers.map { "\($0.name): \($0.value)" }
    let pool = Self.pool(provider) + (dedicatedPool.map { "/\($0)" } ?? "")
    func target(_ path: String) -> UpstreamTarget {
      UpstreamTarget(
        provider: provider.id, url: "\(provider.endpoint)\(path)", headerLines: lines,
        poolKey: pool, isLocal: provider.isLocal, limits: limits, timeouts: provider.timeouts,
        transport: transport)
    }
    return CallableModel(
      provider: provider, model: candidate.model, price: price, chat: target("/chat/completions"),
      embeddings: target("/embeddings"), weight: candidate.weight, load: loads.load(of: provider.id),
      rest: loads.rest(of: candidate.model.id, at: provider.id))
  }

  /// Connections are shared by requests with the same credential on the same way: a proxy, authorities and a certificate
  /// of ours have pools of their own.
  private static func pool(_ provider: Provider) -> String {
    let connection = provider.connection
    var key = "\(provider.id)/\(provider.credential ?? "")"
    guard connection != ProviderConnection() else { return key }
    if let proxy = connection.proxy {
      key += "|\(proxy)|\(proxy.credential ?? "")|\(connection.proxyAuthorities ?? "")"
    }
    return key + "|\(connection.authorities ?? "")|\(connection.clientCertificate ?? "")"
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
    return Price(
      version: price.version, currency: currency, input: input, cached: cached, cacheWrite5m: five,
      cacheWrite1h: hour, output: output)
  }
}
