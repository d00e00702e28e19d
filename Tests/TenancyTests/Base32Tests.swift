import Testing

@testable import Tenancy

@Suite("Base32")
struct Base32Tests {
  private static let alphabet = Set("abcdefghijklmnopqrstuvwxyz234567".utf8)

  private static func isValid(_ text: [UInt8]) -> Bool { text.withUnsafeBytes { Base32.isValid($0[...]) } }
  private static func number(_ text: [UInt8], bits: Int) -> UInt128? {
    text.withUnsafeBytes { Base32.number($0[...], bits: bits) }
  }

  /// Many characters are looked at at a time: it must not matter where a foreign one stands.
  @Test(arguments: [0, 7, 15, 16, 31, 32, 50, 51])
  func onlyTheAlphabetIsValid(place: Int) {
    var text = [UInt8](repeating: 0x37, count: 52)
    for byte in UInt8.min...UInt8.max {
      text[place] = byte
      #expect(Self.isValid(text) == Self.alphabet.contains(byte), "byte \(byte)")
      #expect((Self.number([byte], bits: 5) != nil) == Self.alphabet.contains(byte), "byte \(byte)")
    }
  }

  @Test func nothingIsValidAndNoNumber() {
    #expect(Self.isValid([]))
    #expect(Self.number([], bits: 5) == nil)
  }

  @Test(arguments: [0, 1, 1 << 63, 1 << 64, 0x0123_4567_89AB_CDEF_FEDC_BA98_7654_3210, UInt128.max])
  func aNumberIsWhatWasEncoded(value: UInt128) {
    let text = Base32.encode(withUnsafeBytes(of: value.bigEndian) { Array($0) })
    #expect(text.count == 26 && Self.number(text, bits: 128) == value)
    #expect(Self.number(Array(text.dropLast()), bits: 128) == nil)
  }

  /// Two texts of one number would be two names of one key.
  @Test func bitsBehindTheNumberAreZero() {
    let zeros = [UInt8](repeating: 0x61, count: 25)
    #expect(Self.number(zeros + [0x65], bits: 128) == 1)
    for last in [0x62, 0x63, 0x64, 0x66] as [UInt8] { #expect(Self.number(zeros + [last], bits: 128) == nil) }
  }
}
