internal import Crypto
internal import Cryptography
internal import Foundation

/// A public key to which segment secrets are sealed (HPKE, RFC 9180).
public struct RecipientKey: Hashable, Sendable {
  /// Key encapsulation, with its registered number.
  public enum Suite: UInt16, Sendable, CaseIterable {
    case p256 = 0x0010
    case x25519 = 0x0020
    case xWing = 0x647a

    public var isPostQuantum: Bool { self == .xWing }

    var publicKeyBytes: Int {
      switch self {
      case .p256: 65
      case .x25519: 32
      case .xWing: 1216
      }
    }

    var encapsulationBytes: Int {
      switch self {
      case .p256: 65
      case .x25519: 32
      case .xWing: 1120
      }
    }

    var ciphersuite: HPKE.Ciphersuite {
      switch self {
      case .p256: .P256_SHA256_AES_GCM_256
      case .x25519: HPKE.Ciphersuite(kem: .Curve25519_HKDF_SHA256, kdf: .HKDF_SHA256, aead: .AES_GCM_256)
      case .xWing: .XWingMLKEM768X25519_SHA256_AES_GCM_256
      }
    }
  }

  public let suite: Suite
  public let publicKey: [UInt8]

  /// Checks the length, and for P-256 that the point lies on the curve. X-Wing takes any 1,216 bytes: whoever registers
  /// a key proves possession by opening a challenge.
  public init(_ suite: Suite, publicKey: [UInt8]) throws(SealedLogError) {
    guard publicKey.count == suite.publicKeyBytes else {
      throw SealedLogError(.invalidRecipients, "The public key has the wrong length.")
    }
    if suite == .p256, (try? P256.KeyAgreement.PublicKey(x963Representation: publicKey)) == nil {
      throw SealedLogError(.invalidRecipients, "The public key is no point of P-256.")
    }
    self.suite = suite
    self.publicKey = publicKey
  }

  /// First 8 bytes of SHA-256 of the public key: finds the stanza for a key, proves nothing.
  public func keyID() throws(SealedLogError) -> [UInt8] {
    try sealing { () throws(CryptographyError) in Array(try SHA256Hasher().hash(publicKey).bytes.prefix(8)) }
  }

  /// One seal per context (the sender is consumed here: a copy would repeat its nonce).
  func seal(_ secret: [UInt8], info: [UInt8]) throws(SealedLogError) -> (encapsulation: [UInt8], ciphertext: [UInt8]) {
    do {
      var sender: HPKE.Sender
      switch suite {
      case .p256:
        sender = try HPKE.Sender(
          recipientKey: try P256.KeyAgreement.PublicKey(x963Representation: publicKey),
          ciphersuite: suite.ciphersuite, info: Data(info))
      case .x25519:
        sender = try HPKE.Sender(
          recipientKey: try Curve25519.KeyAgreement.PublicKey(rawRepresentation: publicKey),
          ciphersuite: suite.ciphersuite, info: Data(info))
      case .xWing:
        sender = try HPKE.Sender(
          recipientKey: try XWingMLKEM768X25519.PublicKey(rawRepresentation: publicKey),
          ciphersuite: suite.ciphersuite, info: Data(info))
      }
      return (Array(sender.encapsulatedKey), Array(try sender.seal(secret)))
    } catch {
      throw SealedLogError(.cryptoFailed, "Sealing to a recipient failed.", detail: "\(suite)")
    }
  }
}

/// The private half of a recipient.
public struct RecipientPrivateKey: Sendable {
  private enum Key: Sendable {
    case p256(P256.KeyAgreement.PrivateKey)
    case x25519(Curve25519.KeyAgreement.PrivateKey)
    case xWing(XWingMLKEM768X25519.PrivateKey)
  }

  private let key: Key
  public let recipient: RecipientKey

  /// A new key pair.
  public static func generate(_ suite: RecipientKey.Suite) throws(SealedLogError) -> RecipientPrivateKey {
    do {
      switch suite {
      case .p256: return try RecipientPrivateKey(.p256(P256.KeyAgreement.PrivateKey()))
      case .x25519: return try RecipientPrivateKey(.x25519(Curve25519.KeyAgreement.PrivateKey()))
      case .xWing: return try RecipientPrivateKey(.xWing(try XWingMLKEM768X25519.PrivateKey.generate()))
      }
    } catch let error as SealedLogError {
      throw error
    } catch { throw SealedLogError(.cryptoFailed, "Key generation failed.") }
  }

  /// Reads ``representation``; any damage is one error.
  public init(_ suite: RecipientKey.Suite, representation: [UInt8]) throws(SealedLogError) {
    do {
      switch suite {
      case .p256: try self.init(.p256(try P256.KeyAgreement.PrivateKey(rawRepresentation: representation)))
      case .x25519: try self.init(.x25519(try Curve25519.KeyAgreement.PrivateKey(rawRepresentation: representation)))
      case .xWing:
        guard representation.count == 64 else { throw SealedLogError.notAuthentic("private key") }
        try self.init(.xWing(try XWingMLKEM768X25519.PrivateKey(integrityCheckedRepresentation: representation)))
      }
    } catch { throw SealedLogError.notAuthentic("private key") }
  }

  private init(_ key: Key) throws(SealedLogError) {
    self.key = key
    switch key {
    case .p256(let key): recipient = try RecipientKey(.p256, publicKey: Array(key.publicKey.x963Representation))
    case .x25519(let key): recipient = try RecipientKey(.x25519, publicKey: Array(key.publicKey.rawRepresentation))
    case .xWing(let key): recipient = try RecipientKey(.xWing, publicKey: Array(key.publicKey.rawRepresentation))
    }
  }

  /// 32 bytes, for X-Wing 64: the seed and a hash of the public key.
  public var representation: [UInt8] {
    switch key {
    case .p256(let key): Array(key.rawRepresentation)
    case .x25519(let key): Array(key.rawRepresentation)
    case .xWing(let key): Array(key.integrityCheckedRepresentation)
    }
  }

  /// Every failure means "not for this key": one error, no detail.
  func open(_ ciphertext: [UInt8], encapsulation: [UInt8], info: [UInt8]) throws(SealedLogError) -> [UInt8] {
    guard encapsulation.count == recipient.suite.encapsulationBytes else { throw .notAuthentic("stanza") }
    do {
      let suite = recipient.suite.ciphersuite
      var context: HPKE.Recipient
      switch key {
      case .p256(let key):
        context = try HPKE.Recipient(
          privateKey: key, ciphersuite: suite, info: Data(info), encapsulatedKey: Data(encapsulation))
      case .x25519(let key):
        context = try HPKE.Recipient(
          privateKey: key, ciphersuite: suite, info: Data(info), encapsulatedKey: Data(encapsulation))
      case .xWing(let key):
        context = try HPKE.Recipient(
          privateKey: key, ciphersuite: suite, info: Data(info), encapsulatedKey: Data(encapsulation))
      }
      return Array(try context.open(ciphertext))
    } catch { throw SealedLogError.notAuthentic("stanza") }
  }
}
