internal import Routing

/// A register and routes made of another gateway's configuration, with all that could not be taken over.
public struct LiteLLMImport: Sendable {
  /// Two documents, `Providers` and `Routing`, with the table of credentials above them.
  public let text: String
  /// What was left out or assumed, with its place in the file that was read.
  public let notes: [PolicyDiagnostic]

  /// Reads LiteLLM's `config.yaml`.
  ///
  /// What LiteLLM does not know is never guessed: a record says country ZZ, no agreement, training allowed, so that every
  /// policy refuses it until somebody enters what the contract says. No key of the file is repeated.
  /// - Throws: ``PolicyError`` where the file is no such configuration.
  public static func read(_ file: PolicyFile) throws(PolicyError) -> LiteLLMImport {
    let report = Report()
    let documents = YAMLReader.documents(file: file.name, bytes: file.bytes, report: report)
    var importer = LiteLLMImporter(report: report)
    if let root = documents.first { importer.read(root) }
    guard !report.hasErrors, documents.first != nil else {
      throw PolicyError(
        .invalid, "this is no configuration of LiteLLM that could be read", diagnostics: report.diagnostics)
    }
    return LiteLLMImport(text: importer.text(), notes: report.diagnostics)
  }
}

/// Collects accounts, models and aliases while it walks the file.
struct LiteLLMImporter {
  private let report: Report
  private var providers: [ImportedProvider] = []
  private var aliases: [ImportedAlias] = []
  private var strategy = "simple-shuffle"

  init(report: Report) { self.report = report }

  mutating func read(_ root: YAMLNode) {
    guard case .map(let sections) = root.content else {
      return report.error("the file must be a map, not \(root.kindName)", at: root.place)
    }
    guard let models = root["model_list"] else {
      return report.error("there is no 'model_list'", at: root.place, hint: "is this LiteLLM's config.yaml?")
    }
    for item in report.list(models, "'model_list'") ?? [] { deployment(item) }
    for section in sections {
      switch section.key {
      case "model_list": break
      case "router_settings", "litellm_settings": settings(section)
      default:
        report.warn(
          "'\(section.key)' is not taken over", at: section.keyPlace,
          hint: section.key == "general_settings"
            ? "keys, database and limits are torhaus.yaml's and 'torhausctl'" : nil)
      }
    }
    settle()
  }

  // MARK: model_list

  private mutating func deployment(_ node: YAMLNode) {
    guard case .map(let members) = node.content, let parameters = node["litellm_params"],
      let name = node["model_name"]?.scalar, let model = parameters["model"]?.scalar
    else {
      return report.warn(
        "an entry without model_name or litellm_params.model is left out", at: node.place)
    }
    for member in members where !["model_name", "litellm_params", "model_info"].contains(member.key) {
      report.warn("'\(member.key)' is not taken over", at: member.keyPlace)
    }
    guard !name.contains("*"), !model.contains("*") else {
      return report.warn(
        "'\(name)' is left out: a pattern is no model", at: node.place, hint: "list each model that may be used")
    }
    let deployment: LiteLLMDeployment
    switch LiteLLMDeployment.read(model, parameters, node["model_info"], report) {
    case .some(let read): deployment = read
    case nil: return
    }
    let index = provider(of: deployment)
    providers[index].add(deployment.model, report)
    let alias = Self.aliasName(name)
    if alias != name {
      report.warn("the alias '\(name)' becomes '\(alias)'", at: node.place, hint: "clients must name it so")
    }
    let candidate = ImportedAlias.Candidate(
      provider: index, model: deployment.model.id, weight: deployment.weight, order: deployment.order)
    if let known = aliases.firstIndex(where: { $0.name == alias }) {
      if aliases[known].candidates.contains(where: { $0.provider == index && $0.model == candidate.model }) {
        report.warn("'\(alias)' has the same model at the same account twice; it is taken once", at: node.place)
      } else {
        aliases[known].candidates.append(candidate)
      }
    } else {
      aliases.append(ImportedAlias(name: alias, candidates: [candidate], place: node.place))
    }
  }

  private mutating func provider(of deployment: LiteLLMDeployment) -> Int {
    if let known = providers.firstIndex(where: { $0.account == deployment.account }) { return known }
    let base = deployment.account.name
    var id = base
    var number = 2
    while providers.contains(where: { $0.id == id }) {
      id = "\(base)-\(number)"
      number += 1
    }
    providers.append(ImportedProvider(id: id, account: deployment.account))
    return providers.count - 1
  }

  // MARK: Routing

  private mutating func settings(_ section: YAMLNode.Entry) {
    guard case .map(let members) = section.value.content else { return }
    for member in members {
      switch member.key {
      case "routing_strategy": strategy = member.value.scalar ?? strategy
      case "fallbacks": fallbacks(member.value)
      case "model_group_alias": groupAliases(member.value)
      default:
        report.warn("'\(section.key).\(member.key)' is not taken over", at: member.keyPlace)
      }
    }
  }

  private mutating func fallbacks(_ node: YAMLNode) {
    for item in report.list(node, "'fallbacks'") ?? [] {
      guard case .map(let entries) = item.content else { continue }
      for entry in entries {
        guard let index = aliases.firstIndex(where: { $0.name == Self.aliasName(entry.key) }),
          case .list(let others) = entry.value.content
        else {
          report.warn("the fallback of '\(entry.key)' is left out: there is no such model", at: entry.keyPlace)
          continue
        }
        for other in others {
          guard let name = other.scalar else { continue }
          aliases[index].fallbacks.append((Self.aliasName(name), other.place))
        }
      }
    }
  }

  private mutating func groupAliases(_ node: YAMLNode) {
    guard case .map(let entries) = node.content else { return }
    for entry in entries {
      let name = Self.aliasName(entry.key)
      guard let target = entry.value.scalar ?? entry.value["model"]?.scalar,
        let known = aliases.first(where: { $0.name == Self.aliasName(target) }),
        !aliases.contains(where: { $0.name == name })
      else {
        report.warn("the alias '\(entry.key)' is left out", at: entry.keyPlace)
        continue
      }
      aliases.append(ImportedAlias(name: name, candidates: known.candidates, place: entry.keyPlace))
    }
  }

  /// Orders, fallbacks, and what has no price: known once everything is read.
  private mutating func settle() {
    let before = aliases
    for index in aliases.indices {
      var alias = aliases[index]
      alias.order = order(of: alias)
      for (name, place) in alias.fallbacks {
        guard let other = before.first(where: { $0.name == name }) else {
          report.warn("the fallback '\(name)' of '\(alias.name)' is left out: there is no such model", at: place)
          continue
        }
        if alias.order == "weighted" || alias.order == "least-outstanding" {
          report.warn(
            "'\(alias.name)' shares its load among several and has a fallback; here the order is 'listed', one after "
              + "the other", at: alias.place)
        }
        alias.order = "listed"
        for candidate in other.candidates
        where !alias.candidates.contains(where: { $0.provider == candidate.provider && $0.model == candidate.model }) {
          alias.candidates.append(candidate)
        }
      }
      let priced = alias.candidates.filter { providers[$0.provider].price(of: $0.model) != nil }
      if priced.isEmpty {
        report.warn(
          "the alias '\(alias.name)' is left out: none of its models has a price", at: alias.place,
          hint: "an unpriced request is refused, never free")
      }
      alias.candidates = priced
      if priced.count < 2 { alias.order = "listed" }
      aliases[index] = alias
    }
    aliases.removeAll { $0.candidates.isEmpty }
  }

  private func order(of alias: ImportedAlias) -> String {
    guard alias.candidates.count > 1 else { return "listed" }
    if alias.candidates.contains(where: { $0.order != nil }) { return "listed" }
    switch strategy {
    case "simple-shuffle": return "weighted"
    case "least-busy": return "least-outstanding"
    case "cost-based-routing": return "cheapest"
    default:
      report.warn(
        "the strategy '\(strategy)' becomes 'least-outstanding' for '\(alias.name)'", at: alias.place,
        hint: "orders here: listed, cheapest, weighted, least-outstanding")
      return "least-outstanding"
    }
  }

  func text() -> String { ImportedText.text(providers, aliases) }

  /// Names of aliases have no slash here.
  private static func aliasName(_ name: String) -> String {
    var out = ""
    for scalar in name.unicodeScalars.prefix(64) {
      let isPlain =
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
        || ["-", ".", "_", ":"].contains(scalar)
      out.unicodeScalars.append(isPlain ? scalar : "-")
    }
    while let first = out.unicodeScalars.first, ["-", ".", "_", ":"].contains(first) { out.removeFirst() }
    return out.isEmpty ? "model" : out
  }
}

extension YAMLNode {
  /// A member of a map; nil in anything else.
  subscript(key: String) -> YAMLNode? {
    guard case .map(let entries) = content else { return nil }
    return entries.first { $0.key == key }?.value
  }

  /// The text of a scalar that is not empty.
  var scalar: String? {
    guard case .scalar(let text) = content, !text.isEmpty else { return nil }
    return text
  }
}
