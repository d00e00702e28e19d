internal import Dispatch
internal import Synchronization

/// Who waits for the journal: the record is on the disk.
struct LateToken: Sendable {
  let stream: StreamName
  let token: StrictToken
}

/// Makes written segments durable: every 50 ms while something is dirty, at once for strict records and where much is.
final class Syncer: Sendable {
  /// More dirty segments than this are synced by one call for the volume.
  private static let singleSyncs = 8
  /// From here on a sync is worth its flush: unsynced entries take up room in the queue.
  private static let urgentBytes = 4 << 20

  private struct State: Sendable {
    var dirty: [OpenSegment] = []
    /// When the first of them has waited long enough.
    var dueAt: UInt64 = 0
    var bytes = 0
    var hasJournal = false
    var isUrgent = false
    var late: [LateToken] = []
    var mended: [(stream: StreamName, segments: Int)] = []

    var isIdle: Bool { dirty.isEmpty && !hasJournal && late.isEmpty && mended.isEmpty }
  }

  /// A stream of which segments have failed: what belongs to a later record may stand in one of them, and is not on the
  /// disk before its copies are.
  private struct Broken {
    var segments = 0
    var held: [LateToken] = []
  }

  private struct Job {
    let segment: OpenSegment
    let point: SegmentPoint
    let entries: [QueuedEntry]
    let tokens: [StrictToken]
    let isClosing: Bool
    let isClosed: Bool
  }

  private let disk: any LogDisk
  private let journal: NodeJournal
  private let queue: EntryQueue
  private let interval: UInt64
  private let clock: @Sendable () -> UInt64
  private let confirm: @Sendable (Int, [UInt64]) -> Void
  private let roomCame: @Sendable (Int) -> Void
  private let poisoned: @Sendable (OpenSegment) -> Void
  private let offered: @Sendable (StreamNotes) -> Void
  private let state = Mutex(State())
  private let wake = WakeUp()
  private let isStopping = Flag()
  /// When the call of the disk in work began, by the log's clock; 0: none is. A disk that hangs is known by this.
  let busySince = Atomic<UInt64>(0)
  /// For the thread alone.
  private let broken = Mutex<[StreamName: Broken]>([:])

  init(
    disk: any LogDisk, journal: NodeJournal, queue: EntryQueue, interval: UInt64,
    clock: @escaping @Sendable () -> UInt64, confirm: @escaping @Sendable (Int, [UInt64]) -> Void,
    roomCame: @escaping @Sendable (Int) -> Void,
    poisoned: @escaping @Sendable (OpenSegment) -> Void,
    offered: @escaping @Sendable (StreamNotes) -> Void
  ) {
    self.disk = disk
    self.journal = journal
    self.queue = queue
    self.interval = interval
    self.clock = clock
    self.confirm = confirm
    self.roomCame = roomCame
    self.poisoned = poisoned
    self.offered = offered
  }

  /// Called by the writer after a batch.
  /// - Parameters:
  ///   - bytes: What the batch's entries take in the queue until they are synced.
  ///   - hasJournal: The batch has added to the journal.
  ///   - late: Who waits for the journal alone.
  ///   - mended: Streams of which so many given up segments have all their copies in `segments`, or in what was submitted
  ///     before.
  func submit(
    _ segments: [OpenSegment], bytes: Int = 0, hasJournal: Bool = false, late: [LateToken] = [],
    mended: [(stream: StreamName, segments: Int)] = [], urgent: Bool
  ) {
    guard !segments.isEmpty || bytes > 0 || hasJournal || !late.isEmpty || !mended.isEmpty || urgent else { return }
    let mustWake = state.withLock { state in
      let wasIdle = state.isIdle
      if wasIdle { state.dueAt = Self.now &+ interval }
      state.dirty += segments
      state.bytes += bytes
      state.hasJournal = state.hasJournal || hasJournal
      state.late += late
      state.mended += mended
      let isUrgent = urgent || state.bytes >= Self.urgentBytes
      let becomesUrgent = isUrgent && !state.isUrgent
      state.isUrgent = state.isUrgent || isUrgent
      return wasIdle || becomesUrgent
    }
    if mustWake { wake.signal() }
  }

  func stop() {
    isStopping.set()
    wake.signal()
  }

  private static var now: UInt64 { DispatchTime.now().uptimeNanoseconds }

  /// The thread's body.
  func run() {
    guard let hasher = try? MerkleHasher() else { return }
    while true {
      let (isIdle, isUrgent, dueAt) = state.withLock { ($0.isIdle, $0.isUrgent, $0.dueAt) }
      let isLast = isStopping.isSet
      if isLast {
        if isIdle { return }
      } else if !isUrgent {
        let now = Self.now
        // A signal may be of what came during the last round: it ends no wait before its time.
        let wait = isIdle ? 1_000_000_000 : dueAt > now ? dueAt - now : 0
        if wait > 0 {
          wake.wait(nanoseconds: wait)
          continue
        }
      }
      // What the disk does not take at the end stays in memory, for whoever comes next.
      if !round(hasher), isLast { return }
    }
  }

  /// - Returns: False if the journal keeps somebody waiting.
  private func round(_ hasher: MerkleHasher) -> Bool {
    noteProgress()
    defer { busySince.store(0, ordering: .relaxed) }
    disk.flush()
    let taken = state.withLock { state in
      defer { state = State() }
      return state
    }
    let jobs = taken.dirty.compactMap { segment -> Job? in
      segment.sync.withLock { sync in
        // Given up by an earlier round: what it holds is the writer's to write anew.
        if sync.isPoisoned { return nil }
        defer {
          sync.unsynced = []
          sync.strictTokens = []
          sync.isQueued = false
        }
        return Job(
          segment: segment, point: sync.written, entries: sync.unsynced, tokens: sync.strictTokens,
          isClosing: sync.isClosing, isClosed: sync.isClosed)
      }
    }
    noteProgress()
    let journalFault = journal.synchronize()
    // Its bytes could not be written, but no sync has failed: who waits for them waits on.
    let isJournalLate = journalFault != 0 && journal.fault == 0
    noteProgress()
    let wholeVolume = jobs.count > Self.singleSyncs && disk.synchronizeVolume() == 0
    var due = taken.late
    for job in jobs {
      noteProgress()
      let isSynced = wholeVolume || job.isClosed || job.segment.synchronize() == 0
      guard isSynced, job.isClosed || done(job, hasher) else {
        fail(job)
        continue
      }
      due += job.tokens.map { LateToken(stream: job.segment.header.stream, token: $0) }
    }
    due = hold(due, mended: taken.mended)
    // Nobody loses its token to a journal that has failed: another one begins with what all of it came to.
    let late = journalFault == 0 ? [] : due
    submit([], hasJournal: isJournalLate, late: late, urgent: false)
    if journalFault == 0 { confirm(due) }
    for loop in queue.takeAwaiting() { roomCame(loop) }
    return !isJournalLate && late.isEmpty
  }

  private func noteProgress() { busySince.store(clock(), ordering: .relaxed) }

  /// - Returns: Who need not wait for the copies of others.
  private func hold(_ due: [LateToken], mended: [(stream: StreamName, segments: Int)]) -> [LateToken] {
    broken.withLock { broken in
      guard !broken.isEmpty else { return due }
      var free: [LateToken] = []
      for one in due {
        if broken[one.stream] == nil { free.append(one) } else { broken[one.stream]?.held.append(one) }
      }
      for (stream, segments) in mended {
        broken[stream]?.segments -= segments
        if let rest = broken[stream], rest.segments <= 0 {
          free += rest.held
          broken[stream] = nil
        }
      }
      return free
    }
  }

  private func confirm(_ due: [LateToken]) {
    var tokens: [Int: [UInt64]] = [:]
    for one in due { tokens[one.token.loop, default: []].append(one.token.token) }
    for (loop, list) in tokens { confirm(loop, list) }
  }

  /// - Returns: False if the writer has given the segment up meanwhile, and cuts it to what it knew to be on the disk.
  private func done(_ job: Job, _ hasher: MerkleHasher) -> Bool {
    let isGivenUp = job.segment.sync.withLock { sync in
      guard !sync.isPoisoned else { return true }
      sync.synced = job.point
      sync.isClosed = job.isClosing
      return false
    }
    guard !isGivenUp else { return false }
    if job.isClosing { job.segment.closeFiles() }
    for entry in job.entries { queue.release(entry.entry) }
    var tree = job.segment.resumed.tree
    guard (try? tree.append(job.point.range, hasher: hasher)) != nil else { return true }
    let name = job.segment.header.fields.name
    if job.segment.notes.offer(StreamNotes.Offer(tree: tree, segment: name)) { offered(job.segment.notes) }
    return true
  }

  /// The kernel may have dropped the pages: never synced again on this descriptor. The copies go back to the writer.
  private func fail(_ job: Job) {
    job.segment.sync.withLock { sync in
      sync.unsynced = job.entries + sync.unsynced
      sync.strictTokens = job.tokens + sync.strictTokens
      sync.isPoisoned = true
    }
    broken.withLock { $0[job.segment.header.stream, default: Broken()].segments += 1 }
    poisoned(job.segment)
  }
}
