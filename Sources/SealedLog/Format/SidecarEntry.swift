internal import Cryptography
internal import Tenancy

/// The head of a key sidecar: which segment it belongs to, and under which erasure key its outer layers are.
struct SidecarHeader: Sendable, Equatable {
  static let magic: [UInt8] = Array("THKEY".utf8) + [0x00, 0x01, 0x0A]
  static let byteCount = 48

  let tenant: TenantID
  let segment: SegmentID
  /// 0: exported, no outer layer.
  let version: UInt32

  init(tenant: TenantID, segment: SegmentID, version: UInt32) {
    self.tenant = tenant
    self.segment = segment
    self.version = version
  }

  init(_ file: ArraySlice<UInt8>) throws(SealedLogError) {
    var reader = LittleEndianReader(file)
    guard try reader.take(8) == Self.magic else { throw .malformed("sidecar magic") }
    tenant = TenantID(try reader.id())
    segment = SegmentID(try reader.id())
    version = try reader.integer(UInt32.self)
    guard try reader.integer(UInt32.self) == 0 else { throw .malformed("sidecar reserved bytes") }
  }

  var bytes: [UInt8] {
    var bytes = Self.magic
    bytes.append(id: tenant.value)
    bytes.append(id: segment.value)
    bytes.append(little: version)
    bytes.append(little: UInt32(0))
    return bytes
  }
}

/// One wrapped key of a segment: 120 bytes. Dropping it erases every frame of its slot.
struct SidecarEntry: Sendable, Equatable {
  static let byteCount = 120
  static let bodyBytes = 88
  static let innerBytes = 60

  enum Kind: UInt8, Sendable {
    case subject = 1
    /// Several subjects: the key is derived from the members' keys.
    case join = 2
    case metadata = 3
    case map = 4
  }

  let slot: UInt32
  let kind: Kind
  /// Members of a join, else 1.
  let count: UInt8
  /// Days since 1970; 0: with the segment.
  let expires: UInt16
  /// Keyed tag of the subject, zeros for the metadata key, for content without subject and for joins.
  let tag: UInt128
  let body: [UInt8]

  init(slot: UInt32, kind: Kind, count: UInt8, expires: UInt16, tag: UInt128, body: [UInt8]) {
    self.slot = slot
    self.kind = kind
    self.count = count
    self.expires = expires
    self.tag = tag
    self.body = body + [UInt8](repeating: 0, count: max(0, Self.bodyBytes - body.count))
  }

  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.byteCount)
    bytes.append(little: slot)
    bytes.append(kind.rawValue)
    bytes.append(count)
    bytes.append(little: expires)
    bytes.append(id: tag)
    bytes += body
    bytes.append(little: CRC32C.checksum(bytes))
    bytes.append(little: UInt32(0))
    return bytes
  }

  /// Reads one entry of exactly 120 bytes.
  init(_ bytes: ArraySlice<UInt8>) throws(SealedLogError) {
    guard bytes.count == Self.byteCount else { throw .malformed("sidecar entry length") }
    let end = bytes.startIndex + Self.byteCount - 8
    var reader = LittleEndianReader(bytes)
    slot = try reader.integer(UInt32.self)
    let kind = Kind(rawValue: try reader.integer(UInt8.self))
    count = try reader.integer(UInt8.self)
    expires = try reader.integer(UInt16.self)
    tag = try reader.id()
    body = try reader.take(Self.bodyBytes)
    let checksum = try reader.integer(UInt32.self)
    guard checksum == bytes[bytes.startIndex..<end].withUnsafeBytes({ CRC32C.checksum($0) }),
      try reader.integer(UInt32.self) == 0, let kind, slot > 0
    else { throw .malformed("sidecar entry") }
    self.kind = kind
  }

  /// The member slots of a join, ascending.
  var members: [UInt32] {
    guard kind == .join else { return [] }
    var reader = LittleEndianReader(body)
    var slots: [UInt32] = []
    for _ in 0..<min(Int(count), Self.bodyBytes / 4) {
      guard let slot = try? reader.integer(UInt32.self) else { break }
      slots.append(slot)
    }
    return slots
  }
}

/// A sidecar as read from disk.
struct Sidecar: Sendable {
  let header: SidecarHeader
  private(set) var entries: [UInt32: SidecarEntry] = [:]
  /// A last entry is cut short or damaged: a torn write, unless a frame uses its slot.
  private(set) var isTorn = false
  /// A damaged entry has good ones behind it, or a slot stands twice.
  private(set) var isModified = false
  /// How many bytes are whole and good.
  private(set) var goodBytes: Int

  init(_ file: [UInt8]) throws(SealedLogError) {
    header = try SidecarHeader(file[...])
    var at = SidecarHeader.byteCount
    goodBytes = at
    while at + SidecarEntry.byteCount <= file.count {
      if let entry = try? SidecarEntry(file[at..<at + SidecarEntry.byteCount]) {
        if isTorn { isModified = true }
        if entries.updateValue(entry, forKey: entry.slot) != nil { isModified = true }
        if !isTorn { goodBytes = at + SidecarEntry.byteCount }
      } else {
        isTorn = true
      }
      at += SidecarEntry.byteCount
    }
    if at != file.count { isTorn = true }
  }
}
