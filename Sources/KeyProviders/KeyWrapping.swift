internal import Cryptography
internal import SealedLog

/// Wraps small secrets under a 256-bit key: nonce 12 | AES-256-GCM ciphertext | tag 16.
///
/// Name and version are authenticated too, so that a wrapped key fits only where it was made.
enum KeyWrapping {
  static let maximalSecretBytes = 64
  private static let overhead = 28

  static func newKey() throws(KeyProviderError) -> [UInt8] {
    do { return try SecureBytes.random(32) } catch { throw KeyProviderError(.unavailable, error.code.rawValue) }
  }

  static func wrap(_ secret: [UInt8], key: [UInt8], name: KeyName, version: UInt32, data: [UInt8])
    throws(KeyProviderError) -> [UInt8]
  {
    guard (1...maximalSecretBytes).contains(secret.count) else { throw KeyProviderError(.wrongLength) }
    return try seal(secret, key: key, data: bound(name, version, data))
  }

  static func unwrap(_ wrapped: [UInt8], key: [UInt8], name: KeyName, version: UInt32, data: [UInt8])
    throws(KeyProviderError) -> [UInt8]
  {
    try open(wrapped, key: key, data: bound(name, version, data))
  }

  private static func bound(_ name: KeyName, _ version: UInt32, _ data: [UInt8]) -> [UInt8] {
    Array("torhaus/kek/v1 \(name).\(version)\0".utf8) + data
  }

  static func seal(_ secret: [UInt8], key: [UInt8], data: [UInt8]) throws(KeyProviderError) -> [UInt8] {
    do {
      let nonce = try SecureBytes.random(AESGCMKey.nonceBytes)
      return nonce + (try AESGCMKey(key).seal(secret, nonce: nonce, authenticating: data))
    } catch { throw KeyProviderError(.unavailable, "wrap") }
  }

  static func open(_ sealed: [UInt8], key: [UInt8], data: [UInt8]) throws(KeyProviderError) -> [UInt8] {
    guard sealed.count > overhead else { throw KeyProviderError(.notAuthentic) }
    do {
      let nonce = Array(sealed[..<AESGCMKey.nonceBytes])
      return try AESGCMKey(key).open(
        Array(sealed[AESGCMKey.nonceBytes...]), nonce: nonce, authenticating: data)
    } catch { throw KeyProviderError(.notAuthentic) }
  }
}
