import Cryptography
import Tenancy
import Testing

/// Random bytes that are the same in every run.
func countingBytes(from seed: UInt8) -> (Int) throws(CryptographyError) -> [UInt8] {
  { count in (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ Int(seed)) } }
}

func parse(_ text: [UInt8]) -> KeyToken? { text.withUnsafeBytes { KeyToken(parsing: $0) } }

@Test(arguments: [(KeyToken.Kind.apiKey, "th_", 89), (.adminToken, "tha_", 90)])
func tokenHasPrefixAndLength(kind: KeyToken.Kind, prefix: String, length: Int) throws {
  let (text, token) = try KeyToken.generate(kind, random: countingBytes(from: 1))
  #expect(String(decoding: text, as: UTF8.self).hasPrefix(prefix))
  #expect(text.count == length)
  #expect(parse(text) == token)
  #expect(token.kind == kind)
}

@Test func tokenIdIsTheFirst128RandomBits() throws {
  let (_, token) = try KeyToken.generate(.apiKey) { count throws(CryptographyError) in
    [UInt8](repeating: 0, count: 15) + [9] + [UInt8](repeating: 0xAA, count: count - 16)
  }
  #expect(token.id == 9)
}

@Test func everyChangedByteIsNoticed() throws {
  let (text, _) = try KeyToken.generate(.apiKey, random: countingBytes(from: 3))
  for index in text.indices {
    var changed = text
    changed[index] = changed[index] == 0x61 ? 0x62 : 0x61
    #expect(parse(changed) == nil, "byte \(index)")
  }
}

@Test(arguments: ["", "th_", "tha_", "sk-abc", String(repeating: "a", count: 89), String(repeating: "_", count: 90)])
func whatIsNoTokenIsRefused(text: String) {
  #expect(parse(Array(text.utf8)) == nil)
}

@Test func upperCaseAndForeignLettersAreRefused() throws {
  let (text, _) = try KeyToken.generate(.apiKey, random: countingBytes(from: 5))
  let upper = Array(String(decoding: text, as: UTF8.self).uppercased().utf8)
  #expect(parse(upper) == nil)
  for byte in [0x30, 0x31, 0x38, 0x39, 0x00, 0xFF, 0x20] as [UInt8] {
    var changed = text
    changed[40] = byte
    #expect(parse(changed) == nil)
  }
}

@Test func cutAndExtendedTokensAreRefused() throws {
  let (text, _) = try KeyToken.generate(.adminToken, random: countingBytes(from: 5))
  for length in 0..<text.count { #expect(parse(Array(text[..<length])) == nil) }
  #expect(parse(text + [0x61]) == nil)
}

@Test func tooFewRandomBytesMakeNoToken() {
  #expect(throws: CryptographyError(.wrongLength)) {
    try KeyToken.generate(.apiKey) { _ throws(CryptographyError) in [1, 2, 3] }
  }
}

@Test func aZeroIdMakesNoToken() {
  #expect(throws: CryptographyError.self) {
    try KeyToken.generate(.apiKey) { count throws(CryptographyError) in [UInt8](repeating: 0, count: count) }
  }
}

@Test func randomBytesNeverTrapTheParser() {
  var generator = SplitMix(seed: 7)
  for _ in 0..<20_000 {
    let length = Int(generator.next() % 100)
    let bytes = (0..<length).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    #expect(parse(bytes) == nil)
  }
}

struct SplitMix {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
