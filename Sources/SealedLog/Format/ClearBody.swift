internal import Cryptography
internal import Tenancy

/// The body of a START frame: the tree that this segment goes on with, signed by the node.
struct StartBody: Sendable, Equatable {
  static let predecessorPoisoned: UInt8 = 1
  private static let context = Array("torhaus/start/v1\0".utf8)

  /// The whole tree before this frame.
  let tree: CompactRange
  let root: Digest256
  /// Nil: the stream's first segment.
  let previous: SegmentID?
  let flags: UInt8

  static func encode(
    tree: CompactRange, previous: SegmentID?, flags: UInt8, segment: SegmentID, signer: NodeSigner,
    hasher: MerkleHasher
  ) throws(SealedLogError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(little: tree.end)
    bytes += try hasher.root(of: tree).bytes
    bytes.append(id: previous?.value ?? 0)
    bytes.append(flags)
    bytes += tree.encodedHashes
    bytes += try signer.sign(context + segment.bytes + bytes)
    return bytes
  }

  /// Reads the body and checks signature and root.
  init(_ body: ArraySlice<UInt8>, segment: SegmentID, nodeKey: [UInt8], hasher: MerkleHasher) throws(SealedLogError) {
    var reader = LittleEndianReader(body)
    let size = try reader.integer(UInt64.self)
    root = Digest256(bytes: try reader.take(32))
    let previous = try reader.id()
    self.previous = previous == 0 ? nil : SegmentID(previous)
    flags = try reader.integer(UInt8.self)
    tree = try CompactRange(begin: 0, end: size, reading: &reader)
    let signed = Array(body[body.startIndex..<reader.position])
    let signature = try reader.take(64)
    guard reader.remaining == 0, flags & ~Self.predecessorPoisoned == 0 else { throw .malformed("start frame") }
    guard Ed25519.isValid(signature, of: Self.context + segment.bytes + signed, by: nodeKey),
      try hasher.root(of: tree) == root
    else { throw .notAuthentic("start frame") }
  }
}

/// The body of a FOOTER frame.
///
/// `frames` and the tree size count what stands before the footer. The footer is itself the next leaf, except with
/// reason `poisoned`: there the next segment may have begun before the footer could be written.
struct FooterBody: Sendable, Equatable {
  enum Reason: UInt8, Sendable {
    case roll = 1
    case stop = 2
    case recovered = 3
    case poisoned = 4
  }

  let frames: UInt64
  /// The leaves of this segment before the footer.
  let range: CompactRange
  let reason: Reason
  /// The newest signed checkpoint when the segment closed, or empty.
  let note: [UInt8]

  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(little: frames)
    bytes.append(little: range.end)
    bytes.append(reason.rawValue)
    bytes += range.encodedHashes
    bytes += note
    return bytes
  }

  init(frames: UInt64, range: CompactRange, reason: Reason, note: [UInt8]) {
    self.frames = frames
    self.range = range
    self.reason = reason
    self.note = note
  }

  init(_ body: ArraySlice<UInt8>) throws(SealedLogError) {
    var reader = LittleEndianReader(body)
    frames = try reader.integer(UInt64.self)
    let size = try reader.integer(UInt64.self)
    guard let reason = Reason(rawValue: try reader.integer(UInt8.self)), frames <= size else {
      throw .malformed("footer frame")
    }
    self.reason = reason
    range = try CompactRange(begin: size - frames, end: size, reading: &reader)
    note = reader.rest()
  }
}
