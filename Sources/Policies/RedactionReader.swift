/// Reads `kind: Redaction`.
struct RedactionReader {
  let report: Report
  let availability: Availability
  /// Limits on patterns at load (`design/redaction.md` section 7).
  static let maxPatternBytes = 1024
  static let maxPatterns = 100

  func profiles(_ entries: [YAMLNode.Entry]) -> [String: Located<RedactionProfileSpec>] {
    var done: [String: Located<RedactionProfileSpec>] = [:]
    var underWay: Set<String> = []
    func resolve(_ name: String) -> Located<RedactionProfileSpec>? {
      if let profile = done[name] { return profile }
      guard let entry = entries.first(where: { $0.key == name }) else { return nil }
      guard underWay.insert(name).inserted else {
        report.error("profile '\(name)' extends itself", at: entry.keyPlace)
        return nil
      }
      defer { underWay.remove(name) }
      guard let items = report.list(entry.value, "profile '\(name)'") else { return nil }
      var rules: [Located<RedactionRuleSpec>] = []
      var settings = RedactionSettings()
      var parent: Located<RedactionProfileSpec>?
      for (index, item) in items.enumerated() {
        guard let map = MapReader(item, "a rule of profile '\(name)'", report) else { continue }
        if let extends = map.text("extends") {
          map.finish()
          if index > 0 { report.error("'extends' stands first", at: extends.place) }
          parent = resolve(extends.value)
          if let parent {
            rules = parent.value.rules.map { Located(value: $0, place: parent.place) }
            settings = parent.value.settings
          } else if !entries.contains(where: { $0.key == extends.value }) {
            report.error(
              "there is no redaction profile '\(extends.value)'", at: extends.place,
              hint: Suggestion.hint(for: extends.value, among: entries.map(\.key)))
          }
        } else if let node = map.node("settings") {
          map.finish()
          read(node, into: &settings)
          if let parent {
            refuse(settings.weakerFields(than: parent.value.settings), "settings", node.place, parent)
          }
        } else if let rule = rule(map) {
          if let inherited = parent?.value.rules.first(where: { $0.id == rule.value.id }), let parent {
            refuse(rule.value.weakerFields(than: inherited), rule.value.id, rule.place, parent)
            rules = rules.map { $0.value.id == rule.value.id ? rule : $0 }
          } else if rules.contains(where: { $0.value.id == rule.value.id }) {
            report.error("rule '\(rule.value.id)' stands twice in profile '\(name)'", at: rule.place)
          } else {
            rules.append(rule)
          }
        }
      }
      for rule in rules where !settings.reversibleSecrets {
        checkSecrets(rule)
      }
      if rules.isEmpty { report.warn("profile '\(name)' has no rules", at: entry.keyPlace) }
      let spec = RedactionProfileSpec(name: name, rules: rules.map(\.value), settings: settings)
      let located = Located(value: spec, place: entry.keyPlace)
      done[name] = located
      return located
    }
    for entry in entries { _ = resolve(entry.key) }
    return done
  }

  private func refuse(_ fields: [String], _ what: String, _ place: Place, _ parent: Located<RedactionProfileSpec>) {
    guard !fields.isEmpty else { return }
    report.error(
      "'\(what)' is weaker than in profile '\(parent.value.name)': \(fields.joined(separator: ", "))", at: place,
      hint: "a child can only tighten; the parent is at \(parent.place)")
  }

  private func checkSecrets(_ rule: Located<RedactionRuleSpec>) {
    guard let action = rule.value.action, action == .pseudonymise || action == .surrogate,
      let secret = rule.value.types.first(where: { RedactionTypes.group(of: $0) == "secrets" })
    else { return }
    report.error(
      "rule '\(rule.value.id)' would make '\(secret)' reversible", at: rule.place,
      hint: "use mask or block, or set reversible-secrets: true in the profile's settings")
  }

  private func rule(_ map: MapReader) -> Located<RedactionRuleSpec>? {
    let id = map.requiredText("id")
    let sides = map.requiredTexts("where")?.value.compactMap {
      map.word($0, "where", RedactionRuleSpec.Side.self)
    }
    sides?.forEach(availability.check(side:))
    if let sides, sides.isEmpty { report.error("'where' is empty: the rule cannot match", at: map.place) }
    var detect: [String] = []
    for word in map.texts("detect")?.value ?? [] {
      if RedactionTypes.expand(word.value) == nil {
        report.error(
          "there is no type or group '\(word.value)'", at: word.place,
          hint: Suggestion.nearest(to: word.value, among: RedactionTypes.all + RedactionTypes.groups.map(\.name))
            .map { "did you mean '\($0)'?" } ?? "the types are listed in redaction.md section 4")
      } else {
        availability.check(type: word)
        detect.append(word.value)
      }
    }
    let patterns = map.node("patterns").map { self.patterns($0) } ?? []
    let lists = map.texts("lists")
    if let lists { availability.check(lists: lists, named: "lists") }
    let action = map.word("action", RedactionAction.self)
    if let action { availability.check(action: action) }
    let min = map.word("min", RedactionRuleSpec.Level.self)?.value
    let mode = map.word("mode", RedactionRuleSpec.Mode.self)?.value ?? .enforce
    let scope = map.word("scope", RedactionRuleSpec.Reach.self)
    if let scope { availability.check(scope: scope) }
    let aliases = map.texts("aliases")?.value.map(\.value)
    let roles = map.texts("roles")?.value.map(\.value)
    let named = map.node("detect") != nil || !patterns.isEmpty || lists?.value.isEmpty == false
    map.finish()
    guard let id else { return nil }
    if !named {
      report.error(
        "rule '\(id.value)' can match nothing", at: map.place, hint: "give it detect, patterns or lists")
    }
    return Located(
      value: RedactionRuleSpec(
        id: id.value, sides: Set((sides ?? []).map(\.value)), detect: detect, patterns: patterns,
        lists: (lists?.value ?? []).map(\.value), action: action?.value, min: min, mode: mode,
        scope: scope?.value ?? .tenant, aliases: aliases, roles: roles),
      place: id.place)
  }

  /// Syntax is checked where the patterns are compiled; here only what needs no engine.
  private func patterns(_ node: YAMLNode) -> [RedactionRuleSpec.Pattern] {
    guard let map = MapReader(node, "'patterns'", report) else { return [] }
    let entries = map.all
    if entries.count > Self.maxPatterns {
      report.error("a rule has at most \(Self.maxPatterns) patterns", at: node.place)
    }
    return entries.compactMap { entry in
      guard let regex = map.scalar(entry.value, entry.key) else { return nil }
      if regex.value.utf8.count > Self.maxPatternBytes {
        report.error("a pattern has at most \(Self.maxPatternBytes) bytes", at: regex.place)
      }
      if !isTypeName(entry.key) {
        report.error(
          "'\(entry.key)' is no name for a pattern", at: entry.keyPlace,
          hint: "1 to 16 of a–z, 0–9 and -, starting with a letter")
      } else if RedactionTypes.expand(entry.key) != nil {
        report.error("'\(entry.key)' is a built-in type; choose another name", at: entry.keyPlace)
      }
      return RedactionRuleSpec.Pattern(name: entry.key, regex: regex.value)
    }
  }

  private func isTypeName(_ name: String) -> Bool {
    guard let first = name.utf8.first, (0x61...0x7A).contains(first), name.utf8.count <= 16 else { return false }
    return name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
  }

  private func read(_ node: YAMLNode, into settings: inout RedactionSettings) {
    guard let map = MapReader(node, "'settings'", report) else { return }
    if let min = map.word("min", RedactionRuleSpec.Level.self) { settings.min = min.value }
    if let value = map.word("checksum", RedactionSettings.Checksum.self) {
      availability.check(checksum: value)
      settings.checksum = value.value
    }
    if let value = map.word("binary", RedactionSettings.Binary.self) { settings.binary = value.value }
    if let value = map.word("restore-urls", RedactionSettings.RestoreURLs.self) {
      availability.check(restoreURLs: value)
      settings.restoreURLs = value.value
    }
    if let value = map.word("recogniser", RedactionSettings.Recogniser.self) {
      availability.check(recogniser: value)
      settings.recogniser = value.value
    }
    if let value = map.texts("allow-lists") {
      availability.check(lists: value, named: "allow-lists")
      settings.allowLists = value.value.map(\.value)
    }
    if let value = map.flag("reversible-secrets") { settings.reversibleSecrets = value.value }
    map.finish()
  }
}
