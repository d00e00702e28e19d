internal import COpenSSL

/// HMAC-SHA-256 under one key with a kept context (RFC 2104). One per thread or event loop; the key is wiped on deinit.
package final class HMACKey {
  private let context: OpaquePointer  // EVP_MAC_CTX

  /// - Parameter key: The secret, at least one byte; HMAC keys of 32 bytes are the rule here.
  package init(_ key: [UInt8]) throws(CryptographyError) {
    guard !key.isEmpty else { throw CryptographyError(.wrongLength) }
    guard let algorithm = EVP_MAC_fetch(nil, "HMAC", nil) else { throw CryptographyError(.unavailable) }
    defer { EVP_MAC_free(algorithm) }
    guard let context = EVP_MAC_CTX_new(algorithm) else { throw CryptographyError(.unavailable) }
    guard th_hmac_sha256_init(context, key, key.count) == 1 else {
      EVP_MAC_CTX_free(context)
      throw CryptographyError(.unavailable)
    }
    self.context = context
  }

  deinit { EVP_MAC_CTX_free(context) }

  package func start() throws(CryptographyError) {
    guard th_hmac_sha256_init(context, nil, 0) == 1 else { throw CryptographyError(.unavailable) }
  }

  package func update(_ bytes: UnsafeRawBufferPointer) throws(CryptographyError) {
    guard bytes.count > 0 else { return }
    let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    guard EVP_MAC_update(context, start, bytes.count) == 1 else { throw CryptographyError(.unavailable) }
  }

  package func finish() throws(CryptographyError) -> Digest256 {
    var digest = Digest256()
    var length = 0
    let done = withUnsafeMutableBytes(of: &digest.words) { out in
      EVP_MAC_final(context, out.baseAddress?.assumingMemoryBound(to: UInt8.self), &length, 32)
    }
    guard done == 1, length == 32 else { throw CryptographyError(.unavailable) }
    return digest
  }

  package func authenticate(_ bytes: UnsafeRawBufferPointer) throws(CryptographyError) -> Digest256 {
    try start()
    try update(bytes)
    return try finish()
  }

  package func authenticate(_ bytes: [UInt8]) throws(CryptographyError) -> Digest256 {
    try start()
    if !bytes.isEmpty {
      guard EVP_MAC_update(context, bytes, bytes.count) == 1 else { throw CryptographyError(.unavailable) }
    }
    return try finish()
  }
}
