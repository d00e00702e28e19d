internal import Yams

/// Reads policy files with Yams, without its typing, anchors, tags and depth (`design/operating.md` section 3).
enum YAMLReader {
  /// Largest file in bytes.
  static let maxBytes = 1 << 20
  /// Deepest nesting of a document.
  static let maxDepth = 16

  /// The documents of a file; what is wrong goes into the report, and the documents before it are still returned.
  static func documents(file: String, bytes: [UInt8], report: Report) -> [YAMLNode] {
    guard let text = checkedText(file: file, bytes: bytes, report: report) else { return [] }
    var documents: [YAMLNode] = []
    do {
      let parser = try Parser(yaml: text, resolver: .basic, constructor: .default, encoding: .utf8)
      // Anchors are weak and die with the parser: the nodes are read while it lives.
      try withExtendedLifetime(parser) {
        while let root = try parser.nextRoot() {
          if isEmptyDocument(root) { continue }
          documents.append(node(root, file: file, depth: 1, report: report))
        }
      }
    } catch {
      report.yaml(error, file: file)
    }
    return documents
  }

  /// Refuses by bytes what libyaml would accept or read differently.
  private static func checkedText(file: String, bytes: [UInt8], report: Report) -> String? {
    let start = Place(file: file, line: 1, column: 1)
    guard bytes.count <= maxBytes else {
      report.error("the file is larger than 1 MiB", at: start, hint: "split it; every document may have its own file")
      return nil
    }
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
      report.error("the file starts with a byte order mark", at: start, hint: "save it as UTF-8 without BOM")
      return nil
    }
    var line = 1
    var column = 1
    for byte in bytes {
      if byte < 0x20, byte != 0x0A, byte != 0x0D, byte != 0x09 {
        report.error(
          "a control character stands in the file", at: Place(file: file, line: line, column: column), hint: nil)
        return nil
      }
      if byte == 0x0A {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
    }
    if let anchor = aliasStorm(file: file, bytes: bytes) {
      report.error(
        "anchors and aliases are not allowed", at: anchor, hint: "write the values out, or use extends")
      return nil
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      report.error("the file is not UTF-8", at: start, hint: "save it as UTF-8")
      return nil
    }
    return text
  }

  /// The first anchor of a file with more than a few aliases. Yams hashes keys while it reads, and aliases nested in
  /// a key would cost it time that doubles per level; a few cannot, and are refused node by node with their place.
  private static func aliasStorm(file: String, bytes: [UInt8]) -> Place? {
    var anchor: Place?
    var aliases = 0
    var line = 1
    var column = 1
    var before: UInt8 = 0x0A
    for (index, byte) in bytes.enumerated() {
      let opens = [0x0A, 0x0D, 0x20, 0x09, 0x5B, 0x7B, 0x2C, 0x3A].contains(before)
      if opens, byte == 0x26 || byte == 0x2A, index + 1 < bytes.count, ![0x20, 0x0A, 0x0D].contains(bytes[index + 1]) {
        if byte == 0x2A {
          aliases += 1
        } else if anchor == nil {
          anchor = Place(file: file, line: line, column: column)
        }
      }
      before = byte
      if byte == 0x0A {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
    }
    return aliases > 8 ? anchor : nil
  }

  private static func isEmptyDocument(_ root: Node) -> Bool {
    guard case .scalar(let scalar) = root else { return false }
    return scalar.string.isEmpty && scalar.style == .plain && scalar.anchor == nil
  }

  private static func node(_ node: Node, file: String, depth: Int, report: Report) -> YAMLNode {
    let place = Place(file: file, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
    let refused = YAMLNode(content: .refused, place: place)
    guard depth <= maxDepth else {
      report.error("nested deeper than \(maxDepth) levels", at: place)
      return refused
    }
    if let anchor = node.anchor {
      report.error(
        "the anchor '&\(anchor.rawValue)' is not allowed", at: place, hint: "write the value out, or use extends")
      return refused
    }
    switch node {
    case .scalar(let scalar):
      // Yams itself tags what is quoted as a string, which is all we would make of it.
      let isQuoted = scalar.style != .plain && scalar.tag.rawValue == Tag.Name.str.rawValue
      guard isQuoted || isUntagged(scalar.tag, place, report) else { return refused }
      return YAMLNode(content: .scalar(scalar.string), place: place)
    case .sequence(let sequence):
      guard isUntagged(sequence.tag, place, report) else { return refused }
      return YAMLNode(
        content: .list(sequence.map { Self.node($0, file: file, depth: depth + 1, report: report) }),
        place: place)
    case .mapping(let mapping):
      guard isUntagged(mapping.tag, place, report) else { return refused }
      var entries: [YAMLNode.Entry] = []
      for (key, value) in mapping {
        guard case .scalar(let name) = key else {
          report.error(
            "a key is a list or map", at: Place(file: file, line: key.mark?.line ?? 1, column: key.mark?.column ?? 1))
          continue
        }
        let keyPlace = Place(file: file, line: name.mark?.line ?? 1, column: name.mark?.column ?? 1)
        // Looking for duplicate keys has already resolved a key's tag to !!str.
        guard name.anchor == nil, name.tag.rawValue.isEmpty || name.tag.rawValue == Tag.Name.str.rawValue else {
          report.error("a key has no anchor and no tag", at: keyPlace)
          continue
        }
        if name.string == "<<" {
          report.error("'<<' does not merge here", at: keyPlace, hint: "use extends")
          continue
        }
        let value = Self.node(value, file: file, depth: depth + 1, report: report)
        entries.append(YAMLNode.Entry(key: name.string, keyPlace: keyPlace, value: value))
      }
      return YAMLNode(content: .map(entries), place: place)
    case .alias:
      report.error("an alias is not allowed", at: place, hint: "write the value out, or use extends")
      return refused
    }
  }

  private static func isUntagged(_ tag: Tag, _ place: Place, _ report: Report) -> Bool {
    guard tag.rawValue.isEmpty else {
      report.error("the tag '\(tag.rawValue)' is not allowed", at: place, hint: "leave it out; the schema types values")
      return false
    }
    return true
  }
}

extension Report {
  /// What Yams threw, in our form.
  fileprivate func yaml(_ error: any Error, file: String) {
    let start = Place(file: file, line: 1, column: 1)
    func place(_ mark: Mark) -> Place { Place(file: file, line: mark.line, column: mark.column) }
    guard let error = error as? YamlError else { return self.error("the file cannot be read", at: start) }
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      self.error("this is not YAML: \(problem)", at: place(mark))
    case .duplicatedKeysInMapping(let keys, let context):
      let names = keys.map { "'\($0)'" }.joined(separator: ", ")
      self.error(
        "\(names) stands twice in one map", at: place(context.mark), hint: "keep one of them; the first is shown")
    case .reader(let problem, _, _, _): self.error("this is not YAML: \(problem)", at: start)
    default: self.error("the file cannot be read", at: start)
    }
  }
}
