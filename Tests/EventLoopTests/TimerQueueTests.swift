import Testing

@testable import EventLoop

@Suite("Deadlines in their order")
struct TimerQueueTests {
  private final class Log {
    var names: [Int] = []
  }

  @Test func nothingIsDueBeforeItsDeadline() {
    var queue = TimerQueue()
    _ = queue.add(10) {}
    #expect(queue.next() == 10)
    #expect(queue.takeDue(9) == nil)
    #expect(queue.takeDue(10) != nil)
    #expect(queue.takeDue(10) == nil && queue.next() == nil)
  }

  /// Many timers in any order, some cancelled: what is taken is exactly the rest, sorted, equals in the order set.
  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func comesOutSortedWhateverWasCancelled(seed: UInt64) {
    var state = seed
    func random(_ below: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % below
    }
    var queue = TimerQueue()
    let log = Log()
    var expected: [(deadline: Int64, name: Int)] = []
    var numbers: [UInt64] = []
    for name in 0..<300 {
      let deadline = Int64(random(40))
      numbers.append(queue.add(deadline) { log.names.append(name) })
      expected.append((deadline, name))
    }
    var cancelled: Set<Int> = []
    for _ in 0..<random(290) { cancelled.insert(Int(random(300))) }
    for name in cancelled {
      queue.cancel(numbers[name])
      queue.cancel(numbers[name])
    }
    expected = expected.filter { !cancelled.contains($0.name) }.sorted {
      ($0.deadline, $0.name) < ($1.deadline, $1.name)
    }
    for now in 0..<40 as Range<Int64> { while let due = queue.takeDue(now) { due() } }
    #expect(log.names == expected.map(\.name))
    #expect(queue.next() == nil)
  }

  @Test func workIsLetGoWhenItIsCancelled() {
    var queue = TimerQueue()
    weak var gone: Log?
    do {
      let log = Log()
      gone = log
      queue.cancel(queue.add(1) { log.names.append(1) })
    }
    #expect(gone == nil)
  }
}
