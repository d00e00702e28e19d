internal import Cryptography
internal import Foundation
internal import Tenancy

/// The keys of one open segment: a metadata key, one key per subject, one derived key per group of subjects.
///
/// Makes sidecar entries as slots come into use. Holds what opens this segment only, and is wiped when it closes.
final class SlotTable {
  static let metadataSlot: UInt32 = 1
  static let plainContentSlot: UInt32 = 2
  static let firstSubjectSlot: UInt32 = 16
  /// Cipher contexts are kept for this many slots; keys for all.
  private static let keptContexts = 512

  private let tenant: TenantID
  private let segment: SegmentID
  private let version: UInt32
  private let outer: AESGCMKey
  private let inner: AESGCMKey
  private let tagKey: HMACKey
  private var keys: [UInt32: [UInt8]] = [:]
  private var contexts: [UInt32: AESGCMKey] = [:]
  private var slotsBySubject: [Subject: UInt32] = [:]
  private var slotsByTag: [UInt128: UInt32] = [:]
  private var slotsByMembers: [[UInt32]: UInt32] = [:]
  private var nextSlot = SlotTable.firstSubjectSlot

  init(
    tenant: TenantID, segment: SegmentID, version: UInt32, keys: SegmentKeys, tagKey: [UInt8]
  ) throws(SealedLogError) {
    self.tenant = tenant
    self.segment = segment
    self.version = version
    do throws(CryptographyError) {
      outer = try AESGCMKey(keys.outer)
      inner = try AESGCMKey(keys.wrap)
      self.tagKey = try HMACKey(tagKey)
    } catch { throw SealedLogError(error) }
  }

  deinit {
    for slot in Array(keys.keys) {
      if var key = keys.removeValue(forKey: slot) { SecureBytes.wipe(&key) }
    }
  }

  /// Slots of subjects and of groups of them.
  var count: Int { Int(nextSlot - Self.firstSubjectSlot) }

  /// The metadata key, made with its entry at the first call.
  func metadata(sidecar: inout [UInt8]) throws(SealedLogError) -> AESGCMKey {
    if let context = contexts[Self.metadataSlot] { return context }
    if keys[Self.metadataSlot] == nil {
      let key = try sealing { () throws(CryptographyError) in try SecureBytes.random(32) }
      let padded = key + [UInt8](repeating: 0, count: SidecarEntry.innerBytes - 32)
      sidecar += try entry(slot: Self.metadataSlot, kind: .metadata, tag: 0, plain: padded)
      keys[Self.metadataSlot] = key
    }
    return try context(Self.metadataSlot)
  }

  /// The key for content about these subjects.
  func content(_ subjects: [Subject], sidecar: inout [UInt8]) throws(SealedLogError) -> (UInt32, AESGCMKey) {
    guard let first = subjects.first else {
      try make(Self.plainContentSlot, tag: 0, sidecar: &sidecar)
      return (Self.plainContentSlot, try context(Self.plainContentSlot))
    }
    if subjects.count == 1 {
      let slot = try self.slot(of: first, sidecar: &sidecar)
      return (slot, try context(slot))
    }
    var members: Set<UInt32> = []
    for subject in subjects { members.insert(try slot(of: subject, sidecar: &sidecar)) }
    let ordered = members.sorted()
    if ordered.count == 1 { return (ordered[0], try context(ordered[0])) }
    if let slot = slotsByMembers[ordered] { return (slot, try context(slot)) }
    let slot = try takeSlot()
    keys[slot] = try SegmentKeys.join(ordered.map { keys[$0] ?? [] }, segment: segment)
    var body: [UInt8] = []
    for member in ordered { body.append(little: member) }
    sidecar +=
      SidecarEntry(
        slot: slot, kind: .join, count: UInt8(truncatingIfNeeded: ordered.count), expires: 0, tag: 0, body: body
      ).bytes
    slotsByMembers[ordered] = slot
    return (slot, try context(slot))
  }

  private func slot(of subject: Subject, sidecar: inout [UInt8]) throws(SealedLogError) -> UInt32 {
    if let slot = slotsBySubject[subject] { return slot }
    let tag = try sealing { () throws(CryptographyError) in try SubjectTag.make(subject, key: tagKey) }
    if let slot = slotsByTag[tag] {
      slotsBySubject[subject] = slot
      return slot
    }
    let slot = try takeSlot()
    try make(slot, tag: tag, sidecar: &sidecar)
    slotsBySubject[subject] = slot
    slotsByTag[tag] = slot
    return slot
  }

  private func takeSlot() throws(SealedLogError) -> UInt32 {
    guard nextSlot < .max else { throw .malformed("no slot left") }
    defer { nextSlot += 1 }
    return nextSlot
  }

  private func make(_ slot: UInt32, tag: UInt128, sidecar: inout [UInt8]) throws(SealedLogError) {
    guard keys[slot] == nil else { return }
    let key = try sealing { () throws(CryptographyError) in try SecureBytes.random(32) }
    let nonce = SidecarCipher.innerNonce(slot: slot)
    let wrapped = try sealing { () throws(CryptographyError) in
      try inner.seal(
        key, nonce: nonce, authenticating: SidecarCipher.innerData(tenant: tenant, segment: segment, slot: slot))
    }
    sidecar += try entry(slot: slot, kind: .subject, tag: tag, plain: nonce + wrapped)
    keys[slot] = key
  }

  private func entry(slot: UInt32, kind: SidecarEntry.Kind, tag: UInt128, plain: [UInt8]) throws(SealedLogError)
    -> [UInt8]
  {
    try SidecarCipher.seal(
      plain, slot: slot, kind: kind, count: 1, expires: 0, tag: tag, tenant: tenant, segment: segment,
      version: version, outer: outer
    ).bytes
  }

  private func context(_ slot: UInt32) throws(SealedLogError) -> AESGCMKey {
    if let context = contexts[slot] { return context }
    guard let key = keys[slot] else { throw .malformed("slot \(slot) has no key") }
    if contexts.count >= Self.keptContexts { contexts.removeAll() }
    let context = try sealing { () throws(CryptographyError) in try AESGCMKey(key) }
    contexts[slot] = context
    return context
  }
}

/// What stands for a person in the sidecar and the index: first 16 bytes of
/// HMAC-SHA-256(tenant tag key, kind | 0x00 | NFC of the id).
enum SubjectTag {
  static func make(_ subject: Subject, key: HMACKey) throws(CryptographyError) -> UInt128 {
    let id = subject.id.utf8.allSatisfy({ $0 < 0x80 }) ? subject.id : subject.id.precomposedStringWithCanonicalMapping
    let digest = try key.authenticate(Array(subject.kind.rawValue.utf8) + [0] + Array(id.utf8))
    return digest.bytes.prefix(16).reduce(into: UInt128(0)) { $0 = $0 << 8 | UInt128($1) }
  }
}
