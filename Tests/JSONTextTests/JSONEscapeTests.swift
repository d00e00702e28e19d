import JSONText
import Testing

@Suite struct JSONEscapeTests {
  private func escaped(_ text: String, depth: UInt8) -> String {
    let out = ByteArena()
    JSONEscape.append(text, depth: depth, to: out)
    return String(decoding: out.bytes, as: UTF8.self)
  }

  private func unescaped(_ text: String, depth: UInt8) -> String {
    let out = ByteArena()
    out.append("kept")
    withBytes(Array(text.utf8)) { JSONEscape.unescape($0, depth: depth, to: out) }
    return String(decoding: out.bytes.dropFirst(4), as: UTF8.self)
  }

  @Test(arguments: [
    ("", "", ""), ("plain", "plain", "plain"), ("a\"b", "a\\\"b", "a\\\\\\\"b"), ("a\\b", "a\\\\b", "a\\\\\\\\b"),
    ("\n\r\t\u{8}\u{C}", "\\n\\r\\t\\b\\f", "\\\\n\\\\r\\\\t\\\\b\\\\f"),
    ("\u{1}\u{1F}", "\\u0001\\u001f", "\\\\u0001\\\\u001f"),
    ("Zürich 😀 /", "Zürich 😀 /", "Zürich 😀 /"),
  ])
  func escapesForBothDepths(text: String, once: String, twice: String) {
    #expect(escaped(text, depth: 1) == once)
    #expect(escaped(text, depth: 2) == twice)
    // Escaping deeper is escaping again.
    #expect(escaped(once, depth: 1) == twice)
  }

  @Test(arguments: [
    ("\\u00e9", "é"), ("\\u0041\\u00DF\\u20ac", "Aß€"), ("\\ud83d\\ude00", "😀"), ("\\ud83d", "\u{FFFD}"),
    ("\\ude00x", "\u{FFFD}x"), ("\\ud83d\\u0041", "\u{FFFD}A"), ("\\/\\b\\f\\n\\r\\t", "/\u{8}\u{C}\n\r\t"),
    ("\\x", "\\x"), ("a\\", "a\\"), ("\\u12", "\\u12"), ("\\u12G4", "\\u12G4"),
  ])
  func unescapes(raw: String, text: String) { #expect(unescaped(raw, depth: 1) == text) }

  @Test func escapesAtEveryDistance() {
    for padding in 0..<97 {
      let lead = String(repeating: "x", count: padding)
      for (text, raw) in [("\"", "\\\""), ("\n", "\\n"), ("ü\"", "ü\\\""), ("\u{7F}", "\u{7F}")] {
        #expect(escaped(lead + text + lead, depth: 1) == lead + raw + lead)
      }
    }
  }

  @Test func whatIsEscapedComesBack() {
    var random = SeededGenerator(seed: 7)
    let scalars: [Unicode.Scalar] = ["\"", "\\", "\n", "\u{0}", "\u{1F}", "a", "b", "ü", "€", "😀", "\u{7F}", "/", "u"]
    for _ in 0..<2_000 {
      var text = ""
      for _ in 0..<Int.random(in: 0...40, using: &random) {
        if let scalar = scalars.randomElement(using: &random) { text.unicodeScalars.append(scalar) }
      }
      for depth: UInt8 in 1...2 {
        let raw = escaped(text, depth: depth)
        #expect(unescaped(raw, depth: depth) == text)
        #expect(refusal(of: "\"\(raw)\"") == nil)
      }
      let length = withBytes(Array(escaped(text, depth: 1).utf8)) { JSONEscape.unescapedLength($0) }
      #expect(length == text.utf8.count)
    }
  }

  @Test(arguments: ["\\u00e9\\u0041", "\\ud83d\\ude00", "x\\n\\\"y", "", "plain", "\\u20ac"])
  func countsWhatUnescapingWrites(raw: String) {
    let length = withBytes(Array(raw.utf8)) { JSONEscape.unescapedLength($0) }
    #expect(length == unescaped(raw, depth: 1).utf8.count)
  }
}
