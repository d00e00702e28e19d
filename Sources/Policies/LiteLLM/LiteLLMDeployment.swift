internal import Routing

/// One entry of `model_list`: an account, a model of it, and its share.
struct LiteLLMDeployment {
  let account: ImportedAccount
  let model: ImportedModel
  let weight: Int?
  let order: Int?

  /// What an entry's parameters say that is taken over.
  private static let known: Set<String> = [
    "model", "api_base", "base_url", "api_key", "weight", "order", "max_tokens", "aws_region_name",
    "input_cost_per_token",
    "output_cost_per_token",
  ]

  /// Nil, and noted, for what cannot be a record here.
  static func read(_ name: String, _ parameters: YAMLNode, _ info: YAMLNode?, _ report: Report) -> LiteLLMDeployment? {
    guard case .map(let members) = parameters.content else { return nil }
    for member in members where !known.contains(member.key) {
      report.warn(
        "'\(member.key)' of '\(name)' is not taken over", at: member.keyPlace,
        hint: ["rpm", "tpm", "max_parallel_requests"].contains(member.key)
          ? "limits of a provider are 'limits: {concurrency: N}' in its record" : nil)
    }
    let region = parameters["aws_region_name"]?.scalar
    let base = parameters["api_base"] ?? parameters["base_url"]
    if let text = base?.scalar, text.hasPrefix("os.environ/") {
      report.warn("'\(name)' is left out: its address stands in the environment", at: base?.place ?? parameters.place)
      return nil
    }
    guard let (adapter, model) = wire(name, base: base?.scalar) else {
      report.warn(
        "'\(name)' is left out: its provider has no address here", at: parameters.place,
        hint: "name its OpenAI-compatible address as api_base")
      return nil
    }
    guard isModelName(model) else {
      report.warn("'\(name)' is left out: that is no name of a model", at: parameters.place)
      return nil
    }
    guard let text = address(adapter, base?.scalar, region),
      let endpoint = (try? Endpoint(text, local: false)) ?? (try? Endpoint(text, local: true))
    else {
      report.warn("'\(name)' is left out: its address cannot be used", at: base?.place ?? parameters.place)
      return nil
    }
    if adapter == .bedrock, !(region.map(TraitsReader.isRegion) ?? false) {
      report.warn("'\(name)' is left out: Bedrock needs aws_region_name", at: parameters.place)
      return nil
    }
    let isLocal = (try? Endpoint(text, local: false)) == nil
    let account = ImportedAccount(
      adapter: adapter, endpoint: "\(endpoint)", host: endpoint.host, isLocal: isLocal,
      isName: isLocal && endpoint.ownNetworks == nil, key: key(parameters, isLocal: isLocal, name, report),
      region: adapter == .bedrock ? region : nil)
    let weight = parameters["weight"].flatMap { node -> Int? in
      guard let text = node.scalar, let weight = Int(text), (1...1000).contains(weight) else {
        report.warn("the weight of '\(name)' is not taken over", at: node.place, hint: "1 to 1000")
        return nil
      }
      return weight
    }
    return LiteLLMDeployment(
      account: account, model: imported(model, parameters, info, report), weight: weight,
      order: parameters["order"]?.scalar.flatMap { Int($0) })
  }

  /// The adapter and the model's own name; nil for a service whose address nobody wrote down.
  private static func wire(_ name: String, base: String?) -> (Adapter, String)? {
    let hasBase = base != nil
    let isOpenAI =
      base.map { $0.hasPrefix("https://api.openai.com") || $0.hasPrefix("https://eu.api.openai.com") } ?? true
    let parts = name.split(separator: "/", maxSplits: 1)
    guard parts.count == 2, let prefix = parts.first, let rest = parts.last.map(String.init) else {
      if name.hasPrefix("claude") { return (.anthropic, name) }
      return (isOpenAI ? .openAI : .openAICompatible, name)
    }
    switch prefix {
    case "openai", "text-completion-openai": return (isOpenAI ? .openAI : .openAICompatible, rest)
    case "azure", "azure_text": return hasBase ? (.azure, rest) : nil
    case "anthropic": return (.anthropic, rest)
    case "gemini": return (.gemini, rest)
    case "mistral", "codestral": return (.mistral, rest)
    case "bedrock": return (.bedrock, rest.hasPrefix("converse/") ? String(rest.dropFirst(9)) : rest)
    case "ollama", "ollama_chat": return (.ollama, rest)
    case "hosted_vllm", "vllm": return hasBase ? (.vllm, rest) : nil
    case "vertex_ai", "sagemaker", "watsonx", "replicate": return nil  // wires of their own
    default: return hasBase ? (.openAICompatible, rest) : nil
    }
  }

  /// Where requests go, as the register has it: with the version in the path.
  private static func address(_ adapter: Adapter, _ base: String?, _ region: String?) -> String? {
    let base = base.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
    func with(_ path: String, _ usual: String) -> String {
      guard let base else { return usual }
      return base.hasSuffix(path) ? base : base + path
    }
    switch adapter {
    case .openAI: return with("/v1", "https://api.openai.com/v1")
    case .openAICompatible: return base
    case .azure: return base.map { $0.hasSuffix("/openai/v1") ? $0 : $0 + "/openai/v1" }
    case .anthropic: return with("/v1", "https://api.anthropic.com/v1")
    case .gemini: return with("/v1beta", "https://generativelanguage.googleapis.com/v1beta")
    case .mistral: return with("/v1", "https://api.mistral.ai/v1")
    case .ollama: return with("/v1", "http://127.0.0.1:11434/v1")
    case .vllm: return with("/v1", "")
    case .bedrock: return base ?? region.map { "https://bedrock-runtime.\($0).amazonaws.com" }
    }
  }

  private static func key(_ parameters: YAMLNode, isLocal: Bool, _ name: String, _ report: Report)
    -> ImportedAccount.Key
  {
    guard let node = parameters["api_key"], let text = node.scalar else { return isLocal ? .none : .unnamed }
    guard text.hasPrefix("os.environ/") else {
      if isLocal, ["none", "anything", "dummy", "fake", "fake-key"].contains(text.lowercased()) { return .none }
      report.warn(
        "the key of '\(name)' stands in the file itself; it is not repeated", at: node.place,
        hint: "put it where torhaus.yaml says, and let nobody else read this file")
      return .unnamed
    }
    let variable = text.dropFirst("os.environ/".count)
    return variable.isEmpty ? .unnamed : .environment(String(variable))
  }

  private static func imported(_ model: String, _ parameters: YAMLNode, _ info: YAMLNode?, _ report: Report)
    -> ImportedModel
  {
    func text(_ key: String) -> String? { info?[key]?.scalar ?? parameters[key]?.scalar }
    func count(_ key: String) -> Int64? {
      text(key).flatMap { Int64($0) }.flatMap { (1...100_000_000).contains($0) ? $0 : nil }
    }
    func price(_ key: String) -> String? {
      guard let cost = text(key) else { return nil }
      if let price = DecimalShift.perMillion(cost) { return price }
      report.warn(
        "'\(key)' of '\(model)' is no price that can be taken over", at: info?[key]?.place ?? parameters.place)
      return nil
    }
    let isEmbedding = info?["mode"]?.scalar == "embedding"
    let output = isEmbedding ? nil : count("max_output_tokens") ?? count("max_tokens")
    var prices: ImportedModel.Price?
    if let input = price("input_cost_per_token") {
      let written = price("output_cost_per_token")
      if isEmbedding || written != nil {
        prices = ImportedModel.Price(
          input: input, cached: price("cache_read_input_token_cost"),
          cacheWrite: price("cache_creation_input_token_cost"), output: isEmbedding ? nil : written)
      }
    }
    if prices == nil {
      report.warn(
        "'\(model)' has no price and is in no route", at: parameters.place,
        hint: "LiteLLM looks such prices up by itself; here they stand in the record")
    }
    if !isEmbedding, output == nil {
      report.warn("'\(model)' has no limit of its answers; 4096 is assumed", at: parameters.place)
    }
    return ImportedModel(
      id: model, maxOutput: isEmbedding ? 0 : output ?? 4096, context: count("max_input_tokens"), price: prices,
      place: parameters.place)
  }

  private static func isModelName(_ name: String) -> Bool {
    (1...128).contains(name.utf8.count) && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
  }
}

/// Prices per token as prices per million: the point moves, no digit is rounded.
enum DecimalShift {
  /// `2.5e-06` and `0.0000025` are `2.5`; nil for what is no decimal from 0, or finer than a register's nine places.
  static func perMillion(_ text: String) -> String? {
    let halves = text.lowercased().split(separator: "e", omittingEmptySubsequences: false)
    guard (1...2).contains(halves.count), text.utf8.count <= 40, let mantissa = halves.first else { return nil }
    var exponent = 6
    if halves.count == 2 {
      guard let written = Int(halves[1]), (-30...30).contains(written) else { return nil }
      exponent += written
    }
    let parts = mantissa.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count),
      parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }), parts.contains(where: { !$0.isEmpty })
    else { return nil }
    let fraction = parts.count == 2 ? parts[1] : ""
    var digits = String(parts[0]) + fraction
    var point = parts[0].utf8.count + exponent
    if point < 0 {
      digits = String(repeating: "0", count: -point) + digits
      point = 0
    }
    if point > digits.utf8.count { digits += String(repeating: "0", count: point - digits.utf8.count) }
    var whole = String(digits.prefix(point))
    var rest = String(digits.dropFirst(point))
    while whole.count > 1, whole.hasPrefix("0") { whole.removeFirst() }
    while rest.hasSuffix("0") { rest.removeLast() }
    if whole.isEmpty { whole = "0" }
    guard rest.utf8.count <= 9, whole.utf8.count <= 9 else { return nil }
    return rest.isEmpty ? whole : "\(whole).\(rest)"
  }
}
