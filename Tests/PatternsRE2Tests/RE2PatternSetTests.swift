import PatternsRE2
import Redaction
import Testing

@Suite("Patterns by RE2")
struct RE2PatternSetTests {
  private func hits(_ patterns: [String], _ text: String) throws -> [PatternHit] {
    let set = try RE2PatternSet(patterns.map { RedactionRule.Pattern(name: "p", regex: $0) })
    var hits: [PatternHit] = []
    var text = text
    try text.withUTF8 { try set.match(UnsafeRawBufferPointer($0), into: &hits) }
    return hits.sorted { ($0.start, $0.pattern) < ($1.start, $1.pattern) }
  }

  @Test func findsEveryMatchOfEveryPattern() throws {
    let found = try hits(["D-[0-9]{4}/[0-9]{2}", "K[0-9]+"], "D-1234/56 K7 D-9999/01")
    #expect(
      found == [
        PatternHit(pattern: 0, start: 0, end: 9), PatternHit(pattern: 1, start: 10, end: 12),
        PatternHit(pattern: 0, start: 13, end: 22),
      ])
  }

  @Test func takesTheLongestOfTheLeftmost() throws {
    #expect(try hits(["ab|abcd"], "xabcd") == [PatternHit(pattern: 0, start: 1, end: 5)])
  }

  @Test(arguments: ["(a", "a*", "(?=x)", "(a)\\1", "((a{100}){100}){100}", "x{1001}", ""])
  func refusesWhatCannotBeKept(_ regex: String) {
    #expect {
      try RE2PatternSet([RedactionRule.Pattern(name: "p", regex: regex)])
    } throws: {
      ($0 as? RedactionError)?.code == .invalidProfile
    }
  }

  @Test func namesThePatternAndTheReason() {
    #expect {
      try RE2PatternSet([RedactionRule.Pattern(name: "dossier", regex: "(")])
    } throws: {
      ($0 as? RedactionError)?.message.contains("dossier") == true
    }
  }

  @Test func takesZeroBytesAndBrokenUTF8AsText() throws {
    let set = try RE2PatternSet([RedactionRule.Pattern(name: "p", regex: "K[0-9]+")])
    var hits: [PatternHit] = []
    let bytes: [UInt8] = [0, 0xFF, 0x4B, 0x31, 0, 0xC3, 0x4B, 0x32]
    try bytes.withUnsafeBytes { try set.match($0, into: &hits) }
    #expect(hits == [PatternHit(pattern: 0, start: 2, end: 4), PatternHit(pattern: 0, start: 6, end: 8)])
  }

  @Test func hostilePatternStaysLinear() throws {
    let text = String(repeating: "a", count: 200_000) + "!"
    #expect(try hits(["(a+)+b$"], text).isEmpty)
  }
}
