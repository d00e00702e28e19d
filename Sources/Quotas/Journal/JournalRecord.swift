/// The records of the node journal: `u16 length | u8 type | u8 n | u64 ns | 16 B attempt | n × (u32 lease, i64 amount) |
/// tail | u32 CRC-32C`, little-endian; length counts everything, the sum covers everything before it.
package enum JournalType: UInt8, Sendable {
  case lease = 1
  case reserve = 2
  case sent = 3
  /// Tail: `u8 exit | u8 – | u16 flags | i32 day | u64 number | 4 × 16 B owner | i64 requests, input, output, money`.
  case settle = 4
  case release = 5
  case shrink = 6
  /// Segments of the sealed log; their tail belongs to it.
  case segmentOpen = 7
  case segmentClose = 8
  case clock = 9
  /// Attempt = tenant; amounts = settled totals of its leases. Tail: `u64` number of the last settlement in them.
  case snapshot = 10
  case stop = 11
}

enum JournalLayout {
  static let headBytes = 28
  static let entryBytes = 12
  static let sumBytes = 4
  static let settleTailBytes = 112
  static let snapshotTailBytes = 8
  /// 255 entries and the longest tail that anybody writes.
  static let maximumBytes = 4_096
}

/// One record as it was read.
package struct JournalRecord: Sendable, Equatable {
  package struct Amount: Sendable, Equatable {
    package let lease: UInt32
    package let amount: Int64

    package init(lease: UInt32, amount: Int64) {
      self.lease = lease
      self.amount = amount
    }
  }

  /// What a SETTLE record says beyond the amounts.
  package struct Settlement: Sendable, Equatable {
    package let exit: UInt8
    package let flags: SettlementFlags
    package let day: Int32
    package let sequence: UInt64
    package let owner: UsageOwner
    package let totals: UsageTotals
  }

  package let type: JournalType
  package let time: Int64
  package let attempt: UInt128
  package let amounts: [Amount]
  /// Of SETTLE records.
  package let settlement: Settlement?
  /// Of SNAPSHOT records.
  package let snapshotSequence: UInt64
}
