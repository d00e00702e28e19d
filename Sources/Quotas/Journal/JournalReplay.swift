import Cryptography

/// Reads journal files back. A torn end is normal after a crash; a bad record with good ones behind it is damage.
public struct JournalReplay: Sendable, Equatable {
  public enum End: Sendable, Equatable {
    case clean
    /// Bytes behind the last good record.
    case torn(Int)
    /// Offset of the first bad record.
    case damaged(at: Int)
  }

  public let records: [JournalRecord]
  public let end: End

  /// Never traps, whatever the bytes are. After damage, the good records behind it are read too: each is protected by
  /// its own sum, and a settlement that is known is better than one that is not.
  public init(_ bytes: [UInt8]) {
    var records: [JournalRecord] = []
    var offset = 0
    var bad: Int?
    bytes.withUnsafeBytes { buffer in
      while offset < buffer.count {
        if let (record, length) = Self.record(buffer, at: offset) {
          records.append(record)
          offset += length
        } else {
          if bad == nil { bad = offset }
          offset = Self.nextGood(buffer, after: offset)
        }
      }
    }
    self.records = records
    if let bad {
      // Torn if nothing good came after the first bad byte.
      let goodAfter = bytes.withUnsafeBytes { Self.nextGood($0, after: bad) < $0.count }
      end = goodAfter ? .damaged(at: bad) : .torn(bytes.count - bad)
    } else {
      end = .clean
    }
  }

  private static func nextGood(_ bytes: UnsafeRawBufferPointer, after offset: Int) -> Int {
    var next = offset + 1
    while next < bytes.count {
      if isGood(bytes, at: next) { return next }
      next += 1
    }
    return bytes.count
  }

  private static func isGood(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
    length(bytes, at: offset) != nil
  }

  private static func length(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int? {
    guard bytes.count - offset >= JournalLayout.headBytes + JournalLayout.sumBytes else { return nil }
    let length = Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
    let count = Int(bytes[offset + 3])
    let least = JournalLayout.headBytes + count * JournalLayout.entryBytes + JournalLayout.sumBytes
    guard length >= least, length <= JournalLayout.maximumBytes, length <= bytes.count - offset,
      JournalType(rawValue: bytes[offset + 2]) != nil
    else { return nil }
    let body = UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + length - JournalLayout.sumBytes)])
    let sum = UInt32(
      littleEndian: bytes.loadUnaligned(
        fromByteOffset: offset + length - JournalLayout.sumBytes, as: UInt32.self))
    return CRC32C.checksum(body) == sum ? length : nil
  }

  private static func record(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> (JournalRecord, Int)? {
    guard let length = length(bytes, at: offset), let type = JournalType(rawValue: bytes[offset + 2]) else {
      return nil
    }
    func load<Value: FixedWidthInteger & BitwiseCopyable>(_ place: Int, _: Value.Type) -> Value {
      Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + place, as: Value.self))
    }
    let count = Int(bytes[offset + 3])
    let amounts = (0..<count).map { number in
      let place = JournalLayout.headBytes + number * JournalLayout.entryBytes
      return JournalRecord.Amount(lease: load(place, UInt32.self), amount: load(place + 4, Int64.self))
    }
    let tail = JournalLayout.headBytes + count * JournalLayout.entryBytes
    let tailBytes = length - tail - JournalLayout.sumBytes
    var settlement: JournalRecord.Settlement?
    if type == .settle {
      guard tailBytes >= JournalLayout.settleTailBytes else { return nil }
      settlement = JournalRecord.Settlement(
        exit: load(tail, UInt8.self), flags: SettlementFlags(rawValue: load(tail + 2, UInt16.self)),
        day: load(tail + 4, Int32.self), sequence: load(tail + 8, UInt64.self),
        owner: UsageOwner(
          tenant: load(tail + 16, UInt128.self), project: load(tail + 32, UInt128.self),
          key: load(tail + 48, UInt128.self), user: load(tail + 64, UInt128.self)),
        totals: UsageTotals(
          requests: Quotas.Amount.clamped(load(tail + 80, Int64.self)),
          inputTokens: Quotas.Amount.clamped(load(tail + 88, Int64.self)),
          outputTokens: Quotas.Amount.clamped(load(tail + 96, Int64.self)),
          money: Quotas.Amount.clamped(load(tail + 104, Int64.self))))
    }
    let sequence = type == .snapshot && tailBytes >= JournalLayout.snapshotTailBytes ? load(tail, UInt64.self) : 0
    return (
      JournalRecord(
        type: type, time: load(4, Int64.self), attempt: load(12, UInt128.self), amounts: amounts,
        settlement: settlement, snapshotSequence: sequence), length
    )
  }
}
