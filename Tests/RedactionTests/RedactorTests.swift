import JSONText
import Testing

@testable import Redaction

@Suite("Rules, segments, overlaps")
struct RedactorTests {
  private func profile(_ rules: RedactionRule...) throws -> Bench {
    try Bench(RedactionProfile(name: "p", rules: rules))
  }

  @Test func valueFoundByContextIsReplacedEverywhere() throws {
    let bench = try Bench.everything(.mask)
    let body = Array(#"{"a":"Passwort: Winter24x","b":"nochmals winter24X bitte, nicht Winter24xy"}"#.utf8)
    let redacted = try bench.redact(
      bytes: body, [TextSegment(start: 6, end: 25, group: 1), TextSegment(start: 32, end: 74, group: 2)])
    #expect(
      String(decoding: redacted.bytes, as: UTF8.self)
        == #"{"a":"Passwort: [PASSWORD]","b":"nochmals [PASSWORD] bitte, nicht Winter24xy"}"#)
  }

  @Test func neighboursOfOneMessageAreOneText() throws {
    let bench = try Bench.everything()
    let body = Array(#"["CH93 0076 2011"," 6238 5295 7 ok"]"#.utf8)
    let joined = [TextSegment(start: 2, end: 16, group: 4), TextSegment(start: 19, end: 34, group: 4)]
    let text = String(decoding: try bench.redact(bytes: body, joined).bytes, as: UTF8.self)
    #expect(text.hasPrefix("[\"[IBAN_") && text.hasSuffix("]\",\" ok\"]"))
    #expect(bench.restore(String(text.dropFirst(2).prefix(15))) == "CH93 0076 2011 6238 5295 7")
    let apart = [TextSegment(start: 2, end: 16, group: 4), TextSegment(start: 19, end: 34, group: 5)]
    #expect(try bench.redact(bytes: body, apart).counts.total == 0)
  }

  @Test(arguments: ["7569217076985", "-7569217076985", "7569217076985.0", "7.569217076985e12", "7569217076985E0"])
  func numbersStayNumbers(_ number: String) throws {
    let body = Array("{\"ahv\":\(number)}".utf8)
    let segment = TextSegment(start: 7, end: 7 + number.utf8.count, kind: .number, depth: 0)
    let redacted = try Bench.everything().redact(bytes: body, [segment])
    #expect(String(decoding: redacted.bytes, as: UTF8.self) == #"{"ahv":0}"#)
  }

  @Test func memberNameIsContextOfItsValue() throws {
    let body = Array(#"{"password":"hunter2x"}"#.utf8)
    let segments = [TextSegment(start: 2, end: 10, kind: .name), TextSegment(start: 13, end: 21)]
    let redacted = try Bench.everything(.mask).redact(bytes: body, segments)
    #expect(String(decoding: redacted.bytes, as: UTF8.self) == #"{"password":"[PASSWORD]"}"#)
  }

  @Test func escapedTextIsFoundAtEveryDepth() throws {
    let bench = try Bench.everything(.mask)
    #expect(try bench.redact("x\\u0040y.ch \\n756.9217.0769.85\\\"", depth: 1).text == "[EMAIL] \\n[AHV]\\\"")
    #expect(try bench.redact("\\\\nmax\\\\u0040ex\\u0061mple.ch\\\\n", depth: 2).text == "\\\\n[EMAIL]\\\\n")
    #expect(
      try bench.redact("raw JSON {\\\"m\\\": \\\"m\\\\u00fcller@x.ch\\\"}", depth: 1).text
        == "raw JSON {\\\"m\\\": \\\"[EMAIL]\\\"}")
  }

  @Test func overlapTakesTheStrongerActionOverTheUnion() throws {
    let bench = try profile(
      RedactionRule(id: "mail", detect: [.email], action: .mask),
      RedactionRule(id: "list", lists: [.init(name: "firma", entries: ["Kontakt max"])], action: .pseudonymise))
    let text = try bench.redact("Kontakt max@example.ch").text
    #expect(text == "[FIRMA]")
    #expect(bench.issued.isEmpty)
  }

  @Test func strongestRuleWinsAndShadowOnlyCounts() throws {
    let bench = try profile(
      RedactionRule(id: "a", detect: [.email], action: .flag), RedactionRule(id: "b", detect: [.email], action: .mask),
      RedactionRule(id: "c", detect: [.ip], action: .block, mode: .shadow))
    let outcome = try bench.redact("a@b.ch 10.1.2.3")
    #expect(outcome.text == "[EMAIL] 10.1.2.3")
    #expect(outcome.counts.shadowed(.ip) == 1 && outcome.counts.count(.email, .mask) == 1)
  }

  @Test func levelDecidesWhetherARuleActs() throws {
    let text = "Auftrag 04412345678 liegt vor"
    #expect(try profile(RedactionRule(id: "a", detect: [.phone])).redact(text).text == text)
    let low = try profile(RedactionRule(id: "a", detect: [.phone], action: .mask, minimum: .possible)).redact(text)
    #expect(low.text == "Auftrag [PHONE] liegt vor")
  }

  @Test func listsMatchFoldedWholeWordsTheLongest() throws {
    let bench = try profile(
      RedactionRule(
        id: "l", lists: [.init(name: "mandanten", entries: ["Müller AG", "Müller AG Zürich", "Groß"])], action: .mask))
    #expect(
      try bench.redact("die MUELLER AG Zürich, müller ag, Müller, GROSS, Grosser").text
        == "die [MANDANTEN], [MANDANTEN], Müller, [MANDANTEN], Grosser")
  }

  @Test func patternsComeThroughThePort() throws {
    struct Literal: PatternSet {
      let count = 1
      func match(_ text: UnsafeRawBufferPointer, into hits: inout [PatternHit]) throws(RedactionError) {
        for start in 0..<max(0, text.count - 3) where text[start] == 0x44 && text[start + 1] == 0x2D {
          hits.append(PatternHit(pattern: 0, start: start, end: start + 4))
        }
      }
    }
    let rule = RedactionRule(id: "d", patterns: [.init(name: "dossier", regex: "D-..")], action: .pseudonymise)
    let bench = try Bench(RedactionProfile(name: "p", rules: [rule], patterns: Literal()))
    let outcome = try bench.redact("Akte D-12 und D-34")
    #expect(outcome.text.contains("[DOSSIER_") && outcome.counts.count(.pattern, .pseudonymise) == 2)
    #expect(bench.restore(outcome.text) == "Akte D-12 und D-34")
    #expect(try bench.found("x [DOSSIER_0a1b2c3d]") == ["text": 1])
  }

  @Test func refusesProfilesThatCannotWork() {
    let wrong: [[RedactionRule]] = [
      [RedactionRule(id: "a")], [RedactionRule(id: "a", detect: [.email], action: .surrogate)],
      [RedactionRule(id: "a", detect: [.apiKey], action: .pseudonymise)],
      [RedactionRule(id: "a", detect: [.email]), RedactionRule(id: "a", detect: [.ip])],
      [RedactionRule(id: "a", patterns: [.init(name: "x", regex: "y")])],
      [RedactionRule(id: "a", lists: [.init(name: "1x", entries: ["y"])])],
      [RedactionRule(id: "a", lists: [.init(name: "x", entries: ["--"])])],
    ]
    for rules in wrong {
      #expect {
        try RedactionProfile(name: "p", rules: rules)
      } throws: {
        ($0 as? RedactionError)?.code == .invalidProfile
      }
    }
  }

  @Test func namesAndGroupsOfPolicies() {
    #expect(FindingType.named("steuer-id")?.label == "STEUER_ID")
    #expect(FindingType.named("text") == nil && FindingType.named("person") == nil)
    #expect(FindingType.expand("contact") == [.email, .phone])
    #expect(FindingType.expand("nothing") == nil)
    for type in FindingType.all { #expect(type.label.utf8.count <= 16) }
  }

  @Test func refusesSegmentsOutsideOfTheBody() throws {
    let bench = try Bench.everything()
    for segment in [TextSegment(start: 0, end: 9), TextSegment(start: -1, end: 1), TextSegment(start: 3, end: 2)] {
      #expect {
        try bench.redact(bytes: [0x61, 0x62, 0x63, 0x64], [segment])
      } throws: {
        ($0 as? RedactionError)?.code == .unavailable
      }
    }
  }

  @Test func manyFindingsAreRefusedNotLetThrough() throws {
    let bench = try Bench.everything(.mask)
    let text = (0..<50_001).map { "a\($0)@b.ch" }.joined(separator: " ")
    #expect {
      try bench.redact(text)
    } throws: {
      ($0 as? RedactionError)?.code == .tooMany
    }
  }

  private static let hostile = [
    "a", "1", "@", "[", "eyJ", "-----BEGIN ", "a@", "a.", "7 5 6 ", "1 2 3 ", "+41", "0", "://", "sk-", "ghp_", "IBAN_",
    "CH93 ", "key=", "Passwort: ", "(at)", "-----BEGIN PRIVATE KEY-----", "eyJa.", "%40", "a@b.c", "1.", "\\",
    "4111 1111 ",
    "x:y@", "AKIA", "Tel 0", "müller@", "[TEXT_", "QUFB", "%41", "%", "%4", "AbC9/", "SGVsbG8gV29ybGQhISEhIQ==",
    "TWF4 ",
    "bWF4QGV4YW1wbGUuY2ggbWF4 ", "a%20b%20c%20d ", "а", "α", "аб ", "С-",
  ]

  @Test(arguments: hostile) func workGrowsInStepWithTheText(_ piece: String) throws {
    let bench = try Bench.everything(.mask, minimum: .possible)
    func work(_ count: Int) throws -> Int {
      _ = try bench.redact(String(repeating: piece, count: count / piece.utf8.count))
      return bench.redactor.work
    }
    let small = try work(8_000)
    let large = try work(32_000)
    #expect(large <= small * 9 / 2 + 2_000, "\(piece): \(small) → \(large)")
    #expect(large <= 32_000 * 320)
  }
}
