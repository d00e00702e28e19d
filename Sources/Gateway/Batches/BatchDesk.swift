import Batches
import Dispatch
import Inference
import SealedLog
import Synchronization
import Tenancy

/// What is asked of the store of files and batches.
enum DeskTask: Sendable {
  /// The rows that a request is about, with the values behind placeholders where they are needed.
  case lookUp
  /// Before something is sent: room for a file, or the row of a batch.
  case admit
  /// After a provider's answer: what is known from now on, and what it has cost.
  case keep
}

/// The one thread that speaks to the store of files and batches, which blocks on the disk and the ledger. Tenants are
/// served in turn.
public final class BatchDesk: Sendable {
  private struct State {
    var queue = FairQueue<LentWork>()
    var isStopped = false
  }

  private static let pause: DispatchTimeInterval = .seconds(3600)

  private let state = Mutex(State())
  private let bell = DispatchSemaphore(value: 0)
  private let thread = Mutex<WorkerThread?>(nil)

  /// - Parameter returned: Called on the desk's thread, as that of ``Helpers``.
  public init(
    services: GatewayServices, clock: any GatewayClock,
    returned: @escaping @Sendable (_ loop: Int, _ ticket: UInt64) -> Void
  ) throws {
    let tools = Tools(pipeline: try RequestPipeline(services: services, loop: -1, clock: clock))
    let made = try WorkerThread("batch-desk") { [self] in
      tools.pipeline.sweepBatches()
      while let work = next(idle: { tools.pipeline.sweepBatches() }) {
        tools.pipeline.perform(work)
        returned(work.loop, work.ticket)
        tools.pipeline.sweepBatchesIfDue()
      }
    }
    thread.withLock { $0 = made }
  }

  /// A pipeline without a loop, for this thread alone.
  private struct Tools: @unchecked Sendable { let pipeline: RequestPipeline }

  /// Waits for the next piece of work; nil at the end.
  private func next(idle: () -> Void) -> LentWork? {
    while true {
      let (work, isOver) = state.withLock { state -> (LentWork?, Bool) in
        if state.isStopped { return (nil, true) }
        return (state.queue.next(), false)
      }
      if let work { return work }
      if isOver { return nil }
      if bell.wait(timeout: .now() + Self.pause) == .timedOut { idle() }
    }
  }

  /// - Returns: False once it has stopped: it will never be done.
  func submit(_ work: LentWork) -> Bool {
    let isTaken = state.withLock { state -> Bool in
      guard !state.isStopped else { return false }
      state.queue.add(work, of: work.tenant, cost: work.bytes)
      return true
    }
    if isTaken { bell.signal() }
    return isTaken
  }

  /// Ends the thread with what it has in hand; what waits is never done. Once, when the loops have nothing more.
  public func stop() {
    state.withLock { $0.isStopped = true }
    bell.signal()
    thread.withLock { $0 }?.join()
  }
}

extension RequestPipeline {
  /// Has the desk do something for an exchange, which then goes on where it stands.
  func ask(_ exchange: Exchange, _ task: DeskTask) -> Step {
    guard let desk, let caller = exchange.caller else { return serve(task, exchange) }
    let work = LentWork(exchange, .desk(task), tenant: caller.principal.tenant, loop: loop, bytes: 1)
    exchange.lent = work
    if desk.submit(work) { return .parked }
    exchange.lent = nil
    return .refused(Refusal(.overloaded, message: "The gateway is stopping."))
  }

  /// Where nobody is ever idle, too.
  func sweepBatchesIfDue() {
    if clock.monotonicNanoseconds - sweptAt >= 3_600_000_000_000 { sweepBatches() }
  }

  /// Drops what has been kept for long enough.
  func sweepBatches() {
    guard let archive = services.batches else { return }
    sweptAt = clock.monotonicNanoseconds
    let now = clock.wallNanoseconds / 1_000_000_000
    // What cannot be dropped now is dropped the next time; until then its age keeps it from being used.
    try? archive.store.sweep(
      originalsBefore: now - Int64(limits.batchOriginalsDays) * 86_400,
      batchesBefore: now - Int64(limits.batchDays) * 86_400)
  }
}
