internal import Synchronization
internal import Tenancy

/// The heart of the writer: it alone owns seq, nonces and cipher contexts, and one thread at a time runs it, hence no
/// locks in here.
///
/// A batch is all that lies in the queue: seal, write by segment (sidecar first), write the journal, then confirm. A loop
/// runs the batch of its own turn where nobody is at it: to wake another thread, and to be woken by it, takes longer than
/// the batch. The writer's thread has whatever is large, late or in trouble.
final class WriterCore: @unchecked Sendable {
  let queue: EntryQueue
  let clock: LogClock
  let options: WriterOptions
  let node: NodeID
  let disk: any LogDisk
  let journal: NodeJournal
  let signer: SignerBox
  let maker: MakerThread
  let syncer: Syncer
  let mailbox: Mailbox
  let status: WriterStatus
  let onConfirmed: @Sendable (Int, [UInt64]) -> Void
  let tools: SealingTools
  /// Who has it runs everything below.
  let baton = Baton()

  struct StreamKey: Hashable {
    let tenant: TenantID
    let mode: ContentMode
  }

  /// A confirmation that waits for the journal.
  struct Confirmation {
    let segment: OpenSegment
    let token: StrictToken
    let isStrict: Bool
    /// Its record is on the disk: it waits for the journal alone.
    var isOnDisk = false
  }

  var streams: [StreamKey: StreamState] = [:]
  var batch: [[LogEntry]]
  var touched: [StreamState] = []
  var troubled: [StreamState] = []
  /// Touched ones with something large: written after the others have been confirmed, one a round.
  var large: [StreamState] = []
  /// One of them is in work, and nothing else.
  var isInLarge = false
  /// Streams with nothing but entries that nobody waits for.
  var deferred: [StreamState] = []
  var journalBytes: [UInt8] = []
  var confirmations: [Confirmation] = []
  var tokens: [[UInt64]]
  /// The loop that runs this batch; its own tokens are handed to it when it is over.
  var attendingLoop: Int?
  var ownTokens: [UInt64] = []
  var dirty: [OpenSegment] = []
  /// Streams of which so many segments were given up, and whose copies this batch has written to the end.
  var mended: [(stream: StreamName, segments: Int)] = []
  /// Of the entries that this batch has written.
  var dirtyBytes = 0
  var clockOffset: Int64
  var maintainedAt: UInt64
  var stopsAt: UInt64?

  init(
    queue: EntryQueue, clock: LogClock, options: WriterOptions, node: NodeID, disk: any LogDisk, journal: NodeJournal,
    signer: SignerBox, random: @escaping @Sendable (Int) throws(SealedLogError) -> [UInt8], maker: MakerThread,
    syncer: Syncer, mailbox: Mailbox, status: WriterStatus, onConfirmed: @escaping @Sendable (Int, [UInt64]) -> Void
  ) throws(SealedLogError) {
    self.queue = queue
    self.clock = clock
    self.options = options
    self.node = node
    self.disk = disk
    self.journal = journal
    self.signer = signer
    self.maker = maker
    self.syncer = syncer
    self.mailbox = mailbox
    self.status = status
    self.onConfirmed = onConfirmed
    tools = try SealingTools(random: random)
    batch = Array(repeating: [], count: queue.loops)
    tokens = Array(repeating: [], count: queue.loops)
    clockOffset = Self.offset(clock)
    maintainedAt = clock.monotonic()
  }

  /// From here on sealing and writing an entry, or all that a loop has in its turn, takes longer than others should wait.
  static let largeBytes = 256 * 1024

  /// How long an entry that nobody waits for may lie there, in nanoseconds.
  private static let lookAround: UInt64 = 20_000_000

  static func offset(_ clock: LogClock) -> Int64 {
    Int64(truncatingIfNeeded: clock.wall() &- clock.boot())
  }

  // MARK: The loop

  /// The body of the writer's thread.
  func run() {
    while true {
      guard baton.take(.thread) else {
        mailbox.wake.wait(nanoseconds: Self.lookAround)  // the loop that has it signals
        continue
      }
      let now = clock.monotonic()
      let hasFound = round(now: now)
      if let stopsAt, isAllIdle || now >= stopsAt {
        endAll()
        return  // with the baton: from here on nobody takes it
      }
      let hurry = !troubled.isEmpty || !journalBytes.isEmpty || stopsAt != nil
      let hasMore = hasFound || !large.isEmpty
      if !baton.layDown().hasLoopAsked && !hasMore && mailbox.isEmpty {
        mailbox.wake.wait(nanoseconds: hurry ? min(options.retryNanoseconds, 10_000_000) : Self.lookAround)
      }
    }
  }

  /// - Returns: Whether there was anything in the queue.
  func round(now: UInt64) -> Bool {
    let messages = mailbox.take()
    if messages.contains(where: \.asksDisk) { status.busySince.store(now, ordering: .relaxed) }
    for message in messages { handle(message, now: now) }
    let found = queue.take(into: &batch)
    // Some may be left by a loop, or of the last round.
    if found || !touched.isEmpty || !large.isEmpty { status.busySince.store(now, ordering: .relaxed) }
    if found { sort() }
    takeDeferred(now: now)
    let retries = troubled
    troubled = []
    for state in retries where !state.isTouched && now >= state.retryAt { touch(state) }
    for state in retries where !state.isTouched { troubled.append(state) }
    if !touched.isEmpty || !journalBytes.isEmpty || !large.isEmpty {
      watchClock()
      setLargeAside()
      for state in touched { advance(state, now: now) }
      finishBatch(now: now)
      advanceLarge(now: now)
    }
    if now &- maintainedAt >= 1_000_000_000 {
      // Segments that end wait for the disk, and whoever has something for the log must learn of it.
      status.busySince.store(now, ordering: .relaxed)
      maintain(now: now)
    }
    status.busySince.store(0, ordering: .relaxed)
    return found
  }

  var isAllIdle: Bool {
    queue.isEmpty && journalBytes.isEmpty && mailbox.isEmpty && streams.values.allSatisfy(\.isIdle)
  }

  /// Who waits for a few bytes does not wait for the megabytes of others.
  func setLargeAside() {
    guard touched.contains(where: \.isLarge) else { return }
    large += touched.filter(\.isLarge)
    touched.removeAll(where: \.isLarge)
  }

  func advanceLarge(now: UInt64) {
    guard !large.isEmpty else { return }
    let state = large.removeFirst()
    isInLarge = true
    advance(state, now: now)
    isInLarge = false
    state.isLarge = false
    touched.append(state)
    finishBatch(now: now)
  }

  /// In the middle of something large: what has come for other streams since is written and confirmed. The stream in work
  /// counts as touched, so its own new entries only join those that wait.
  func attendOthers() {
    guard isInLarge, queue.take(into: &batch) else { return }
    isInLarge = false
    defer { isInLarge = true }
    let now = clock.monotonic()
    sort()
    setLargeAside()
    for state in touched { advance(state, now: now) }
    finishBatch(now: now)
  }

  func touch(_ state: StreamState) {
    guard !state.isTouched else { return }
    state.isTouched = true
    touched.append(state)
  }

  func sort() {
    for loop in batch.indices {
      for entry in batch[loop] {
        let state = stream(entry.stream.settings)
        state.waiting.append(QueuedEntry(entry: entry, loop: loop, isConfirmed: entry.token == 0))
        if entry.footprint > Self.largeBytes { state.isLarge = true }
        if entry.canWait { wait(state, since: entry.queuedAt) } else { touch(state) }
      }
    }
  }

  /// The beginnings of exchanges wait for something of their stream that somebody waits for, usually their own ends: with
  /// many tenants a call of the kernel for each would be half of the log's cost.
  func wait(_ state: StreamState, since time: UInt64) {
    guard !state.isTouched, state.deferredAt == 0 else { return }
    state.deferredAt = max(1, time)
    deferred.append(state)
  }

  func takeDeferred(now: UInt64) {
    guard !deferred.isEmpty else { return }
    for state in deferred where stopsAt != nil || now > state.deferredAt && now - state.deferredAt >= Self.lookAround {
      touch(state)
    }
    forgetDeferred()
  }

  /// What is touched waits no longer.
  func forgetDeferred() {
    var isAny = false
    for state in deferred where state.isTouched {
      state.deferredAt = 0
      isAny = true
    }
    if isAny { deferred.removeAll { $0.deferredAt == 0 } }
  }

  func stream(_ settings: StreamSettings) -> StreamState {
    let key = StreamKey(tenant: settings.tenant, mode: settings.mode)
    if let state = streams[key] { return state }
    let state = StreamState(name: StreamName(tenant: settings.tenant, node: node, mode: settings.mode))
    streams[key] = state
    return state
  }

  // MARK: The end of a batch

  func finishBatch(now: UInt64) {
    for state in touched { state.isTouched = false }
    touched.removeAll(keepingCapacity: true)
    var hasJournaled = false
    if !journalBytes.isEmpty {
      let number = journal.append(journalBytes)
      status.tell(journalFault: number)
      if number == 0 {
        journalBytes.removeAll(keepingCapacity: true)
        hasJournaled = true
      }
    }
    var isUrgent = false
    var late: [LateToken] = []
    if journalBytes.isEmpty && !confirmations.isEmpty {
      for confirmation in confirmations {
        if confirmation.isStrict {
          isUrgent = true
          if confirmation.isOnDisk {
            late.append(LateToken(stream: confirmation.segment.header.stream, token: confirmation.token))
          } else {
            confirmation.segment.sync.withLock { $0.strictTokens.append(confirmation.token) }
            markDirty(confirmation.segment)
          }
        } else {
          tokens[confirmation.token.loop].append(confirmation.token.token)
        }
      }
      confirmations.removeAll(keepingCapacity: true)
    }
    for loop in tokens.indices where !tokens[loop].isEmpty {
      if loop == attendingLoop { ownTokens += tokens[loop] } else { onConfirmed(loop, tokens[loop]) }
      tokens[loop].removeAll(keepingCapacity: true)
    }
    syncer.submit(
      dirty, bytes: dirtyBytes, hasJournal: hasJournaled, late: late, mended: mended, urgent: isUrgent)
    if !mended.isEmpty { mended.removeAll() }
    dirtyBytes = 0
    dirty.removeAll(keepingCapacity: true)
    status.tell(fault: troubled.lazy.compactMap(\.fault).first)
  }

  // MARK: Messages, time, end

  func handle(_ message: WriterMessage, now: UInt64) {
    switch message {
    case .made(let name, let made):
      guard let state = streams[StreamKey(tenant: name.tenant, mode: name.mode)] else { return }
      state.isMaking = false
      state.retryAt = 0
      if let resume = made.resume, state.resume == nil { state.resume = resume }
      state.made = made
      touch(state)
    case .notMade(let name, let error):
      guard let state = streams[StreamKey(tenant: name.tenant, mode: name.mode)] else { return }
      state.isMaking = false
      state.fault = error
      state.retryAt = now &+ options.retryNanoseconds
      touch(state)
    case .poisoned(let segment):
      let name = segment.header.stream
      guard let state = streams[StreamKey(tenant: name.tenant, mode: name.mode)] else { return }
      state.broken += 1
      poison(segment, state)
      touch(state)
    case .roll(let tenant):
      for state in streams.values where state.name.tenant == tenant { state.mustRoll = true }
      rollMarked()
    case .journal(let path, let beginning, let done):
      done.finish(switchJournal(path, beginning))
    case .stop: stopsAt = stopsAt ?? now &+ 5_000_000_000
    }
  }

  func switchJournal(_ path: String, _ beginning: [UInt8]) -> SealedLogError? {
    do throws(SealedLogError) {
      // What cannot be written now would be in no file.
      _ = journal.synchronize()
      let unsettled = journal.settle()
      guard unsettled == 0 else { return .disk("journal", unsettled) }
      // What stands in it is taken away elsewhere as soon as this returns.
      let number = try journal.open(path, disk: disk, beginning: beginning)
      guard number == 0 else { return .disk("journal", number) }
      status.tell(journalFault: 0)
      if let end = path.lastIndex(of: "/") { try Files.synchronizeFolder(String(path[..<end])) }
      return nil
    } catch { return error }
  }
}
