/// Reads a map by its known keys and reports whatever is left over.
final class MapReader {
  let place: Place
  /// What the map is, for messages: `provider 'haus'`.
  let what: String
  let report: Report
  private let entries: [YAMLNode.Entry]
  private var asked: [String] = []

  /// Nil, and reported, if the node is no map.
  init?(_ node: YAMLNode, _ what: String, _ report: Report) {
    if case .refused = node.content { return nil }
    guard case .map(let entries) = node.content else {
      report.error("\(what) must be a map, not \(node.kindName)", at: node.place)
      return nil
    }
    self.entries = entries
    self.place = node.place
    self.what = what
    self.report = report
  }

  func node(_ key: String) -> YAMLNode? {
    asked.append(key)
    return entries.first { $0.key == key }?.value
  }

  /// Reports a missing key.
  func required(_ key: String) -> YAMLNode? {
    if let node = node(key) { return node }
    report.error("\(what) needs '\(key)'", at: place)
    return nil
  }

  /// All entries, for maps whose keys are names.
  var all: [YAMLNode.Entry] {
    asked.append(contentsOf: entries.map(\.key))
    return entries
  }

  /// Reports keys that nobody asked for.
  func finish() {
    for entry in entries where !asked.contains(entry.key) {
      report.error(
        "\(what) has no '\(entry.key)'", at: entry.keyPlace, hint: Suggestion.hint(for: entry.key, among: asked))
    }
  }

  // MARK: Typed values. Nil is either "not there" or "reported".

  func text(_ key: String) -> Located<String>? { node(key).flatMap { scalar($0, key) } }

  func requiredText(_ key: String) -> Located<String>? { required(key).flatMap { scalar($0, key) } }

  func scalar(_ node: YAMLNode, _ key: String) -> Located<String>? {
    if case .refused = node.content { return nil }
    guard case .scalar(let text) = node.content else {
      report.error("'\(key)' must be one value, not \(node.kindName)", at: node.place)
      return nil
    }
    guard !text.isEmpty else {
      report.error("'\(key)' has no value", at: node.place, hint: "give one or leave the key out")
      return nil
    }
    return Located(value: text, place: node.place)
  }

  func texts(_ key: String) -> Located<[Located<String>]>? {
    node(key).flatMap { texts($0, key) }
  }

  func requiredTexts(_ key: String) -> Located<[Located<String>]>? {
    required(key).flatMap { texts($0, key) }
  }

  private func texts(_ node: YAMLNode, _ key: String) -> Located<[Located<String>]>? {
    guard let items = report.list(node, "'\(key)'", hint: "write [a, b]") else { return nil }
    return Located(value: items.compactMap { scalar($0, key) }, place: node.place)
  }

  func flag(_ key: String) -> Located<Bool>? {
    guard let text = text(key) else { return nil }
    switch text.value {
    case "true": return Located(value: true, place: text.place)
    case "false": return Located(value: false, place: text.place)
    default:
      report.error("'\(key)' is true or false, not '\(text.value)'", at: text.place)
      return nil
    }
  }

  /// A word of a closed list.
  func word<Word: RawRepresentable<String> & CaseIterable>(_ key: String, _ type: Word.Type) -> Located<Word>? {
    text(key).flatMap { self.word($0, key, type) }
  }

  func word<Word: RawRepresentable<String> & CaseIterable>(_ text: Located<String>, _ key: String, _ type: Word.Type)
    -> Located<Word>?
  {
    guard let word = Word(rawValue: text.value) else {
      report.error(
        "'\(text.value)' is no value of '\(key)'", at: text.place,
        hint: Suggestion.hint(for: text.value, among: Word.allCases.map(\.rawValue)))
      return nil
    }
    return Located(value: word, place: text.place)
  }

  /// A value in a written unit, read by `parse`; its complaint becomes the message.
  func measured<Value>(_ key: String, _ parse: (String) throws(UnitError) -> Value) -> Located<Value>? {
    text(key).flatMap { measured($0, key, parse) }
  }

  func measured<Value>(_ text: Located<String>, _ key: String, _ parse: (String) throws(UnitError) -> Value)
    -> Located<Value>?
  {
    do throws(UnitError) {
      return Located(value: try parse(text.value), place: text.place)
    } catch {
      report.error("'\(text.value)' is no value of '\(key)'", at: text.place, hint: error.hint)
      return nil
    }
  }
}

extension Report {
  /// The items of a list; nil, and reported, if the node is none.
  func list(_ node: YAMLNode, _ what: String, hint: String? = nil) -> [YAMLNode]? {
    if case .refused = node.content { return nil }
    guard case .list(let items) = node.content else {
      error("\(what) must be a list, not \(node.kindName)", at: node.place, hint: hint)
      return nil
    }
    return items
  }
}
