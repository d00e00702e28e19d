import Cryptography
import Testing

private func hex(_ digest: Digest256) -> String {
  digest.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

private func bytes(_ value: UInt8, _ count: Int) -> [UInt8] { [UInt8](repeating: value, count: count) }

@Suite("SHA-256 and HMAC")
struct DigestTests {
  @Test(
    "SHA-256 gives the published digests",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
    ])
  func sha256(_ text: String, _ expected: String) throws {
    #expect(hex(try SHA256Hasher().hash(Array(text.utf8))) == expected)
  }

  /// Test cases 1 to 4, 6 and 7 of RFC 4231: keys shorter and longer than a block.
  @Test(
    "HMAC-SHA-256 gives the digests of RFC 4231",
    arguments: [
      (
        bytes(0x0B, 20), Array("Hi There".utf8),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
      ),
      (
        Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
      ),
      (
        bytes(0xAA, 20), bytes(0xDD, 50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
      ),
      (
        Array(1...25), bytes(0xCD, 50), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
      ),
      (
        bytes(0xAA, 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
      ),
      (
        bytes(0xAA, 131),
        Array(
          ("This is a test using a larger than block-size key and a larger than block-size data. "
            + "The key needs to be hashed before being used by the HMAC algorithm.").utf8),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
      ),
    ])
  func hmac(_ key: [UInt8], _ message: [UInt8], _ expected: String) throws {
    let key = try HMACKey(key)
    #expect(hex(try key.authenticate(message)) == expected)
    #expect(hex(try key.authenticate(message)) == expected, "the key serves again")
  }

  @Test("A message in pieces has the digest of the whole; an unfinished one leaves nothing behind")
  func pieces() throws {
    let key = try HMACKey(bytes(7, 64))
    let whole = try key.authenticate(Array("one two three".utf8))
    try key.start()
    try Array("left lying".utf8).withUnsafeBytes { try key.update($0) }
    try key.start()
    for piece in ["one ", "", "two ", "three"] {
      try Array(piece.utf8).withUnsafeBytes { try key.update($0) }
    }
    #expect(try key.finish() == whole)
  }

  @Test("An empty key is refused")
  func emptyKey() {
    #expect(throws: CryptographyError.self) { try HMACKey([]) }
  }
}
