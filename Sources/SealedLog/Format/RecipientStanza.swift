internal import Cryptography

/// A segment secret sealed to one recipient, as it stands in the header.
struct RecipientStanza: Sendable, Equatable {
  static let wholeSecret: UInt16 = 1
  private static let hkdfSHA256: UInt16 = 1
  private static let aes256GCM: UInt16 = 2

  let type: UInt16
  let suite: UInt16
  let threshold: UInt8
  let share: UInt8
  let keyID: [UInt8]
  let encapsulation: [UInt8]
  let ciphertext: [UInt8]

  /// - Parameter fixed: The 192 fixed bytes of the header and the certificate: what stands before the first stanza.
  static func info(before fixed: [UInt8]) throws(SealedLogError) -> [UInt8] {
    let digest = try sealing { () throws(CryptographyError) in try SHA256Hasher().hash(fixed) }
    return Array("torhaus/log/v1 stanza\0".utf8) + digest.bytes
  }

  static func byteCount(for recipient: RecipientKey) -> Int { 4 + 6 + 2 + 8 + recipient.suite.encapsulationBytes + 48 }

  init(sealing secret: [UInt8], to recipient: RecipientKey, info: [UInt8]) throws(SealedLogError) {
    let sealed = try recipient.seal(secret, info: info)
    type = Self.wholeSecret
    suite = recipient.suite.rawValue
    threshold = 0
    share = 0
    keyID = try recipient.keyID()
    encapsulation = sealed.encapsulation
    ciphertext = sealed.ciphertext
  }

  init(_ reader: inout LittleEndianReader) throws(SealedLogError) {
    type = try reader.integer(UInt16.self)
    let length = Int(try reader.integer(UInt16.self))
    suite = try reader.integer(UInt16.self)
    let kdf = try reader.integer(UInt16.self)
    let aead = try reader.integer(UInt16.self)
    guard kdf == Self.hkdfSHA256, aead == Self.aes256GCM, type == 1 || type == 2 else {
      throw .malformed("stanza suite")
    }
    guard let known = RecipientKey.Suite(rawValue: suite), length == 16 + known.encapsulationBytes + 48 else {
      throw .malformed("stanza length")
    }
    threshold = try reader.integer(UInt8.self)
    share = try reader.integer(UInt8.self)
    keyID = try reader.take(8)
    encapsulation = try reader.take(known.encapsulationBytes)
    ciphertext = try reader.take(48)
  }

  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(little: type)
    bytes.append(little: UInt16(truncatingIfNeeded: 16 + encapsulation.count + ciphertext.count))
    bytes.append(little: suite)
    bytes.append(little: Self.hkdfSHA256)
    bytes.append(little: Self.aes256GCM)
    bytes.append(threshold)
    bytes.append(share)
    bytes += keyID
    bytes += encapsulation
    bytes += ciphertext
    return bytes
  }
}
