import Foundation
import Inference
import JSONText
import Testing

/// Requests and what becomes of them, byte for byte: `Golden/translate-….txt`.
///
/// A case is `=== name`, the request, and for each target `--- wire [option=value …]`, its body and what is dropped. With
/// `TORHAUS_WRITE_GOLDEN=1` in the environment the files are written anew; read the difference before it is committed.
@Suite struct TranslationGoldenTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var request: String
    var options: String
    var result: String
    var testDescription: String { "\(name) \(options)" }
  }

  static func file(_ route: InferenceRoute) -> URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Golden/translate-\(route.rawValue).txt")
  }

  static func cases(of route: InferenceRoute) throws -> [Case] {
    var cases: [Case] = []
    for part in try String(contentsOf: file(route), encoding: .utf8).components(separatedBy: "\n=== ").dropFirst() {
      let sections = part.components(separatedBy: "\n--- ")
      let head = sections[0].split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
      for section in sections.dropFirst() {
        let lines = section.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        cases.append(
          Case(
            name: String(head[0]), request: head.count > 1 ? String(head[1]) : "", options: String(lines[0]),
            result: lines.count > 1 ? lines[1].trimmingCharacters(in: .newlines) : ""))
      }
    }
    return cases
  }

  static func target(_ options: String) -> RequestTranslation.Target? {
    let words = options.split(separator: " ")
    guard let first = words.first, let wire = ProviderWire(rawValue: String(first)) else { return nil }
    var target = RequestTranslation.Target(wire: wire, model: "model-1", maxTokens: 1000)
    for word in words.dropFirst() {
      let pair = word.split(separator: "=", maxSplits: 1).map(String.init)
      guard pair.count == 2 else { return nil }
      switch pair[0] {
      case "model": target.model = pair[1]
      case "max": target.maxTokens = Int64(pair[1]) ?? 0
      case "user": target.userHash = Array(pair[1].utf8)
      case "deny": target.deniedFields = pair[1].split(separator: ",").map(String.init)
      case "sampling": target.anthropicDropsSampling = pair[1] == "dropped"
      case "usage": target.includeUsage = pair[1] != "no"
      case "limit": target.maxTokensField = TokenLimitField(rawValue: pair[1]) ?? .maxCompletionTokens
      default: return nil
      }
    }
    return target
  }

  static func result(_ item: Case, of route: InferenceRoute) -> String {
    guard let target = target(item.options) else { return "unknown option" }
    let result = translated(item.request, of: route, to: target)
    if let error = result.error { return "error \(error.code.rawValue) \(error.param ?? "-")" }
    return result.body + (result.dropped.isEmpty ? "" : "\ndropped " + result.dropped.joined(separator: ", "))
  }

  @Test(arguments: [InferenceRoute.chat, .responses, .messages])
  func isAsWritten(route: InferenceRoute) throws {
    let cases = try Self.cases(of: route)
    if ProcessInfo.processInfo.environment["TORHAUS_WRITE_GOLDEN"] == "1" { return try write(cases, of: route) }
    #expect(cases.count > 30)
    for item in cases { #expect(Self.result(item, of: route) == item.result, "\(item.name): \(item.options)") }
  }

  /// What stands in the files is JSON, and what is translated is one that the scan accepts.
  @Test(arguments: [InferenceRoute.chat, .responses, .messages])
  func goldenBodiesAreJSON(route: InferenceRoute) throws {
    for item in try Self.cases(of: route) {
      #expect(throws: Never.self, "\(item.name)") {
        _ = try JSONSerialization.jsonObject(with: Data(item.request.utf8))
      }
      guard !item.result.hasPrefix("error ") else { continue }
      let body = item.result.split(separator: "\n").first.map(String.init) ?? ""
      #expect(throws: Never.self, "\(item.name): \(item.options)") {
        _ = try JSONSerialization.jsonObject(with: Data(body.utf8))
      }
    }
  }

  private func write(_ cases: [Case], of route: InferenceRoute) throws {
    let file = Self.file(route)
    var text = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n=== ").first ?? ""
    var name: String?
    for item in cases {
      if item.name != name { text += "\n=== \(item.name)\n\(item.request)" }
      name = item.name
      text += "\n--- \(item.options)\n\(Self.result(item, of: route))\n"
    }
    try text.write(to: file, atomically: true, encoding: .utf8)
  }
}
