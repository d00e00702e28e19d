import Batches
import Dispatch
import Inference
import JSONText
import SealedLog
import Synchronization
import Tenancy

/// What is asked of the store of files and batches.
enum DeskTask: Sendable, Equatable {
  /// The rows that a request is about, with the values behind placeholders where they are needed.
  case lookUp
  /// Before something is sent: room for a file, or the row of a batch.
  case admit
  /// After a provider's answer: what is known from now on, and what it has cost.
  case keep
  /// What is known of a file that its provider cannot be asked about any more.
  case forget
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
        let work = state.queue.next()
        return (work, work == nil && state.isStopped)
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

  /// Ends the thread once all that waits is done: what a provider has taken must be known. Once, when the loops have nothing
  /// more.
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
    work.since = clock.monotonicNanoseconds
    exchange.lent = work
    if desk.submit(work) { return .parked }
    exchange.lent = nil
    return .refused(Refusal(.overloaded, message: "The gateway is stopping."))
  }

  /// A request that has sent nothing yet does not wait for a store that hangs. The desk may have it in hand: its client is
  /// told without a look at anything that the desk could be writing, and it ends when it comes back.
  func lookAfterStore(_ exchange: Exchange, _ lent: LentWork, _ now: Int64) {
    guard case .desk(let task) = lent.part, task != .keep, let client = exchange.client,
      now - lent.since > Int64(limits.ledgerMilliseconds) * 1_000_000
    else { return }
    exchange.reply.reset()
    ErrorBody.append(
      Self.storeRefusal, requestID: exchange.id.text, dialect: exchange.dialect, to: exchange.reply)
    ResponseFields(arena: exchange.fields).addRequestID(exchange.id)
    exchange.client = nil
    exchange.isClientGone = true
    lent.callOff()
    client.respond(
      ResponseHead(status: UInt16(clamping: Self.storeRefusal.code.status), kind: .json), fields: exchange.fields.bytes,
      body: exchange.reply.bytes)
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
