internal import Crypto

/// A node's signing key with the installation's certificate for it. The private half lives in this process only.
public final class NodeSigner: Sendable {
  /// How long a certificate is good.
  static let lifetimeSeconds: UInt64 = 24 * 3600
  /// Certificates start a little early, so that clocks which are set back a moment do no harm.
  static let earlySeconds: UInt64 = 300

  private let key: Curve25519.Signing.PrivateKey
  public let certificate: NodeCertificate

  /// Makes a key pair and has it certified.
  /// - Parameter now: Seconds since 1970.
  public init(node: NodeID, now: UInt64, keys: any KeyProvider) throws(SealedLogError) {
    let key = Curve25519.Signing.PrivateKey()
    self.key = key
    certificate = try NodeCertificate(
      node: node, publicKey: Array(key.publicKey.rawRepresentation),
      notBefore: now > Self.earlySeconds ? now - Self.earlySeconds : 0, notAfter: now &+ Self.lifetimeSeconds,
      signedBy: keys)
  }

  func sign(_ message: [UInt8]) throws(SealedLogError) -> [UInt8] {
    do { return Array(try key.signature(for: message)) } catch {
      throw SealedLogError(.cryptoFailed, "Signing failed.")
    }
  }

  /// Whether less than half of the lifetime is left, or the clock stands outside of it.
  func wantsRenewal(now: UInt64) -> Bool {
    now < certificate.notBefore || now &+ Self.lifetimeSeconds / 2 > certificate.notAfter
  }
}
