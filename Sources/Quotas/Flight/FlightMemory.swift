/// Memory that outlives the process: a mapped file in production, the heap in tests.
///
/// Its layout is ``FlightLayout``; it is zeroed when it is new.
public protocol FlightMemory: AnyObject, Sendable {
  /// At least ``FlightLayout/size(slots:rates:)`` bytes, valid and in place as long as this object lives.
  var base: UnsafeMutableRawPointer { get }
  var slotCount: Int { get }
  var rateCount: Int { get }
}

/// Where things lie in flight memory; integers are little-endian.
///
/// `header | slots × 384 B | slots × 128 B usage | rates × 16 B`. A slot:
/// `u64 state | 16 B attempt | u64 ns | u32 output so far | u32 n | 16 × (u32 lease, i64 W, i64 actual)`. Its usage
/// record says who pays: `tenant, project, key, user (16 B each) | i32 day | u8 exit | u8 – | u16 flags | u64 settlement
/// number | i64 input | i64 output | i64 money`. A rate: `u64 limit | i64 arrival`.
public enum FlightLayout {
  public static let headerBytes = 4_096
  public static let slotBytes = 384
  public static let usageBytes = 128
  public static let rateBytes = 16
  public static let maximumBudgets = 16
  public static let maximumRates = 16
  public static let magic: UInt64 = 0x3148_474C_4648_5400  // \0THFLGH1

  static let attempt = 8
  static let time = 24
  static let output = 32
  static let count = 36
  static let entries = 40
  static let entryBytes = 20

  static let tenant = 0
  static let project = 16
  static let key = 32
  static let user = 48
  static let day = 64
  static let exit = 68
  static let flags = 70
  static let sequence = 72
  static let input = 80
  static let outputTokens = 88
  static let money = 96

  static let headerEpoch = 8
  static let headerSlots = 12
  static let headerRates = 16
  static let headerNode = 32
  static let headerBoot = 48

  public static func size(slots: Int, rates: Int) -> Int {
    headerBytes + slots * (slotBytes + usageBytes) + rates * rateBytes
  }

  static func usageOffset(slots: Int, slot: Int) -> Int { headerBytes + slots * slotBytes + slot * usageBytes }

  static func ratesOffset(slots: Int) -> Int { headerBytes + slots * (slotBytes + usageBytes) }
}

/// The states of a slot. FREE → RESERVED → SENT → SETTLED → FREE.
public enum FlightState: UInt64, Sendable {
  case free = 0
  /// Set aside, not sent.
  case reserved = 1
  /// The first byte may have left.
  case sent = 2
  /// The actuals are filled in.
  case settled = 3
}

/// Flight memory on the heap.
public final class HeapFlightMemory: FlightMemory {
  public nonisolated(unsafe) let base: UnsafeMutableRawPointer
  public let slotCount: Int
  public let rateCount: Int

  public init(slots: Int = 1_024, rates: Int = 1_024) {
    slotCount = max(1, slots)
    rateCount = max(0, rates)
    let size = FlightLayout.size(slots: slotCount, rates: rateCount)
    base = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: size)
  }

  deinit { base.deallocate() }

  /// What a process that starts after a crash would find.
  public func copyBytes() -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: base, count: FlightLayout.size(slots: slotCount, rates: rateCount)))
  }
}
