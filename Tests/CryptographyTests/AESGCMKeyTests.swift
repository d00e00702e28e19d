import Cryptography
import Testing

private func hex(_ bytes: [UInt8]) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

@Suite("AES-256-GCM")
struct AESGCMKeyTests {
  private let zeros = [UInt8](repeating: 0, count: 32)

  /// Test cases 13 and 14 of McGrew and Viega, The Galois/Counter Mode of Operation.
  @Test(
    "It gives the published ciphertexts",
    arguments: [
      (0, "530f8afbc74536b9a963b4f1c4cb738b"),
      (16, "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"),
    ])
  func published(_ count: Int, _ expected: String) throws {
    let key = try AESGCMKey(zeros)
    #expect(hex(try key.seal(Array(zeros[..<count]), nonce: Array(zeros[..<12]), authenticating: [])) == expected)
  }

  @Test("One key seals and opens in any order, and a forgery in between changes nothing")
  func directions() throws {
    let (key, other) = (try AESGCMKey([UInt8](0..<32)), try AESGCMKey([UInt8](0..<32)))
    for round in 0..<4 as Range<UInt8> {
      let nonce = [UInt8](repeating: round, count: 12)
      let text = [UInt8](repeating: round &+ 65, count: 300)
      let sealed = try key.seal(text, nonce: nonce, authenticating: [round])
      #expect(sealed == (try other.seal(text, nonce: nonce, authenticating: [round])))
      var forged = sealed
      forged[7] ^= 1
      #expect(throws: CryptographyError(.notAuthentic)) { try key.open(forged, nonce: nonce, authenticating: [round]) }
      #expect(throws: CryptographyError(.notAuthentic)) { try key.open(sealed, nonce: nonce, authenticating: [9]) }
      #expect(try key.open(sealed, nonce: nonce, authenticating: [round]) == text)
      #expect(try other.open(sealed, nonce: nonce, authenticating: [round]) == text)
    }
  }

  @Test("What has the wrong length is refused", arguments: [0, 16, 31, 33, 64])
  func lengths(_ count: Int) throws {
    #expect(throws: CryptographyError(.wrongLength)) { try AESGCMKey([UInt8](repeating: 1, count: count)) }
    let key = try AESGCMKey(zeros)
    #expect(throws: CryptographyError(.wrongLength)) {
      try key.seal([1], nonce: [UInt8](repeating: 0, count: count), authenticating: [])
    }
    #expect(throws: CryptographyError(.wrongLength)) {
      try key.open([UInt8](repeating: 0, count: min(count, 15)), nonce: Array(zeros[..<12]), authenticating: [])
    }
  }
}
