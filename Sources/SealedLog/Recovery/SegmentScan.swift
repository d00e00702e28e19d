internal import Cryptography

/// A segment's frames as they lie in a file that nobody vouches for: up to the first bad length, checksum or number.
struct SegmentScan {
  struct Frame {
    let offset: Int
    let header: FrameHeader
    var end: Int { offset + Int(header.length) }
    /// Ciphertext and tag, or the body of a clear frame.
    var body: Range<Int> { offset + FrameHeader.byteCount..<end - FrameHeader.checksumBytes }
  }

  enum Tail: Equatable {
    /// The file ends after a good frame.
    case clean
    /// Bytes that are no frame, and no good frame behind them: a write that did not finish.
    case torn
    /// A good frame lies behind bad bytes: no crash does that.
    case corrupt
  }

  let header: SegmentHeader
  let frames: [Frame]
  /// Header and good frames.
  let goodBytes: Int
  let tail: Tail

  var footer: Frame? { frames.last.flatMap { $0.header.type == .footer ? $0 : nil } }

  /// - Parameter isStub: Between START and FOOTER the frames were expired.
  init(_ file: [UInt8], isStub: Bool = false) throws(SealedLogError) {
    header = try SegmentHeader(file[...])
    var frames: [Frame] = []
    let start = header.bytes.count
    var at = start
    var tail = Tail.clean
    file.withUnsafeBytes { bytes in
      while at < bytes.count {
        guard let next = Self.frame(bytes, at: at),
          next.header.seq == UInt64(frames.count)
            || (isStub && frames.count == 1 && next.header.type == .footer && next.header.seq > 0),
          frames.isEmpty == (next.header.type == .start), frames.last?.header.type != .footer
        else {
          tail = Self.hasGoodFrame(bytes, behind: at, from: UInt64(frames.count)) ? .corrupt : .torn
          break
        }
        frames.append(next)
        at = next.end
      }
    }
    self.frames = frames
    self.tail = tail
    goodBytes = at
  }

  /// The frame at an offset if length, type and checksum are right.
  private static func frame(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Frame? {
    guard bytes.count - offset >= FrameHeader.leastFrameBytes,
      let header = FrameHeader(UnsafeRawBufferPointer(rebasing: bytes[offset...]))
    else { return nil }
    let length = Int(header.length)
    let least = FrameHeader.leastFrameBytes + (header.type.isClear ? 0 : FrameHeader.tagBytes + 4)
    guard length >= least, length <= FrameHeader.maximalFrameBytes, length <= bytes.count - offset else { return nil }
    let end = offset + length - FrameHeader.checksumBytes
    let stored = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: end, as: UInt32.self))
    guard stored == CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[offset..<end])) else { return nil }
    return Frame(offset: offset, header: header)
  }

  /// Looks at every offset behind a bad frame; the checksum is computed only where a header is plausible.
  private static func hasGoodFrame(_ bytes: UnsafeRawBufferPointer, behind bad: Int, from seq: UInt64) -> Bool {
    var at = bad
    while bytes.count - at >= FrameHeader.leastFrameBytes {
      let number = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at + 8, as: UInt64.self))
      if number < 1 << 25, let found = frame(bytes, at: at), at > bad || found.header.seq != seq { return true }
      at += 1
    }
    return false
  }

  /// The leaf of each frame, in order.
  func leaves(_ file: [UInt8], hasher: MerkleHasher) throws(SealedLogError) -> [Digest256] {
    var leaves: [Digest256] = []
    leaves.reserveCapacity(frames.count)
    for frame in frames { leaves.append(try Self.leaf(file, frame, hasher: hasher)) }
    return leaves
  }

  static func leaf(_ file: [UInt8], _ frame: Frame, hasher: MerkleHasher) throws(SealedLogError) -> Digest256 {
    var failure: SealedLogError?
    let leaf: Digest256? = file.withUnsafeBytes { bytes in
      do throws(SealedLogError) {
        return try hasher.leaf(
          header: UnsafeRawBufferPointer(rebasing: bytes[frame.offset..<frame.offset + FrameHeader.byteCount]),
          body: UnsafeRawBufferPointer(rebasing: bytes[frame.body]))
      } catch {
        failure = error
        return nil
      }
    }
    guard let leaf else { throw failure ?? .malformed("frame") }
    return leaf
  }

  /// The START frame's body, checked.
  func start(_ file: [UInt8], hasher: MerkleHasher) throws(SealedLogError) -> StartBody? {
    guard let first = frames.first else { return nil }
    return try StartBody(
      file[first.body], segment: header.fields.segment, nodeKey: header.certificate.publicKey, hasher: hasher)
  }
}
