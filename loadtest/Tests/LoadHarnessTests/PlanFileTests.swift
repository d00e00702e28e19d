import Foundation
import Testing

@testable import LoadHarness

@Suite struct PlanFileTests {
  private static func read(_ text: String) throws -> LoadPlan { try PlanFile.read(Data(text.utf8)) }

  @Test func aWholePlanIsRead() throws {
    let plan = try Self.read(
      #"""
      {"targets": ["http://127.0.0.1:9/v1"], "arrivals": "poisson", "phases": [{"seconds": 2, "rate": 10, "to": 50}],
       "connections": 8, "duration": 3, "warm_up": 1, "sample": 0.5, "seed": 42, "drain": 2, "timeout": 4, "pids": [1],
       "tenants": [{"name": "a", "weight": 2, "keys": ["k"]}, {"name": "b"}],
       "classes": [{"name": "s", "stream": true, "weight": 3, "prompt_bytes": 100, "findings_per_kib": 2, "tools": 1,
                    "path": "/stream/v1/chat/completions", "abort": {"share": 0.5, "after_events": 2}}]}
      """#)
    try plan.check()
    let profile = try #require(RateProfile([.init(seconds: 2, from: 10, to: 50)]))
    #expect(plan.pace == .scheduled(profile, .poisson) && plan.seed == 42 && plan.sampleSeconds == 0.5)
    #expect(plan.tenants.map(\.name) == ["a", "b"] && plan.tenants[0].keys == ["k"] && plan.tenants[1].weight == 1)
    let kind = try #require(plan.classes.first)
    #expect(kind.isStream && kind.abort == .init(share: 0.5, afterEvents: 2) && kind.body.tools == 1)
  }

  @Test(arguments: [
    ("{}", "targets"), ("no json", "plan"), (#"{"targets": ["http://10.0.0.1/"]}"#, "not this machine"),
    (#"{"targets": [], "arrivals": "random"}"#, "closed, uniform or poisson"),
    (#"{"targets": [], "arrivals": "uniform"}"#, "phases"),
    (#"{"targets": [], "phases": [{"seconds": 1, "rate": 1}]}"#, "no phases"),
    (#"{"targets": [], "classes": [{"name": 7}]}"#, "classes"),
  ])
  func errorsSayWhatToDo(text: String, hint: String) {
    #expect { _ = try Self.read(text) } throws: { ($0 as? LoadError)?.message.contains(hint) ?? false }
  }

  @Test(arguments: [
    #"{"targets": ["http://127.0.0.1:9"], "classes": []}"#,
    #"{"targets": ["http://127.0.0.1:9"], "tenants": [{"name": "a", "weight": 0}]}"#,
    #"{"targets": ["http://127.0.0.1:9"], "classes": [{"name": "c", "tenants": ["nobody"]}]}"#,
    """
    {"targets": ["http://127.0.0.1:9"], "tenants": [{"name": "a"}, {"name": "idle"}],
     "classes": [{"name": "c", "tenants": ["a"]}, {"name": "d", "weight": 0}]}
    """,
    #"{"targets": ["http://127.0.0.1:9"], "classes": [{"name": "a", "weight": -1}]}"#,
    #"{"targets": ["http://127.0.0.1:9"], "classes": [{"name": "a", "path": "no slash"}]}"#,
    #"{"targets": ["http://127.0.0.1:9"], "classes": [{"name": "a", "abort": {"share": 0.5}}]}"#,
    #"{"targets": ["http://127.0.0.1:9"], "classes": [{"name": "a", "abort": {"share": 2, "after_ms": 1}}]}"#,
    #"{"targets": ["http://127.0.0.1:9"], "classes": [{"name": "a", "abort": {"share": 1, "after_events": 1}}]}"#,
    #"{"targets": ["http://127.0.0.1:9"], "sample": 0.001}"#,
  ])
  func whatCannotBeDoneIsRefused(text: String) throws {
    let plan = try Self.read(text)
    #expect { try plan.check() } throws: { ($0 as? LoadError)?.code == .badPlan }
  }
}

@Suite struct PersonalDataTests {
  @Test func checksumsAreRight() {
    for number in [0, 1, 42, 9_999] {
      let iban = PersonalData.iban(account: number)
      let rest = (iban.dropFirst(4) + "1314" + iban.dropFirst(2).prefix(2)).utf8.reduce(0) {
        ($0 * 10 + Int($1) - 48) % 97
      }
      #expect(iban.utf8.count == 22 && rest == 1)
      let ahv = PersonalData.ahv(number).utf8.filter { $0 != 46 }.enumerated()
        .reduce(0) { $0 + (Int($1.element) - 48) * ($1.offset % 2 == 0 ? 1 : 3) }
      #expect(ahv % 10 == 0 && PersonalData.ahv(number).hasPrefix("756."))
      let luhn = PersonalData.card(number).utf8.reversed().enumerated().reduce(0) { sum, digit in
        let value = (Int(digit.element) - 48) * (digit.offset % 2 == 0 ? 1 : 2)
        return sum + (value > 9 ? value - 9 : value)
      }
      #expect(luhn % 10 == 0 && PersonalData.card(number).utf8.count == 16)
    }
  }

  @Test(arguments: [(0.0, 0), (1, 16), (4, 64)])
  func aPromptHasTheDensityThatWasAsked(perKiB: Double, values: Int) {
    var body = RequestBody()
    body.promptBytes = 16_384
    body.findingsPerKiB = perKiB
    let prompt = body.prompt()
    #expect(prompt.utf8.count == 16_384)
    let signs = ["@example.org", "DE", "+49 30 90", "Contact: ", "756.", "41111111"]
    let found = signs.reduce(0) { $0 + prompt.ranges(of: $1).count }
    #expect(abs(found - values) <= 1)
  }
}
