import Cryptography

/// Makes journal records. Pure: the bytes go to the writer's batch.
public enum JournalEncoder {
  /// Appends one record; amounts beyond 255 are cut off, which no caller reaches.
  public static func append(
    _ type: JournalType, time: Int64, attempt: UInt128 = 0, amounts: [JournalRecord.Amount] = [],
    tail: [UInt8] = [], to journal: inout [UInt8]
  ) {
    append(type, time: time, attempt: attempt, count: min(255, amounts.count), tailBytes: tail.count, to: &journal) {
      record, count in
      for number in 0..<count {
        writeAmount(record, number, lease: amounts[number].lease, amount: amounts[number].amount)
      }
      let start = JournalLayout.headBytes + count * JournalLayout.entryBytes
      for (index, byte) in tail.enumerated() { record[start + index] = byte }
    }
  }

  /// Settled totals of a tenant's leases, for a new journal file; several records if there are many.
  public static func appendSnapshot(
    tenant: UInt128, leases: [JournalRecord.Amount], sequence: UInt64, time: Int64, to journal: inout [UInt8]
  ) {
    let tail = withUnsafeBytes(of: sequence.littleEndian) { Array($0) }
    var rest = leases[...]
    repeat {
      append(.snapshot, time: time, attempt: tenant, amounts: Array(rest.prefix(255)), tail: tail, to: &journal)
      rest = rest.dropFirst(255)
    } while !rest.isEmpty
  }

  /// Head, then what the body writes, then the sum; on the stack, so nothing is allocated but the journal's growth.
  @inline(__always) static func append(
    _ type: JournalType, time: Int64, attempt: UInt128, count: Int, tailBytes: Int, to journal: inout [UInt8],
    _ body: (UnsafeMutableRawBufferPointer, Int) -> Void
  ) {
    let length = JournalLayout.headBytes + count * JournalLayout.entryBytes + tailBytes + JournalLayout.sumBytes
    guard count <= 255, length <= JournalLayout.maximumBytes else { return }
    withUnsafeTemporaryAllocation(byteCount: length, alignment: 16) { record in
      record.storeBytes(of: UInt16(length).littleEndian, as: UInt16.self)
      record[2] = type.rawValue
      record[3] = UInt8(count)
      record.storeBytes(of: time.littleEndian, toByteOffset: 4, as: Int64.self)
      record.storeBytes(of: attempt.littleEndian, toByteOffset: 12, as: UInt128.self)
      body(record, count)
      let sum = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: record[..<(length - JournalLayout.sumBytes)]))
      record.storeBytes(of: sum.littleEndian, toByteOffset: length - JournalLayout.sumBytes, as: UInt32.self)
      journal.append(contentsOf: record)
    }
  }

  @inline(__always) static func writeAmount(
    _ record: UnsafeMutableRawBufferPointer, _ number: Int, lease: UInt32, amount: Int64
  ) {
    let place = JournalLayout.headBytes + number * JournalLayout.entryBytes
    record.storeBytes(of: lease.littleEndian, toByteOffset: place, as: UInt32.self)
    record.storeBytes(of: amount.littleEndian, toByteOffset: place + 4, as: Int64.self)
  }

  @inline(__always) static func writeSettlement(
    _ record: UnsafeMutableRawBufferPointer, at start: Int, exit: UInt8, flags: UInt16, day: Int32, sequence: UInt64,
    owner: UsageOwner, requests: Int64, input: Int64, output: Int64, money: Int64
  ) {
    record[start] = exit
    record[start + 1] = 0
    record.storeBytes(of: flags.littleEndian, toByteOffset: start + 2, as: UInt16.self)
    record.storeBytes(of: day.littleEndian, toByteOffset: start + 4, as: Int32.self)
    record.storeBytes(of: sequence.littleEndian, toByteOffset: start + 8, as: UInt64.self)
    record.storeBytes(of: owner.tenant.littleEndian, toByteOffset: start + 16, as: UInt128.self)
    record.storeBytes(of: owner.project.littleEndian, toByteOffset: start + 32, as: UInt128.self)
    record.storeBytes(of: owner.key.littleEndian, toByteOffset: start + 48, as: UInt128.self)
    record.storeBytes(of: owner.user.littleEndian, toByteOffset: start + 64, as: UInt128.self)
    record.storeBytes(of: requests.littleEndian, toByteOffset: start + 80, as: Int64.self)
    record.storeBytes(of: input.littleEndian, toByteOffset: start + 88, as: Int64.self)
    record.storeBytes(of: output.littleEndian, toByteOffset: start + 96, as: Int64.self)
    record.storeBytes(of: money.littleEndian, toByteOffset: start + 104, as: Int64.self)
  }
}
