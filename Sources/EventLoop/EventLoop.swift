import CLinux
import Dispatch
import Foundation
import Glibc
import Synchronization

public enum EventLoopError: Error, Sendable {
  /// The kernel gives no descriptor for the loop's own needs; the value is its `errno`.
  case noDescriptor(Int32)
  /// The loop has ended.
  case ended
}

/// Called when all that a turn of a loop has brought was looked at.
public protocol TurnEnd: AnyObject {
  /// - Returns: True if there was anything to do: it may have made more work, and all are called once more.
  func endTurn() -> Bool
}

/// One thread that waits for descriptors, timers and work of other threads, and does in turns what they bring.
///
/// All sockets of a loop lie in one epoll set, libcurl's as well: many clients and providers a system call. A turn is:
/// wait, tell every ready descriptor's ``Watcher``, timers that are due, work from outside, then the turn's end, where
/// whatever the turn has gathered is done together.
public final class EventLoop: @unchecked Sendable {
  // Everything mutable belongs to the loop's thread. `inbox` and `isOver` are what other threads touch.
  private let set: Int32
  private let inbox: WorkInbox
  private let over = DispatchSemaphore(value: 0)
  private let table: WatchTable
  private var timers = TimerQueue()
  private var ends: [any TurnEnd] = []
  private var work: [@Sendable () -> Void] = []
  private var later: [(descriptor: Int32, bits: UInt32)] = []
  private var isToStop = false
  private var isAwake = false
  private let identity = Atomic<UInt>(0)
  private let working = Atomic<Int64>(0)

  /// The monotonic clock in nanoseconds, as of this turn's beginning: what needs no better one spares a clock call.
  public private(set) var now: Int64 = 0

  /// The number of this turn.
  public private(set) var turn: UInt64 = 0

  /// When the turn before this one began and ended: for so long what this one brings may have waited.
  public private(set) var lastTurn: Range<Int64> = 0..<0

  /// Starts the thread.
  /// - Parameter name: At most 15 bytes, as the kernel shows it.
  public init(name: String) throws(EventLoopError) {
    let set = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard set >= 0 else { throw .noDescriptor(errno) }
    self.set = set
    do throws(EventLoopError) { inbox = try WorkInbox() } catch {
      close(set)
      throw error
    }
    table = WatchTable(set: set)
    readClock()
    Thread.detachNewThread { [self] in
      _ = th_name_thread(name)  // Foundation's own names do not reach the kernel
      run()
    }
  }

  deinit { close(set) }

  /// Whether the caller runs on this loop.
  public var isCurrent: Bool { identity.load(ordering: .relaxed) == UInt(pthread_self()) }

  // MARK: From any thread

  /// When the turn in work began, in nanoseconds of the clock that ``now`` shows; 0: the loop sleeps. By this a loop that
  /// hangs is known.
  public var busySince: Int64 { working.load(ordering: .relaxed) }

  /// Has work done on the loop, in the order of the calls of one thread.
  /// - Returns: False once the loop has ended: the work will never be done.
  @discardableResult
  public func execute(_ work: @escaping @Sendable () -> Void) -> Bool { inbox.leave(work) }

  /// The outcome of work on the loop.
  public func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      let isTaken = execute { continuation.resume(with: Result(catching: work)) }
      if !isTaken { continuation.resume(throwing: EventLoopError.ended) }
    }
  }

  /// Does what was left with it, ends the thread and waits for that. Not from the loop itself; once.
  public func stop() {
    guard execute({ [self] in isToStop = true }) else { return }
    over.wait()
  }

  // MARK: On the loop

  /// Changes what `watcher` hears of a descriptor. The watcher is not kept alive: it calls ``forget(_:)`` before it goes.
  public func watch(_ descriptor: Int32, _ interest: Interest, by watcher: Watcher) {
    table.want(descriptor, interest, watcher)
  }

  /// The descriptor has just been opened by somebody who calls ``forget(_:)`` before closing it. Its interest may then go
  /// and come back without a call of the kernel.
  public func announce(_ descriptor: Int32) { table.announce(descriptor) }

  /// The descriptor is about to be closed.
  public func forget(_ descriptor: Int32) { table.forget(descriptor) }

  /// Calls `end` at each turn's end, after those that were added before, and keeps it until the loop has ended.
  public func atEndOfTurns(_ end: any TurnEnd) { ends.append(end) }

  /// - Parameter deadline: Nanoseconds of the clock that ``now`` shows. Timers are good to a millisecond.
  public func schedule(at deadline: Int64, _ work: @escaping () -> Void) { timers.add(deadline, work) }

  /// Does work again and again, the first time after one period, until the loop ends.
  public func repeated(everyMilliseconds period: Int64, _ work: @escaping () -> Void) {
    // Not weakly: an object that was ever referred to so counts its references in a table beside it, slowly, for good.
    schedule(at: now + period * 1_000_000) { [unowned self] in
      work()
      repeated(everyMilliseconds: period, work)
    }
  }

  /// Work was left for the next turn on purpose: it begins at once, with what the kernel has to report by then.
  public func stayAwake() { isAwake = true }

  // MARK: The thread

  private func run() {
    identity.store(UInt(pthread_self()), ordering: .relaxed)
    _ = th_epoll_control(set, EPOLL_CTL_ADD, inbox.signal, EPOLLIN.rawValue)
    // Looking at a descriptor is cheap against what its bytes bring about, and that has bounds of its own: few reports a
    // turn would have everybody wait for many turns behind a crowd.
    let room = 256
    let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: room)
    defer { events.deallocate() }
    while !isToStop {
      let begun = now
      let patience = patience()
      // Whoever does not sleep goes from one turn into the next.
      let ended = patience == 0 ? nil : now
      if patience != 0 { working.store(0, ordering: .relaxed) }
      let count = Int(epoll_wait(set, events, Int32(room), patience))
      inbox.awake()
      isAwake = false
      turn &+= 1
      readClock()
      working.store(now, ordering: .relaxed)
      lastTurn = begun..<max(begun, ended ?? now)
      tellAll(UnsafeBufferPointer(start: events, count: max(0, count)))
      while let due = timers.takeDue(now) { due() }
      doWork()
      endTurn()
    }
    // What is left at the end still belongs to somebody who waits for it.
    for left in inbox.close() { left() }
    endTurn()
    ends = []
    working.store(0, ordering: .relaxed)
    over.signal()
  }

  /// Watchers of one kind after the other: what they run is then in the processor's caches.
  private func tellAll(_ events: UnsafeBufferPointer<epoll_event>) {
    later.removeAll(keepingCapacity: true)
    for event in events {
      let descriptor = withUnsafePointer(to: event) { th_epoll_event_fd($0) }
      if descriptor == inbox.signal {
        inbox.clearSignal()
      } else if let watcher = table.watcher(of: descriptor) {
        if watcher.isToldLater {
          later.append((descriptor, event.events))
        } else {
          watcher.ready(descriptor, WatchTable.events(event.events))
        }
      }
    }
    for (descriptor, bits) in later {
      // Looked up anew: those before may have ended it.
      table.watcher(of: descriptor)?.ready(descriptor, WatchTable.events(bits))
    }
  }

  private func doWork() {
    inbox.take(into: &work)
    for piece in work { piece() }
    work.removeAll(keepingCapacity: true)
  }

  /// A bound, so that a fault in one's bookkeeping cannot keep the loop from its sockets.
  private func endTurn() {
    var rounds = 0
    var goesOn = true
    while goesOn, rounds < 16 {
      rounds &+= 1
      goesOn = false
      for end in ends where end.endTurn() { goesOn = true }
    }
    isTurnOpen = goesOn
  }

  /// The last turn's end has left work: the next one must not wait.
  private var isTurnOpen = false

  /// Milliseconds to wait for descriptors: until the next timer, and not at all if there is work.
  private func patience() -> Int32 {
    guard !isTurnOpen, !isAwake, inbox.fallAsleep() else { return 0 }
    readClock()
    guard let deadline = timers.next else { return -1 }
    // Rounded up: a timer that wakes its loop too early costs a second wake-up.
    let milliseconds = (deadline - now + 999_999) / 1_000_000
    return Int32(clamping: max(0, milliseconds))
  }

  private func readClock() {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    now = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

/// A value of one loop, held by other threads that only hand it back to its loop.
public struct LoopBound<Value>: @unchecked Sendable {
  public let loop: EventLoop
  private let bound: Value

  public init(_ value: Value, _ loop: EventLoop) {
    bound = value
    self.loop = loop
  }

  /// On the loop only.
  public var value: Value {
    assert(loop.isCurrent, "a loop's value is touched outside of its loop")
    return bound
  }
}
