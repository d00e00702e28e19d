/// Routes that name the model, the vendor or a deployment in their path.
enum DialectPath {
  /// OpenAI's routes under another vendor's path; under `/strict` they are OpenAI's own, read with more care.
  private static let openings: [(path: Substring, vendor: Vendor)] = [
    ("/openai/v1/", .azure), ("/mistral/v1/", .mistral), ("/vllm/v1/", .vllm), ("/ollama/v1/", .ollama),
    ("/v1beta/openai/", .geminiChat), ("/strict/v1/", .openAI),
  ]

  /// What is asked for at `target` (a path with its query) and by which method; nil if there is no such route.
  static func read(_ target: String) -> (Route, RequestHead.Method)? {
    let halves = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let path = halves.first ?? ""
    let query = halves.count > 1 ? halves[1] : ""
    if path == "/v1beta/models" { return (.models(.gemini), .get) }
    for (opening, vendor) in openings where path.hasPrefix(opening) {
      return openAI(path.dropFirst(opening.count), model: nil, vendor)
    }
    if path.hasPrefix("/model/") { return bedrock(path.dropFirst(7)) }
    let deployments: Substring = "/openai/deployments/"
    if path.hasPrefix(deployments) {
      let rest = path.dropFirst(deployments.count)
      guard let slash = rest.firstIndex(of: "/"), let model = decoded(rest[..<slash]), !model.isEmpty else {
        return nil
      }
      return openAI(rest[rest.index(after: slash)...], model: model, .azure)
    }
    for version in ["/v1beta/models/", "/v1/models/"] where path.hasPrefix(version) {
      return gemini(path.dropFirst(version.count), query).map { (.dialect($0, .gemini), .post) }
    }
    return nil
  }

  private static func openAI(_ rest: Substring, model: String?, _ vendor: Vendor) -> (Route, RequestHead.Method)? {
    switch rest {
    case "chat/completions": (.dialect(.chat(model: model), vendor), .post)
    case "embeddings": (.dialect(.embeddings(model: model), vendor), .post)
    case "completions" where model == nil: (.dialect(.completions, vendor), .post)
    case "responses" where model == nil: (.dialect(.responses, vendor), .post)
    case "models" where model == nil: (.models(vendor), .get)
    default: nil
    }
  }

  private static func bedrock(_ rest: Substring) -> (Route, RequestHead.Method)? {
    let steps = rest.split(separator: "/", omittingEmptySubsequences: false)
    guard steps.count == 2, let model = decoded(steps[0]), !model.isEmpty else { return nil }
    switch steps[1] {
    case "converse": return (.dialect(.converse(model: model, isStream: false), .bedrock), .post)
    case "converse-stream": return (.dialect(.converse(model: model, isStream: true), .bedrock), .post)
    default: return nil
    }
  }

  private static func gemini(_ rest: Substring, _ query: Substring) -> Operation? {
    guard let colon = rest.lastIndex(of: ":"), let model = decoded(rest[..<colon]), !model.isEmpty else { return nil }
    switch rest[rest.index(after: colon)...] {
    case "generateContent": return .generate(model: model, isStream: false, isEvents: false)
    case "streamGenerateContent":
      return .generate(model: model, isStream: true, isEvents: has(query, "alt=sse"))
    case "countTokens": return .countContent(model: model)
    default: return nil
    }
  }

  private static func has(_ query: Substring, _ pair: Substring) -> Bool { query.split(separator: "&").contains(pair) }

  /// Whether the query of `target` says which of Azure's versions is spoken.
  static func hasVersion(_ target: String) -> Bool {
    target.split(separator: "?", maxSplits: 1).dropFirst().first?.split(separator: "&").contains {
      $0.hasPrefix("api-version=") && $0.utf8.count > 12
    } ?? false
  }

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
