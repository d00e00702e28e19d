internal import COpenSSL

/// 32 bytes that came out of SHA-256 or HMAC-SHA-256.
///
/// `==` is for table look-ups of values that are no secret; secrets are compared by ``constantTimeEquals(_:)``.
public struct Digest256: Hashable, Sendable {
  public var words: (UInt64, UInt64, UInt64, UInt64)

  public init() { words = (0, 0, 0, 0) }

  /// Takes the first 32 bytes; shorter input is padded with zeros, longer input is cut.
  public init(bytes: some Collection<UInt8>) {
    self.init()
    let prefix = Array(bytes.prefix(32))
    withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: prefix) }
  }

  public static func == (left: Digest256, right: Digest256) -> Bool {
    left.words.0 == right.words.0 && left.words.1 == right.words.1 && left.words.2 == right.words.2
      && left.words.3 == right.words.3
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
  }

  /// Compares in a time that does not depend on where the two differ.
  public func constantTimeEquals(_ other: Digest256) -> Bool {
    let difference =
      (words.0 ^ other.words.0) | (words.1 ^ other.words.1) | (words.2 ^ other.words.2) | (words.3 ^ other.words.3)
    return difference == 0
  }

  public var bytes: [UInt8] { Swift.withUnsafeBytes(of: words) { Array($0) } }

  public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    Swift.withUnsafeBytes(of: words) { body($0) }
  }
}

/// Whether two secrets are the same, in a time that depends on their length only.
public func constantTimeEquals(_ left: [UInt8], _ right: [UInt8]) -> Bool {
  left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
}
