internal import Routing

/// Reads `kind: Catalogue`: what is known of providers and their models in general. A record of the register that names
/// an entry has its members and the facts of its models, wherever it says nothing itself.
///
/// Everything happens on nodes, before a record is read: a value keeps the place it was written at, so that an error
/// names the catalogue's line or the record's, whichever is at fault.
struct Catalogue {
  private struct Entry {
    var members: [YAMLNode.Entry] = []
    /// By id, in the order of the file.
    var models: [(id: String, node: YAMLNode)] = []
    /// What holds for each model that says nothing else.
    var defaults: [YAMLNode.Entry] = []
  }

  private let report: Report
  private var entries: [String: Entry] = [:]

  /// What is true of a service for everybody. Country, agreement, retention and credential are of a contract.
  private static let members: Set<String> = [
    "adapter", "endpoint", "local", "max-tokens-field", "include-usage", "deny-fields", "responses", "completions",
    "overhead-tokens",
  ]

  init(_ nodes: [YAMLNode.Entry], report: Report) {
    self.report = report
    for node in nodes { entries[node.key] = read(node) }
  }

  private func read(_ node: YAMLNode.Entry) -> Entry {
    var entry = Entry()
    guard let map = MapReader(node.value, "catalogue '\(node.key)'", report) else { return entry }
    let adapter = map.word("adapter", Adapter.self)
    let models = map.node("models").flatMap { report.list($0, "'models'") } ?? []
    if let node = map.node("model-defaults"), let inner = MapReader(node, "'model-defaults'", report) {
      entry.defaults = inner.all
    }
    for member in map.all where !["models", "model-defaults"].contains(member.key) {
      if Self.members.contains(member.key) {
        entry.members.append(member)
      } else {
        report.error(
          "a catalogue has no '\(member.key)'", at: member.keyPlace,
          hint: Suggestion.hint(for: member.key, among: Array(Self.members) + ["models", "model-defaults"])
            ?? "what a contract says stands in the record")
      }
    }
    let reader = ProvidersReader(report: report)
    for model in models {
      let whole = Self.merged(model, entry.defaults)
      // Read here, too, so that what nobody uses yet is right when somebody does.
      guard let read = reader.model(whole, adapter: adapter) else { continue }
      if entry.models.contains(where: { $0.id == read.id }) {
        report.error("model '\(read.id)' stands twice", at: model.place)
      } else {
        entry.models.append((read.id, whole))
      }
    }
    return entry
  }

  /// A record with all that its entry of the catalogue adds; itself where it names none.
  func completed(_ record: YAMLNode) -> YAMLNode {
    guard case .map(let own) = record.content, let named = own.first(where: { $0.key == "catalogue" }) else {
      return record
    }
    var members = own.filter { $0.key != "catalogue" }
    guard case .scalar(let name) = named.value.content, let entry = entries[name] else {
      let word = if case .scalar(let name) = named.value.content { name } else { "" }
      report.error(
        "there is no catalogue '\(word)'", at: named.value.place,
        hint: Suggestion.hint(for: word, among: Array(entries.keys)) ?? "catalogues are documents of kind: Catalogue")
      return YAMLNode(content: .refused, place: record.place)
    }
    for member in entry.members where !members.contains(where: { $0.key == member.key }) { members.append(member) }
    if let index = members.firstIndex(where: { $0.key == "models" }),
      case .list(let items) = members[index].value.content
    {
      let listed = members[index]
      members[index] = YAMLNode.Entry(
        key: listed.key, keyPlace: listed.keyPlace,
        value: YAMLNode(content: .list(items.map { model($0, entry, name) }), place: listed.value.place))
    }
    return YAMLNode(content: .map(members), place: record.place)
  }

  /// A model of a record: its name alone, or a map with an id whose other members win.
  private func model(_ item: YAMLNode, _ entry: Entry, _ catalogue: String) -> YAMLNode {
    switch item.content {
    case .scalar(let id):
      if let known = entry.models.first(where: { $0.id == id }) {
        return YAMLNode(content: known.node.content, place: item.place)
      }
      guard entry.models.isEmpty else {
        report.error(
          "the catalogue '\(catalogue)' has no model '\(id)'", at: item.place,
          hint: Suggestion.hint(for: id, among: entry.models.map(\.id))
            ?? "write it as a map with id, max-output and price")
        return YAMLNode(content: .refused, place: item.place)
      }
      let own = YAMLNode.Entry(key: "id", keyPlace: item.place, value: item)
      return Self.merged(YAMLNode(content: .map([own]), place: item.place), entry.defaults)
    case .map(let own):
      let id = own.first { $0.key == "id" }?.value.content
      if case .scalar(let id) = id, let known = entry.models.first(where: { $0.id == id }),
        case .map(let facts) = known.node.content
      {
        return Self.merged(item, facts)
      }
      return Self.merged(item, entry.defaults)
    case .list, .refused: return item
    }
  }

  /// A map with the members of another that it has not itself.
  private static func merged(_ node: YAMLNode, _ more: [YAMLNode.Entry]) -> YAMLNode {
    guard case .map(let own) = node.content else { return node }
    let added = more.filter { member in !own.contains { $0.key == member.key } }
    return YAMLNode(content: .map(own + added), place: node.place)
  }
}
