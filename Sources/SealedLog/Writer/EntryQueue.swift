internal import Synchronization

/// The bounded hand-over from event loops to the writer: one lane a loop, one bound for all, a quarter per tenant.
final class EntryQueue: Sendable {
  private final class Lane: Sendable {
    let entries = Mutex<[LogEntry]>([])
    let awaitsRoom = Atomic<Bool>(false)
  }

  private let lanes: [Lane]
  private let limit: Int
  private let tenantLimit: Int
  private let total = Atomic<Int>(0)
  private let isRoomAwaited = Atomic<Bool>(false)
  private let releases = Atomic<UInt64>(0)

  init(loops: Int, limit: Int, tenantLimit: Int) {
    lanes = (0..<max(1, loops)).map { _ in Lane() }
    self.limit = limit
    self.tenantLimit = tenantLimit
  }

  var bytes: Int { total.load(ordering: .relaxed) }
  var loops: Int { lanes.count }
  var isEmpty: Bool { lanes.allSatisfy { $0.entries.withLock(\.isEmpty) } }

  /// False: full. What was let in, and what ends an exchange, may go a quarter over the bounds, so that what has begun
  /// can go on. An end may be larger than all that a tenant may have: it is let in where there is any room.
  func append(_ entry: LogEntry, loop: Int) -> Bool {
    guard lanes.indices.contains(loop) else { return false }
    let missing = entry.footprint - (entry.room ?? 0)
    let margin = entry.opensExchange && entry.room == nil ? 0 : 1
    let backlog = entry.stream.settings.backlog
    let all = total.wrappingAdd(missing, ordering: .relaxed).newValue
    let own = backlog.bytes.wrappingAdd(missing, ordering: .relaxed).newValue
    let isEnd = !entry.opensExchange
    guard all <= limit + margin * (limit / 4),
      own <= tenantLimit + margin * (tenantLimit / 4) || isEnd && own - missing < tenantLimit
    else {
      total.wrappingSubtract(missing, ordering: .relaxed)
      backlog.bytes.wrappingSubtract(missing, ordering: .relaxed)
      return false
    }
    lanes[loop].entries.withLock { $0.append(entry) }
    return true
  }

  // MARK: Room for entries to come

  /// Whether an entry of so many bytes can ever be taken.
  func mayHold(_ bytes: Int) -> Bool { bytes <= limit && bytes <= tenantLimit }

  /// Whether there is room now; none is taken.
  func hasRoom(_ bytes: Int, _ backlog: Backlog) -> Bool {
    // In one order with ``awaitRoom(loop:)`` and what is released, as in ``takeRoom(_:_:)``.
    total.load(ordering: .sequentiallyConsistent) + bytes <= limit
      && backlog.bytes.load(ordering: .sequentiallyConsistent) + bytes <= tenantLimit
  }

  /// Takes room that an entry will fill.
  func takeRoom(_ bytes: Int, _ backlog: Backlog) -> Bool {
    // All of it in one order with what is released: whoever finds no room after ``awaitRoom(loop:)`` is told of it.
    let all = total.wrappingAdd(bytes, ordering: .sequentiallyConsistent).newValue
    let own = backlog.bytes.wrappingAdd(bytes, ordering: .sequentiallyConsistent).newValue
    if all <= limit && own <= tenantLimit { return true }
    giveRoom(bytes, backlog)
    return false
  }

  func giveRoom(_ bytes: Int, _ backlog: Backlog) {
    total.wrappingSubtract(bytes, ordering: .sequentiallyConsistent)
    backlog.bytes.wrappingSubtract(bytes, ordering: .sequentiallyConsistent)
  }

  /// The loop is to be told, once, when something has been released.
  func awaitRoom(loop: Int) {
    guard lanes.indices.contains(loop) else { return }
    lanes[loop].awaitsRoom.store(true, ordering: .sequentiallyConsistent)
    isRoomAwaited.store(true, ordering: .sequentiallyConsistent)
  }

  /// The loops that are to be told of what has been released.
  func takeAwaiting() -> [Int] {
    guard isRoomAwaited.load(ordering: .sequentiallyConsistent),
      isRoomAwaited.exchange(false, ordering: .sequentiallyConsistent)
    else { return [] }
    return lanes.indices.filter { lanes[$0].awaitsRoom.exchange(false, ordering: .sequentiallyConsistent) }
  }

  /// How many entries have left the queue since the start.
  var released: UInt64 { releases.load(ordering: .relaxed) }

  /// Takes everything that waits; arrays change places so that none is allocated in steady state.
  func take(into batch: inout [[LogEntry]]) -> Bool {
    var found = false
    for index in lanes.indices where index < batch.count {
      batch[index].removeAll(keepingCapacity: true)
      lanes[index].entries.withLock { swap(&$0, &batch[index]) }
      found = found || !batch[index].isEmpty
    }
    return found
  }

  /// An entry is written and synced, or given up.
  func release(_ entry: LogEntry) {
    giveRoom(entry.footprint, entry.stream.settings.backlog)
    releases.wrappingAdd(1, ordering: .relaxed)
  }
}
