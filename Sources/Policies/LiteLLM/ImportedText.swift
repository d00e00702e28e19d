internal import Routing

/// An account at a provider, as another gateway's configuration tells it.
struct ImportedAccount: Equatable {
  enum Key: Equatable {
    case none
    /// In the file itself, or nowhere.
    case unnamed
    /// By the name of a variable.
    case environment(String)
  }

  let adapter: Adapter
  let endpoint: String
  let host: String
  let isLocal: Bool
  /// Whether it is a local one whose name can be at any address.
  var isName = false
  let key: Key
  let region: String?

  /// What its record is called.
  var name: String {
    switch adapter {
    case .openAICompatible, .vllm:
      // The house, not the service: `llm.intern.example` is `intern`, an address stays one.
      let labels = host.split(separator: ".")
      let isName = labels.last?.first?.isLetter ?? false
      let name = labels.count > 1 ? String(labels[labels.count - 2]) : host
      return isName ? String(name.prefix(50)) : adapter.rawValue
    default: return adapter.rawValue
    }
  }
}

struct ImportedModel {
  struct Price: Equatable {
    let input: String
    let cached: String?
    let cacheWrite: String?
    /// Nil for embeddings.
    let output: String?
  }
  let id: String
  let maxOutput: Int64
  let context: Int64?
  let price: Price?
  let place: Place
}

struct ImportedProvider {
  let id: String
  let account: ImportedAccount
  private(set) var models: [ImportedModel] = []

  init(id: String, account: ImportedAccount) {
    self.id = id
    self.account = account
  }

  mutating func add(_ model: ImportedModel, _ report: Report) {
    guard let index = models.firstIndex(where: { $0.id == model.id }) else { return models.append(model) }
    if models[index].price == nil {
      models[index] = model
    } else if model.price != nil, model.price != models[index].price {
      report.warn("'\(model.id)' has two prices at '\(id)'; the first is taken", at: model.place)
    }
  }

  func price(of model: String) -> ImportedModel.Price? { models.first { $0.id == model }?.price }

  /// The name of its credential, and what it was in the other file.
  var credential: (name: String, source: String)? {
    switch account.key {
    case .none: nil
    case .unnamed: ("\(id)-key", "written in the file, or in the environment under the provider's usual name")
    case .environment(let variable):
      (
        String(
          String.UnicodeScalarView(
            variable.lowercased().unicodeScalars.prefix(63).map { scalar in
              ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar) ? scalar : "-"
            })), "environment \(variable)"
      )
    }
  }
}

struct ImportedAlias {
  struct Candidate {
    let provider: Int
    let model: String
    let weight: Int?
    let order: Int?
  }
  let name: String
  var candidates: [Candidate]
  var fallbacks: [(String, Place)] = []
  var order = "listed"
  let place: Place

  init(name: String, candidates: [Candidate], place: Place) {
    self.name = name
    self.candidates = candidates
    self.place = place
  }
}

/// Writes a register and routes that load as they are, and that every policy refuses until they were filled in.
enum ImportedText {
  static func text(_ providers: [ImportedProvider], _ aliases: [ImportedAlias]) -> String {
    var out = """
      # Taken over from a configuration of LiteLLM. Country ZZ, agreement none and training allowed are no facts: every
      # policy refuses such a provider until you enter what your contract says. A model without a price is in no route.
      # Prices are those of the file; put the day on which you confirm them into 'version'.

      """
    let credentials = providers.compactMap { provider in
      provider.credential.map { (provider.id, $0.name, $0.source) }
    }
    if !credentials.isEmpty {
      out += "#\n# Credentials: torhaus.yaml says where each is kept ('credentials: {NAME: \"file:PATH\"}').\n"
      for (id, name, source) in credentials { out += "#   \(name) (\(id)): \(comment(source))\n" }
    }
    out += "kind: Providers\nproviders:\n"
    if providers.isEmpty { out += "  []\n" }
    for provider in providers { write(provider, into: &out) }
    out += "---\nkind: Routing\naliases:\n"
    if aliases.isEmpty { out += "  {}\n" }
    for alias in aliases { write(alias, providers, into: &out) }
    return out
  }

  private static func write(_ provider: ImportedProvider, into out: inout String) {
    let account = provider.account
    out +=
      "  - id: \(provider.id)\n    adapter: \(account.adapter.rawValue)\n    endpoint: \(quoted(account.endpoint))\n"
    if account.isLocal {
      out += "    local: true\n"
      if account.isName {
        out += "    networks: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16]    # TODO: only the one that it is in\n"
      }
    }
    if let region = account.region { out += "    region: \(quoted(region))\n" }
    if let credential = provider.credential { out += "    credential: \(credential.name)\n" }
    out += "    country: ZZ                # TODO: where it processes\n"
    out += "    agreement: {kind: none}    # TODO: {kind: avv, expires: YYYY-MM-DD}, or own for your own machine\n"
    out += "    retention: 36500d          # TODO\n    training: allowed          # TODO: never\n    models:\n"
    let priced = provider.models.filter { $0.price != nil }
    if priced.isEmpty { out += "      []\n" }
    for model in priced { out += "      - \(line(model))\n" }
    for model in provider.models where model.price == nil {
      out += "      # TODO: its price, then a candidate in a route: {id: \(comment(model.id)), max-output: "
      out += "\(model.maxOutput), price: {version: YYYY-MM-DD, currency: USD, input: \"\", output: \"\"}}\n"
    }
  }

  private static func line(_ model: ImportedModel) -> String {
    var members = ["id: \(quoted(model.id))"]
    if model.maxOutput > 0 { members.append("max-output: \(model.maxOutput)") }
    if let context = model.context { members.append("context: \(context)") }
    if let price = model.price {
      var parts = ["version: imported", "currency: USD", "input: \"\(price.input)\""]
      if let cached = price.cached { parts.append("cached: \"\(cached)\"") }
      if let write = price.cacheWrite { parts.append("cache-write-5m: \"\(write)\"") }
      if let output = price.output { parts.append("output: \"\(output)\"") }
      members.append("price: {\(parts.joined(separator: ", "))}")
    }
    return "{\(members.joined(separator: ", "))}"
  }

  private static func write(_ alias: ImportedAlias, _ providers: [ImportedProvider], into out: inout String) {
    let sorted = alias.candidates.enumerated().sorted { left, right in
      (left.element.order ?? .max, left.offset) < (right.element.order ?? .max, right.offset)
    }.map(\.element)
    let candidates = sorted.map { candidate -> String in
      let name = quoted("\(providers[candidate.provider].id)/\(candidate.model)")
      guard alias.order == "weighted", let weight = candidate.weight else { return name }
      return "{to: \(name), weight: \(weight)}"
    }
    out += "  \(quoted(alias.name)): {order: \(alias.order), candidates: [\(candidates.joined(separator: ", "))]}\n"
  }

  /// Whatever the other file wrote is one scalar of ours.
  private static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value): out += "?"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }

  /// One line of a comment, whatever it was.
  private static func comment(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.prefix(200).map { $0.value < 0x20 || $0.value > 0x7E ? "?" : $0 }))
  }
}
