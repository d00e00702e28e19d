import Foundation
import Inference
import JSONText
import Testing

@Suite struct TranslationFuzzTests {
  private static func targets(_ wire: ProviderWire) -> [RequestTranslation.Target] {
    [
      RequestTranslation.Target(wire: wire, model: "m", maxTokens: 100, userHash: Array("9f86".utf8)),
      RequestTranslation.Target(
        wire: wire, model: "anthropic.claude-x", maxTokens: 7, maxTokensField: .maxTokens, includeUsage: false,
        deniedFields: ["tools", "temperature", "stop", "system", "thinking", "generationConfig.topP"],
        anthropicDropsSampling: true),
      RequestTranslation.Target(wire: wire, model: "gemini-2.5-pro", maxTokens: 1),
    ]
  }

  private static func isJSON(_ body: String) -> Bool {
    (try? JSONSerialization.jsonObject(with: Data(body.utf8))) != nil
  }

  private static let header = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-$?.[]")

  private func check(_ result: Translated, _ request: String) {
    if result.error == nil {
      #expect(Self.isJSON(result.body), "\(request)\n\(result.body)")
    } else {
      #expect(result.body == "")
      #expect(result.error?.message.isEmpty == false)
    }
    #expect(result.dropped.allSatisfy { !$0.isEmpty && $0.allSatisfy(Self.header.contains) }, "\(result.dropped)")
  }

  /// Whatever is said arrives, or its place is named.
  @Test(arguments: [InferenceRoute.chat, .responses, .messages])
  func eachTextArrivesOrIsNamed(route: InferenceRoute) {
    var maker = RequestMaker(seed: 11)
    for _ in 0..<400 {
      let request = maker.make(route)
      #expect(Self.isJSON(request), "\(request)")
      for pair in translatedPairs where pair.route == route {
        let target = RequestTranslation.Target(wire: pair.wire, model: "m", maxTokens: 100)
        let result = translated(request, of: route, to: target)
        #expect(result.error == nil, "\(String(describing: result.error)): \(request)")
        check(result, request)
        for (text, path) in maker.texts where !result.body.contains(text) {
          let isNamed = result.dropped.contains { path == $0 || path.hasPrefix($0 + ".") || path.hasPrefix($0 + "[") }
          #expect(isNamed, "\(path) (\(text)) to \(pair.wire): \(result.dropped)\n\(request)\n\(result.body)")
        }
      }
    }
  }

  /// Roles alternate, results come first and nothing is empty, where the target wants it so.
  @Test(arguments: [InferenceRoute.chat, .responses, .messages])
  func turnsAlternate(route: InferenceRoute) throws {
    var maker = RequestMaker(seed: 12)
    for _ in 0..<300 {
      let request = maker.make(route)
      for wire in [ProviderWire.messages, .converse, .gemini] where wire != route.ownWire {
        let result = translated(request, of: route, to: .init(wire: wire, model: "m", maxTokens: 9))
        let body = try #require(JSONSerialization.jsonObject(with: Data(result.body.utf8)) as? [String: Any])
        let turns = try #require(body[wire == .gemini ? "contents" : "messages"] as? [[String: Any]])
        let roles = turns.compactMap { $0["role"] as? String }
        #expect(roles.first == "user")
        #expect(zip(roles, roles.dropFirst()).allSatisfy { $0 != $1 }, "\(roles)")
        for turn in turns {
          let content = turn[wire == .gemini ? "parts" : "content"]
          guard let blocks = content as? [[String: Any]] else {
            #expect((content as? String)?.isEmpty == false)
            continue
          }
          #expect(!blocks.isEmpty)
          let isResult = blocks.map {
            $0["type"] as? String == "tool_result" || $0["toolResult"] != nil || $0["functionResponse"] != nil
          }
          #expect(isResult == isResult.sorted { $0 && !$1 }, "\(request)")
        }
      }
    }
  }

  /// Bytes changed at random: an error or JSON, and no trap.
  @Test(arguments: [InferenceRoute.chat, .responses, .messages])
  func mutatedBodiesAreRefusedOrJSON(route: InferenceRoute) throws {
    var random = SeededGenerator(seed: 13)
    var bodies = try TranslationGoldenTests.cases(of: route).map { Array($0.request.utf8) }
    var maker = RequestMaker(seed: 14)
    for _ in 0..<20 { bodies.append(Array(maker.make(route).utf8)) }
    var accepted = 0
    for round in 0..<2_000 {
      let bytes = random.mutate(bodies[round % bodies.count], most: 4)
      for pair in translatedPairs where pair.route == route {
        let target = Self.targets(pair.wire)[round % 3]
        let result = translated(bytes, of: route, to: target)
        if result.error == nil { accepted += 1 }
        check(result, String(decoding: bytes, as: UTF8.self))
      }
    }
    #expect(accepted > 300)
  }

  /// Values replaced by others of the wrong kind: an error that says where, or JSON.
  @Test(arguments: [InferenceRoute.chat, .responses, .messages])
  func wrongTypesAreRefusedOrJSON(route: InferenceRoute) throws {
    var random = SeededGenerator(seed: 15)
    let requests = try Set(TranslationGoldenTests.cases(of: route).map(\.request)).sorted()
    for round in 0..<1_500 {
      let text = requests[round % requests.count]
      let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
      var count = 0
      Self.visit(value) { count += 1 }
      var wanted = Int.random(in: 0..<max(1, count), using: &random)
      let odd = Self.odd.randomElement(using: &random) ?? "null"
      let replacement = try JSONSerialization.jsonObject(with: Data(odd.utf8), options: [.fragmentsAllowed])
      let changed = Self.replace(value, &wanted, with: replacement)
      let bytes = [UInt8](try JSONSerialization.data(withJSONObject: changed, options: [.fragmentsAllowed]))
      for pair in translatedPairs where pair.route == route {
        let result = translated(bytes, of: route, to: Self.targets(pair.wire)[round % 3])
        #expect(result.error?.code != .invalidJSON)
        check(result, String(decoding: bytes, as: UTF8.self))
      }
    }
  }

  private static let odd = [
    "null", "1", "-1.5e3", "\"x\"", "\"\"", "[]", "{}", "true", "[[]]", "[null]", "{\"type\":1}", "{\"type\":\"text\"}",
    "[{\"type\":\"zz\"}]", "99999999999999999999",
  ]

  private static func visit(_ value: Any, _ seen: () -> Void) {
    seen()
    if let object = value as? [String: Any] { for inner in object.values { visit(inner, seen) } }
    if let array = value as? [Any] { for inner in array { visit(inner, seen) } }
  }

  /// Replaces the value that is met when `left` others were.
  private static func replace(_ value: Any, _ left: inout Int, with new: Any) -> Any {
    left -= 1
    guard left != -1 else { return new }
    if let object = value as? [String: Any] {
      var changed: [String: Any] = [:]
      for key in object.keys.sorted() { changed[key] = object[key].map { replace($0, &left, with: new) } }
      return changed
    }
    guard let array = value as? [Any] else { return value }
    return array.map { replace($0, &left, with: new) }
  }

  @Test func hostileShapesAreRefused() {
    let deep = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
    let bodies = [
      "", "null", "[]", "{}", "{\"messages\":[]}", "{\"messages\":{}}", "{\"messages\":[[]]}", "{\"messages\":[{}]}",
      "{\"messages\":[{\"role\":\"user\"}]}", "{\"messages\":[{\"role\":\"user\",\"content\":[[]]}]}",
      "{\"messages\":[{\"role\":\"user\",\"content\":\(deep)}]}", "{\"messages\":null}", "{\"input\":[]}",
      "{\"input\":[{\"type\":\"function_call\"}]}",
      "{\"input\":[{\"type\":\"function_call_output\",\"call_id\":\"\"}]}",
      "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"~ts~\"}]}]}",
      "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:\"}}]}]}",
      "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:,\"}}]}]}",
      "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\",\"source\":{\"type\":\"base64\"}}]}]}",
      "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"tools\":[{\"type\":\"function\"}]}",
      "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"messages\":[]}", "{\"model\":\"m\"", "\u{FEFF}{}",
    ]
    for body in bodies {
      for pair in translatedPairs {
        let result = translated(body, of: pair.route, to: .init(wire: pair.wire, model: "m", maxTokens: 1))
        #expect(result.error != nil, "\(body) as \(pair.route) to \(pair.wire): \(result.body)")
        #expect(result.body == "")
      }
    }
  }

  /// A dialect is not translated into itself, nor into a wire that nobody speaks in.
  @Test func onlyKnownPairsAreTranslated() {
    let known = translatedPairs
    for route in InferenceRoute.allCases {
      for wire in ProviderWire.allCases where !known.contains(where: { $0.route == route && $0.wire == wire }) {
        guard route != .countTokens else { continue }
        let body = "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"input\":\"a\"}"
        let result = translated(body, of: route, to: .init(wire: wire, model: "m", maxTokens: 1))
        #expect(result.error?.code == .unsupportedParameter, "\(route) to \(wire)")
      }
    }
  }

  /// Members that nobody knows cost a bounded list.
  @Test func theListOfDroppedPathsIsBounded() {
    let members = (0..<9_000).map { "\"u\($0)\":1" }.joined(separator: ",")
    let body = "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\(members)}"
    let result = translated(body, of: .chat, to: .init(wire: .gemini, model: "m", maxTokens: 1))
    #expect(result.error == nil)
    #expect(result.dropped.count == 2_000)
  }
}
