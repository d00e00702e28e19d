import JSONText
import Testing

@Suite struct NestedJSONTests {
  private struct Found: Equatable {
    var text: String
    var kind: TextSegment.Kind
  }

  /// Escapes `inner` as the content of a JSON string and gives the texts found in it; nil if it is no JSON.
  private func texts(in inner: String, escapingMore: Bool = false) -> [Found]? {
    let outer = ByteArena()
    outer.append("\"")
    if escapingMore {
      for unit in inner.utf16 {
        let digits = String(unit, radix: 16)
        outer.append(utf8: "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits)
      }
    } else {
      JSONEscape.append(inner, to: outer)
    }
    outer.append("\"")
    var group: Int32 = 3
    var segments: [TextSegment] = []
    let content = ByteRange(1, outer.count - 1)
    guard NestedJSON.appendSegments(of: content, in: outer.bytes, group: &group, to: &segments) else {
      #expect(segments.isEmpty && group == 3)
      return nil
    }
    #expect(segments.map(\.group) == (0..<segments.count).map { 3 + Int32($0) })
    return segments.map { segment in
      let text = ByteArena()
      JSONEscape.unescape(ByteRange(segment.start, segment.end).of(outer.bytes), depth: segment.depth, to: text)
      return Found(text: String(decoding: text.bytes, as: UTF8.self), kind: segment.kind)
    }
  }

  @Test(arguments: [false, true])
  func findsValuesNamesAndLongNumbers(escapingMore: Bool) {
    let inner = """
      { "city" : "Zürich", "note": "say \\"hi\\"\\n\\u00e9 😀", "list":["a",["b",{}],true,null,-1.5e3], "deep":{"k":"v"}}
      """
    #expect(
      texts(in: inner, escapingMore: escapingMore) == [
        Found(text: "city", kind: .name), Found(text: "Zürich", kind: .string), Found(text: "note", kind: .name),
        Found(text: "say \"hi\"\né 😀", kind: .string), Found(text: "list", kind: .name),
        Found(text: "a", kind: .string), Found(text: "b", kind: .string), Found(text: "deep", kind: .name),
        Found(text: "k", kind: .name), Found(text: "v", kind: .string),
      ])
  }

  @Test func numbersOfNineDigitsAreText() {
    #expect(
      texts(in: "{\"\":7569217076985,\"\":12345678,\"\":1234567.89}") == [
        Found(text: "7569217076985", kind: .number), Found(text: "1234567.89", kind: .number),
      ])
  }

  @Test(arguments: [
    "", " ", "{", "{\"a\"", "{\"a\":", "{\"a\":\"b", "{\"a\":\"b\"", "[1,]", "{\"a\":1,}", "nope", "{\"a\":01}",
    "\"\\x\"",
    "\"\\ud83d\"", "\"\\ude00\"", "\"a\nb\"", "{} {}", "\"\\u12\"", "tru", "-", "1.", "1e",
  ])
  func whatIsNoJSONIsRefusedWhole(inner: String) { #expect(texts(in: inner) == nil) }

  @Test(arguments: ["{}", "[]", "null", "\"\"", "12", "{\"\":\"\"}", " [ ] "])
  func emptyOnesHaveNoText(inner: String) { #expect(texts(in: inner) == []) }

  @Test(arguments: [(64, true), (65, false)])
  func bindsDepth(depth: Int, isAccepted: Bool) {
    let inner = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    #expect((texts(in: inner) != nil) == isAccepted)
  }

  @Test func agreesWithTheCursorOnWhatIsJSON() {
    var random = SeededGenerator(seed: 11)
    let seed = "{\"a\":[1,-2.5e3,\"x\\u00e9\\ud83d\\ude00\"],\"b\":{\"c\":null,\"d\":true},\"e\":\"say \\\"ü\\\"\"}"
    let pool = Array("\"\\{}[]:,0-.eu dtrnul\n9".utf8)
    for _ in 0..<10_000 {
      var bytes = Array(seed.utf8)
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        if bytes[place] >= 0x80 { continue }
        bytes[place] = pool.randomElement(using: &random) ?? 0
      }
      let inner = String(decoding: bytes, as: UTF8.self)
      let isJSON = refusal(of: inner) == nil
      #expect((texts(in: inner) != nil) == isJSON, "\(inner)")
    }
  }
}
