import JSONText
import Redaction
import Testing

/// A small seeded generator (SplitMix64): the same cases in every run.
struct Seeded: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}

@Suite("Properties")
struct PropertyTests {
  private static let values = [
    "max.muster@example.ch", "anna+x@müller.de", "CH93 0076 2011 6238 5295 7", "756.9217.0769.85", "+41 79 123 45 67",
    "86 095 742 719", "4111 1111 1111 1111", "postgres://app:s3\"\\cr3t@db.intern/x", "Passwort: a\"b\\c1!", "K-12",
    "192.168.1.20", "CHE-123.456.788", "0171 1234567", "\u{1F600}", "\"quoted\"", "back\\slash",
    "NzU2LjkyMTcuMDc2OS44NQ==", "YW4gbWF4QGV4YW1wbGUuY2ggc2NocmVpYmVu", "max%2Emuster%40example%2Ech",
    "CH93+0076%202011%206238%205295%207",
    "\u{410}\u{422}61 1904 3002 3457 3201", "tab\tnew\nline",
  ]
  private static let glue = [
    " ", ", ", "\n", " und ", "; ", "\t", " – ", " \u{1F469}\u{200D}\u{1F4BB} ", "\"", " \\ ", " ä ",
  ]

  private func text(_ random: inout Seeded) -> String {
    (0..<Int.random(in: 1...12, using: &random)).map { _ in
      (Self.values.randomElement(using: &random) ?? "") + (Self.glue.randomElement(using: &random) ?? "")
    }.joined()
  }

  private func escape(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\t": out += "\\t"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  @Test(arguments: [0, 1, 2]) func redactThenRestoreIsTheIdentityForEveryCut(depth: Int) throws {
    var random = Seeded(state: 42 + UInt64(depth))
    let bench = try Bench.everything()
    var findings = 0
    for _ in 0..<300 {
      bench.issued.wipe()
      var raw = text(&random)
      for _ in 0..<depth { raw = escape(raw) }
      let redacted = try bench.redact(raw, depth: UInt8(depth))
      findings += redacted.counts.total
      #expect(bench.restore(redacted.text, depth: depth, urls: .asSent) == raw)
      let count = redacted.text.utf8.count
      #expect(bench.restore(redacted.text, depth: depth, cuts: Array(0...count)) == raw)
      for _ in 0..<3 {
        let cuts = (0..<4).map { _ in Int.random(in: 0...count, using: &random) }.sorted()
        #expect(bench.restore(redacted.text, depth: depth, cuts: cuts) == raw)
      }
    }
    #expect(findings > 1000)
  }

  @Test func anyBytesAreTakenAndEditsApply() throws {
    var random = Seeded(state: 7)
    let bench = try Bench.everything(minimum: .possible)
    let pieces: [[UInt8]] =
      Self.values.map { Array($0.utf8) }
      + [
        "\\", "\\u", "\\ud83d", "\\ud83d\\ude00", "\\\\u00", "&#", "&#x41;", "&amp;", "[", "IBAN_", "eyJ",
        "-----BEGIN ",
        "PRIVATE KEY-----", "://", "@", "%40", "(at)", "+41", "0", "756", "Passwort:", "key=", "sk-", "\u{300}",
        "\u{AD}", "YW4gbWF4QGV4YW1wbGUuY2ggc2NocmVpYmVu", "%41%42", "%20", "=", "\u{421}", "\\u0421",
      ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0xE2, 0x80], [0xF0, 0x9F], [0], [0xED, 0xA0, 0x80]]
    for _ in 0..<10_000 {
      bench.issued.wipe()
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 0...10, using: &random) {
        if Int.random(in: 0..<4, using: &random) == 0 {
          bytes.append(UInt8.random(in: 0...255, using: &random))
        } else {
          bytes += pieces.randomElement(using: &random) ?? []
        }
      }
      var segments: [TextSegment] = []
      var start = 0
      while start < bytes.count {
        let end = Int.random(in: start...bytes.count, using: &random)
        segments.append(
          TextSegment(
            start: start, end: end, kind: [.string, .string, .name, .number].randomElement(using: &random) ?? .string,
            depth: UInt8.random(in: 0...2, using: &random), hasEscapes: true, isASCII: false,
            group: Int32.random(in: 0...1, using: &random)))
        start = end + Int.random(in: 0...1, using: &random)
      }
      let redacted = try bench.redact(bytes: bytes, segments)
      let depth = Int.random(in: 0...2, using: &random)
      let answer = String(decoding: redacted.bytes, as: UTF8.self)
      let whole = bench.restore(answer, depth: depth)
      #expect(bench.restore(answer, depth: depth, cuts: Array(0...answer.utf8.count)) == whole)
    }
  }

  @Test func textWithoutFindingsIsUntouched() throws {
    var random = Seeded(state: 3)
    let bench = try Bench.everything()
    let words = [
      "Guten", "Tag", "ﬁnden", "x\\u00e4", "ＡＢＣ", "&amp;", "10", "a/b", "\u{FEFF}", "e\u{301}", "[ok]", "IBAN", "\\n",
    ]
    for _ in 0..<500 {
      let raw = (0..<20).map { _ in words.randomElement(using: &random) ?? "" }.joined(separator: " ")
      #expect(try bench.redact(raw, depth: 1).text == raw)
    }
  }
}
