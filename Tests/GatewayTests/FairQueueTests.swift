import Tenancy
import Testing

@testable import Gateway

/// Tenants are served in turn by what they have had, whoever came first and however much one of them has waiting.
struct FairQueueTests {
  private let first = TenantID(1)
  private let second = TenantID(2)

  private func drain(_ queue: inout FairQueue<Int>) -> [Int] {
    var taken: [Int] = []
    while let next = queue.next() { taken.append(next) }
    return taken
  }

  @Test func oneTenantIsServedInTheOrderItCame() {
    var queue = FairQueue<Int>()
    for number in 0..<200 { queue.add(number, of: first, cost: number % 7) }
    #expect(queue.count == 200)
    #expect(drain(&queue) == Array(0..<200))
    #expect(queue.isEmpty && queue.next() == nil)
  }

  @Test func aLongLineHoldsUpNobody() {
    var queue = FairQueue<Int>()
    for number in 0..<100 { queue.add(number, of: first, cost: 10) }
    queue.add(1000, of: second, cost: 10)
    queue.add(1001, of: second, cost: 10)
    #expect(Array(drain(&queue).prefix(4)) == [0, 1000, 1, 1001])
  }

  @Test func whatCountsIsTheSizeAndNotTheNumber() {
    var queue = FairQueue<Int>()
    for number in 0..<4 { queue.add(number, of: first, cost: 100) }
    for number in 10..<30 { queue.add(number, of: second, cost: 10) }
    // One of the large ones, then ten of the small ones have had the same.
    #expect(Array(drain(&queue).prefix(12)) == [0] + Array(10..<20) + [1])
  }

  /// Who was away has not saved up the right to hold up all others afterwards.
  @Test func nobodySavesUp() {
    var queue = FairQueue<Int>()
    for number in 0..<50 { queue.add(number, of: first, cost: 10) }
    for _ in 0..<40 { _ = queue.next() }
    for number in 100..<110 { queue.add(number, of: second, cost: 10) }
    #expect(Array(drain(&queue).prefix(6)).count { $0 >= 100 } <= 4)
  }

  /// And nobody gains by leaving the line for an instant.
  @Test func whoComesBackAtOnceIsNotNew() {
    var queue = FairQueue<Int>()
    queue.add(0, of: first, cost: 100)
    for number in 10..<30 { queue.add(number, of: second, cost: 10) }
    #expect(queue.next() == 0)
    queue.add(1, of: first, cost: 100)
    #expect(Array(drain(&queue).prefix(10)) == Array(10..<20))
  }

  /// Lines of those who have gone are forgotten sooner or later, and nobody is.
  @Test func manyTenantsComeAndGo() {
    var queue = FairQueue<Int>()
    var taken: [Int] = []
    for number in 0..<1000 {
      queue.add(number, of: TenantID(UInt128(number)), cost: 1 + number % 5)
      if number % 3 == 0, let next = queue.next() { taken.append(next) }
    }
    taken += drain(&queue)
    #expect(taken.sorted() == Array(0..<1000) && queue.isEmpty)
  }
}
