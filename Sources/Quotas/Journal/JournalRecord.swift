/// The records of the node journal: `u16 length | u8 type | u8 n | u64 ns | 16 B attempt | n × (u32 lease, i64 amount) |
/// tail | u32 CRC-32C`, little-endian; length counts everything, the sum covers everything before it.
public enum JournalType: UInt8, Sendable {
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
public struct JournalRecord: Sendable, Equatable {
  public struct Amount: Sendable, Equatable {
    public let lease: UInt32
    public let amount: Int64

    public init(lease: UInt32, amount: Int64) {
      self.lease = lease
      self.amount = amount
    }
  }

  /// What a SETTLE record says beyond the amounts.
  public struct Settlement: Sendable, Equatable {
    public let exit: UInt8
    public let flags: SettlementFlags
    public let day: Int32
    public let sequence: UInt64
    public let owner: UsageOwner
    public let totals: UsageTotals
  }

  public let type: JournalType
  public let time: Int64
  public let attempt: UInt128
  public let amounts: [Amount]
  /// Of SETTLE records.
  public let settlement: Settlement?
  /// Of SNAPSHOT records.
  public let snapshotSequence: UInt64
}
