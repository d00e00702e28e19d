/// What a dead process left in its flight memory, read once at the start of the next.
public struct FlightSnapshot: Sendable, Equatable {
  public struct Entry: Sendable, Equatable {
    public let lease: UInt32
    public let worst: Int64
    public let actual: Int64
  }

  public struct Slot: Sendable, Equatable {
    public let state: FlightState
    public let attempt: UInt128
    public let time: Int64
    public let outputSoFar: UInt32
    public let entries: [Entry]
    public let owner: UsageOwner
    public let day: Int32
    public let flags: SettlementFlags
    public let exit: UInt8
    public let sequence: UInt64
    public let inputTokens: Int64
    public let outputTokens: Int64
    public let money: Int64
  }

  public let node: UInt128
  public let epoch: UInt32
  public let bootID: UInt128
  /// All that are not free.
  public let slots: [Slot]
  /// Arrival times of rates by limit.
  public let rates: [UInt64: Int64]

  /// Nil if the bytes are not flight memory that was written completely: then nothing in them is believed.
  public init?(_ bytes: [UInt8]) {
    let snapshot = bytes.withUnsafeBytes { Self.read($0) }
    guard let snapshot else { return nil }
    self = snapshot
  }

  private init(
    node: UInt128, epoch: UInt32, bootID: UInt128, slots: [Slot], rates: [UInt64: Int64]
  ) {
    self.node = node
    self.epoch = epoch
    self.bootID = bootID
    self.slots = slots
    self.rates = rates
  }

  private static func read(_ bytes: UnsafeRawBufferPointer) -> FlightSnapshot? {
    guard bytes.count >= FlightLayout.headerBytes else { return nil }
    func load<Value: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, _: Value.Type) -> Value {
      Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }
    guard load(0, UInt64.self) == FlightLayout.magic else { return nil }
    let slotCount = Int(load(FlightLayout.headerSlots, UInt32.self))
    let rateCount = Int(load(FlightLayout.headerRates, UInt32.self))
    guard slotCount > 0, slotCount <= 1 << 20, rateCount <= 1 << 24,
      bytes.count >= FlightLayout.size(slots: slotCount, rates: rateCount)
    else { return nil }
    var slots: [Slot] = []
    for index in 0..<slotCount {
      let start = FlightLayout.headerBytes + index * FlightLayout.slotBytes
      let usage = FlightLayout.usageOffset(slots: slotCount, slot: index)
      guard let state = FlightState(rawValue: load(start, UInt64.self)) else { return nil }
      if state == .free { continue }
      let count = Int(load(start + FlightLayout.count, UInt32.self))
      guard count <= FlightLayout.maximumBudgets else { return nil }
      var entries: [Entry] = []
      for number in 0..<count {
        let place = start + FlightLayout.entries + number * FlightLayout.entryBytes
        let entry = Entry(
          lease: load(place, UInt32.self), worst: load(place + 4, Int64.self), actual: load(place + 12, Int64.self))
        guard entry.worst >= 0, entry.actual >= 0 else { return nil }
        entries.append(entry)
      }
      let owner = UsageOwner(
        tenant: load(usage + FlightLayout.tenant, UInt128.self),
        project: load(usage + FlightLayout.project, UInt128.self), key: load(usage + FlightLayout.key, UInt128.self),
        user: load(usage + FlightLayout.user, UInt128.self))
      slots.append(
        Slot(
          state: state, attempt: load(start + FlightLayout.attempt, UInt128.self),
          time: load(start + FlightLayout.time, Int64.self),
          outputSoFar: load(start + FlightLayout.output, UInt32.self), entries: entries, owner: owner,
          day: load(usage + FlightLayout.day, Int32.self),
          flags: SettlementFlags(rawValue: load(usage + FlightLayout.flags, UInt16.self)),
          exit: bytes[usage + FlightLayout.exit], sequence: load(usage + FlightLayout.sequence, UInt64.self),
          inputTokens: Amount.clamped(load(usage + FlightLayout.input, Int64.self)),
          outputTokens: Amount.clamped(load(usage + FlightLayout.outputTokens, Int64.self)),
          money: Amount.clamped(load(usage + FlightLayout.money, Int64.self))))
    }
    var rates: [UInt64: Int64] = [:]
    for index in 0..<rateCount {
      let place = FlightLayout.ratesOffset(slots: slotCount) + index * FlightLayout.rateBytes
      let limit = load(place, UInt64.self)
      if limit != 0 { rates[limit] = load(place + 8, Int64.self) }
    }
    return FlightSnapshot(
      node: load(FlightLayout.headerNode, UInt128.self), epoch: load(FlightLayout.headerEpoch, UInt32.self),
      bootID: load(FlightLayout.headerBoot, UInt128.self), slots: slots, rates: rates)
  }
}
