/// What a frame holds.
public enum FrameType: UInt8, Sendable {
  case request = 1
  case response = 2
  case metadata = 3
  case map = 4
  case administration = 5
  case erase = 6
  case checkpoint = 7
  case footer = 8
  case start = 9

  /// Types 7 to 9 are never encrypted.
  var isClear: Bool { rawValue >= 7 }
}

/// The 48 bytes before a frame's body.
struct FrameHeader: Sendable, Equatable {
  static let byteCount = 48
  static let checksumBytes = 4
  static let tagBytes = 16
  static let maximalFrameBytes = 131_072
  /// The largest payload of one part; longer ones go in parts.
  static let maximalPayloadBytes = 65_536
  static let leastFrameBytes = byteCount + checksumBytes

  static let lastPart: UInt8 = 1
  static let clear: UInt8 = 2
  static let assembled: UInt8 = 4

  var length: UInt32
  var type: FrameType
  var flags: UInt8
  /// From 0 per record and type.
  var part: UInt16
  /// From 0 per segment, no gaps.
  var seq: UInt64
  /// Nanoseconds since 1970 UTC.
  var time: UInt64
  var record: UInt128
  /// 0 clear, 1 metadata key, 2 content without subject, from 16 subjects.
  var slot: UInt32
  /// First part of the nonce, as stored.
  var random: UInt32

  func store(to out: UnsafeMutableRawBufferPointer) {
    out.storeBytes(of: length.littleEndian, toByteOffset: 0, as: UInt32.self)
    out.storeBytes(of: type.rawValue, toByteOffset: 4, as: UInt8.self)
    out.storeBytes(of: flags, toByteOffset: 5, as: UInt8.self)
    out.storeBytes(of: part.littleEndian, toByteOffset: 6, as: UInt16.self)
    out.storeBytes(of: seq.littleEndian, toByteOffset: 8, as: UInt64.self)
    out.storeBytes(of: time.littleEndian, toByteOffset: 16, as: UInt64.self)
    out.storeBytes(of: UInt64(truncatingIfNeeded: record >> 64).bigEndian, toByteOffset: 24, as: UInt64.self)
    out.storeBytes(of: UInt64(truncatingIfNeeded: record).bigEndian, toByteOffset: 32, as: UInt64.self)
    out.storeBytes(of: slot.littleEndian, toByteOffset: 40, as: UInt32.self)
    out.storeBytes(of: random.littleEndian, toByteOffset: 44, as: UInt32.self)
  }

  /// Nil unless 48 bytes follow a known type and flags that fit it.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= Self.byteCount,
      let type = FrameType(rawValue: bytes.loadUnaligned(fromByteOffset: 4, as: UInt8.self))
    else { return nil }
    length = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self))
    self.type = type
    flags = bytes.loadUnaligned(fromByteOffset: 5, as: UInt8.self)
    part = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self))
    seq = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    time = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
    let high = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
    let low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 32, as: UInt64.self))
    record = UInt128(high) << 64 | UInt128(low)
    slot = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 40, as: UInt32.self))
    random = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 44, as: UInt32.self))
    guard flags & ~(Self.lastPart | Self.clear | Self.assembled) == 0, (flags & Self.clear != 0) == type.isClear,
      (slot == 0) == type.isClear
    else { return nil }
  }

  init(
    length: UInt32, type: FrameType, flags: UInt8, part: UInt16, seq: UInt64, time: UInt64, record: UInt128,
    slot: UInt32, random: UInt32
  ) {
    self.length = length
    self.type = type
    self.flags = flags
    self.part = part
    self.seq = seq
    self.time = time
    self.record = record
    self.slot = slot
    self.random = random
  }

  var isLastPart: Bool { flags & Self.lastPart != 0 }

  /// `u32 length, payload, zeros up to the bucket`.
  static func paddedBytes(payload: Int, bucketLog2: UInt8) -> Int {
    let bucket = 1 << Int(min(bucketLog2, 16))
    return (payload + 4 + bucket - 1) & ~(bucket - 1)
  }
}
