/// Deadlines in their order: a binary heap, and a set of those that still count.
struct TimerQueue {
  private struct Entry {
    let deadline: Int64
    let number: UInt64

    /// Equal deadlines come in the order in which they were set.
    func isBefore(_ other: Entry) -> Bool { (deadline, number) < (other.deadline, other.number) }
  }

  private var heap: [Entry] = []
  private var work: [UInt64: () -> Void] = [:]
  private var last: UInt64 = 0

  /// - Parameter deadline: Nanoseconds of the monotonic clock.
  /// - Returns: The timer's number.
  mutating func add(_ deadline: Int64, _ work: @escaping () -> Void) -> UInt64 {
    last &+= 1
    self.work[last] = work
    heap.append(Entry(deadline: deadline, number: last))
    rise(from: heap.count - 1)
    return last
  }

  mutating func cancel(_ number: UInt64) {
    guard work.removeValue(forKey: number) != nil else { return }
    // Cancelled ones leave the heap when they come up, or all at once when they are the most of it.
    if heap.count > 64, work.count < heap.count / 2 {
      heap.removeAll { work[$0.number] == nil }
      heap.sort { $0.isBefore($1) }
    }
  }

  /// The deadline of the next timer that counts.
  mutating func next() -> Int64? {
    while let first = heap.first, work[first.number] == nil { _ = removeFirst() }
    return heap.first?.deadline
  }

  /// Takes out the work of the next timer whose deadline has come.
  mutating func takeDue(_ now: Int64) -> (() -> Void)? {
    guard let deadline = next(), deadline <= now else { return nil }
    return work.removeValue(forKey: removeFirst().number)
  }

  private mutating func removeFirst() -> Entry {
    heap.swapAt(0, heap.count - 1)
    let first = heap.removeLast()
    sink(from: 0)
    return first
  }

  private mutating func rise(from start: Int) {
    var index = start
    while index > 0, heap[index].isBefore(heap[(index - 1) / 2]) {
      heap.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  private mutating func sink(from start: Int) {
    var index = start
    while true {
      var least = index
      for child in [2 * index + 1, 2 * index + 2] where child < heap.count && heap[child].isBefore(heap[least]) {
        least = child
      }
      guard least != index else { return }
      heap.swapAt(index, least)
      index = least
    }
  }
}
