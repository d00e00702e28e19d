internal import COpenSSL

/// A digest in work, in memory of its own that is wiped at the end.
///
/// By OpenSSL's plain functions: an EVP context allocates with every start, and a request makes some thirty digests.
final class SHA256State {
  private let context = UnsafeMutablePointer<SHA256_CTX>.allocate(capacity: 1)

  init() { context.initialize(to: SHA256_CTX()) }

  deinit {
    OPENSSL_cleanse(context, MemoryLayout<SHA256_CTX>.size)
    context.deallocate()
  }

  func start() throws(CryptographyError) {
    guard SHA256_Init(context) == 1 else { throw CryptographyError(.unavailable) }
  }

  /// Goes on from what another state has read.
  func start(from other: SHA256State) { context.update(from: other.context, count: 1) }

  func update(_ bytes: UnsafeRawBufferPointer) throws(CryptographyError) {
    guard SHA256_Update(context, bytes.baseAddress, bytes.count) == 1 else { throw CryptographyError(.unavailable) }
  }

  func update(_ bytes: [UInt8]) throws(CryptographyError) {
    guard SHA256_Update(context, bytes, bytes.count) == 1 else { throw CryptographyError(.unavailable) }
  }

  func update(_ digest: Digest256) throws(CryptographyError) {
    let done = withUnsafeBytes(of: digest.words) { SHA256_Update(context, $0.baseAddress, $0.count) }
    guard done == 1 else { throw CryptographyError(.unavailable) }
  }

  func finish() throws(CryptographyError) -> Digest256 {
    var digest = Digest256()
    let done = withUnsafeMutableBytes(of: &digest.words) { out in
      SHA256_Final(out.baseAddress?.assumingMemoryBound(to: UInt8.self), context)
    }
    guard done == 1 else { throw CryptographyError(.unavailable) }
    return digest
  }
}
