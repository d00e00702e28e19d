internal import Routing

/// Reads how a provider's wire deviates from its adapter's. What only one adapter has is an error at another: it would
/// silently do nothing there.
struct TraitsReader {
  let report: Report

  func traits(_ map: MapReader, adapter: Located<Adapter>?) -> WireTraits {
    var traits = WireTraits.usual(for: adapter?.value ?? .openAICompatible)
    if let field = map.text("max-tokens-field") { traits.maxTokensField = field.value }
    if let usage = map.flag("include-usage") { traits.includesUsage = usage.value }
    if let denied = map.texts("deny-fields") { traits.deniedFields = denied.value.map(\.value) }
    if let overhead = map.measured("overhead-tokens", Units.count) { traits.overheadTokens = overhead.value }
    traits.headers = headers(map)
    let responses = map.flag("responses")
    let completions = map.flag("completions")
    for (flag, name) in [(responses, "responses"), (completions, "completions")] {
      guard let flag, flag.value else { continue }
      only([.openAI, .azure, .openAICompatible, .mistral, .vllm, .ollama], have: name, at: flag.place, adapter)
    }
    traits.hasResponses = responses?.value ?? traits.hasResponses
    traits.hasCompletions = completions?.value ?? traits.hasCompletions
    if let version = map.text("api-version") {
      only([.azure], have: "api-version", at: version.place, adapter)
      traits.apiVersion = apiVersion(version)
    }
    traits.anthropicVersion = anthropicVersion(map, adapter) ?? traits.anthropicVersion
    if let node = map.node("betas") {
      only([.anthropic, .bedrock], have: "betas", at: node.place, adapter)
      traits.betas = betas(node)
    }
    if let region = map.text("region") {
      only([.bedrock], have: "region", at: region.place, adapter)
      traits.awsRegion = self.region(region)
    } else if adapter?.value == .bedrock, map.node("region") == nil {
      report.error("a bedrock provider needs 'region'", at: map.place, hint: "requests are signed for it: eu-central-1")
    }
    return traits
  }

  private func only(_ adapters: [Adapter], have name: String, at place: Place, _ adapter: Located<Adapter>?) {
    guard let adapter, !adapters.contains(adapter.value) else { return }
    report.error(
      "the adapter '\(adapter.value.rawValue)' has no '\(name)'", at: place,
      hint: "only: \(adapters.map(\.rawValue).joined(separator: ", "))")
  }

  /// `2023-06-01`; of a provider, or of one model.
  func anthropicVersion(_ map: MapReader, _ adapter: Located<Adapter>?) -> String? {
    guard let text = map.text("anthropic-version") else { return nil }
    only([.anthropic, .bedrock], have: "anthropic-version", at: text.place, adapter)
    guard (try? CalendarDay(text.value)) != nil else {
      report.error("'\(text.value)' is no version of Anthropic's API", at: text.place, hint: "a date: 2023-06-01")
      return nil
    }
    return text.value
  }

  /// A date, perhaps with `-preview`. It stands in a URL, so nothing else may.
  private func apiVersion(_ text: Located<String>) -> String? {
    let day = text.value.prefix(10)
    guard (try? CalendarDay(String(day))) != nil, ["", "-preview"].contains(text.value.dropFirst(10)) else {
      report.error(
        "'\(text.value)' is no api-version", at: text.place, hint: "a date: 2024-10-21 or 2025-04-01-preview")
      return nil
    }
    return text.value
  }

  /// It stands in a signature and in host names.
  private func region(_ text: Located<String>) -> String? {
    guard Self.isRegion(text.value) else {
      report.error("'\(text.value)' is no region", at: text.place, hint: "as AWS writes it: eu-central-1")
      return nil
    }
    return text.value
  }

  static func isRegion(_ text: String) -> Bool {
    let bytes = text.utf8
    return (4...32).contains(bytes.count) && bytes.first != 0x2D && bytes.last != 0x2D
      && bytes.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
  }

  /// `all`, `none`, `{only: [a]}` or `{except: [b]}`.
  private func betas(_ node: YAMLNode) -> WireTraits.BetaRule {
    let hint = "write all, none, {only: [a, b]} or {except: [a, b]}"
    if case .scalar(let word) = node.content {
      switch word {
      case "all": return .all
      case "none": return .only([])
      default: report.error("'\(word)' is no value of 'betas'", at: node.place, hint: hint)
      }
      return .only([])
    }
    guard let inner = MapReader(node, "'betas'", report) else { return .only([]) }
    let only = inner.texts("only")
    let except = inner.texts("except")
    inner.finish()
    for beta in (only?.value ?? []) + (except?.value ?? []) where !Self.isBeta(beta.value) {
      report.error("'\(beta.value)' is no beta", at: beta.place, hint: "as anthropic-beta lists them, one by one")
    }
    switch (only, except) {
    case (let only?, nil): return .only(Set(only.value.map(\.value)))
    case (nil, let except?): return .except(Set(except.value.map(\.value)))
    default:
      report.error("'betas' is a list of what passes or of what does not", at: node.place, hint: hint)
      return .only([])
    }
  }

  private static func isBeta(_ text: String) -> Bool {
    (1...128).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x2C }
  }

  private func headers(_ map: MapReader) -> [WireTraits.HeaderField] {
    var headers: [WireTraits.HeaderField] = []
    guard let node = map.node("headers"), let inner = MapReader(node, "'headers'", report) else { return [] }
    for entry in inner.all {
      guard let value = inner.scalar(entry.value, entry.key) else { continue }
      if !Self.allowedHeaders.contains(entry.key) {
        report.error(
          "the header '\(entry.key)' cannot be set", at: entry.keyPlace,
          hint: Self.whyNoHeader(entry.key) ?? "allowed: \(Self.allowedHeaders.joined(separator: ", "))")
      } else if !value.value.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
        report.error("a header's value is printable ASCII", at: value.place)
      } else {
        headers.append(WireTraits.HeaderField(name: entry.key, value: value.value))
      }
    }
    return headers
  }

  /// What a record may send beyond the closed list (`design/api.md` section 3). A request's own version and betas travel:
  /// a fixed one would be a second header beside them.
  private static let allowedHeaders = ["openai-organization", "openai-project", "anthropic-workspace"]

  private static func whyNoHeader(_ name: String) -> String? {
    switch name {
    case "anthropic-version": "write anthropic-version: as a member of the record"
    case "anthropic-beta":
      "a client's betas travel and 'betas' says which; a fixed one would stand beside them as a second header, also with "
        + "a price that no table has"
    default: nil
    }
  }
}
