internal import Routing

/// Reads `kind: Routing`: aliases and what may serve them.
struct RoutingReader {
  let report: Report

  func aliases(_ entries: [YAMLNode.Entry], providers: [Located<Provider>]) -> [String: Located<Alias>] {
    var targets: [String: (Provider, Model)] = [:]
    for provider in providers {
      for model in provider.value.models { targets["\(provider.value.id)/\(model.id)"] = (provider.value, model) }
    }
    var done: [String: Located<Alias>] = [:]
    for entry in entries {
      guard let map = MapReader(entry.value, "alias '\(entry.key)'", report) else { continue }
      if !isAliasName(entry.key) {
        report.error(
          "'\(entry.key)' is no name for an alias", at: entry.keyPlace,
          hint: "1 to 64 of a–z, A–Z, 0–9 and - . _ :, starting with a letter or digit")
      }
      let order = map.word("order", Alias.Order.self)?.value ?? .listed
      var candidates: [Candidate] = []
      if let node = map.required("candidates") {
        guard let items = report.list(node, "'candidates'") else { continue }
        if items.isEmpty { report.error("alias '\(entry.key)' has no candidates", at: node.place) }
        for item in items {
          guard let (name, weight) = candidate(item, map) else { continue }
          guard let (provider, model) = targets[name.value] else {
            report.error(
              "there is no '\(name.value)' in the register", at: name.place,
              hint: Suggestion.hint(for: name.value, among: Array(targets.keys)))
            continue
          }
          if weight != nil, order != .weighted, order != .leastOutstanding {
            report.error("a weight needs order: weighted or least-outstanding", at: name.place)
          }
          let candidate = Candidate(provider: provider, model: model, weight: weight ?? 1)
          if candidates.contains(where: { $0.name == candidate.name }) {
            report.error("'\(candidate.name)' stands twice", at: name.place)
          } else {
            candidates.append(candidate)
          }
        }
      }
      map.finish()
      done[entry.key] = Located(
        value: Alias(name: entry.key, order: order, candidates: candidates), place: entry.keyPlace)
    }
    return done
  }

  /// `provider/model`, or `{to: provider/model, weight: 3}`.
  private func candidate(_ node: YAMLNode, _ map: MapReader) -> (Located<String>, Int?)? {
    guard case .map = node.content else { return map.scalar(node, "candidates").map { ($0, nil) } }
    guard let inner = MapReader(node, "a candidate", report) else { return nil }
    let name = inner.requiredText("to")
    let weight = inner.measured("weight") { (text) throws(UnitError) in
      guard let weight = Int(text), (1...1000).contains(weight) else { throw UnitError(hint: "1 to 1000") }
      return weight
    }
    inner.finish()
    return name.map { ($0, weight?.value) }
  }

  private func isAliasName(_ name: String) -> Bool {
    let bytes = Array(name.utf8)
    func isWord(_ byte: UInt8) -> Bool {
      (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
    }
    guard let first = bytes.first, isWord(first), bytes.count <= 64 else { return false }
    return bytes.allSatisfy { isWord($0) || [0x2D, 0x2E, 0x5F, 0x3A].contains($0) }
  }
}
