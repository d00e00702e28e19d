import Dispatch
import SealedLog
import Synchronization

/// Threads that do the work of large bodies, so that no loop spends a turn on one.
///
/// Redaction passes over a whole text several times (patterns in one call of their own engine), so it cannot be cut into
/// slices of a turn; it goes to another thread as a whole, and its loop serves others meanwhile. The first thread takes
/// nothing long and the others take the long first, so that neither waits for all of the other. Tenants are served in turn.
public final class Helpers: Sendable {
  private struct State {
    var short = FairQueue<LentWork>()
    var long = FairQueue<LentWork>()
    var isIdle: [Bool]
    var isStopped = false
  }

  private let state: Mutex<State>
  private let wakes: [DispatchSemaphore]
  private let shortBytes: Int
  private let threads: Mutex<[WorkerThread]>

  /// - Parameters:
  ///   - count: Threads; at least two are made.
  ///   - returned: Called on a helper's thread with the number of a loop and the ticket of an exchange that is to be given
  ///     back to it: ``RequestPipeline/returned(_:)``.
  public init(
    _ count: Int, services: GatewayServices, clock: any GatewayClock,
    returned: @escaping @Sendable (_ loop: Int, _ ticket: UInt64) -> Void
  ) throws {
    let count = max(2, count)
    state = Mutex(State(isIdle: Array(repeating: false, count: count)))
    wakes = (0..<count).map { _ in DispatchSemaphore(value: 0) }
    shortBytes = services.limits.shortWorkBytes
    threads = Mutex([])
    for number in 0..<count {
      let tools = Tools(pipeline: try RequestPipeline(services: services, loop: -1, clock: clock))
      let thread = try WorkerThread("helper-\(number)", isNice: true) { [self] in
        while let work = next(number) {
          tools.pipeline.perform(work)
          returned(work.loop, work.ticket)
        }
      }
      threads.withLock { $0.append(thread) }
    }
  }

  /// A pipeline without a loop: the tools that its stages work with, for one thread alone.
  private struct Tools: @unchecked Sendable { let pipeline: RequestPipeline }

  /// What the thread does next; waits for it. Nil at the end.
  private func next(_ number: Int) -> LentWork? {
    while true {
      let (work, isOver) = state.withLock { state -> (LentWork?, Bool) in
        if state.isStopped { return (nil, true) }
        let work = (number == 0 ? nil : state.long.next()) ?? state.short.next()
        state.isIdle[number] = work == nil
        return (work, false)
      }
      if let work { return work }
      if isOver { return nil }
      wakes[number].wait()
    }
  }

  /// - Returns: False once they have stopped: it will never be done.
  func submit(_ work: LentWork) -> Bool {
    let isShort = work.bytes <= shortBytes
    let (isTaken, idle) = state.withLock { state -> (Bool, Int?) in
      guard !state.isStopped else { return (false, nil) }
      if isShort {
        state.short.add(work, of: work.tenant, cost: work.bytes)
      } else {
        state.long.add(work, of: work.tenant, cost: work.bytes)
      }
      let idle = state.isIdle.indices.first { state.isIdle[$0] && (isShort || $0 > 0) }
      if let idle { state.isIdle[idle] = false }
      return (true, idle)
    }
    if let idle { wakes[idle].signal() }
    return isTaken
  }

  /// Ends the threads with what they have in hand; what waits is never done. Once, when the loops have nothing more.
  public func stop() {
    state.withLock { $0.isStopped = true }
    for wake in wakes { wake.signal() }
    for thread in threads.withLock({ $0 }) { thread.join() }
  }
}
