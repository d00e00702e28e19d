/// A node of a policy document: only what our format has, each with its place. Scalars are text; the schema types them.
struct YAMLNode {
  enum Content {
    case scalar(String)
    case list([YAMLNode])
    case map([Entry])
    /// Already reported: readers pass over it in silence, so that one mistake is one error.
    case refused
  }

  struct Entry {
    let key: String
    let keyPlace: Place
    let value: YAMLNode
  }

  let content: Content
  let place: Place

  var kindName: String {
    switch content {
    case .scalar: "a value"
    case .list: "a list"
    case .map: "a map"
    case .refused: "nothing"
    }
  }

  /// The same text for the same meaning: keys sorted, comments, quotes and layout gone.
  func writeCanonical(into out: inout String) {
    switch content {
    case .refused: break
    case .scalar(let text): Self.quote(text, into: &out)
    case .list(let items):
      out.append("[")
      for (index, item) in items.enumerated() {
        if index > 0 { out.append(",") }
        item.writeCanonical(into: &out)
      }
      out.append("]")
    case .map(let entries):
      out.append("{")
      for (index, entry) in entries.sorted(by: { $0.key < $1.key }).enumerated() {
        if index > 0 { out.append(",") }
        Self.quote(entry.key, into: &out)
        out.append(":")
        entry.value.writeCanonical(into: &out)
      }
      out.append("}")
    }
  }

  private static func quote(_ text: String, into out: inout String) {
    out.append("\"")
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out.append("\\\"")
      case "\\": out.append("\\\\")
      case "\n": out.append("\\n")
      case "\t": out.append("\\t")
      case "\r": out.append("\\r")
      default: out.unicodeScalars.append(scalar)
      }
    }
    out.append("\"")
  }
}
