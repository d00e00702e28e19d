internal import Synchronization
internal import Tenancy

/// The heart of the writer: it alone owns seq, nonces and cipher contexts, and one thread at a time runs it, hence no
/// locks in here.
///
/// A batch is all that lies in the queue: seal, write by segment (sidecar first), write the journal, then confirm. A loop
/// runs the batch of its own turn where nobody is at it: to wake another thread, and to be woken by it, takes longer than
/// the batch. The writer's thread has whatever is large, late or in trouble.
final class WriterCore: @unchecked Sendable {
  private let queue: EntryQueue
  private let clock: LogClock
  private let options: WriterOptions
  private let node: NodeID
  private let disk: any LogDisk
  private let journal: NodeJournal
  private let signer: SignerBox
  private let random: @Sendable (Int) throws(SealedLogError) -> [UInt8]
  private let maker: MakerThread
  private let syncer: Syncer
  private let mailbox: Mailbox
  private let status: WriterStatus
  private let onConfirmed: @Sendable (Int, [UInt64]) -> Void
  private let hasher: MerkleHasher
  /// Who has it runs everything below.
  private let baton = Baton()

  private struct StreamKey: Hashable {
    let tenant: TenantID
    let mode: ContentMode
  }

  /// A confirmation that waits for the journal.
  private struct Confirmation {
    let segment: OpenSegment
    let token: StrictToken
    let isStrict: Bool
  }

  private var streams: [StreamKey: StreamState] = [:]
  private var batch: [[HeldEntry]]
  private var touched: [StreamState] = []
  private var troubled: [StreamState] = []
  /// Touched ones with something large: written after the others have been confirmed, one a round.
  private var large: [StreamState] = []
  /// One of them is in work, and nothing else.
  private var isInLarge = false
  /// Streams with nothing but entries that nobody waits for.
  private var deferred: [StreamState] = []
  private var journalBytes: [UInt8] = []
  private var confirmations: [Confirmation] = []
  private var tokens: [[UInt64]]
  /// The loop that runs this batch; its own tokens are handed to it when it is over.
  private var attendingLoop: Int?
  private var ownTokens: [UInt64] = []
  private var dirty: [OpenSegment] = []
  /// Of the entries that this batch has written.
  private var dirtyBytes = 0
  private var clockOffset: Int64
  private var maintainedAt: UInt64
  private var stopsAt: UInt64?

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
    self.random = random
    self.maker = maker
    self.syncer = syncer
    self.mailbox = mailbox
    self.status = status
    self.onConfirmed = onConfirmed
    hasher = try MerkleHasher()
    batch = Array(repeating: [], count: queue.loops)
    tokens = Array(repeating: [], count: queue.loops)
    clockOffset = Self.offset(clock)
    maintainedAt = clock.monotonic()
  }

  /// From here on sealing and writing an entry takes longer than others should wait.
  private static let largeBytes = 256 * 1024

  /// What frames and padding may add to an entry, and a checkpoint and a footer to a stream.
  private static let attendedMargin = 1536

  /// After so many batches the loop goes on with its own work, and the writer's thread has what still comes.
  private static let attendedBatches = 3

  /// How long an entry that nobody waits for may lie there, in nanoseconds.
  private static let lookAround: UInt64 = 20_000_000

  /// Segments that end at once for their age, or to make room for others.
  private static let endedAtOnce = 256

  private static func offset(_ clock: LogClock) -> Int64 {
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
  private func round(now: UInt64) -> Bool {
    for message in mailbox.take() { handle(message, now: now) }
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

  /// A loop runs the batch of its turn, and what others have queued meanwhile, as long as it is little. The rest is left
  /// to the writer's thread.
  /// - Parameter confirmed: The loop's own tokens that count as written are appended; others are told as always.
  func attend(loop: Int, confirmed: inout [UInt64]) {
    guard disk.takesAtOnce(0) else { return mailbox.wake.signal() }
    for _ in 0..<Self.attendedBatches {
      guard baton.take(.loop) else { return }
      attendingLoop = loop
      let isAllDone = attendBatch()
      attendingLoop = nil
      confirmed += ownTokens
      ownTokens.removeAll(keepingCapacity: true)
      let asked = baton.layDown()
      if asked.hasThreadAsked || !isAllDone { return mailbox.wake.signal() }
      if !asked.hasLoopAsked { return }
    }
    mailbox.wake.signal()
  }

  /// - Returns: False if something is left for the writer's thread.
  private func attendBatch() -> Bool {
    guard touched.isEmpty, large.isEmpty else { return false }
    guard queue.take(into: &batch) else { return true }
    let now = clock.monotonic()
    sort()
    forgetDeferred()
    setLargeAside()
    guard !touched.isEmpty else { return large.isEmpty }
    watchClock()
    guard isTouchedQuick(now: now) else { return false }
    status.busySince.store(now, ordering: .relaxed)
    for state in touched { advance(state, now: now) }
    finishBatch(now: now)
    status.busySince.store(0, ordering: .relaxed)
    return large.isEmpty && journalBytes.isEmpty
  }

  private var isAllIdle: Bool {
    queue.isEmpty && journalBytes.isEmpty && mailbox.isEmpty && streams.values.allSatisfy(\.isIdle)
  }

  /// Who waits for a few bytes does not wait for the megabytes of others.
  private func setLargeAside() {
    guard touched.contains(where: \.isLarge) else { return }
    large += touched.filter(\.isLarge)
    touched.removeAll(where: \.isLarge)
  }

  private func advanceLarge(now: UInt64) {
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
  private func attendOthers() {
    guard isInLarge, queue.take(into: &batch) else { return }
    isInLarge = false
    defer { isInLarge = true }
    let now = clock.monotonic()
    sort()
    setLargeAside()
    for state in touched { advance(state, now: now) }
    finishBatch(now: now)
  }

  private func touch(_ state: StreamState) {
    guard !state.isTouched else { return }
    state.isTouched = true
    touched.append(state)
  }

  private func sort() {
    for loop in batch.indices {
      for held in batch[loop] {
        let state = stream(held.entry.stream.settings)
        state.waiting.append(QueuedEntry(held: held, loop: loop, isConfirmed: held.entry.token == 0))
        if held.entry.footprint > Self.largeBytes { state.isLarge = true }
        if held.canWait { wait(state, since: held.queuedAt) } else { touch(state) }
      }
    }
  }

  /// The beginnings of exchanges wait for something of their stream that somebody waits for, usually their own ends: with
  /// many tenants a call of the kernel for each would be half of the log's cost.
  private func wait(_ state: StreamState, since time: UInt64) {
    guard !state.isTouched, state.deferredAt == 0 else { return }
    state.deferredAt = max(1, time)
    deferred.append(state)
  }

  private func takeDeferred(now: UInt64) {
    guard !deferred.isEmpty else { return }
    for state in deferred where stopsAt != nil || now > state.deferredAt && now - state.deferredAt >= Self.lookAround {
      touch(state)
    }
    forgetDeferred()
  }

  /// What is touched waits no longer.
  private func forgetDeferred() {
    var isAny = false
    for state in deferred where state.isTouched {
      state.deferredAt = 0
      isAny = true
    }
    if isAny { deferred.removeAll { $0.deferredAt == 0 } }
  }

  /// Whether sealing and writing all that waits in touched streams keeps nobody: it is little, and no disk is asked.
  private func isTouchedQuick(now: UInt64) -> Bool {
    var all = 0
    var journal = journalBytes.count
    for state in touched {
      guard let open = state.open, state.sealed.isEmpty, now >= state.retryAt, !isFull(open, state, now: now)
      else { return false }
      var bytes = Self.attendedMargin
      for waiting in state.waiting {
        guard waiting.entry.stream.settings.seals(like: open.settings) else { return false }
        bytes += waiting.entry.footprint + Self.attendedMargin
        journal += waiting.entry.journal.count
        if all + bytes > Self.largeBytes { return false }
      }
      let sidecar = open.sidecarBytes(entries: state.waiting.count)
      guard open.takesAtOnce(bytes, sidecar: sidecar) else { return false }
      all += bytes + sidecar + 2048
    }
    return self.journal.takesAtOnce(journal) && disk.takesAtOnce(all + journal + 1024)
  }

  private func stream(_ settings: StreamSettings) -> StreamState {
    let key = StreamKey(tenant: settings.tenant, mode: settings.mode)
    if let state = streams[key] { return state }
    let state = StreamState(name: StreamName(tenant: settings.tenant, node: node, mode: settings.mode))
    streams[key] = state
    return state
  }

  // MARK: One stream

  private func advance(_ state: StreamState, now: UInt64) {
    defer {
      state.tellBacklog()
      if !state.isIdle, !troubled.contains(where: { $0 === state }) { troubled.append(state) }
    }
    state.isLarge = false
    state.usedAt = now
    guard now >= state.retryAt else { return }
    do throws(SealedLogError) {
      try write(state)  // what an earlier fault left behind
      try seal(state, now: now)
      try write(state)
      state.fault = nil
      if state.waiting.isEmpty { endGivenUp(state) }
    } catch {
      state.fault = error
      state.retryAt = now &+ options.retryNanoseconds
      if error.code != .diskFailed, let open = state.open {  // half an entry may be sealed: begin anew
        poison(open, state)
      }
    }
    prepareAhead(state, now: now)
  }

  private func seal(_ state: StreamState, now: UInt64) throws(SealedLogError) {
    var done = 0
    defer { if done > 0 { state.waiting.removeFirst(done) } }
    let time = clock.wall()
    while done < state.waiting.count {
      let next = state.waiting[done]
      guard let open = try segment(state, for: next.entry.stream.settings, now: now) else { return }
      try noteIfDue(state, open, now: now, time: time)
      let frame = try open.seal(next.entry, time: time, between: attendOthers)
      if let frame, let json = next.entry.metadata {
        state.metadata.append(
          MetadataRecord(
            stream: state.name, segment: open.header.fields.name, frame: frame, time: time,
            recordID: next.entry.recordID, json: json))
      }
      state.sealed.append(next)
      done += 1
    }
  }

  /// The segment that may take a record under these settings; nil while one is being made.
  private func segment(_ state: StreamState, for settings: StreamSettings, now: UInt64) throws(SealedLogError)
    -> OpenSegment?
  {
    if let open = state.open {
      if !isFull(open, state, now: now), settings.seals(like: open.settings) { return open }
      try end(state, open, .roll)
    }
    if let made = state.made {
      if settings.seals(like: made.settings), let point = state.resume,
        made.header.fields.name.number == point.nextNumber
      {
        let open = try made.begin(
          at: point, signer: signer.current, hasher: hasher, time: clock.wall(), random: random)
        state.made = nil  // not before: its name is taken, nobody could make it once more
        state.open = open
        state.notedAt = now
        return open
      }
      discardMade(state)
    }
    request(state, settings)
    return nil
  }

  private func isFull(_ open: OpenSegment, _ state: StreamState, now: UInt64) -> Bool {
    state.mustRoll || open.isEnded || open.sealedBytes >= options.segmentBytes
      || open.frameCount >= options.segmentFrames || now &- open.made >= options.segmentAgeNanoseconds
  }

  private func request(_ state: StreamState, _ settings: StreamSettings) {
    guard !state.isMaking, state.made == nil else { return }
    state.isMaking = true
    let number = state.open.map { $0.header.fields.name.number &+ 1 } ?? state.resume?.nextNumber
    maker.submit(.make(state.name, settings, number: number, notes: state.notes))
  }

  private func prepareAhead(_ state: StreamState, now: UInt64) {
    guard let open = state.open, !open.isEnded, state.made == nil, !state.isMaking, stopsAt == nil else { return }
    let isNear =
      open.sealedBytes >= options.segmentBytes / 5 * 4
      || now &- open.made >= options.segmentAgeNanoseconds / 5 * 4
    if isNear { request(state, open.settings) }
  }

  private func noteIfDue(_ state: StreamState, _ open: OpenSegment, now: UInt64, time: UInt64)
    throws(SealedLogError)
  {
    guard now &- state.notedAt >= options.checkpointFrameNanoseconds else { return }
    try note(state, open, time: time)
    state.notedAt = now
  }

  /// Puts the newest checkpoint into the segment whose tree it states.
  private func note(_ state: StreamState, _ open: OpenSegment, time: UInt64) throws(SealedLogError) {
    guard let note = state.notes.newest, note.size > open.resumed.tree.end, note.size != state.notedSize else { return }
    try open.seal(clear: .checkpoint, body: note.bytes, time: time)
    state.notedSize = note.size
  }

  private func end(_ state: StreamState, _ open: OpenSegment, _ reason: FooterBody.Reason) throws(SealedLogError) {
    if !open.isEnded {
      let time = clock.wall()
      try note(state, open, time: time)
      try open.seal(footer: reason, time: time)
    }
    try write(state)
    // The next segment's START counts what stands here: it must be there.
    let number = open.settle()
    guard number == 0 else { throw .disk("write", number) }
    state.resume = ResumePoint(
      tree: try open.tree(), previous: open.header.fields.segment, predecessorPoisoned: false,
      nextNumber: open.header.fields.name.number &+ 1)
    state.open = nil
    state.mustRoll = false
    open.sync.withLock { $0.isClosing = true }
    markDirty(open)
  }

  /// Writes what is sealed; then its journal bytes and confirmations are due.
  private func write(_ state: StreamState) throws(SealedLogError) {
    // An entry may have no frame (journal bytes alone): it is due all the same.
    guard let open = state.open, open.hasPending || !state.sealed.isEmpty else { return }
    let number = open.hasPending ? open.flush(between: attendOthers) : 0
    guard number == 0 else { throw .disk("write", number) }
    let sealed = state.sealed
    state.sealed = []
    let point = open.point()
    open.sync.withLock { sync in
      sync.written = point
      sync.unsynced += sealed.map { QueuedEntry(held: $0.held, loop: $0.loop, isConfirmed: true, isJournaled: true) }
    }
    for entry in sealed {
      dirtyBytes += entry.entry.footprint
      if !entry.isJournaled { journalBytes += entry.entry.journal }
      if !entry.isConfirmed {
        confirmations.append(
          Confirmation(
            segment: open, token: StrictToken(loop: entry.loop, token: entry.entry.token),
            isStrict: open.settings.durability == .strict))
      }
    }
    markDirty(open)
    if !state.metadata.isEmpty {
      options.onMetadata?(state.metadata)
      state.metadata.removeAll(keepingCapacity: true)
    }
  }

  private func markDirty(_ open: OpenSegment) {
    let isNew = open.sync.withLock { sync in
      defer { sync.isQueued = true }
      return !sync.isQueued
    }
    if isNew { dirty.append(open) }
  }

  // MARK: The end of a batch

  private func finishBatch(now: UInt64) {
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
    if journalBytes.isEmpty && !confirmations.isEmpty {
      for confirmation in confirmations {
        if confirmation.isStrict {
          isUrgent = true
          confirmation.segment.sync.withLock { $0.strictTokens.append(confirmation.token) }
          markDirty(confirmation.segment)
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
    syncer.submit(dirty, bytes: dirtyBytes, hasJournal: hasJournaled, urgent: isUrgent)
    dirtyBytes = 0
    dirty.removeAll(keepingCapacity: true)
    status.tell(fault: troubled.lazy.compactMap(\.fault).first)
  }

  // MARK: Messages, time, end

  private func handle(_ message: WriterMessage, now: UInt64) {
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

  private func switchJournal(_ path: String, _ beginning: [UInt8]) -> SealedLogError? {
    do throws(SealedLogError) {
      // What cannot be written now would be in no file.
      _ = journal.synchronize()
      let unsettled = journal.settle()
      guard unsettled == 0 else { return .disk("journal", unsettled) }
      try journal.open(path, disk: disk)
      var number = journal.append(beginning)
      // What stands in it is taken away elsewhere as soon as this returns.
      if number == 0 { number = journal.synchronize() }
      status.tell(journalFault: number)
      guard number == 0 else { return .disk("journal", number) }
      if let end = path.lastIndex(of: "/") { try Files.synchronizeFolder(String(path[..<end])) }
      return nil
    } catch { return error }
  }

  /// Gives a segment up after a failed sync: its copies are sealed anew in the next one.
  private func poison(_ segment: OpenSegment, _ state: StreamState) {
    let (point, unsynced, strict) = segment.sync.withLock { sync in
      defer {
        sync.unsynced = []
        sync.strictTokens = []
        sync.isPoisoned = true
      }
      return (sync.synced, sync.unsynced, sync.strictTokens)
    }
    // Those that waited for the journal wait for their copies, too.
    let awaited = strict + confirmations.filter { $0.isStrict && $0.segment === segment }.map(\.token)
    confirmations.removeAll { $0.isStrict && $0.segment === segment }
    var copies = unsynced
    for index in copies.indices {
      let copy = copies[index]
      let isAwaited = awaited.contains(StrictToken(loop: copy.loop, token: copy.entry.token)) && copy.entry.token != 0
      copies[index].isConfirmed = !isAwaited
    }
    if state.open === segment {
      copies += state.sealed
      state.sealed = []
      state.metadata = []
      state.resume = try? segment.resume(poisonedAt: point)
      state.open = nil
      state.mustRoll = false
      state.givenUp.append((segment, point))
    } else {
      segment.closeFiles()  // its successor has begun: the copies follow there, the bytes stay
    }
    state.waiting = copies + state.waiting
  }

  private func endGivenUp(_ state: StreamState) {
    for (segment, point) in state.givenUp { maker.submit(.end(poisoned: segment, at: point)) }
    state.givenUp = []
  }

  private func watchClock() {
    let offset = Self.offset(clock)
    let (drift, overflow) = offset.subtractingReportingOverflow(clockOffset)
    guard overflow || drift.magnitude > options.clockDriftNanoseconds else { return }
    clockOffset = offset
    for state in streams.values { state.mustRoll = true }
  }

  /// Once a second: idle segments end by age or for want of room, checkpoints go into quiet segments.
  private func maintain(now: UInt64) {
    maintainedAt = now
    var opened: [StreamState] = []
    var files = 0
    var aged = 0
    for state in streams.values {
      guard let open = state.open else {
        // Made for a segment that ended before it was needed.
        if state.isIdle { discardMade(state) }
        continue
      }
      opened.append(state)
      files += state.made == nil ? 1 : 2
      guard state.isIdle, now >= state.retryAt else { continue }
      // Thousands that were begun together end one after the other, else whoever writes meanwhile waits for all of them.
      if now &- open.made >= options.segmentAgeNanoseconds, aged < Self.endedAtOnce {
        state.mustRoll = true
        aged += 1
      }
      do throws(SealedLogError) {
        try noteIfDue(state, open, now: now, time: clock.wall())
        try write(state)
      } catch { fault(state, error, now: now) }
    }
    makeRoom(opened, files - aged, now: now)
    rollMarked()
    finishBatch(now: now)
  }

  /// Descriptors are for others, too: of too many segments those end that were not used for longest.
  /// - Parameter files: Segments that are open or made ahead, without those that end now.
  private func makeRoom(_ opened: [StreamState], _ files: Int, now: UInt64) {
    var surplus = files - options.openSegments
    guard surplus > 0 else { return }
    let idle = opened.filter { $0.isIdle && !$0.mustRoll && now >= $0.retryAt }.sorted { $0.usedAt < $1.usedAt }
    for state in idle.prefix(Self.endedAtOnce) where surplus > 0 {
      surplus -= state.made == nil ? 1 : 2
      state.mustRoll = true
      discardMade(state)
    }
  }

  private func discardMade(_ state: StreamState) {
    guard let made = state.made else { return }
    maker.submit(.discard(made))
    state.made = nil
  }

  private func rollMarked() {
    for state in streams.values where state.mustRoll {
      guard let open = state.open else {
        state.mustRoll = false
        continue
      }
      do throws(SealedLogError) { try end(state, open, .roll) } catch { fault(state, error, now: clock.monotonic()) }
    }
  }

  private func fault(_ state: StreamState, _ error: SealedLogError, now: UInt64) {
    state.fault = error
    state.retryAt = now &+ options.retryNanoseconds
    if !troubled.contains(where: { $0 === state }) { troubled.append(state) }
  }

  private func endAll() {
    for state in streams.values {
      discardMade(state)
      // What cannot be ended now is recovered by the next process, and what was given up with all it holds, unless every
      // copy is written.
      if let open = state.open { try? end(state, open, .stop) }
      if state.isIdle { endGivenUp(state) }
    }
    finishBatch(now: clock.monotonic())
  }
}
