/// What a process that still runs shows of itself in its flight memory: how full its rates are, and whose attempts are
/// open. Read without its knowledge, so only what is one store is believed.
public struct FlightView: Sendable, Equatable {
  public let bootID: UInt128
  /// Arrival times of rates by limit.
  public private(set) var rates: [UInt64: Int64] = [:]
  /// Attempts that are set aside or sent, by everyone they count for.
  public private(set) var open: [LimitScope: Int64] = [:]

  /// Nil if the bytes are no flight memory, or that of an earlier boot, whose clock was another.
  public init?(_ bytes: [UInt8], bootID: UInt128) {
    self.bootID = bootID
    guard bootID != 0, bytes.withUnsafeBytes({ read($0) }) else { return nil }
  }

  private mutating func read(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count >= FlightLayout.headerBytes else { return false }
    func load<Value: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, _: Value.Type) -> Value {
      Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }
    let slots = Int(load(FlightLayout.headerSlots, UInt32.self))
    let rateCount = Int(load(FlightLayout.headerRates, UInt32.self))
    guard load(0, UInt64.self) == FlightLayout.magic, load(FlightLayout.headerBoot, UInt128.self) == bootID,
      slots <= 1 << 20, rateCount <= 1 << 24, bytes.count >= FlightLayout.size(slots: slots, rates: rateCount)
    else { return false }
    for slot in 0..<slots {
      let state = load(FlightLayout.headerBytes + slot * FlightLayout.slotBytes, UInt64.self)
      guard state == FlightState.reserved.rawValue || state == FlightState.sent.rawValue else { continue }
      let usage = FlightLayout.usageOffset(slots: slots, slot: slot)
      let scopes: [(LimitScope.Level, Int)] = [
        (.tenant, FlightLayout.tenant), (.project, FlightLayout.project), (.user, FlightLayout.user),
        (.key, FlightLayout.key),
      ]
      for (level, offset) in scopes { open[LimitScope(level, load(usage + offset, UInt128.self)), default: 0] += 1 }
    }
    for index in 0..<rateCount {
      let place = FlightLayout.ratesOffset(slots: slots) + index * FlightLayout.rateBytes
      let limit = load(place, UInt64.self)
      if limit != 0 { rates[limit] = load(place + 8, Int64.self) }
    }
    return true
  }
}
