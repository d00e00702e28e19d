internal import COpenSSL

/// SHA-256 with a kept state: nothing is allocated per digest. One per thread or event loop.
package final class SHA256Hasher {
  private let state = SHA256State()

  package init() throws(CryptographyError) {}

  package func start() throws(CryptographyError) { try state.start() }

  package func update(_ bytes: UnsafeRawBufferPointer) throws(CryptographyError) { try state.update(bytes) }

  package func finish() throws(CryptographyError) -> Digest256 { try state.finish() }

  package func hash(_ bytes: UnsafeRawBufferPointer) throws(CryptographyError) -> Digest256 {
    try start()
    try update(bytes)
    return try finish()
  }

  package func hash(_ bytes: [UInt8]) throws(CryptographyError) -> Digest256 {
    try start()
    try state.update(bytes)
    return try finish()
  }
}
