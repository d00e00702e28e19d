internal import Crypto
public import Tenancy

/// The installation's word that a node key signs for this node in this time: 128 bytes in every header.
public struct NodeCertificate: Sendable, Equatable {
  static let byteCount = 128
  private static let context = Array("torhaus/node/v1\0".utf8)

  public let node: NodeID
  public let publicKey: [UInt8]
  /// Seconds since 1970, both inclusive.
  public let notBefore: UInt64
  public let notAfter: UInt64
  let signature: [UInt8]

  private static func body(_ node: NodeID, _ key: [UInt8], _ notBefore: UInt64, _ notAfter: UInt64) -> [UInt8] {
    var body: [UInt8] = []
    body.append(id: node.value)
    body += key
    body.append(little: notBefore)
    body.append(little: notAfter)
    return body
  }

  /// Issues a certificate through the installation's signing key.
  init(
    node: NodeID, publicKey: [UInt8], notBefore: UInt64, notAfter: UInt64, signedBy keys: any KeyProvider
  ) throws(SealedLogError) {
    guard publicKey.count == 32 else { throw .malformed("node key") }
    self.node = node
    self.publicKey = publicKey
    self.notBefore = notBefore
    self.notAfter = notAfter
    let body = Self.body(node, publicKey, notBefore, notAfter)
    do { signature = try keys.sign(Self.context + body) } catch { throw SealedLogError(error) }
    guard signature.count == 64 else { throw .malformed("installation signature") }
  }

  init(_ reader: inout LittleEndianReader) throws(SealedLogError) {
    node = NodeID(try reader.id())
    publicKey = try reader.take(32)
    notBefore = try reader.integer(UInt64.self)
    notAfter = try reader.integer(UInt64.self)
    signature = try reader.take(64)
  }

  public var bytes: [UInt8] { Self.body(node, publicKey, notBefore, notAfter) + signature }

  /// Whether the installation with this public key issued it.
  public func isIssued(by installation: [UInt8]) -> Bool {
    Ed25519.isValid(
      signature, of: Self.context + Self.body(node, publicKey, notBefore, notAfter), by: installation)
  }

  func covers(nanoseconds: UInt64) -> Bool {
    let seconds = nanoseconds / 1_000_000_000
    return seconds >= notBefore && seconds <= notAfter
  }
}

/// Ed25519 (RFC 8032) over byte arrays.
enum Ed25519 {
  static func isValid(_ signature: [UInt8], of message: [UInt8], by publicKey: [UInt8]) -> Bool {
    guard signature.count == 64, publicKey.count == 32,
      let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey)
    else { return false }
    return key.isValidSignature(signature, for: message)
  }
}
