internal import COpenSSL

/// SHA-256 with a kept state: nothing is allocated per digest. One per thread or event loop.
public final class SHA256Hasher {
  private let state = SHA256State()

  public init() throws(CryptographyError) {}

  public func start() throws(CryptographyError) { try state.start() }

  public func update(_ bytes: UnsafeRawBufferPointer) throws(CryptographyError) { try state.update(bytes) }

  public func finish() throws(CryptographyError) -> Digest256 { try state.finish() }

  public func hash(_ bytes: UnsafeRawBufferPointer) throws(CryptographyError) -> Digest256 {
    try start()
    try update(bytes)
    return try finish()
  }

  public func hash(_ bytes: [UInt8]) throws(CryptographyError) -> Digest256 {
    try start()
    try state.update(bytes)
    return try finish()
  }
}
