public import Cryptography

/// The text form of a credential of ours: `th_<id>_<secret><checksum>` for an API key, `tha_…` for an admin token.
///
/// Id: 128 random bits in 26 characters, secret: 256 random bits in 52, checksum: CRC-32C of all before it in 7, all in
/// lower-case base32 (RFC 4648). The checksum lets scanners tell a key from noise; it protects nothing. What is stored
/// is the HMAC of the whole text under the installation's pepper, never the text.
public struct KeyToken: Hashable, Sendable {
  public enum Kind: Sendable, Hashable {
    case apiKey, adminToken

    public var prefix: String {
      switch self {
      case .apiKey: "th_"
      case .adminToken: "tha_"
      }
    }
  }

  public let kind: Kind
  /// What the row is looked up by; it is the key's own id.
  public let id: UInt128

  private static let idLength = Base32.length(bits: 128)
  private static let secretLength = Base32.length(bits: 256)
  private static let checksumLength = Base32.length(bits: 32)
  private static let bodyLength = idLength + 1 + secretLength + checksumLength

  /// Bytes of a whole API key.
  public static let apiKeyLength = 3 + bodyLength
  /// Bytes of a whole admin token.
  public static let adminTokenLength = 4 + bodyLength

  /// Reads the raw bytes of a credential; nil unless prefix, length, alphabet and checksum are right. Allocates nothing.
  public init?(parsing bytes: UnsafeRawBufferPointer) {
    let start: Int
    switch bytes.count {
    case Self.apiKeyLength:
      guard bytes[0] == 0x74, bytes[1] == 0x68, bytes[2] == 0x5F else { return nil }
      kind = .apiKey
      start = 3
    case Self.adminTokenLength:
      guard bytes[0] == 0x74, bytes[1] == 0x68, bytes[2] == 0x61, bytes[3] == 0x5F else { return nil }
      kind = .adminToken
      start = 4
    default: return nil
    }
    let idEnd = start + Self.idLength
    let secretEnd = idEnd + 1 + Self.secretLength
    guard bytes[idEnd] == 0x5F, let id = Base32.number(bytes[start..<idEnd], bits: 128), id != 0,
      Base32.isValid(bytes[(idEnd + 1)..<secretEnd]),
      let written = Base32.number(bytes[secretEnd...], bits: 32),
      written == UInt128(CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<secretEnd])))
    else { return nil }
    self.id = id
  }

  /// Makes a new credential.
  /// - Parameter random: Gives that many random bytes, fit for keys.
  /// - Returns: The text, to be shown once, and its lookup id.
  public static func generate(_ kind: Kind, random: (Int) throws(CryptographyError) -> [UInt8])
    throws(CryptographyError) -> (text: [UInt8], token: KeyToken)
  {
    let noise = try random(48)
    guard noise.count == 48 else { throw CryptographyError(.wrongLength) }
    var text = Array(kind.prefix.utf8)
    text += Base32.encode(noise[..<16])
    text.append(0x5F)
    text += Base32.encode(noise[16...])
    let checksum = CRC32C.checksum(text)
    text += Base32.encode((0..<4).map { UInt8(truncatingIfNeeded: checksum >> UInt32(24 - 8 * $0)) })
    guard let token = text.withUnsafeBytes({ KeyToken(parsing: $0) }) else { throw CryptographyError(.unavailable) }
    return (text, token)
  }

  /// What is stored and compared: HMAC-SHA-256 of the credential's text under the pepper.
  public static func digest(of text: UnsafeRawBufferPointer, pepper: HMACKey) throws(CryptographyError) -> Digest256 {
    try pepper.authenticate(text)
  }

  /// ``digest(of:pepper:)`` for an array, off the hot path.
  public static func digest(of text: [UInt8], pepper: HMACKey) throws(CryptographyError) -> Digest256 {
    try pepper.authenticate(text)
  }
}
