internal import Cryptography
internal import Synchronization
internal import Tenancy

/// How far a segment has come: what has been written, or what is known to be durable.
struct SegmentPoint: Sendable {
  var bytes: Int
  var frames: UInt64
  var range: CompactRange
}

/// An entry with the loop that waits for it.
struct QueuedEntry: Sendable {
  let entry: LogEntry
  let loop: Int
  /// The loop was told, or nobody waits.
  var isConfirmed: Bool
  /// Its journal bytes stand in the journal.
  var isJournaled = false
}

struct StrictToken: Sendable, Equatable {
  let loop: Int
  let token: UInt64
}

/// The segment that a stream is writing now.
///
/// Owned by one thread at a time: the maker's until it is handed over, then the writer's. Only ``sync`` is shared.
final class OpenSegment: @unchecked Sendable {
  /// What the syncer needs and tells.
  struct Sync: Sendable {
    var written: SegmentPoint
    var synced: SegmentPoint
    /// Copies of what is written and not synced: a new segment is written from them when fdatasync fails.
    var unsynced: [QueuedEntry] = []
    /// Who waits for the disk.
    var strictTokens: [StrictToken] = []
    var isQueued = false
    /// Close the files after the next sync.
    var isClosing = false
    /// Synced to its end and closed: tokens that come later are due at once.
    var isClosed = false
    /// A sync has failed, or the writer has given it up: nothing more of it is synced.
    var isPoisoned = false
    /// The writer has taken its copies.
    var isGivenUp = false
  }

  let header: SegmentHeader
  let path: String
  let settings: StreamSettings
  /// Monotonic, when it was made.
  let made: UInt64
  /// Where it went on from.
  let resumed: ResumePoint
  /// A FOOTER is sealed: nothing more may follow.
  private(set) var isEnded = false
  let file: any SegmentFile
  let sidecarFile: any SegmentFile
  let sync: Mutex<Sync>
  let notes: StreamNotes

  /// The sidecar has bytes that were not synced; a sync without any costs a flush of the disk. Set at first: the maker
  /// has written its beginning.
  private let isSidecarDirty = Flag()
  private let areFilesClosed = Flag()
  private let slots: SlotTable
  private let sealer: FrameSealer
  private let tools: SealingTools
  private(set) var fileBytes: Int
  private var sidecarBytes: Int
  private var isFileRagged = false
  private var isSidecarRagged = false
  /// Sealed and not yet written. The buffer is lent for as long as it holds something: an open segment has none.
  private var frames: [UInt8] = []
  private var sidecar: [UInt8] = []

  init(
    header: SegmentHeader, path: String, settings: StreamSettings, made: UInt64, resumed: ResumePoint,
    file: any SegmentFile, sidecarFile: any SegmentFile, slots: SlotTable, tools: SealingTools, notes: StreamNotes
  ) {
    self.header = header
    self.path = path
    self.settings = settings
    self.made = made
    self.resumed = resumed
    self.file = file
    self.sidecarFile = sidecarFile
    self.slots = slots
    self.tools = tools
    sealer = FrameSealer(header.fields, treeSize: resumed.tree.end, hasher: tools.hasher, nonces: tools.nonces)
    self.notes = notes
    fileBytes = header.bytes.count
    sidecarBytes = SidecarHeader.byteCount
    let point = SegmentPoint(bytes: header.bytes.count, frames: 0, range: CompactRange(startingAt: resumed.tree.end))
    sync = Mutex(Sync(written: point, synced: point))
    isSidecarDirty.set()
  }

  var frameCount: UInt64 { sealer.seq }
  /// Of people and groups of them.
  var slotCount: Int { slots.count }
  /// What the file will have when everything sealed is written.
  var sealedBytes: Int { fileBytes + frames.count }
  var hasPending: Bool { !frames.isEmpty || !sidecar.isEmpty }

  /// The whole tree with everything sealed so far.
  func tree() throws(SealedLogError) -> CompactRange {
    var tree = resumed.tree
    try tree.append(sealer.range, hasher: tools.hasher)
    return tree
  }

  /// Where the next segment goes on when this one is cut to a point and ends poisoned.
  func resume(poisonedAt point: SegmentPoint) throws(SealedLogError) -> ResumePoint {
    var next = resumed
    next.nextNumber = header.fields.name.number &+ 1
    guard point.frames > 0 else { return next }
    try next.tree.append(point.range, hasher: tools.hasher)
    next.previous = header.fields.segment
    next.predecessorPoisoned = true
    return next
  }

  private func borrowBuffer() {
    if frames.capacity == 0 { frames = tools.buffers.take() }
  }

  func seal(clear type: FrameType, body: [UInt8], time: UInt64) throws(SealedLogError) {
    borrowBuffer()
    try sealer.clear(type, time: time, body: body, into: &frames)
  }

  func seal(footer reason: FooterBody.Reason, time: UInt64) throws(SealedLogError) {
    let body = FooterBody(frames: sealer.seq, range: sealer.range, reason: reason, note: notes.newest?.bytes ?? [])
    borrowBuffer()
    try sealer.clear(.footer, time: time, body: body.bytes, into: &frames)
    isEnded = true
  }

  /// Seals all parts of an entry into the pending buffers.
  /// - Parameter between: Called between two parts of one payload, for there may be megabytes of it. May do anything but
  ///   touch this segment.
  /// - Returns: The number of its META frame, if it has one.
  func seal(_ entry: LogEntry, time: UInt64, between: () -> Void = {}) throws(SealedLogError) -> UInt64? {
    borrowBuffer()
    if header.fields.mode != .off, entry.request != nil || entry.response != nil {
      let (slot, key) = try slots.content(entry.subjects, sidecar: &sidecar)
      if let request = entry.request {
        try parts(.request, request, entry.recordID, slot, key, time: time, between: between)
      }
      if let response = entry.response {
        try parts(
          .response, response, entry.recordID, slot, key, time: time,
          flags: entry.responseIsAssembled ? FrameHeader.assembled : 0, first: entry.responseFirstPart,
          isLast: entry.responseIsLast, between: between)
      }
    }
    var metadataFrame: UInt64?
    if let metadata = entry.metadata {
      metadataFrame = sealer.seq
      let key = try slots.metadata(sidecar: &sidecar)
      try parts(.metadata, metadata, entry.recordID, SlotTable.metadataSlot, key, time: time)
    }
    if let administration = entry.administration {
      let key = try slots.metadata(sidecar: &sidecar)
      try parts(.administration, administration, entry.recordID, SlotTable.metadataSlot, key, time: time)
    }
    return metadataFrame
  }

  private func parts(
    _ type: FrameType, _ payload: [UInt8], _ record: UInt128, _ slot: UInt32, _ key: AESGCMKey, time: UInt64,
    flags: UInt8 = 0, first: UInt16 = 0, isLast: Bool = true, between: () -> Void = {}
  ) throws(SealedLogError) {
    var at = 0
    var part = first
    while true {
      let end = min(at + FrameHeader.maximalPayloadBytes, payload.count)
      let last = end == payload.count
      var failure: SealedLogError?
      payload.withUnsafeBytes { bytes in
        do throws(SealedLogError) {
          try sealer.seal(
            type, flags: flags | (last && isLast ? FrameHeader.lastPart : 0), part: part, record: record, slot: slot,
            time: time, payload: UnsafeRawBufferPointer(rebasing: bytes[at..<end]), key: key, into: &frames)
        } catch { failure = error }
      }
      if let failure { throw failure }
      if last { return }
      guard part < .max else { throw .malformed("too many parts") }
      part += 1
      at = end
      between()
    }
  }

  /// Writes what is pending, sidecar first. After an error nothing of it is on disk and everything stays pending: the
  /// same bytes are written again, so no nonce ever serves two plaintexts.
  /// - Parameter between: Called between two pieces of megabytes. May do anything but touch this segment.
  /// - Returns: 0 or `errno`.
  func flush(between: () -> Void = {}) -> Int32 {
    if !sidecar.isEmpty {
      let number = sidecarFile.appendAll(sidecar, at: sidecarBytes, isRagged: &isSidecarRagged)
      guard number == 0 else { return number }
      isSidecarDirty.set()
      sidecarBytes += sidecar.count
      sidecar.removeAll(keepingCapacity: true)
    }
    guard !frames.isEmpty else { return 0 }
    let number = file.appendAll(frames, at: fileBytes, isRagged: &isFileRagged, between: between)
    guard number == 0 else { return number }
    fileBytes += frames.count
    tools.buffers.give(&frames)
    return 0
  }

  /// What was flushed stands in the files. 0 or `errno`.
  func settle() -> Int32 {
    let number = sidecarFile.settle()
    return number == 0 ? file.settle() : number
  }

  /// Makes both files durable, the sidecar first. 0 or `errno`; after an error neither is synced again.
  func synchronize() -> Int32 {
    if isSidecarDirty.isSet {
      isSidecarDirty.clear()
      let number = sidecarFile.synchronize()
      guard number == 0 else {
        isSidecarDirty.set()
        return number
      }
    }
    return file.synchronize()
  }

  /// Whether so many bytes of entries are flushed without asking the volume for anything, as far as the files go.
  func takesAtOnce(_ bytes: Int, sidecar sidecarBytes: Int) -> Bool {
    !hasPending && !isFileRagged && !isSidecarRagged && file.takesAtOnce(bytes)
      && sidecarFile.takesAtOnce(sidecarBytes)
  }

  /// At most what so many entries add to the sidecar.
  func sidecarBytes(entries: Int) -> Int { (entries + 1) * Self.sidecarBytesPerEntry }

  /// Every subject of an entry may be new, and their join.
  static let slotsPerEntry = LogEntry.maximalSubjects + 1
  private static let sidecarBytesPerEntry = (slotsPerEntry + 2) * SidecarEntry.byteCount

  /// Moves `point` to what is written when nothing is pending. Its memory stays its own: one that it shared with the
  /// sealer would be copied at every batch.
  func note(in point: inout SegmentPoint) {
    point.bytes = fileBytes
    point.frames = sealer.seq
    point.range.become(sealer.range)
  }

  /// Once, whoever comes first: the numbers of closed files are soon others'.
  func closeFiles() {
    guard areFilesClosed.set() else { return }
    file.close()
    sidecarFile.close()
  }
}
