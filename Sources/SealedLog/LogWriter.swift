internal import Cryptography
internal import Dispatch
internal import Synchronization
public import Tenancy

/// How the writer of a volume fares; cheap to read from any thread.
public struct WriterHealth: Sendable, Equatable {
  public enum State: Sendable, Equatable {
    case ok
    /// Some stream or the journal cannot be written; what the operator reads.
    case failing(reason: String)
  }

  public let state: State
  /// Age of the batch in work.
  public let oldestNanoseconds: UInt64
  /// Entries not yet written and synced.
  public let queueBytes: Int
}

/// Writes the sealed log of one volume: any number of streams, one writer thread, one syncer, one maker of segments.
///
/// ``append(_:loop:)`` may be called from event loops: it takes one short lock and makes no system call while the writer
/// is awake. Everything else may block.
public final class LogWriter: Sendable {
  private let queue: EntryQueue
  private let clock: LogClock
  private let options: WriterOptions
  private let status = WriterStatus()
  private let mailbox = Mailbox()
  private let journal = NodeJournal()
  private let syncer: Syncer
  private let maker = MakerThread()
  private let threads: [WorkerThread]
  private let onRoom: @Sendable (Int) -> Void
  private let isStopped = Flag()
  private let core: WriterCore
  private let disk: any LogDisk

  /// Starts the threads. Streams are recovered lazily, each before its first record.
  /// - Parameters:
  ///   - folder: The log's folder on this volume; made when missing. The caller holds the lock on the data folder.
  ///   - epoch: Higher than at any earlier start on this folder, made durable by the caller first.
  ///   - journal: The node journal's file, appended to; nil: journal bytes are ignored.
  ///   - onConfirmed: Called once per loop and batch, on a thread of the log, with the tokens that count as written.
  ///   - disk: Nil: the file system.
  ///   - onRoom: Called with a loop that has said ``awaitRoom(loop:)``, on a thread of the log or of another loop.
  public init(
    folder: String, node: NodeID, epoch: UInt32, keys: any KeyProvider, journal journalPath: String?,
    clock: LogClock = .system, options: WriterOptions = WriterOptions(), disk: (any LogDisk)? = nil,
    random: (@Sendable (Int) throws(SealedLogError) -> [UInt8])? = nil,
    onRoom: @escaping @Sendable (_ loop: Int) -> Void = { _ in },
    onConfirmed: @escaping @Sendable (_ loop: Int, _ tokens: [UInt64]) -> Void
  ) throws(SealedLogError) {
    self.onRoom = onRoom
    let disk: any LogDisk = if let disk { disk } else { try PosixDisk(folder: folder) }
    self.disk = disk
    let random: @Sendable (Int) throws(SealedLogError) -> [UInt8] = random ?? Self.systemRandom
    let signer = SignerBox(try NodeSigner(node: node, now: clock.wall() / 1_000_000_000, keys: keys))
    let queue = EntryQueue(
      loops: options.loops, limit: options.queueBytes, tenantLimit: options.tenantQueueBytes)
    self.queue = queue
    self.clock = clock
    self.options = options
    if let journalPath { try journal.open(journalPath, disk: disk) }
    let (maker, mailbox) = (maker, mailbox)
    let syncer = Syncer(
      disk: disk, journal: journal, queue: queue, interval: options.syncIntervalNanoseconds, clock: clock.monotonic,
      confirm: onConfirmed,
      roomCame: onRoom, poisoned: { mailbox.post(.poisoned($0)) }, offered: { maker.offer($0) })
    self.syncer = syncer
    let core = try WriterCore(
      queue: queue, clock: clock, options: options, node: node, disk: disk, journal: journal, signer: signer,
      random: random, maker: maker, syncer: syncer, mailbox: mailbox, status: status, onConfirmed: onConfirmed)
    self.core = core
    let segments = Mutex(
      try SegmentMaker(
        log: folder, node: node, epoch: epoch, disk: disk, clock: clock, options: options, random: random,
        provider: keys, signer: signer))
    let makerThread = try WorkerThread("log-maker") {
      segments.withLock { segments in maker.run(&segments) { mailbox.post($0) } }
    }
    let syncerThread = try WorkerThread("log-syncer") { syncer.run() }
    let writerThread = try WorkerThread("log-writer") { core.run() }
    threads = [writerThread, syncerThread, makerThread]
  }

  private static let systemRandom: @Sendable (Int) throws(SealedLogError) -> [UInt8] = {
    (count) throws(SealedLogError) in
    try sealing { () throws(CryptographyError) in try SecureBytes.fromKernel(count) }
  }

  /// Queues an entry.
  /// - Parameters:
  ///   - loop: Which event loop calls, 0 ..< `options.loops`.
  ///   - wakes: False if the caller says ``endTurn(loop:confirmed:)`` itself, once for all that it queues in a turn.
  /// - Returns: False when the log cannot take it now: the request is answered with 503 `log_unavailable` before
  ///   anything is sent upstream. Entries that end an exchange are refused only when memory runs out.
  public func append(_ entry: LogEntry, loop: Int, wakes: Bool = true) -> Bool {
    guard !isStopped.isSet, entry.subjects.count <= LogEntry.maximalSubjects else { return false }
    let now = clock.monotonic()
    if entry.opensExchange, isStuck(entry.stream, now) { return false }
    entry.queuedAt = now
    guard queue.append(entry, loop: loop) else { return false }
    // A wake-up of another thread costs more than sealing.
    if wakes, !entry.canWait { mailbox.wake.signal() }
    return true
  }

  /// What a loop has queued in its turn is written now: by the loop itself where that is little and nobody else is at it,
  /// else by the writer's thread. Never waits for another thread.
  /// - Parameter confirmed: Tokens of this loop that count as written are appended; `onConfirmed` does not tell of them.
  public func endTurn(loop: Int, confirmed: inout [UInt64]) {
    guard !isStopped.isSet else { return }
    core.attend(loop: loop, confirmed: &confirmed)
  }

  // MARK: Room for what is to come

  /// What became of the wish for room in the queue.
  public enum Room: Sendable { case taken, full, refused }

  /// Whether the entries of a stream wait longer than they should, so that nothing new is begun.
  public func isStuck(_ stream: LogStream) -> Bool { isStopped.isSet || isStuck(stream, clock.monotonic()) }

  private func isStuck(_ stream: LogStream, _ now: UInt64) -> Bool {
    isStale(stream.settings.backlog.oldest.load(ordering: .relaxed), now)
      || isStale(busySince, now) || status.isJournalFailing
  }

  /// Takes room for an entry to come, so that work on it is not done for nothing; `full`: ``awaitRoom(loop:)``.
  /// - Parameter bytes: About what the entry will have; it may have more.
  /// - Returns: `refused` when the log is not being written, or never holds so much at once.
  public func takeRoom(_ bytes: Int, of stream: LogStream) -> Room {
    guard queue.mayHold(bytes), !isStuck(stream) else { return .refused }
    return queue.takeRoom(bytes, stream.settings.backlog) ? .taken : .full
  }

  /// Whether there is room for a small entry that comes at once; none is taken.
  public func hasRoom(for bytes: Int, of stream: LogStream) -> Room {
    if queue.hasRoom(bytes, stream.settings.backlog) { return .taken }
    return queue.mayHold(bytes) && !isStuck(stream) ? .full : .refused
  }

  /// The entry does not come: its room is others'.
  public func giveRoom(_ bytes: Int, of stream: LogStream) {
    queue.giveRoom(bytes, stream.settings.backlog)
    for loop in queue.takeAwaiting() { onRoom(loop) }
  }

  /// Has `onRoom` called once, when entries have left the queue. Then, not before, ask once more: they may have left it
  /// just now.
  public func awaitRoom(loop: Int) { queue.awaitRoom(loop: loop) }

  /// Grows whenever entries leave the queue.
  public var progress: UInt64 { queue.released }

  /// When the batch or the sync in work began, whichever is older; 0: none is.
  private var busySince: UInt64 {
    let (writing, syncing) = (status.busySince.load(ordering: .relaxed), syncer.busySince.load(ordering: .relaxed))
    return writing == 0 || syncing == 0 ? max(writing, syncing) : min(writing, syncing)
  }

  private func isStale(_ since: UInt64, _ now: UInt64) -> Bool {
    since != 0 && now > since && now - since > options.staleNanoseconds
  }

  public var health: WriterHealth {
    let busy = busySince
    let now = clock.monotonic()
    let fault = status.fault
    let state: WriterHealth.State =
      if let fault {
        .failing(reason: "\(fault.code.rawValue) \(fault.detail)")
      } else if isStale(busy, now) {
        .failing(reason: "disk hangs")
      } else {
        .ok
      }
    return WriterHealth(
      state: state, oldestNanoseconds: busy != 0 && now > busy ? now - busy : 0, queueBytes: queue.bytes)
  }

  /// Waits until everything queued so far is written and synced.
  /// - Returns: False when the time ran out first.
  public func drain(seconds: Double = 10) -> Bool {
    let end = DispatchTime.now() + seconds
    let pause = DispatchSemaphore(value: 0)
    while queue.bytes > 0 {
      guard DispatchTime.now() < end else { return false }
      mailbox.wake.signal()
      syncer.submit([], urgent: true)
      _ = pause.wait(timeout: .now() + .milliseconds(1))
    }
    return true
  }

  /// Waits until what counts as written stands in the files, where readers and other processes find it; without this,
  /// some 50 ms later.
  /// - Returns: False when the time ran out first: the disk hangs.
  @discardableResult
  public func flush(seconds: Double = 2) -> Bool {
    let mark = disk.flushMark
    let end = DispatchTime.now() + seconds
    let pause = DispatchSemaphore(value: 0)
    while !disk.isFlushed(to: mark) {
      guard DispatchTime.now() < end, !isStopped.isSet else { return false }
      syncer.submit([], urgent: true)
      _ = pause.wait(timeout: .now() + .milliseconds(1))
    }
    return true
  }

  /// Whether all that counts as written stands in the files.
  public var isFlushed: Bool { disk.isFlushed(to: disk.flushMark) }

  /// Ends the open segments of a tenant: before its subjects are erased, after its settings changed.
  public func roll(_ tenant: TenantID) { mailbox.post(.roll(tenant)) }

  /// Goes on in another journal file, which begins with these bytes. Blocks until the writer has switched.
  public func switchJournal(to path: String, beginning: [UInt8]) throws(SealedLogError) {
    guard !isStopped.isSet else { throw .disk("journal", 0) }
    let done = JournalSwitch()
    mailbox.post(.journal(path: path, beginning: beginning, done: done))
    try done.wait()
  }

  /// Refuses new entries, writes what is queued (at most 5 s), ends all segments, joins the threads. Once.
  public func stop() {
    guard isStopped.set() else { return }
    mailbox.post(.stop)
    threads[0].join()
    syncer.stop()
    threads[1].join()
    maker.stop()
    threads[2].join()
    journal.close()
  }
}
