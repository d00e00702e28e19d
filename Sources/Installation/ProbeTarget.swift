import Foundation
import Gateway
import Routing
import Upstream

/// How to ask a provider for its models: the cheapest question that its dialect has, which sends no content.
struct ProbeTarget: Sendable {
  let provider: Provider
  let secret: String?
  let transport: TransportTable.Found
  /// Why its credential cannot be used; nil if it can, or if it needs none.
  let credentialFault: String?
  /// Why it cannot be called; nil if it can.
  let fault: String?

  /// Bedrock's lists of models lie at another host and need a signature: a connection is all that is tried.
  var connectsOnly: Bool { provider.adapter == .bedrock }

  /// Azure's list has base models, not the deployments that a register names.
  var listsItsModels: Bool { provider.adapter != .azure && provider.adapter != .bedrock }

  func probe(milliseconds: Int) -> ProviderProbe {
    var special: UpstreamTransport?
    if case .special(let found) = transport { special = found }
    return ProviderProbe(
      url: url, headerLines: headerLines, networks: provider.networks, transport: special, connectsOnly: connectsOnly,
      milliseconds: milliseconds)
  }

  private var url: String {
    switch provider.adapter {
    case .bedrock: "\(provider.endpoint)"
    case .azure: "\(provider.endpoint)/models" + (provider.traits.apiVersion.map { "?api-version=\($0)" } ?? "")
    case .anthropic: "\(provider.endpoint)/models?limit=1000"
    case .gemini: "\(provider.endpoint)/models?pageSize=1000"
    case .openAI, .openAICompatible, .mistral, .vllm, .ollama: "\(provider.endpoint)/models"
    }
  }

  private var headerLines: [String] {
    var lines = ["accept: application/json", "user-agent: torhaus/\(ProviderTargets.version)"]
    guard !connectsOnly else { return lines }
    if let secret {
      switch provider.adapter {
      case .azure: lines.append("api-key: \(secret)")
      case .anthropic: lines.append("x-api-key: \(secret)")
      case .gemini: lines.append("x-goog-api-key: \(secret)")
      case .bedrock: break
      case .openAI, .openAICompatible, .mistral, .vllm, .ollama: lines.append("authorization: Bearer \(secret)")
      }
    }
    if provider.adapter == .anthropic { lines.append("anthropic-version: \(provider.traits.anthropicVersion)") }
    return lines + provider.traits.headers.map { "\($0.name): \($0.value)" }
  }
}

/// The names in a provider's list of models.
enum ModelNames {
  private struct Answer: Decodable {
    struct Model: Decodable {
      let id: String?
      let name: String?
    }
    /// OpenAI's and Anthropic's.
    let data: [Model]?
    /// Gemini's.
    let models: [Model]?
  }

  /// Nil for what is no such list; nothing of it is kept but names.
  static func read(_ body: [UInt8]) -> Set<String>? {
    guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(body)) else { return nil }
    if let data = answer.data { return Set(data.compactMap(\.id)) }
    return answer.models.map { models in
      Set(models.compactMap(\.name).map { $0.hasPrefix("models/") ? String($0.dropFirst(7)) : $0 })
    }
  }

  /// Whether a list has a model: by its name, by that of its snapshot (`…-20251001`), or with Ollama's `:latest`.
  static func has(_ model: String, in names: Set<String>) -> Bool {
    if names.contains(model) || names.contains("\(model):latest") { return true }
    return names.contains { name in
      guard name.hasPrefix("\(model)-") else { return false }
      let rest = name.dropFirst(model.count + 1)
      return rest.count == 8 && rest.allSatisfy { $0.isASCII && $0.isNumber }
    }
  }
}
