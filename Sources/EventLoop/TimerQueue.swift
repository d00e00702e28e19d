/// Work with deadlines, in their order: a binary heap.
struct TimerQueue {
  private struct Entry {
    let deadline: Int64
    let number: UInt64
    let work: () -> Void

    /// Equal deadlines come in the order in which they were set.
    func isBefore(_ other: Entry) -> Bool { (deadline, number) < (other.deadline, other.number) }
  }

  private var heap: [Entry] = []
  private var last: UInt64 = 0

  /// - Parameter deadline: Nanoseconds of the monotonic clock.
  mutating func add(_ deadline: Int64, _ work: @escaping () -> Void) {
    last &+= 1
    heap.append(Entry(deadline: deadline, number: last, work: work))
    rise(from: heap.count - 1)
  }

  /// The next deadline.
  var next: Int64? { heap.first?.deadline }

  /// Takes out the work of the next timer whose deadline has come.
  mutating func takeDue(_ now: Int64) -> (() -> Void)? {
    guard let next, next <= now else { return nil }
    heap.swapAt(0, heap.count - 1)
    let first = heap.removeLast()
    sink(from: 0)
    return first.work
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
