import Testing

@testable import EventLoop

@Suite("Deadlines in their order")
struct TimerQueueTests {
  private final class Log {
    var names: [Int] = []
  }

  @Test func nothingIsDueBeforeItsDeadline() {
    var queue = TimerQueue()
    queue.add(10) {}
    #expect(queue.next == 10)
    #expect(queue.takeDue(9) == nil)
    #expect(queue.takeDue(10) != nil)
    #expect(queue.takeDue(10) == nil && queue.next == nil)
  }

  /// Many timers in any order: they come out sorted, equals in the order set.
  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func comesOutSorted(seed: UInt64) {
    var state = seed
    var queue = TimerQueue()
    let log = Log()
    var expected: [(deadline: Int64, name: Int)] = []
    for name in 0..<300 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let deadline = Int64((state >> 33) % 40)
      queue.add(deadline) { log.names.append(name) }
      expected.append((deadline, name))
    }
    expected.sort { ($0.deadline, $0.name) < ($1.deadline, $1.name) }
    for moment: Int64 in 0..<40 {
      while let due = queue.takeDue(moment) { due() }
    }
    #expect(log.names == expected.map(\.name))
    #expect(queue.next == nil)
  }

  @Test func workIsLetGoWhenItIsTaken() {
    var queue = TimerQueue()
    weak var gone: Log?
    do {
      let log = Log()
      gone = log
      queue.add(1) { log.names.append(1) }
      queue.takeDue(1)?()
    }
    #expect(gone == nil)
  }
}
