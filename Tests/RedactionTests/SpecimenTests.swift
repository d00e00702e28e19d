import Redaction
import Testing

/// Published specimens and their spellings: what is found, and what is not.
@Suite("Types by specimen")
struct SpecimenTests {
  private static let found: [(String, String)] = [
    ("ahv", "AHV 756.9217.0769.85 liegt bei"), ("ahv", "7569217076985"), ("ahv", "756 9217 0769 85"),
    ("ahv", "756-9217-0769-85"), ("ahv", "7 5 6 . 9 2 1 7 . 0 7 6 9 . 8 5"), ("ahv", "756.9217.\n0769.85"),
    ("ahv", "756\u{A0}9217\u{202F}0769\u{2009}85"), ("ahv", "\u{FF17}\u{FF15}\u{FF16}.9217.0769.85"),
    ("ahv", "756\u{200B}.92\u{AD}17.0769.85"), ("ahv", "\u{1D7D5}56.9217.0769.85"), ("ahv", "12 756.9217.0769.85"),
    ("ch-uid", "CHE-123.456.788 MWST"), ("ch-uid", "CHE123456788"), ("ch-uid", "che 123 456 788"),
    ("steuer-id", "86095742719"), ("steuer-id", "86 095 742 719"), ("steuer-id", "IdNr. 86.095.742.719"),
    ("rvnr", "15 070649 C 103"), ("rvnr", "15070649C103"), ("rvnr", "04 150872 P 084"), ("kvnr", "A123456780"),
    ("de-vat-id", "DE136695976"),
    ("de-vat-id", "USt-IdNr. DE 136 695 976"), ("svnr", "1237 010180"), ("svnr", "1237010180"),
    ("svnr", "SV-Nr. 1237-010180"), ("at-uid", "ATU13585627"), ("at-uid", "ATU 13585627"),
    ("iban", "CH93 0076 2011 6238 5295 7"), ("iban", "CH9300762011623852957"), ("iban", "ch93 0076 2011 6238 5295 7"),
    ("iban", "AT61 1904 3002 3457 3201"), ("iban", "LI21 0881 0000 2324 013A A"),
    ("iban", "DE89-3704-0044-0532-0130-00"),
    ("iban", "DE89\u{A0}3704\u{A0}0044\u{A0}0532\u{A0}0130\u{A0}00"),
    ("iban", "CH93\u{2011}0076\u{2011}2011\u{2011}6238\u{2011}5295\u{2011}7"),
    ("iban", "GB82 WEST 1234 5698 7654 32"), ("iban", "IBAN:CH93 0076 2011\n6238 5295 7."),
    ("card", "4111 1111 1111 1111"), ("card", "4111111111111111"), ("card", "3782 822463 10005"),
    ("card", "5555-5555-5555-4444"), ("card", "2223003122003222"),
    ("email", "max.muster@example.ch"), ("email", "Max.Muster+tag@sub.example.co.at."), ("email", "<a@b.ch>"),
    ("email", "info@müller-söhne.de"), ("email", "jörg@example.de"), ("email", "info@xn--mller-kva.de"),
    ("email", "max.muster(at)example.ch"), ("email", "max [at] example.ch"), ("email", "max%40example.ch"),
    ("email", "max\u{FF20}example.ch"), ("email", "max&#64;example.ch"), ("email", "E-Mail max @ example.ch"),
    ("email", "max@exam\u{200B}ple.ch"), ("email", "max\\_muster@example.ch"),
    ("phone", "+41 79 123 45 67"), ("phone", "+41 (0)79 123 45 67"), ("phone", "0041 79 123 45 67"),
    ("phone", "079 123 45 67"), ("phone", "0791234567"), ("phone", "(044) 123 45 67"), ("phone", "044/123 45 67"),
    ("phone", "+49 171 1234567"), ("phone", "0171 1234567"), ("phone", "030 123456-78"), ("phone", "089/12345678"),
    ("phone", "+43 664 1234567"), ("phone", "0664 1234567"), ("phone", "+423 234 56 78"), ("phone", "+1 212 555 0123"),
    ("phone", "+33 1 23 45 67 89"), ("phone", "Tel. 0441234567"), ("ip", "Server 192.168.10.24 antwortet"),
    ("password", "Passwort: hunter2!"), ("password", "DB_PASSWORD=s3cr3tpw"), ("password", "password is 'abc123xyz'"),
    ("password", "{\"password\": \"p4ss-w0rd\"}"), ("password", "Das Kennwort lautet Sommer2024!"),
    ("password", "mailPassword = geh3im"), ("password", "**Passwort:** abc123x"),
    ("password", "passphrase: \"correct horse 9 battery\""),
    ("url-credentials", "postgres://app:s3cr3t@db.intern:5432/x"),
  ]

  @Test(arguments: found.indices) func finds(_ index: Int) throws {
    let (type, text) = Self.found[index]
    #expect(try Bench.everything().found(text) == [type: 1], "\(text)")
  }

  /// Latin letters replaced by Greek and Cyrillic ones that look the same; each comes back as it was typed.
  private static let lookAlikes: [(String, String)] = [
    ("iban", "\u{421}\u{41D}93 0076 2011 6238 5295 7"), ("iban", "C\u{397}9300762011623852957"),
    ("iban", "GB82 W\u{415}S\u{422} 1234 5698 7654 32"), ("ch-uid", "\u{421}\u{41D}\u{415}-123.456.788"),
    ("at-uid", "\u{391}\u{422}U13585627"), ("at-uid", "\u{391}\u{422}\u{423}X ATU13585627"),
    ("kvnr", "\u{410}123456780"), ("email", "m\u{430}\u{445}@ex\u{430}mple.ch"),
    ("password", "P\u{430}ssw\u{43E}rt: hunter2!"), ("iban", "\\u0421\\u041d93 0076 2011 6238 5295 7"),
  ]

  @Test(arguments: lookAlikes.indices) func findsLettersOfOtherScripts(_ index: Int) throws {
    let (type, text) = Self.lookAlikes[index]
    for depth: UInt8 in [0, 1] where depth == 1 || !text.contains("\\") {
      let bench = try Bench.everything()
      let outcome = try bench.redact("Привет \(text)", depth: depth)
      #expect(outcome.counts.count(try #require(FindingType.named(type)), .pseudonymise) == 1, "\(text)")
      #expect(outcome.counts.total == 1)
      if !text.contains("\\") { #expect(bench.restore(outcome.text, depth: Int(depth)) == "Привет \(text)") }
    }
  }

  @Test func wordsOfAnotherScriptStayTheirOwn() throws {
    let rule = RedactionRule(id: "l", lists: [.init(name: "namen", entries: ["Сорока", "Ιωάννης"])], action: .mask)
    let bench = try Bench(RedactionProfile(name: "p", rules: [rule]))
    #expect(try bench.redact("\\nСорока и Ιωάννης, 5 мая", depth: 1).text == "\\n[NAMEN] и [NAMEN], 5 мая")
    #expect(try bench.redact("Copoкa", depth: 1).counts.total == 0)
  }

  private static let clean = [
    "756.9217.0769.84", "7569217076986", "1756.9217.0769.85", "756.9217.0769.851", "x7569217076985", "7569217076985a",
    "CHE-123.456.789", "86095742718", "11111111111", "06095742719", "A123456781", "DE136695977", "ATU13585628",
    "1238 010180", "CH93 0076 2011 6238 5295 8", "CH93 0076 2011 6238 5295", "XX93 0076 2011 6238 5295 7",
    "aCH9300762011623852957", "4111 1111 1111 1112", "9111 1111 1111 1111", "a@b", "@example.ch", "max@", "a@b.c",
    "max@example.123", "01.02.2024", "2024-01-02 10:33:12", "0.123456789", "1'234'567.80", "1,234,567.89",
    "Version 10.2.33.4", "127.0.0.1", "255.255.255.0", "Fr. 12.50", "CHF 1 234 567.00", "3.14159265358979",
    "Rechnung 2024-00012345", "SHA 3fa85f64b7c1d2e9aa01", "550e8400-e29b-41d4-a716-446655440000", "v1.2.3-0123456",
    "Passwort: ${DB_PASSWORD}", "password = os.environ['X1']", "Passwort vergessen? Klicken Sie hier 1x.",
    "Das Passwort ist zu kurz", "https://example.ch/a:b@c", "http://host:8080/x@y", "key: value", "10:30 - 11:45",
    "0800", "§ 123 Abs. 4", "ISBN 978-3-16-148410-0", "0.5.0.1234567", "12/34/56/78/90",
    "Bestellnummer 4111111111111111",
  ]

  @Test(arguments: clean) func leaves(_ text: String) throws {
    #expect(try Bench.everything().found(text) == [:], "\(text)")
    #expect(try Bench.everything().redact(text).text == text)
  }

  /// Halves are joined here, so that no scanner stops this file.
  private static let secrets: [(String, String)] = [
    ("AKIA", "Q7RS2TUVWX3YZ4AB"), ("ghp_", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"), ("glpat-", "a1B2c3D4e5F6g7H8i9J0"),
    ("sk-ant-", "api03-" + String(repeating: "aB3dE5gH", count: 12) + "AA"),
    ("sk-proj-", "aB3dE5gH7jK9mN1pQ3sT5vX7zA9cE1gI3kM5oQ7sU9wY"),
    ("AIza", "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q"), ("xoxb-", "123456789012-abcdefGHIJKL"),
    ("SG.", "a1B2c3D4e5F6g7H8i9J0k1." + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V"),
    ("hf_", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7"), ("npm_", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"),
    ("sk_live_", "a1B2c3D4e5F6g7H8"), ("th_", "0123456789abcdef0123456789abcdef_a1B2c3D4e5F6g7H8i9J0k1L2m3N4"),
    ("dop_v1_", String(repeating: "0123456789abcdef", count: 4)),
  ]

  @Test(arguments: secrets.indices) func findsKeysByPrefix(_ index: Int) throws {
    let secret = Self.secrets[index].0 + Self.secrets[index].1
    let outcome = try Bench.everything(.mask).redact("export X=\(secret) # ok")
    #expect(outcome.text == "export X=[API_KEY] # ok")
  }

  @Test func aVendorsPrefixCountsWhateverWordFollows() throws {
    for (prefix, body) in [
      ("AKIA", "IOSFODNN7EXAMPLE"), ("ghp_", "exampleB2c3D4e5F6g7H8i9J0k1L2m3N4o5P"),
      ("sk-proj-", "placeholderE5gH7jK9mN1pQ3sT5vX7zA9cE1gI3kM5oQ7s"), ("xoxb-", "123456789012-changemeIJKL"),
      ("sk_live_", "a1B2xxxxc3D4e5F6"),
    ] {
      #expect(try Bench.everything(.mask).redact("k \(prefix + body).").text == "k [API_KEY].", "\(body)")
    }
    for body in ["XXXXXXXXXXXXXXXX", "AAAAAAAAAAAAAAAA"] {
      #expect(try Bench.everything().found("AKIA" + body) == [:])
    }
  }

  @Test func findsKeysByTheWordBefore() throws {
    let secret = "wJalrXUtnFEMI7K7MDENG" + "bPxRfiCYzq3kPx8Lm2Q"
    #expect(try Bench.everything().found("aws_secret_access_key = \(secret)") == ["api-key": 1])
    #expect(try Bench.everything().found("api_token: \"q7Rt2Lm9Xz4Kp8Vb3Nw6\"") == ["high-entropy": 1])
    #expect(try Bench.everything().found("commit q7Rt2Lm9Xz4Kp8Vb3Nw6") == [:])
    #expect(try Bench.everything().found("api_token: q7Rt2Lm9XzEXAMPLE4Kp8Vb3Nw6") == [:])
  }

  @Test(arguments: [
    "aws_secret_access_key = *", "AWS_SECRET_ACCESS_KEY=*", "{\"SecretAccessKey\": \"*\"}", "secretAccessKey: '*'",
    "export AWS_SECRET_KEY=\"*\"",
  ])
  func findsTheSecretOfAWSDocumentation(_ form: String) throws {
    let secret = "wJalrXUtnFEMI/K7MDENG" + "/bPxRfiCYEXAMPLEKEY"
    let parts = form.split(separator: "*", omittingEmptySubsequences: false)
    let outcome = try Bench.everything(.mask).redact(parts.joined(separator: secret))
    #expect(outcome.text == parts.joined(separator: "[API_KEY]"))
  }

  @Test func findsTokensAndPrivateKeys() throws {
    let header = "eyJhbGciOiJIUzI1" + "NiIsInR5cCI6IkpXVCJ9"
    #expect(try Bench.everything().found("Bearer \(header).eyJzdWIiOiIxIn0.c2lnbmF0dXJl") == ["jwt": 1])
    #expect(try Bench.everything().found("eyJmb28iOiJiYXIifQ.eyJzdWIiOiIxIn0.c2lnbmF0dXJl") == [:])
    let begin = "-----BEGIN RSA PRIVATE" + " KEY-----\n"
    let body = "MIIEowIBAAKCAQEA7b\nq7Rt2Lm9Xz4Kp8Vb3Nw6\n"
    let end = "-----END RSA PRIVATE" + " KEY-----"
    #expect(try Bench.everything(.mask).redact("a\n\(begin)\(body)\(end)\nb").text == "a\n[PRIVATE_KEY]\nb")
    #expect(try Bench.everything(.mask).redact("a\n\(begin)\(body)").text == "a\n[PRIVATE_KEY]")
    #expect(try Bench.everything().found("-----BEGIN CERTIFICATE-----\n\(body)") == [:])
  }
}
