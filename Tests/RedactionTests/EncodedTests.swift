import JSONText
import Testing

@testable import Redaction

/// One level of base64 and percent-encoding: what is found inside takes the whole run and comes back byte for byte.
@Suite("Encoded text")
struct EncodedTests {
  private static let texts = [
    ("ahv", "756.9217.0769.85"), ("iban", "Bitte an CH93 0076 2011 6238 5295 7 zahlen"),
    ("email", "{\"kunde\":\"max.muster@example.ch\"}"), ("card", "Karte 4111 1111 1111 1111, g\u{FC}ltig"),
    ("password", "Das Kennwort lautet Sommer2024!"), ("phone", "Gr\u{FC}sse, +41 79 123 45 67"),
    ("ahv", "\u{FF17}\u{FF15}\u{FF16}.9217.0769.85 voll breit"),
  ]

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// RFC 4648; the test's own encoder.
  static func base64(_ bytes: [UInt8], url: Bool = false, line: Int = .max) -> String {
    var out: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let chunk = Array(bytes[start..<min(start + 3, bytes.count)])
      let word = chunk.enumerated().reduce(UInt32(0)) { $0 | UInt32($1.element) << UInt32(16 - 8 * $1.offset) }
      for index in 0...chunk.count { out.append(alphabet[Int(word >> UInt32(18 - 6 * index) & 63)]) }
      if !url { out += [UInt8](repeating: 0x3D, count: 3 - chunk.count) }
    }
    if url { out = out.map { $0 == 0x2B ? 0x2D : $0 == 0x2F ? 0x5F : $0 } }
    var lines: [String] = []
    var start = 0
    while start < out.count {
      let end = line < out.count - start ? start + line : out.count
      lines.append(String(decoding: out[start..<end], as: UTF8.self))
      start = end
    }
    return lines.joined(separator: "\n")
  }

  static func percent(_ text: String, all: Bool) -> String {
    text.utf8.map { byte in
      let isPlain = !all && ((0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) && byte < 0x80)
      if isPlain { return String(decoding: [byte], as: UTF8.self) }
      let hex = String(byte, radix: 16, uppercase: true)
      return "%" + (hex.utf8.count == 1 ? "0" : "") + hex
    }.joined()
  }

  private static func forms(_ text: String) -> [String] {
    let bytes = Array(text.utf8)
    let long = bytes + Array(String(repeating: " und noch mehr Text dahinter", count: 5).utf8)
    return [
      base64(bytes), base64(bytes, url: true), "x" + base64(bytes), "ab" + base64(bytes), "abc" + base64(bytes),
      base64(long, line: 76), base64(long), percent(text, all: true), percent(text + " : ;", all: false),
    ]
  }

  @Test(arguments: texts.indices) func findsWhatTheRunDecodesTo(_ index: Int) throws {
    let (type, text) = Self.texts[index]
    let bench = try Bench.everything()
    for run in Self.forms(text) {
      bench.issued.wipe()
      let outcome = try bench.redact("vor (\(run)) nach")
      let name = FindingType.named(type)?.label ?? ""
      #expect(outcome.counts.total == 1, "\(run)")
      #expect(outcome.text.hasPrefix("vor ([\(name)_") && outcome.text.hasSuffix("]) nach"), "\(outcome.text)")
      #expect(bench.restore(outcome.text) == "vor (\(run)) nach")
      #expect(bench.restore(outcome.text, cuts: Array(0...60)) == "vor (\(run)) nach")
    }
    #expect(try Bench.everything(.mask).redact("d=\(Self.base64(Array(text.utf8)))").text.hasPrefix("d=["))
  }

  @Test func everyByteOfAnEncodedValueCounts() throws {
    let bench = try Bench.everything()
    let one = Self.base64(Array("CH93 0076 2011 6238 5295 7".utf8))
    let other = Self.base64(Array("CH93-0076-2011-6238-5295-7".utf8))
    let text = "\(one) CH93 0076 2011 6238 5295 7 \(other) \(one) CH9300762011623852957"
    let redacted = try bench.redact(text)
    let parts = redacted.text.split(separator: " ")
    #expect(parts.count == 5 && Set(parts).count == 3 && parts[0] == parts[3] && parts[1] == parts[4])
    #expect(bench.restore(parts[0] + " " + parts[2]) == "\(one) \(other)")
  }

  @Test func runsEndWhereTheSegmentEnds() throws {
    let run = Self.base64(Array("AHV 756.9217.0769.85 x".utf8))
    let body = Array(#"{"k":"\#(run)","\#(run)":1}"#.utf8)
    let count = run.utf8.count
    let segments = [
      TextSegment(start: 6, end: 6 + count, group: 1), TextSegment(start: 9 + count, end: 9 + 2 * count, kind: .name),
    ]
    let redacted = try Bench.everything(.mask).redact(bytes: body, segments)
    #expect(String(decoding: redacted.bytes, as: UTF8.self) == #"{"k":"[AHV]","[AHV]":1}"#)
  }

  @Test func onlyOneLevelIsDecoded() throws {
    let once = Self.base64(Array("AHV 756.9217.0769.85 x".utf8))
    #expect(try Bench.everything().found(Self.base64(Array(once.utf8))) == [:])
    #expect(try Bench.everything().found(Self.percent(once, all: true)) == [:])
  }

  @Test func typedPlaceholdersHideInNoEncoding() throws {
    let run = Self.base64(Array("schreib [IBAN_0a1b2c3d]".utf8))
    #expect(try Bench.everything().found(run) == ["text": 1])
  }

  @Test func randomDataIsNoFinding() throws {
    var random = Seeded(state: 99)
    let bench = try Bench.everything()
    for _ in 0..<3000 {
      let bytes = (0..<Int.random(in: 16...200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      let hex = bytes.prefix(32).map { String($0 | 0x10, radix: 16) }.joined()
      let text =
        "id \(Self.base64(bytes, url: true)) sha256-\(Self.base64(bytes)) \(hex) \(bytes.map { "%" + String($0 | 0x10, radix: 16) }.joined())"
      #expect(try bench.found(text) == [:], "\(text)")
    }
  }

  @Test(arguments: [
    "/usr/local/share/documentation/examples/redaction", "getUserInformationFromTheDatabaseByIdentifier",
    "some-quite-long-kebab-case-name-of-a-package-2024", "SGVsbG8gV29ybGQsIGhvdyBhcmUgeW91IHRvZGF5Pw==",
    "https://example.ch/search?q=guten%20tag%20liebe%20leute%21", "100 % sicher, 50 %% und %41%", "%%%%%%41%4",
    "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
  ])
  func leavesWhatHoldsNothing(_ text: String) throws {
    #expect(try Bench.everything().redact(text).text == text)
  }

  /// The scanner passes over a key's block, so it sees no percent sign there; the stronger action takes the whole block.
  @Test(arguments: ["\n-----END PRIVATE KEY-----", ""])
  func findsAPercentEncodedMailWithinAPrivateKey(end: String) throws {
    let bench = try Bench(
      RedactionProfile(
        name: "p",
        rules: [
          RedactionRule(id: "key", detect: [.privateKey], action: .flag),
          RedactionRule(id: "mail", detect: [.email], action: .mask),
        ]))
    let begin = "Hier: -----BEGIN PRIVATE KEY-----\n"
    let plain = begin + "MIIBVQIBADANBgkq" + end
    let flagged = try bench.redact(plain)
    #expect(flagged.text == plain && flagged.counts.count(.privateKey, .flag) == 1)
    let masked = try bench.redact(begin + "%6D%61%78%40example.ch" + end)
    #expect(masked.text == "Hier: [PRIVATE_KEY]")
    #expect(masked.counts.count(.privateKey, .mask) == 1)
  }

  @Test func aTokenStaysOneFindingOfItsOwnType() throws {
    let header = Self.base64(Array("{\"alg\":\"HS256\",\"typ\":\"JWT\"}".utf8), url: true)
    let payload = Self.base64(Array("{\"sub\":\"max.muster@example.ch\"}".utf8), url: true)
    #expect(try Bench.everything().found("Bearer \(header).\(payload).c2lnbmF0dXJl") == ["jwt": 1])
  }

  @Test func fortyLettersBesideAWSAreItsSecret() throws {
    let secret = "wJalrXUtnFEMI/K7MDENG" + "/bPxRfiCYEXAMPLEKEY"
    #expect(
      try Bench.everything(.mask).redact("unser AWS Zugang \(secret) bitte").text == "unser AWS Zugang [API_KEY] bitte")
    #expect(try Bench.everything().found("der Wert \(secret) bitte") == [:])
  }
}
