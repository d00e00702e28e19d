/// What a dead process left in its flight memory, read once at the start of the next.
package struct FlightSnapshot: Sendable, Equatable {
  package struct Entry: Sendable, Equatable {
    package let lease: UInt32
    package let worst: Int64
    package let actual: Int64
  }

  package struct Slot: Sendable, Equatable {
    package let state: FlightState
    package let attempt: UInt128
    package let time: Int64
    package let outputSoFar: UInt32
    package let entries: [Entry]
    package let owner: UsageOwner
    package let day: Int32
    package let flags: SettlementFlags
    package let exit: UInt8
    package let sequence: UInt64
    package let inputTokens: Int64
    package let outputTokens: Int64
    package let money: Int64
  }

  package let node: UInt128
  package let epoch: UInt32
  package let bootID: UInt128
  /// All that are not free.
  package let slots: [Slot]
  /// Arrival times of rates by limit.
  package let rates: [UInt64: Int64]

  /// Nil if the bytes are not flight memory that was written completely: then nothing in them is believed.
  package init?(_ bytes: [UInt8]) {
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
