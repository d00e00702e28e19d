internal import Cryptography
internal import Tenancy

/// Opens frames of one segment with what the tenant's keys allow: metadata always, content in the mode `managed`.
///
/// Keys live as long as this value; nothing is cached.
final class SegmentKeyRing {
  private let header: SegmentHeader
  private let sidecar: Sidecar
  private let outer: AESGCMKey
  private let wrap: AESGCMKey?
  private var contexts: [UInt32: AESGCMKey] = [:]
  private let associatedTail: [UInt8]

  /// - Parameter managed: The tenant's managed private key; nil: only metadata is opened.
  /// - Throws: `notReadable` when the erasure key was destroyed, `notAuthentic` when the stanza or C do not fit.
  init(
    header: SegmentHeader, sidecar: Sidecar, keys: TenantKeys, provider: any KeyProvider,
    managed: RecipientPrivateKey?
  ) throws(SealedLogError) {
    guard sidecar.header.tenant == header.fields.tenant, sidecar.header.segment == header.fields.segment else {
      throw .notAuthentic("sidecar of another segment")
    }
    self.header = header
    self.sidecar = sidecar
    var erasureKey = try keys.openErasureKey(sidecar.header.version, provider: provider)
    defer { SecureBytes.wipe(&erasureKey) }
    let segment = header.fields.segment
    let outerKey = try SegmentKeys.outer(erasureKey, segment)
    outer = try sealing { () throws(CryptographyError) in try AESGCMKey(outerKey) }
    if let managed, header.fields.mode == .managed {
      var secret = try Self.secret(header, managed)
      defer { SecureBytes.wipe(&secret) }
      guard try SegmentKeys.commitment(secret, segment) == header.fields.commitment else {
        throw .notAuthentic("commitment")
      }
      let wrapKey = try SegmentKeys.wrap(secret, segment)
      wrap = try sealing { () throws(CryptographyError) in try AESGCMKey(wrapKey) }
    } else {
      wrap = nil
    }
    associatedTail = segment.bytes + header.fields.tenant.bytes + header.fields.commitment
  }

  private static func secret(_ header: SegmentHeader, _ key: RecipientPrivateKey) throws(SealedLogError) -> [UInt8] {
    let id = try key.recipient.keyID()
    guard
      let stanza = header.stanzas.first(where: {
        $0.type == RecipientStanza.wholeSecret && $0.keyID == id && $0.suite == key.recipient.suite.rawValue
      })
    else { throw .notAuthentic("no stanza for the managed key") }
    return try key.open(stanza.ciphertext, encapsulation: stanza.encapsulation, info: try header.stanzaInfo)
  }

  /// Whether the slot's key can be had at all: its entry, and those of a join's members, are still there.
  static func hasKey(_ slot: UInt32, in sidecar: Sidecar) -> Bool {
    guard let entry = sidecar.entries[slot] else { return false }
    return entry.kind != .join || entry.members.allSatisfy { sidecar.entries[$0] != nil }
  }

  private func context(_ slot: UInt32) throws(SealedLogError) -> AESGCMKey {
    if let context = contexts[slot] { return context }
    var key = try key(slot)
    defer { SecureBytes.wipe(&key) }
    let context = try sealing { () throws(CryptographyError) in try AESGCMKey(key) }
    contexts[slot] = context
    return context
  }

  private func key(_ slot: UInt32) throws(SealedLogError) -> [UInt8] {
    guard let entry = sidecar.entries[slot], Self.hasKey(slot, in: sidecar) else {
      throw SealedLogError(.notReadable, "The record was erased.", detail: "slot \(slot)")
    }
    if entry.kind == .join {
      var members: [[UInt8]] = []
      for member in entry.members {
        guard sidecar.entries[member]?.kind == .subject else { throw .malformed("join member") }
        members.append(try key(member))
      }
      return try SegmentKeys.join(members, segment: header.fields.segment)
    }
    let plain = try SidecarCipher.open(entry, header: sidecar.header, outer: outer)
    if entry.kind == .metadata { return Array(plain.prefix(32)) }
    guard let wrap else {
      throw SealedLogError(.notReadable, "Only the tenant itself can open this record.", detail: "no inner key")
    }
    return try SidecarCipher.openInner(plain, slot: slot, header: sidecar.header, wrap: wrap)
  }

  /// Checks the outer layer of an entry, which the gateway may always open.
  func checkEntry(_ slot: UInt32) throws(SealedLogError) {
    guard let entry = sidecar.entries[slot], entry.kind != .join else { return }
    _ = try SidecarCipher.open(entry, header: sidecar.header, outer: outer)
  }

  /// The payload of a frame.
  func open(_ frame: SegmentScan.Frame, in file: [UInt8]) throws(SealedLogError) -> [UInt8] {
    let key = try context(frame.header.slot)
    var plain = [UInt8](repeating: 0, count: max(0, frame.body.count - FrameHeader.tagBytes))
    let data = Array(file[frame.offset..<frame.offset + FrameHeader.byteCount]) + associatedTail
    var failure: CryptographyError?
    file.withUnsafeBytes { file in
      plain.withUnsafeMutableBytes { plain in
        data.withUnsafeBytes { data in
          do throws(CryptographyError) {
            try FrameNonce.with(UnsafeRawBufferPointer(rebasing: file[frame.offset..<frame.end])) {
              (nonce) throws(CryptographyError) in
              try key.open(
                UnsafeRawBufferPointer(rebasing: file[frame.body]), nonce: nonce, authenticating: data, into: plain)
            }
          } catch { failure = error }
        }
      }
    }
    if let failure { throw SealedLogError(failure) }
    var reader = LittleEndianReader(plain)
    return try reader.take(Int(try reader.integer(UInt32.self)))
  }
}
