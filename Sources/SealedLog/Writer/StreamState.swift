internal import Synchronization

/// What the writer knows of one stream. Owned by the writer thread.
final class StreamState {
  let name: StreamName
  let notes: StreamNotes
  /// The segment that takes records now.
  var open: OpenSegment?
  /// The next segment, made ahead.
  var made: MadeSegment?
  var isMaking = false
  /// Where the next segment goes on; nil until the stream's end on disk was looked up.
  var resume: ResumePoint?
  /// Not yet sealed.
  var waiting: [QueuedEntry] = []
  /// Sealed into the open segment's buffers, not yet written.
  var sealed: [QueuedEntry] = []
  var metadata: [MetadataRecord] = []
  var fault: SealedLogError?
  /// Monotonic, when something was last written to it.
  var usedAt: UInt64 = 0
  /// Monotonic; nothing is tried before.
  var retryAt: UInt64 = 0
  /// Monotonic, when the last CHECKPOINT frame was sealed, and the size it stated.
  var notedAt: UInt64 = 0
  var notedSize: UInt64 = 0
  /// End the open segment before the next record.
  var mustRoll = false
  /// Segments that a sync has failed of, and how far each is known to be on the disk. They are cut to that when their
  /// copies are written anew: until then what lies behind it is all there is of confirmed records.
  var givenUp: [(segment: OpenSegment, point: SegmentPoint)] = []
  /// Segments that the syncer has given up, and whose copies are not all written yet.
  var broken = 0
  var isTouched = false
  /// Something large is new in ``waiting``.
  var isLarge = false
  /// Monotonic, when the oldest of the entries was queued that nobody waits for; 0: there are none, or it is touched.
  var deferredAt: UInt64 = 0

  init(name: StreamName) {
    self.name = name
    notes = StreamNotes(stream: name)
  }

  var isIdle: Bool { waiting.isEmpty && sealed.isEmpty && open?.hasPending != true }

  /// Tells other threads how long the stream's oldest entry has been waiting.
  func tellBacklog() {
    let oldest = sealed.first ?? waiting.first
    let backlog = oldest?.entry.stream.settings.backlog ?? open?.settings.backlog
    backlog?.oldest.store(oldest?.entry.queuedAt ?? 0, ordering: .relaxed)
  }
}
