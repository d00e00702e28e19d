import Gateway
import Synchronization
import Testing

@testable import Installation

/// People and keys that cannot be read back, with time that passes when the test says so.
@Suite("Catching up")
struct CatchUpTests {
  private struct Unreadable: Error {}

  /// What is to be done later, and a store that can or cannot be read.
  private final class World: Sendable {
    private let waiting = Mutex<[(at: Int, work: @Sendable () -> Void)]>([])
    private let now = Mutex(0)
    let isReadable = Mutex(false)
    let readiness = Gateway.Readiness()

    func later(_ milliseconds: Int, _ work: @escaping @Sendable () -> Void) {
      let at = now.withLock { $0 } + milliseconds
      waiting.withLock { $0.append((at, work)) }
    }

    func pass(_ milliseconds: Int) {
      let end = now.withLock { $0 } + milliseconds
      while let next = takeNext(before: end) {
        now.withLock { $0 = next.at }
        next.work()
      }
      now.withLock { $0 = max($0, end) }
    }

    private func takeNext(before end: Int) -> (at: Int, work: @Sendable () -> Void)? {
      waiting.withLock { waiting in
        guard let place = waiting.indices.min(by: { waiting[$0].at < waiting[$1].at }), waiting[place].at <= end else {
          return nil
        }
        return waiting.remove(at: place)
      }
    }

    var isQuiet: Bool { waiting.withLock(\.isEmpty) }
  }

  private let world = World()
  private let catchUp: CatchUp

  init() {
    let world = world
    catchUp = CatchUp(world.readiness, later: { world.later($0, $1) })
  }

  private func fail() {
    let (world, catchUp) = (world, catchUp)
    catchUp.begin("unreadable") {
      guard world.isReadable.withLock({ $0 }) else { throw Unreadable() }
      catchUp.end()
    }
  }

  private func setReadable(_ isReadable: Bool) { world.isReadable.withLock { $0 = isReadable } }

  @Test func aFaultThatIsOverSoonClosesNothing() {
    fail()
    world.pass(400)
    #expect(catchUp.fault != nil && !world.readiness.isClosed)
    setReadable(true)
    world.pass(200)
    #expect(catchUp.fault == nil)
    world.pass(5_000)
    #expect(!world.readiness.isClosed && world.isQuiet)
  }

  @Test func fromASecondOnTheGateIsClosedUntilTheStoreCanBeRead() {
    fail()
    world.pass(999)
    #expect(!world.readiness.isClosed)
    world.pass(1)
    #expect(world.readiness.isClosed)
    world.pass(60_000)
    #expect(world.readiness.isClosed && catchUp.fault != nil)
    setReadable(true)
    world.pass(CatchUp.retryMilliseconds)
    #expect(!world.readiness.isClosed && catchUp.fault == nil)
    world.pass(CatchUp.retryMilliseconds)
    #expect(world.isQuiet)
  }

  /// The second fault begins while the first one's tries still sleep.
  @Test func aSecondFaultClosesTheGateAgain() {
    fail()
    world.pass(3_010)
    #expect(world.readiness.isClosed)
    catchUp.end()
    #expect(!world.readiness.isClosed)
    fail()
    world.pass(999)
    #expect(!world.readiness.isClosed, "it has a second of its own")
    world.pass(1)
    #expect(world.readiness.isClosed)
  }

  /// A read that does not return holds up only itself.
  @Test func whoClosesDoesNotWaitForWhoReads() {
    let (world, catchUp) = (world, catchUp)
    catchUp.begin("unreadable") {
      world.pass(2_000)
      #expect(world.readiness.isClosed)
      catchUp.end()
    }
    world.pass(CatchUp.retryMilliseconds)
    #expect(!world.readiness.isClosed && catchUp.fault == nil)
  }

  @Test func whoStopsReadsAndClosesNothingMore() {
    catchUp.begin("unreadable") { Issue.record("the stores are closed by now") }
    catchUp.stop()
    world.pass(10_000)
    #expect(!world.readiness.isClosed && world.isQuiet)
  }
}
