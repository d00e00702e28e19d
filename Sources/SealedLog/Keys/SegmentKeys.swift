internal import Cryptography
internal import Tenancy

/// What is derived for one segment, by HKDF-SHA-256 with the segment's id as salt.
struct SegmentKeys {
  /// C, stands in the header and in every frame's associated data.
  let commitment: [UInt8]
  /// Kw, the inner wrapping of subject keys.
  var wrap: [UInt8]
  /// O, the outer wrapping.
  var outer: [UInt8]

  init(secret: [UInt8], erasureKey: [UInt8], segment: SegmentID) throws(SealedLogError) {
    commitment = try Self.commitment(secret, segment)
    wrap = try Self.wrap(secret, segment)
    outer = try Self.outer(erasureKey, segment)
  }

  mutating func wipe() {
    SecureBytes.wipe(&wrap)
    SecureBytes.wipe(&outer)
  }

  static func commitment(_ secret: [UInt8], _ segment: SegmentID) throws(SealedLogError) -> [UInt8] {
    try derive(secret, segment, "torhaus/log/v1 commit")
  }

  static func wrap(_ secret: [UInt8], _ segment: SegmentID) throws(SealedLogError) -> [UInt8] {
    try derive(secret, segment, "torhaus/log/v1 wrap")
  }

  static func outer(_ erasureKey: [UInt8], _ segment: SegmentID) throws(SealedLogError) -> [UInt8] {
    try derive(erasureKey, segment, "torhaus/log/v1 outer")
  }

  /// The key of a record about several subjects: without any one member's key it is lost.
  static func join(_ memberKeys: [[UInt8]], segment: SegmentID) throws(SealedLogError) -> [UInt8] {
    guard memberKeys.count > 1, memberKeys.allSatisfy({ $0.count == 32 }) else { throw .malformed("join members") }
    return try derive(memberKeys.flatMap { $0 }, segment, "torhaus/log/v1 join")
  }

  private static func derive(_ secret: [UInt8], _ segment: SegmentID, _ info: String) throws(SealedLogError)
    -> [UInt8]
  {
    try sealing { () throws(CryptographyError) in
      try SecureBytes.derive(secret: secret, salt: segment.bytes, info: Array(info.utf8))
    }
  }
}

/// The two layers around a subject key in the sidecar.
enum SidecarCipher {
  /// Kw is new per segment and a slot is wrapped once, so the slot is the nonce.
  static func innerNonce(slot: UInt32) -> [UInt8] {
    var nonce = [UInt8](repeating: 0, count: 8)
    nonce.append(little: slot)
    return nonce
  }

  static func innerData(tenant: TenantID, segment: SegmentID, slot: UInt32) -> [UInt8] {
    var data = tenant.bytes + segment.bytes
    data.append(little: slot)
    return data
  }

  private static func outerData(
    _ tenant: TenantID, _ segment: SegmentID, _ slot: UInt32, _ kind: SidecarEntry.Kind, _ expires: UInt16,
    _ tag: UInt128, _ version: UInt32
  ) -> [UInt8] {
    var data = innerData(tenant: tenant, segment: segment, slot: slot)
    data.append(kind.rawValue)
    data.append(little: expires)
    data.append(id: tag)
    data.append(little: version)
    return data
  }

  /// - Parameter plain: The 60 bytes under the outer layer.
  static func seal(
    _ plain: [UInt8], slot: UInt32, kind: SidecarEntry.Kind, count: UInt8, expires: UInt16, tag: UInt128,
    tenant: TenantID, segment: SegmentID, version: UInt32, outer: AESGCMKey
  ) throws(SealedLogError) -> SidecarEntry {
    let data = outerData(tenant, segment, slot, kind, expires, tag, version)
    let body = try sealing { () throws(CryptographyError) in
      let nonce = try SecureBytes.random(AESGCMKey.nonceBytes)
      return nonce + (try outer.seal(plain, nonce: nonce, authenticating: data))
    }
    return SidecarEntry(slot: slot, kind: kind, count: count, expires: expires, tag: tag, body: body)
  }

  /// The 60 bytes under the outer layer.
  static func open(_ entry: SidecarEntry, header: SidecarHeader, outer: AESGCMKey) throws(SealedLogError) -> [UInt8] {
    let data = outerData(
      header.tenant, header.segment, entry.slot, entry.kind, entry.expires, entry.tag, header.version)
    return try sealing { () throws(CryptographyError) in
      try outer.open(
        Array(entry.body[12..<88]), nonce: Array(entry.body[..<12]), authenticating: data)
    }
  }

  /// The subject key under the inner layer.
  static func openInner(_ plain: [UInt8], slot: UInt32, header: SidecarHeader, wrap: AESGCMKey) throws(SealedLogError)
    -> [UInt8]
  {
    guard plain.count == SidecarEntry.innerBytes else { throw .malformed("wrapped key") }
    return try sealing { () throws(CryptographyError) in
      try wrap.open(
        Array(plain[12...]), nonce: Array(plain[..<12]),
        authenticating: innerData(tenant: header.tenant, segment: header.segment, slot: slot))
    }
  }
}
