internal import Cryptography
internal import Tenancy

/// Makes the frames of one segment: owns seq and nonces, so one thread at a time.
final class FrameSealer {
  private let nonces: NoncePool
  private let hasher: MerkleHasher
  private let bucketLog2: UInt8
  /// 48 header bytes | segment id | tenant id | C.
  private var associated: [UInt8]
  /// The next frame's number.
  private(set) var seq: UInt64 = 0
  /// The leaves of this segment.
  private(set) var range: CompactRange

  init(_ fields: SegmentHeader.Fields, treeSize: UInt64, hasher: MerkleHasher, nonces: NoncePool) {
    self.hasher = hasher
    self.nonces = nonces
    bucketLog2 = fields.bucketLog2
    associated = [UInt8](repeating: 0, count: FrameHeader.byteCount)
    associated += fields.segment.bytes + fields.tenant.bytes + fields.commitment
    range = CompactRange(startingAt: treeSize)
  }

  /// Appends one encrypted frame to `out`.
  /// - Parameter payload: At most 64 KiB.
  func seal(
    _ type: FrameType, flags: UInt8, part: UInt16, record: UInt128, slot: UInt32, time: UInt64,
    payload: UnsafeRawBufferPointer, key: AESGCMKey, into out: inout [UInt8]
  ) throws(SealedLogError) {
    guard payload.count <= FrameHeader.maximalPayloadBytes else { throw .malformed("payload of a part") }
    let plain = FrameHeader.paddedBytes(payload: payload.count, bucketLog2: bucketLog2)
    let length = FrameHeader.byteCount + plain + FrameHeader.tagBytes + FrameHeader.checksumBytes
    guard length <= FrameHeader.maximalFrameBytes else { throw .malformed("frame length") }
    let header = FrameHeader(
      length: UInt32(length), type: type, flags: flags, part: part, seq: seq, time: time, record: record, slot: slot,
      random: try nonces.next())
    let start = out.count
    out.append(zeros: length)
    var failure: SealedLogError?
    let leaf: Digest256? = out.withUnsafeMutableBytes { all in
      associated.withUnsafeMutableBytes { associated in
        let frame = UnsafeMutableRawBufferPointer(rebasing: all[start..<start + length])
        do throws(SealedLogError) {
          return try fill(frame, header, plain, payload, key, associated)
        } catch {
          failure = error
          return nil
        }
      }
    }
    guard let leaf else {
      out.removeLast(length)
      throw failure ?? .malformed("frame")
    }
    try range.append(leaf: leaf, hasher: hasher)
    seq += 1
  }

  private func fill(
    _ frame: UnsafeMutableRawBufferPointer, _ header: FrameHeader, _ plain: Int, _ payload: UnsafeRawBufferPointer,
    _ key: AESGCMKey, _ associated: UnsafeMutableRawBufferPointer
  ) throws(SealedLogError) -> Digest256 {
    header.store(to: frame)
    header.store(to: associated)
    let bodyEnd = FrameHeader.byteCount + plain + FrameHeader.tagBytes
    frame.storeBytes(of: UInt32(payload.count).littleEndian, toByteOffset: FrameHeader.byteCount, as: UInt32.self)
    if !payload.isEmpty {
      UnsafeMutableRawBufferPointer(rebasing: frame[(FrameHeader.byteCount + 4)...]).copyMemory(from: payload)
    }
    let sealed = UnsafeMutableRawBufferPointer(rebasing: frame[FrameHeader.byteCount..<bodyEnd])
    do throws(CryptographyError) {
      try FrameNonce.with(frame) { (nonce) throws(CryptographyError) in
        try key.seal(
          UnsafeRawBufferPointer(rebasing: sealed[..<plain]), nonce: nonce,
          authenticating: UnsafeRawBufferPointer(associated), into: sealed)
      }
    } catch { throw SealedLogError(error) }
    let checksum = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: frame[..<bodyEnd]))
    frame.storeBytes(of: checksum.littleEndian, toByteOffset: bodyEnd, as: UInt32.self)
    return try hasher.leaf(
      header: UnsafeRawBufferPointer(rebasing: frame[..<FrameHeader.byteCount]), body: UnsafeRawBufferPointer(sealed))
  }

  /// Appends one clear frame: START, CHECKPOINT or FOOTER. They belong to no record.
  /// - Parameter isLeaf: False only for the footer of a poisoned segment.
  func clear(_ type: FrameType, time: UInt64, body: [UInt8], isLeaf: Bool = true, into out: inout [UInt8])
    throws(SealedLogError)
  {
    let frame = try ClearFrame.encode(type, seq: seq, time: time, body: body, random: try nonces.next())
    out += frame
    if isLeaf {
      try range.append(leaf: try ClearFrame.leaf(frame, hasher: hasher), hasher: hasher)
    }
    seq += 1
  }
}

/// The nonce of a frame: its bytes 44..<48 and 8..<16.
enum FrameNonce {
  static func with<Value, Failure: Error>(
    _ frame: UnsafeMutableRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    try with(UnsafeRawBufferPointer(frame), body)
  }

  static func with<Value, Failure: Error>(
    _ frame: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    var nonce: (UInt32, UInt32, UInt32) = (
      frame.loadUnaligned(fromByteOffset: 44, as: UInt32.self), frame.loadUnaligned(fromByteOffset: 8, as: UInt32.self),
      frame.loadUnaligned(fromByteOffset: 12, as: UInt32.self)
    )
    return try withUnsafeBytes(of: &nonce) { (bytes) throws(Failure) in try body(bytes) }
  }
}

/// Frames that are not encrypted.
enum ClearFrame {
  static func encode(_ type: FrameType, seq: UInt64, time: UInt64, body: [UInt8], random: UInt32)
    throws(SealedLogError) -> [UInt8]
  {
    let length = FrameHeader.byteCount + body.count + FrameHeader.checksumBytes
    guard length <= FrameHeader.maximalFrameBytes else { throw .malformed("clear frame") }
    let header = FrameHeader(
      length: UInt32(length), type: type, flags: FrameHeader.clear | FrameHeader.lastPart, part: 0, seq: seq,
      time: time, record: 0, slot: 0, random: random)
    var frame = [UInt8](repeating: 0, count: FrameHeader.byteCount)
    frame.withUnsafeMutableBytes { header.store(to: $0) }
    frame += body
    frame.append(little: CRC32C.checksum(frame))
    return frame
  }

  static func leaf(_ frame: [UInt8], hasher: MerkleHasher) throws(SealedLogError) -> Digest256 {
    var failure: SealedLogError?
    let leaf: Digest256? = frame.withUnsafeBytes { bytes in
      do throws(SealedLogError) {
        return try hasher.leaf(
          header: UnsafeRawBufferPointer(rebasing: bytes[..<FrameHeader.byteCount]),
          body: UnsafeRawBufferPointer(
            rebasing: bytes[FrameHeader.byteCount..<bytes.count - FrameHeader.checksumBytes]))
      } catch {
        failure = error
        return nil
      }
    }
    guard let leaf else { throw failure ?? .malformed("clear frame") }
    return leaf
  }
}
