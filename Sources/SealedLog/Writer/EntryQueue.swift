internal import Synchronization

/// The bounded hand-over from event loops to the writer: one lane a loop, one bound for all, a quarter per tenant.
final class EntryQueue: Sendable {
  private final class Lane: Sendable {
    let entries = Mutex<[HeldEntry]>([])
  }

  private let lanes: [Lane]
  private let limit: Int
  private let tenantLimit: Int
  private let total = Atomic<Int>(0)

  init(loops: Int, limit: Int, tenantLimit: Int) {
    lanes = (0..<max(1, loops)).map { _ in Lane() }
    self.limit = limit
    self.tenantLimit = tenantLimit
  }

  var bytes: Int { total.load(ordering: .relaxed) }
  var loops: Int { lanes.count }
  var isEmpty: Bool { lanes.allSatisfy { $0.entries.withLock(\.isEmpty) } }

  /// False: full. What ends an exchange may go a quarter over the bounds, so that open ones can settle.
  func append(_ held: HeldEntry, loop: Int) -> Bool {
    guard lanes.indices.contains(loop) else { return false }
    let size = held.entry.footprint
    let backlog = held.entry.stream.settings.backlog
    let margin = held.entry.opensExchange ? 0 : 1
    let all = total.wrappingAdd(size, ordering: .relaxed).newValue
    let own = backlog.bytes.wrappingAdd(size, ordering: .relaxed).newValue
    guard all <= limit + margin * (limit / 4), own <= tenantLimit + margin * (tenantLimit / 4) else {
      total.wrappingSubtract(size, ordering: .relaxed)
      backlog.bytes.wrappingSubtract(size, ordering: .relaxed)
      return false
    }
    lanes[loop].entries.withLock { $0.append(held) }
    return true
  }

  /// Takes everything that waits; arrays change places so that none is allocated in steady state.
  func take(into batch: inout [[HeldEntry]]) -> Bool {
    var found = false
    for index in lanes.indices where index < batch.count {
      batch[index].removeAll(keepingCapacity: true)
      lanes[index].entries.withLock { swap(&$0, &batch[index]) }
      found = found || !batch[index].isEmpty
    }
    return found
  }

  /// An entry is written and synced, or given up.
  func release(_ held: HeldEntry) {
    let size = held.entry.footprint
    total.wrappingSubtract(size, ordering: .relaxed)
    held.entry.stream.settings.backlog.bytes.wrappingSubtract(size, ordering: .relaxed)
  }
}
