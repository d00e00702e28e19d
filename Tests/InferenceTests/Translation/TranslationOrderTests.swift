import Inference
import Testing

/// The usual order of an object's members is read quickest, and every other order and way to write it means the same.
@Suite struct TranslationOrderTests {
  private static let bodies: [(route: InferenceRoute, open: String, close: String)] = [
    (.chat, "{\"model\":\"m\",\"messages\":[", "]}"), (.responses, "{\"model\":\"m\",\"input\":[", "]}"),
    (.messages, "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[", "]}"),
  ]

  private func each(_ message: String, _ check: (InferenceRoute, ProviderWire, Translated) -> Void) {
    for (route, open, close) in Self.bodies {
      for pair in translatedPairs where pair.route == route {
        let target = RequestTranslation.Target(wire: pair.wire, model: "t", maxTokens: 9)
        check(route, pair.wire, translated(open + message + close, of: route, to: target))
      }
    }
  }

  @Test(arguments: [
    "{\"content\":\"A\",\"role\":\"user\"}", " { \"role\" : \"user\" , \"content\" : \"A\" } ",
    "{\"r\\u006fle\":\"user\",\"conten\\u0074\":\"A\"}", "{\"role\":\"us\\u0065r\",\"content\":\"A\"}",
    "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"A\"}]}",
    "{\"role\":\"user\",\"content\":[{\"text\":\"A\",\"type\":\"text\"}]}",
    "{\"content\":[ { \"text\" : \"A\", \"type\" : \"text\" } ], \"role\":\"user\"}",
    "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"te\\u0078t\":\"A\"}]}",
  ])
  func meansTheSame(message: String) {
    var usual: [String] = []
    each("{\"role\":\"user\",\"content\":\"A\"}") { usual.append("\($0) \($1) \($2)") }
    var found: [String] = []
    each(message) { found.append("\($0) \($1) \($2)") }
    #expect(found == usual)
  }

  @Test(arguments: [
    "{\"role\":\"user\",\"content\":\"A\",\"content\":\"B\"}",
    "{\"role\":\"user\",\"content\":\"A\",\"role\":\"user\"}",
    "{\"role\":\"user\",\"content\":null,\"content\":\"B\"}", "{\"content\":\"A\",\"role\":\"user\",\"content\":\"B\"}",
    "{\"role\":\"user\",\"content\":\"A\",\"conten\\u0074\":\"B\"}",
    "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"A\",\"text\":\"B\"}]}",
  ])
  func refusesAMemberThatStandsTwice(message: String) {
    each(message) { route, wire, result in
      #expect(result.error?.code == .invalidValue, "\(route) \(wire)")
      #expect(result.body.isEmpty)
    }
  }

  @Test(arguments: [
    "{\"role\":\"user\" \"content\":\"A\"}", "{\"role\":\"user\",\"content\" \"A\"}",
    "{\"role\":\"user\",\"content\":\"A}",
    "{\"role\":\"user\",,\"content\":\"A\"}", "{\"role\":\"user\",\"content\":\"\\x\"}",
    "{\"role\":\"user\",\"content\":}",
    "{\"role\":\"user\",\"content\":\"A\"",
  ])
  func refusesWhatIsNoJSON(message: String) {
    each(message) { route, wire, result in
      #expect(result.error?.code == .invalidJSON, "\(route) \(wire)")
      #expect(result.body.isEmpty)
    }
  }
}
