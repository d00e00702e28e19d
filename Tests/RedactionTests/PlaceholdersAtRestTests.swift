import Cryptography
import JSONText
import Testing

@testable import Redaction

/// What an exchange has issued, restored by another one hours later.
struct PlaceholdersAtRestTests {
  private static func issued(_ text: String) throws -> (text: String, issued: IssuedPlaceholders) {
    let profile = try RedactionProfile(
      name: "people", rules: [RedactionRule(id: "people", detect: [.email, .iban], action: .pseudonymise)])
    let result = try Redactor().redactText(text, profile: profile, key: try HMACKey([UInt8](repeating: 3, count: 32)))
    return (result.text, result.issued)
  }

  private static func restored(_ text: String, _ issued: IssuedPlaceholders) -> String {
    var restorer = Restorer()
    let (input, out) = (ByteArena(), ByteArena())
    defer { withExtendedLifetime(input) {} }
    input.append(utf8: text)
    restorer.feed(input.bytes, depth: 0, issued: issued, into: out)
    restorer.finish(depth: 0, issued: issued, into: out)
    return out.text
  }

  private static let mails = (0..<20).map { "anna\($0)" + "@example.ch" }

  @Test(arguments: [1, 8, 9, 20]) func whatWasIssuedComesBack(count: Int) throws {
    let text = Self.mails.prefix(count).joined(separator: " und ") + " https://example.ch/?m=\(Self.mails[0])"
    let (redacted, first) = try Self.issued(text)
    #expect(!redacted.contains("@"))
    let second = IssuedPlaceholders()
    #expect(second.take(encoded: first.encoded))
    #expect(second.count == first.count && second.encoded == first.encoded)
    #expect(Self.restored(redacted, second) == text)
    second.wipe()
    #expect(Self.restored(redacted, second) == redacted)
  }

  @Test func nothingIsTakenOfOtherBytes() throws {
    let bytes = try Self.issued(Self.mails.prefix(3).joined(separator: " ")).issued.encoded
    let issued = IssuedPlaceholders()
    for count in 0..<bytes.count {
      #expect(!issued.take(encoded: Array(bytes.prefix(count))))
      #expect(issued.isEmpty)
    }
    #expect(!issued.take(encoded: bytes + [0]))
    #expect(issued.take(encoded: bytes))
  }

  @Test func mutatedBytesNeverTrap() throws {
    let bytes = try Self.issued(Self.mails.prefix(3).joined(separator: " ")).issued.encoded
    let issued = IssuedPlaceholders()
    for place in bytes.indices {
      for value in [0, 1, 0x7F, 0xFF] as [UInt8] {
        var changed = bytes
        changed[place] = value
        guard issued.take(encoded: changed) else { continue }
        _ = Self.restored("[EMAIL_aaaaaaaa] [X_aaaaaaaa]", issued)
      }
    }
  }
}
