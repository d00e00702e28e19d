/// Bounds and intervals of a log writer. The defaults are the design's; tests take small ones.
public struct WriterOptions: Sendable {
  /// Event loops that hand over entries, each with a queue of its own.
  public var loops = 1
  /// The installation's host name, in the origin of checkpoints.
  public var host = "torhaus"
  public var segmentBytes = 64 * 1024 * 1024
  public var segmentFrames: UInt64 = 1 << 24
  /// People and groups of them that a segment has keys for: a client names them, and their keys are held until it ends.
  public var segmentSlots = 16_384
  public var segmentAgeNanoseconds: UInt64 = 3600 * 1_000_000_000
  /// Segments that are open at once, each with two descriptors. More of them may be for a moment; then those end that were
  /// not written to for longest.
  public var openSegments = 4096
  /// Plaintexts are padded to multiples of 2 to this power.
  public var bucketLog2: UInt8 = 8
  /// Entries that are not yet written and synced, of all tenants.
  public var queueBytes = 64 * 1024 * 1024
  /// The most of it one tenant may have.
  public var tenantQueueBytes = 16 * 1024 * 1024
  /// Entries older than this make new requests refused.
  public var staleNanoseconds: UInt64 = 2_000_000_000
  public var syncIntervalNanoseconds: UInt64 = 50_000_000
  public var retryNanoseconds: UInt64 = 100_000_000
  public var checkpointNanoseconds: UInt64 = 1_000_000_000
  public var checkpointFrameNanoseconds: UInt64 = 60_000_000_000
  /// How long an unwrapped erasure key may be kept.
  public var keyCacheNanoseconds: UInt64 = 600_000_000_000
  /// Wall clock and boot clock further apart than this since the start: the machine was cloned or resumed.
  public var clockDriftNanoseconds: UInt64 = 5_000_000_000
  /// Called on the writer thread with what became readable metadata; must only queue.
  public var onMetadata: (@Sendable ([MetadataRecord]) -> Void)?

  public init() {}
}

/// One META frame that was written, for the index.
public struct MetadataRecord: Sendable, Equatable {
  public let stream: StreamName
  public let segment: SegmentName
  /// Number of the frame in its segment.
  public let frame: UInt64
  /// Nanoseconds since 1970 UTC.
  public let time: UInt64
  public let recordID: UInt128
  public let json: [UInt8]

  public init(
    stream: StreamName, segment: SegmentName, frame: UInt64, time: UInt64, recordID: UInt128, json: [UInt8]
  ) {
    self.stream = stream
    self.segment = segment
    self.frame = frame
    self.time = time
    self.recordID = recordID
    self.json = json
  }
}
