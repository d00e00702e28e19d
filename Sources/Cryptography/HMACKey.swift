internal import COpenSSL

/// HMAC-SHA-256 under one key (RFC 2104). One per thread or event loop; what is made of the key is wiped on deinit.
///
/// The two padded keys are read once, and every message goes on from there: two blocks less per message, and nothing is
/// allocated.
public final class HMACKey {
  private let inner = SHA256State()
  private let outer = SHA256State()
  private let work = SHA256State()

  /// - Parameter key: The secret, at least one byte; HMAC keys of 32 bytes are the rule here.
  public init(_ key: [UInt8]) throws(CryptographyError) {
    guard !key.isEmpty else { throw CryptographyError(.wrongLength) }
    var block = key.count > Self.blockBytes ? try SHA256Hasher().hash(key).bytes : key
    block += [UInt8](repeating: 0, count: Self.blockBytes - block.count)
    defer { block.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) } }
    try Self.begin(inner, &block, 0x36)
    try Self.begin(outer, &block, 0x36 ^ 0x5C)  // takes the inner pad off again
  }

  private static let blockBytes = 64

  private static func begin(_ state: SHA256State, _ block: inout [UInt8], _ pad: UInt8) throws(CryptographyError) {
    for index in block.indices { block[index] ^= pad }
    try state.start()
    try state.update(block)
  }

  public func start() throws(CryptographyError) { work.start(from: inner) }

  public func update(_ bytes: UnsafeRawBufferPointer) throws(CryptographyError) { try work.update(bytes) }

  public func finish() throws(CryptographyError) -> Digest256 {
    let digest = try work.finish()
    work.start(from: outer)
    try work.update(digest)
    return try work.finish()
  }

  public func authenticate(_ bytes: UnsafeRawBufferPointer) throws(CryptographyError) -> Digest256 {
    try start()
    try update(bytes)
    return try finish()
  }

  public func authenticate(_ bytes: [UInt8]) throws(CryptographyError) -> Digest256 {
    try start()
    try work.update(bytes)
    return try finish()
  }
}
