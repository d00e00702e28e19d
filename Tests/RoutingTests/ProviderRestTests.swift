import Testing

@testable import Routing

@Suite("What a provider's head says of its limits")
struct ProviderRestTests {
  /// 2026-11-24T12:00:00Z.
  private static let now: Int64 = 1_795_521_600_000

  private static func rest(_ fields: [(String, String)], status: Int = 200, retryAfter: Int? = nil) -> Int64? {
    var rest = ProviderRest()
    for (name, value) in fields { note(name, value, &rest) }
    return rest.duration(status: status, retryAfter: retryAfter, wallMilliseconds: now)
  }

  private static func note(_ name: String, _ value: String, _ rest: inout ProviderRest) {
    Array(name.utf8).withUnsafeBytes { name in
      Array(value.utf8).withUnsafeBytes { rest.note(name: name, value: $0) }
    }
  }

  @Test(
    arguments: [
      (429, 2, 2_000), (503, 2, 2_000), (529, 60, 60_000), (429, 61, 60_000), (429, .max, 60_000), (429, 0, nil),
      (429, -1, nil), (429, nil, nil), (500, 2, nil), (200, 2, nil), (400, 2, nil),
    ] as [(Int, Int?, Int64?)])
  func aTimeIsKeptWhereTheStatusMeansIt(status: Int, retryAfter: Int?, milliseconds: Int64?) {
    #expect(Self.rest([], status: status, retryAfter: retryAfter) == milliseconds)
  }

  @Test(
    arguments: [
      (["0", "1s"], 1_000), (["0", "6m0s"], 60_000), (["0", "250ms"], 250), (["0", "1.2s"], 1_200),
      (["0", "0.0001s"], 1), (["0", "7"], 7_000), (["1", "7s"], nil), (["00", "7s"], 7_000), (["", "7s"], nil),
      (["-0", "7s"], nil), (["0", "0s"], nil), (["0", "soon"], nil), (["0", ""], nil), (["0", "1x"], nil),
      (["0", "9999999999s"], nil), (["0", "999999999h999999999h"], 60_000),
    ] as [([String], Int64?)])
  func nothingLeftOfALimitIsARestUntilItIsRenewed(values: [String], milliseconds: Int64?) {
    for limit in ["requests", "tokens"] {
      let fields = [("x-ratelimit-remaining-\(limit)", values[0]), ("X-RateLimit-Reset-\(limit)", values[1])]
      #expect(Self.rest(fields) == milliseconds, "\(limit)")
      #expect(Self.rest(fields.reversed()) == milliseconds, "in any order")
    }
  }

  @Test(
    arguments: [
      (["0", "2026-11-24T12:00:05Z"], 5_000), (["0", "2026-11-24T12:00:05.25Z"], 6_000),
      (["0", "2026-11-24T13:00:00Z"], 60_000), (["0", "2026-11-24T12:00:00Z"], nil),
      (["0", "2026-11-24T11:00:00Z"], nil), (["5", "2026-11-24T12:00:05Z"], nil),
      (["0", "2026-11-24 12:00:05Z"], nil), (["0", "2026-13-24T12:00:05Z"], nil),
      (["0", "2026-11-24T25:00:05Z"], nil), (["0", "2026-11-24T12:00:05+01:00"], nil), (["0", ""], nil),
    ] as [([String], Int64?)])
  func anthropicNamesAnInstant(values: [String], milliseconds: Int64?) {
    for limit in ["requests", "tokens", "input-tokens", "output-tokens"] {
      let fields = [
        ("anthropic-ratelimit-\(limit)-remaining", values[0]), ("anthropic-ratelimit-\(limit)-reset", values[1]),
      ]
      #expect(Self.rest(fields) == milliseconds, "\(limit)")
    }
  }

  @Test func theLongestOfSeveralCounts() {
    let fields = [
      ("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "2s"),
      ("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "9s"),
    ]
    #expect(Self.rest(fields, status: 429, retryAfter: 4) == 9_000)
    #expect(Self.rest(fields, status: 429, retryAfter: 11) == 11_000)
  }

  @Test(arguments: [
    "x-ratelimit-remaining-", "x-ratelimit-remaining-requests-x", "x-ratelimit-", "anthropic-ratelimit-",
    "anthropic-ratelimit-requests", "anthropic-ratelimit-requests-remaining-x", "x-ratelimit-limit-requests", "",
  ])
  func otherFieldsSayNothing(name: String) {
    #expect(Self.rest([(name, "0"), ("x-ratelimit-reset-requests", "5s")]) == nil)
  }

  /// Any bytes: no trap, and never a rest beyond the longest.
  @Test(arguments: 1...20 as ClosedRange<UInt64>) func hostileFieldsAreHarmless(seed: UInt64) {
    var dice = SeededDice(seed: seed)
    let names = [
      "x-ratelimit-remaining-requests", "x-ratelimit-reset-tokens", "anthropic-ratelimit-tokens-reset",
      "anthropic-ratelimit-input-tokens-remaining", "X-Ratelimit-Reset-Requests",
    ]
    let alphabet = Array("0019.smhTZ:-+ \u{0}ÿ2026-11-24T12:00:05Z".utf8)
    for _ in 0..<2_000 {
      var rest = ProviderRest()
      for _ in 0..<4 {
        var name = Array((names.randomElement(using: &dice) ?? "").utf8)
        if Bool.random(using: &dice), !name.isEmpty { name.removeLast(Int.random(in: 0...name.count, using: &dice)) }
        let value = (0..<Int.random(in: 0...40, using: &dice)).map { _ in alphabet.randomElement(using: &dice) ?? 0 }
        name.withUnsafeBytes { name in value.withUnsafeBytes { rest.note(name: name, value: $0) } }
      }
      let found = rest.duration(status: 429, retryAfter: .random(in: -5...90, using: &dice), wallMilliseconds: Self.now)
      #expect(found.map { (1...60_000).contains($0) } ?? true, "seed \(seed)")
    }
  }
}
