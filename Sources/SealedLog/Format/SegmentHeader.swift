internal import Tenancy

/// The header of a segment: who wrote it, for whom, under which keys. It knows nothing of the tree, so it can be made
/// ahead of time.
struct SegmentHeader: Sendable, Equatable {
  static let magic: [UInt8] = Array("THLOG".utf8) + [0x00, 0x01, 0x0A]
  static let fixedBytes = 192
  /// Fixed bytes, certificate and signature: the least a header has.
  static let leastBytes = fixedBytes + NodeCertificate.byteCount + 64
  /// More recipients than this are refused.
  static let maximalStanzas = 64
  private static let version: UInt16 = 1
  private static let suite: UInt8 = 1
  private static let context = Array("torhaus/segment/v1\0".utf8)

  /// What the fixed bytes say, before sealing.
  struct Fields: Sendable, Equatable {
    var mode: ContentMode
    var tenant: TenantID
    var segment: SegmentID
    var node: NodeID
    var name: SegmentName
    /// Nanoseconds since 1970 UTC.
    var made: UInt64
    /// C: commits every frame to the segment secret. 32 bytes.
    var commitment: [UInt8]
    /// Hash of the policy set. 32 bytes.
    var policySet: [UInt8]
    var erasureVersion: UInt32
    var durability: Durability
    /// Plaintexts are padded to multiples of 2 to this power.
    var bucketLog2: UInt8
  }

  let fields: Fields
  let certificate: NodeCertificate
  let stanzas: [RecipientStanza]
  let bytes: [UInt8]

  var stream: StreamName { StreamName(tenant: fields.tenant, node: fields.node, mode: fields.mode) }

  /// Seals the segment secret to the recipients and signs.
  init(
    _ fields: Fields, secret: [UInt8], recipients: [RecipientKey], signer: NodeSigner
  ) throws(SealedLogError) {
    guard recipients.count <= Self.maximalStanzas else {
      throw SealedLogError(.invalidRecipients, "Too many recipients.")
    }
    var length = Self.leastBytes
    for recipient in recipients { length += RecipientStanza.byteCount(for: recipient) }
    var bytes = try Self.fixed(fields, headerLength: UInt32(length), stanzas: UInt16(recipients.count))
    bytes += signer.certificate.bytes
    let info = try RecipientStanza.info(before: bytes)
    var stanzas: [RecipientStanza] = []
    for recipient in recipients {
      let stanza = try RecipientStanza(sealing: secret, to: recipient, info: info)
      stanzas.append(stanza)
      bytes += stanza.bytes
    }
    bytes += try signer.sign(Self.context + bytes)
    self.fields = fields
    certificate = signer.certificate
    self.stanzas = stanzas
    self.bytes = bytes
  }

  private static func fixed(_ fields: Fields, headerLength: UInt32, stanzas: UInt16) throws(SealedLogError) -> [UInt8] {
    guard fields.commitment.count == 32, fields.policySet.count == 32 else { throw .malformed("header field") }
    var bytes = magic
    bytes.reserveCapacity(fixedBytes)
    bytes.append(little: headerLength)
    bytes.append(little: version)
    bytes.append(suite)
    bytes.append(fields.mode.code)
    bytes.append(id: fields.tenant.value)
    bytes.append(id: fields.segment.value)
    bytes.append(id: fields.node.value)
    bytes.append(little: fields.name.epoch)
    bytes.append(little: fields.name.number)
    bytes.append(little: fields.made)
    bytes += fields.commitment
    bytes += fields.policySet
    bytes.append(little: fields.erasureVersion)
    bytes.append(fields.durability.rawValue)
    bytes.append(fields.bucketLog2)
    bytes.append(little: stanzas)
    bytes.append(zeros: fixedBytes - bytes.count)
    return bytes
  }

  /// Reads the header at the start of `file` and checks the signature by the key in its certificate.
  ///
  /// Whether the certificate is the installation's own, only ``NodeCertificate/isIssued(by:)`` tells.
  init(_ file: ArraySlice<UInt8>) throws(SealedLogError) {
    var reader = LittleEndianReader(file)
    guard try reader.take(8) == Self.magic else { throw .malformed("magic") }
    let length = Int(try reader.integer(UInt32.self))
    guard length >= Self.leastBytes, length <= file.count, length <= 1 << 20 else { throw .malformed("header length") }
    let version = try reader.integer(UInt16.self)
    let suite = try reader.integer(UInt8.self)
    guard version == Self.version, suite == Self.suite else { throw .malformed("version \(version), suite \(suite)") }
    guard let mode = ContentMode(code: try reader.integer(UInt8.self)) else { throw .malformed("mode") }
    let tenant = TenantID(try reader.id())
    let segment = SegmentID(try reader.id())
    let node = NodeID(try reader.id())
    let epoch = try reader.integer(UInt32.self)
    let number = try reader.integer(UInt32.self)
    let made = try reader.integer(UInt64.self)
    let commitment = try reader.take(32)
    let policySet = try reader.take(32)
    let erasureVersion = try reader.integer(UInt32.self)
    guard let durability = Durability(rawValue: try reader.integer(UInt8.self)) else { throw .malformed("durability") }
    let bucket = try reader.integer(UInt8.self)
    let count = Int(try reader.integer(UInt16.self))
    guard (4...16).contains(bucket), count <= Self.maximalStanzas else { throw .malformed("bucket or stanzas") }
    guard try reader.take(40).allSatisfy({ $0 == 0 }) else { throw .malformed("reserved bytes") }
    fields = Fields(
      mode: mode, tenant: tenant, segment: segment, node: node, name: SegmentName(epoch: epoch, number: number),
      made: made, commitment: commitment, policySet: policySet, erasureVersion: erasureVersion, durability: durability,
      bucketLog2: bucket)
    certificate = try NodeCertificate(&reader)
    var stanzas: [RecipientStanza] = []
    for _ in 0..<count { stanzas.append(try RecipientStanza(&reader)) }
    self.stanzas = stanzas
    let signed = reader.position - file.startIndex
    let signature = try reader.take(64)
    guard signed + 64 == length else { throw .malformed("header length") }
    bytes = Array(file[file.startIndex..<file.startIndex + length])
    guard certificate.node == node, certificate.covers(nanoseconds: made),
      Ed25519.isValid(signature, of: Self.context + bytes[..<signed], by: certificate.publicKey)
    else { throw .notAuthentic("header signature") }
  }

  /// Whether a file ends before its header does: it was being made when its process ended, and nothing was ever in it.
  static func isCutShort(_ file: [UInt8]) -> Bool {
    var reader = LittleEndianReader(file)
    guard file.count >= leastBytes, let start = try? reader.take(8), start == magic,
      let length = try? reader.integer(UInt32.self)
    else { return file.count < leastBytes }
    return length > file.count && length <= 1 << 20
  }

  /// The bytes to which stanzas are bound.
  var stanzaInfo: [UInt8] {
    get throws(SealedLogError) {
      try RecipientStanza.info(before: Array(bytes[..<(Self.fixedBytes + NodeCertificate.byteCount)]))
    }
  }
}
