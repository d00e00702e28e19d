import Testing

@testable import Frontend

@Suite("Classes of bytes")
struct OctetTests {
  @Test func tokensAreTchar() {
    let allowed = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
    for byte in UInt8.min...UInt8.max { #expect(Octet.isToken(byte) == allowed.contains(byte), "byte \(byte)") }
  }

  @Test func namesOfHostsAreLettersDigitsAndThreeMore() {
    let allowed = Set("-._0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
    for byte in UInt8.min...UInt8.max {
      let isHost = with([0x61, byte]) { Octet.isHost($0, 0..<2) }
      #expect(isHost == allowed.contains(byte), "byte \(byte)")
    }
  }

  @Test func addressesInBracketsAreHexColonsAndDots() {
    let allowed = Set(":.0123456789abcdefABCDEF".utf8)
    for byte in UInt8.min...UInt8.max {
      let isHost = with([0x5B, byte, 0x5D]) { Octet.isHost($0, 0..<3) }
      #expect(isHost == allowed.contains(byte), "byte \(byte)")
    }
  }

  @Test(arguments: [(0, false), (1, true), (255, true), (256, false)])
  func hostsHaveALength(count: Int, isHost: Bool) {
    #expect(with([UInt8](repeating: 0x61, count: count)) { Octet.isHost($0, 0..<count) } == isHost)
  }

  @Test func matchesIgnoresOnlyTheCaseOfLetters() {
    #expect(with("HoSt") { Octet.matches($0, 0..<4, "host") })
    // 0x40 and 0x60, 0x5B and 0x7B differ by the bit that makes letters lower case.
    #expect(!with("@x") { Octet.matches($0, 0..<2, "`x") })
    #expect(!with("[x") { Octet.matches($0, 0..<2, "{x") })
    #expect(!with("x\rapi") { Octet.matches($0, 0..<5, "x-api") })
    #expect(!with("hos") { Octet.matches($0, 0..<3, "host") })
    #expect(!with("hosts") { Octet.matches($0, 0..<5, "host") })
    #expect(!with("hos") { Octet.matches($0, 0..<4, "host") })
  }

  /// Eight bytes are looked at at a time: it must not matter where one that is no text stands.
  @Test func textEndsAtTheFirstByteThatIsNone() {
    for byte in UInt8.min...UInt8.max {
      for place in 0..<20 {
        for filler in [0x20, 0x7E] as [UInt8] {
          var bytes = [UInt8](repeating: filler, count: 20)
          bytes[place] = byte
          let end = (0x20...0x7E).contains(byte) ? 20 : place
          #expect(with(bytes) { Octet.endOfText($0, from: 0) } == end, "byte \(byte) at \(place)")
        }
      }
    }
  }

  @Test(arguments: [(0, 0), (1, 12), (4, 12), (11, 12), (12, 12)])
  func textIsLookedForFromWhereItIsAsked(start: Int, end: Int) {
    #expect(with("\u{1}two words!!") { Octet.endOfText($0, from: start) } == end)
  }

  @Test func equalKeepsTheCase() {
    #expect(with("xGET") { Octet.equal($0, 1..<4, "GET") })
    #expect(!with("xGet") { Octet.equal($0, 1..<4, "GET") })
    #expect(!with("xGE") { Octet.equal($0, 1..<4, "GET") })
  }

  @Test(arguments: [
    ("a", 0..<1), ("  a\t ", 2..<3), ("\t\t", 2..<2), ("", 0..<0), (" a b ", 1..<4), ("\u{B}a", 0..<2),
  ])
  func trimsBlanksOnly(text: String, range: Range<Int>) {
    #expect(with(text) { Octet.trimmed($0, 0..<$0.count) } == range)
  }

  @Test(arguments: [
    ("content_length", true), ("CONTENT_LENGTH", true), ("content-length", true), ("content__length", false),
    ("content_lengths", false), ("x_torhaus_", true), ("x_torhaus", false), ("x-torhaus_any", true),
    ("session_id", false), ("_", false), ("", false),
  ])
  func imitationsAreSeenThroughTheDash(name: String, imitates: Bool) {
    #expect(with(name) { Octet.imitatesGuarded($0, 0..<$0.count) } == imitates)
  }

  private func with<Result>(_ text: String, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    with(Array(text.utf8), body)
  }

  private func with<Result>(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    bytes.withUnsafeBytes(body)
  }
}
