import Synchronization

/// What the process remembers of each open attempt beside its flight slot.
struct OpenSlot {
  enum Phase: UInt8 {
    case free
    case reserved
    case sent
    case settled
    case released
  }

  var phase = Phase.free
  var holdsConcurrency = false
  /// Until the slot is free again.
  var account: Unmanaged<QuotaAccount>?
  var demand = Demand(requests: 0, inputTokens: 0, outputTokens: 0, money: 0)
  var deadline: Int64 = 0
  var attempt: UInt128 = 0
  var budgetCount = 0
  var next: Int32 = -1
  var previous: Int32 = -1
}

/// The slots of the process. Content belongs to the reservation's owner, links and flags to the tenant's mutex; the
/// generation is atomic so that a stale copy of a reservation reads nothing else.
final class OpenSlots: Sendable {
  let count: Int
  /// What one tenant may have: slots are the process's, and whoever has none is refused.
  var perTenant: Int { max(1, count / 4) }
  private nonisolated(unsafe) let slots: UnsafeMutablePointer<OpenSlot>
  private nonisolated(unsafe) let generations: UnsafeMutablePointer<Atomic<UInt32>>
  private let free: Mutex<[UInt32]>

  init(count: Int) {
    self.count = count
    slots = .allocate(capacity: count)
    slots.initialize(repeating: OpenSlot(), count: count)
    generations = .allocate(capacity: count)
    for index in 0..<count { (generations + index).initialize(to: Atomic(1)) }
    free = Mutex((0..<UInt32(count)).reversed())
  }

  deinit {
    for index in 0..<count { slots[index].account?.release() }
    slots.deinitialize(count: count)
    slots.deallocate()
    generations.deinitialize(count: count)
    generations.deallocate()
  }

  /// Only for indices that ``take()`` has given.
  @inline(__always) func pointer(_ index: Int) -> UnsafeMutablePointer<OpenSlot> { slots + index }

  func take() -> Reservation? {
    guard let slot = free.withLock({ $0.popLast() }) else { return nil }
    var reservation = Reservation()
    reservation.slot = slot
    reservation.generation = generations[Int(slot)].load(ordering: .relaxed)
    return reservation
  }

  func give(_ reservation: Reservation) {
    generations[Int(reservation.slot)].wrappingAdd(1, ordering: .relaxed)
    free.withLock { $0.append(reservation.slot) }
  }

  /// The slot's index while the reservation owns it.
  @inline(__always) func index(_ reservation: Reservation) -> Int? {
    let index = Int(reservation.slot)
    guard index < count, generations[index].load(ordering: .relaxed) == reservation.generation else { return nil }
    return index
  }

  var openCount: Int { count - free.withLock { $0.count } }
}
