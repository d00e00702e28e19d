import Synchronization

/// Writes the slots of flight memory. A slot has one owner at a time, so only the state needs an order: the body is
/// stored first, the state last and with release semantics.
struct FlightTable: Sendable {
  private nonisolated(unsafe) let slots: UnsafeMutableRawPointer
  private nonisolated(unsafe) let usage: UnsafeMutableRawPointer
  private nonisolated(unsafe) let header: UnsafeMutableRawPointer
  private nonisolated(unsafe) let rates: UnsafeMutableRawPointer
  let slotCount: Int
  let rateCount: Int
  private let memory: any FlightMemory

  init(_ memory: any FlightMemory) {
    self.memory = memory
    header = memory.base
    slots = memory.base + FlightLayout.headerBytes
    usage = memory.base + FlightLayout.usageOffset(slots: memory.slotCount, slot: 0)
    rates = memory.base + FlightLayout.ratesOffset(slots: memory.slotCount)
    slotCount = memory.slotCount
    rateCount = memory.rateCount
  }

  /// Takes the memory over for a new process: every slot free, rates as they are.
  func begin(node: UInt128, epoch: UInt32, bootID: UInt128) {
    header.storeBytes(of: 0, as: UInt64.self)
    for slot in 0..<slotCount { set(.free, slot) }
    header.storeBytes(of: epoch.littleEndian, toByteOffset: FlightLayout.headerEpoch, as: UInt32.self)
    header.storeBytes(
      of: UInt32(slotCount).littleEndian, toByteOffset: FlightLayout.headerSlots, as: UInt32.self)
    header.storeBytes(
      of: UInt32(rateCount).littleEndian, toByteOffset: FlightLayout.headerRates, as: UInt32.self)
    header.storeBytes(of: node.littleEndian, toByteOffset: FlightLayout.headerNode, as: UInt128.self)
    header.storeBytes(of: bootID.littleEndian, toByteOffset: FlightLayout.headerBoot, as: UInt128.self)
    header.assumingMemoryBound(to: Atomic<UInt64>.self).pointee
      .store(FlightLayout.magic.littleEndian, ordering: .releasing)
  }

  @inline(__always) private func slot(_ index: Int) -> UnsafeMutableRawPointer {
    slots + index &* FlightLayout.slotBytes
  }
  @inline(__always) private func usage(_ index: Int) -> UnsafeMutableRawPointer {
    usage + index &* FlightLayout.usageBytes
  }
  @inline(__always) private func entry(_ index: Int, _ number: Int) -> UnsafeMutableRawPointer {
    slots + (index &* FlightLayout.slotBytes &+ FlightLayout.entries &+ number &* FlightLayout.entryBytes)
  }

  @inline(__always) func set(_ state: FlightState, _ index: Int) {
    slot(index).assumingMemoryBound(to: Atomic<UInt64>.self).pointee
      .store(state.rawValue.littleEndian, ordering: .releasing)
  }

  @inline(__always) func writeEntry(_ index: Int, _ number: Int, lease: UInt32, worst: Int64) {
    let place = entry(index, number)
    place.storeBytes(of: lease.littleEndian, as: UInt32.self)
    place.storeBytes(of: worst.littleEndian, toByteOffset: 4, as: Int64.self)
    place.storeBytes(of: 0, toByteOffset: 12, as: Int64.self)
  }

  @inline(__always) func writeActual(_ index: Int, _ number: Int, _ actual: Int64) {
    entry(index, number).storeBytes(of: actual.littleEndian, toByteOffset: 12, as: Int64.self)
  }

  @inline(__always) func lease(_ index: Int, _ number: Int) -> UInt32 {
    UInt32(littleEndian: entry(index, number).loadUnaligned(as: UInt32.self))
  }

  @inline(__always) func worst(_ index: Int, _ number: Int) -> Int64 {
    Int64(littleEndian: entry(index, number).loadUnaligned(fromByteOffset: 4, as: Int64.self))
  }

  @inline(__always) func actual(_ index: Int, _ number: Int) -> Int64 {
    Int64(littleEndian: entry(index, number).loadUnaligned(fromByteOffset: 12, as: Int64.self))
  }

  @inline(__always) func writeHead(
    _ index: Int, attempt: UInt128, time: Int64, count: Int, owner: UsageOwner, day: Int32
  ) {
    let place = slot(index)
    place.storeBytes(of: attempt.littleEndian, toByteOffset: FlightLayout.attempt, as: UInt128.self)
    place.storeBytes(of: time.littleEndian, toByteOffset: FlightLayout.time, as: Int64.self)
    place.storeBytes(of: 0, toByteOffset: FlightLayout.output, as: UInt32.self)
    place.storeBytes(
      of: UInt32(truncatingIfNeeded: count).littleEndian, toByteOffset: FlightLayout.count, as: UInt32.self)
    let who = usage(index)
    who.storeBytes(of: owner.tenant.littleEndian, toByteOffset: FlightLayout.tenant, as: UInt128.self)
    who.storeBytes(of: owner.project.littleEndian, toByteOffset: FlightLayout.project, as: UInt128.self)
    who.storeBytes(of: owner.key.littleEndian, toByteOffset: FlightLayout.key, as: UInt128.self)
    who.storeBytes(of: owner.user.littleEndian, toByteOffset: FlightLayout.user, as: UInt128.self)
    who.storeBytes(of: day.littleEndian, toByteOffset: FlightLayout.day, as: Int32.self)
  }

  /// Worst case while open, actuals once settled; `sequence` is 0 until then.
  @inline(__always) func writeUsage(
    _ index: Int, exit: UInt8, flags: UInt16, sequence: UInt64, input: Int64, output: Int64, money: Int64
  ) {
    let place = usage(index)
    place.storeBytes(of: exit, toByteOffset: FlightLayout.exit, as: UInt8.self)
    place.storeBytes(of: flags.littleEndian, toByteOffset: FlightLayout.flags, as: UInt16.self)
    place.storeBytes(of: sequence.littleEndian, toByteOffset: FlightLayout.sequence, as: UInt64.self)
    place.storeBytes(of: input.littleEndian, toByteOffset: FlightLayout.input, as: Int64.self)
    place.storeBytes(of: output.littleEndian, toByteOffset: FlightLayout.outputTokens, as: Int64.self)
    place.storeBytes(of: money.littleEndian, toByteOffset: FlightLayout.money, as: Int64.self)
  }

  func writeOutputSoFar(_ index: Int, _ tokens: UInt32) {
    slot(index).storeBytes(of: tokens.littleEndian, toByteOffset: FlightLayout.output, as: UInt32.self)
  }

  func attempt(_ index: Int) -> UInt128 {
    UInt128(littleEndian: slot(index).loadUnaligned(fromByteOffset: FlightLayout.attempt, as: UInt128.self))
  }

  func day(_ index: Int) -> Int32 {
    Int32(littleEndian: usage(index).loadUnaligned(fromByteOffset: FlightLayout.day, as: Int32.self))
  }

  @inline(__always) func writeRate(_ index: Int, arrival: Int64) {
    (rates + index &* FlightLayout.rateBytes).storeBytes(of: arrival.littleEndian, toByteOffset: 8, as: Int64.self)
  }

  func nameRate(_ index: Int, limit: UInt64) {
    (rates + index &* FlightLayout.rateBytes).storeBytes(of: limit.littleEndian, as: UInt64.self)
  }

  func readRate(_ index: Int) -> (limit: UInt64, arrival: Int64) {
    let place = rates + index &* FlightLayout.rateBytes
    return (
      UInt64(littleEndian: place.loadUnaligned(as: UInt64.self)),
      Int64(littleEndian: place.loadUnaligned(fromByteOffset: 8, as: Int64.self))
    )
  }
}
