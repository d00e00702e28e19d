/// Routes that name the model, the vendor or a deployment in their path.
enum DialectPath {
  /// What is asked for at `target`, which is a path with its query; nil if the mock has no such route.
  static func read(_ target: String) -> (Operation, Vendor)? {
    let halves = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let path = halves.first ?? ""
    let query = halves.count > 1 ? halves[1] : ""
    for version in ["/v1beta/models/", "/v1/models/"] where path.hasPrefix(version) {
      return gemini(path.dropFirst(version.count), query)
    }
    return nil
  }

  private static func gemini(_ rest: Substring, _ query: Substring) -> (Operation, Vendor)? {
    guard let colon = rest.lastIndex(of: ":"), let model = decoded(rest[..<colon]), !model.isEmpty else { return nil }
    switch rest[rest.index(after: colon)...] {
    case "generateContent": return (.generate(model: model, isStream: false, isEvents: false), .gemini)
    case "streamGenerateContent":
      return (.generate(model: model, isStream: true, isEvents: has(query, "alt=sse")), .gemini)
    case "countTokens": return (.countContent(model: model), .gemini)
    default: return nil
    }
  }

  static func has(_ query: Substring, _ pair: Substring) -> Bool { query.split(separator: "&").contains(pair) }

  /// `text` without its percent encoding; nil if that is broken.
  static func decoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == 0x25 else {
        bytes.append(byte)
        continue
      }
      guard rest.count >= 2, let value = UInt8(String(rest.prefix(2)) ?? "", radix: 16) else { return nil }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
