import Foundation
import Inference
import JSONText
import Testing

/// What of thinking must change before Anthropic takes a request: thoughts that nothing proves, budgets without room.
@Suite struct MessagesThoughtTests {
  private struct Edited {
    var body: String
    var dropped: [String]
  }

  /// Applies the edits for a candidate, behind those of a redaction of every text `SECRET`.
  private func edited(_ body: String, _ edits: UpstreamEdits = UpstreamEdits(model: "m")) throws -> Edited {
    try withBytes(body) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: .messages)
      var list = EditList()
      for segment in scan.segments where ByteRange(segment.start, segment.end).of(bytes).text == "SECRET" {
        list.replace(segment.start, segment.end, with: "[P]")
      }
      let dropped = scan.addEdits(edits, to: &list, body: bytes)
      let out = ByteArena()
      let isApplied = list.apply(to: bytes, into: out)
      let isJSON = (try? JSONCursor.validate(out.bytes)) != nil
      #expect(isApplied && isJSON, "\(out.text)")
      return Edited(body: out.text, dropped: dropped)
    }
  }

  private static func body(_ turns: String) -> String {
    #"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}\#(turns)]}"#
  }

  private static func turn(_ blocks: String) -> String { #",{"role":"assistant","content":[\#(blocks)]}"# }

  private static let unsigned = #"{"type":"thinking","thinking":"SECRET","signature":""}"#
  private static let signed = #"{"type":"thinking","thinking":"hm","signature":"c2ln"}"#
  private static let redacted = #"{"type":"redacted_thinking","data":"c2ln"}"#
  private static let text = #"{"type":"text","text":"SECRET"}"#
  private static let kept = #"{"type":"text","text":"[P]"}"#

  private static let thoughts: [(String, String, [String])] = [
    // What is proven stays, byte by byte.
    (turn(signed + " , " + redacted + "," + text), turn(signed + " , " + redacted + "," + kept), []),
    (turn(unsigned + "," + text), turn(kept), ["messages[1].content[0]"]),
    (turn(text + ", " + unsigned), turn(kept), ["messages[1].content[1]"]),
    (
      turn(signed + "," + unsigned + " , " + text + "," + unsigned), turn(signed + "," + kept),
      ["messages[1].content[1]", "messages[1].content[3]"]
    ),
    // No signature, one that is none, members in any order.
    (turn(#"{"type":"thinking","thinking":"a"},"# + text), turn(kept), ["messages[1].content[0]"]),
    (turn(#"{"signature":null,"thinking":"a","type":"thinking"},"# + text), turn(kept), ["messages[1].content[0]"]),
    // A turn that holds nothing else goes.
    (turn(unsigned) + turn(text), turn(kept), ["messages[1].content[0]"]),
    (
      turn(text) + " " + turn(unsigned + "," + unsigned), turn(kept),
      ["messages[2].content[0]", "messages[2].content[1]"]
    ),
    (
      #",{"content":[\#(unsigned),\#(text)],"role":"assistant"}"#, #",{"content":[\#(kept)],"role":"assistant"}"#,
      ["messages[1].content[0]"]
    ),
    // Whatever else looks like one is the client's affair.
    (
      #",{"role":"user","content":[\#(signed.replacing("c2ln", with: ""))]}"#,
      #",{"role":"user","content":[\#(signed.replacing("c2ln", with: ""))]}"#, []
    ),
  ]

  @Test(arguments: 0..<thoughts.count)
  func thoughtsThatNothingProvesAreNotSent(number: Int) throws {
    let (turns, wanted, named) = Self.thoughts[number]
    let result = try edited(Self.body(turns))
    #expect(result.body == Self.body(wanted))
    #expect(result.dropped == named)
  }

  /// Each is cut out of all edits, and those are as many: not one by one.
  @Test(.timeLimit(.minutes(1))) func manyThoughtsTakeNoLongerThanTheyAre() throws {
    let many = 60_000
    let thoughts = Array(repeating: Self.unsigned, count: many).joined(separator: ",")
    let result = try edited(Self.body(Self.turn(thoughts + "," + Self.text)))
    #expect(result.body == Self.body(Self.turn(Self.kept)))
    #expect(result.dropped.count == 2_000)
  }

  /// What a client of ours got from another model comes back without harm.
  @Test func aThoughtOfATranslatedAnswerIsOne() throws {
    let plain = TranslatedPlain(
      ProviderScript.plain(AnswerScript.thinking, .chat), from: .chat, to: .messages, rewriter: UnchangedText())
    let start = try #require(plain.out.range(of: #""content":"#)?.upperBound)
    let end = try #require(plain.out.range(of: #","stop_reason""#)?.lowerBound)
    let result = try edited(Self.body(#",{"role":"assistant","content":\#(plain.out[start..<end])}"#))
    #expect(result.dropped == ["messages[1].content[0]"])
    #expect(!result.body.contains("thinking") && result.body.contains("tool_use"))
  }

  private static func thinking(_ asked: Int64, _ thinking: String) -> String {
    #"{"model":"m","max_tokens":\#(asked),"thinking":\#(thinking),"messages":[{"role":"user","content":"Hi"}]}"#
  }

  private static let budgets: [(asked: Int64, limit: Int64, thinking: String, wanted: String?, named: [String])] = [
    (8000, 4000, #"{"type":"enabled","budget_tokens":3999}"#, #"{"type":"enabled","budget_tokens":3999}"#, []),
    (
      8000, 4000, #"{"type":"enabled","budget_tokens": 4000 }"#, #"{"type":"enabled","budget_tokens": 2000 }"#,
      ["thinking.budget_tokens"]
    ),
    (
      8000, 4000, #"{"budget_tokens":7999,"type":"enabled"}"#, #"{"budget_tokens":3999,"type":"enabled"}"#,
      ["thinking.budget_tokens"]
    ),
    // Never less than Anthropic's least.
    (
      64000, 2000, #"{"type":"enabled","budget_tokens":2000}"#, #"{"type":"enabled","budget_tokens":1024}"#,
      ["thinking.budget_tokens"]
    ),
    (
      64000, 1025, #"{"type":"enabled","budget_tokens":2000}"#, #"{"type":"enabled","budget_tokens":1024}"#,
      ["thinking.budget_tokens"]
    ),
    // Between turns with tools a budget may be larger than the limit.
    (
      8000, 4000, #"{"type":"enabled","budget_tokens":20000}"#, #"{"type":"enabled","budget_tokens":3999}"#,
      ["thinking.budget_tokens"]
    ),
    (
      8000, 4000, #"{"type":"enabled","budget_tokens":9223372036854775807}"#,
      #"{"type":"enabled","budget_tokens":3999}"#, ["thinking.budget_tokens"]
    ),
    (8000, 1024, #"{"type":"enabled","budget_tokens":1024}"#, nil, ["thinking"]),
    // A limit that is not lowered is the client's affair.
    (4000, 4000, #"{"type":"enabled","budget_tokens":9000}"#, #"{"type":"enabled","budget_tokens":9000}"#, []),
    (8000, 4000, #"{"type":"adaptive"}"#, #"{"type":"adaptive"}"#, []),
    (8000, 4000, #"{"budget_tokens":null}"#, #"{"budget_tokens":null}"#, []),
    (8000, 4000, "null", "null", []),
  ]

  @Test(arguments: 0..<budgets.count)
  func aBudgetIsLoweredWithItsLimit(number: Int) throws {
    let (asked, limit, thinking, wanted, named) = Self.budgets[number]
    let result = try edited(Self.thinking(asked, thinking), UpstreamEdits(model: "m", maxTokens: limit))
    let whole = Self.thinking(min(asked, limit), wanted ?? "")
    #expect(result.body == (wanted == nil ? whole.replacing(#""thinking":,"#, with: "") : whole))
    #expect(result.dropped == named)
  }
}
