internal import COpenSSL

/// SHA-256 with a kept context: nothing is allocated per digest. One per thread or event loop.
package final class SHA256Hasher {
  private let context: OpaquePointer  // EVP_MD_CTX
  private let algorithm: OpaquePointer  // EVP_MD

  package init() throws(CryptographyError) {
    guard let algorithm = EVP_MD_fetch(nil, "SHA256", nil) else { throw CryptographyError(.unavailable) }
    guard let context = EVP_MD_CTX_new() else {
      EVP_MD_free(algorithm)
      throw CryptographyError(.unavailable)
    }
    self.algorithm = algorithm
    self.context = context
  }

  deinit {
    EVP_MD_CTX_free(context)
    EVP_MD_free(algorithm)
  }

  package func start() throws(CryptographyError) {
    guard EVP_DigestInit_ex2(context, algorithm, nil) == 1 else { throw CryptographyError(.unavailable) }
  }

  package func update(_ bytes: UnsafeRawBufferPointer) throws(CryptographyError) {
    guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else { throw CryptographyError(.unavailable) }
  }

  package func finish() throws(CryptographyError) -> Digest256 {
    var digest = Digest256()
    let done = withUnsafeMutableBytes(of: &digest.words) { out in
      EVP_DigestFinal_ex(context, out.baseAddress?.assumingMemoryBound(to: UInt8.self), nil)
    }
    guard done == 1 else { throw CryptographyError(.unavailable) }
    return digest
  }

  package func hash(_ bytes: UnsafeRawBufferPointer) throws(CryptographyError) -> Digest256 {
    try start()
    try update(bytes)
    return try finish()
  }

  package func hash(_ bytes: [UInt8]) throws(CryptographyError) -> Digest256 {
    try start()
    let done = bytes.withUnsafeBytes { EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
    guard done == 1 else { throw CryptographyError(.unavailable) }
    return try finish()
  }
}
