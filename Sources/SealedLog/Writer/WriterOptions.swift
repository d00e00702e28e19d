/// Bounds and intervals of a log writer. The defaults are the design's; tests take small ones.
package struct WriterOptions: Sendable {
  /// Event loops that hand over entries, each with a queue of its own.
  package var loops = 1
  /// The installation's host name, in the origin of checkpoints.
  package var host = "torhaus"
  package var segmentBytes = 64 * 1024 * 1024
  package var segmentFrames: UInt64 = 1 << 24
  package var segmentAgeNanoseconds: UInt64 = 3600 * 1_000_000_000
  /// Plaintexts are padded to multiples of 2 to this power.
  package var bucketLog2: UInt8 = 8
  /// Entries that are not yet written and synced, of all tenants.
  package var queueBytes = 64 * 1024 * 1024
  /// The most of it one tenant may have.
  package var tenantQueueBytes = 16 * 1024 * 1024
  /// Entries older than this make new requests refused.
  package var staleNanoseconds: UInt64 = 2_000_000_000
  package var syncIntervalNanoseconds: UInt64 = 50_000_000
  package var retryNanoseconds: UInt64 = 100_000_000
  package var checkpointNanoseconds: UInt64 = 1_000_000_000
  package var checkpointFrameNanoseconds: UInt64 = 60_000_000_000
  /// How long an unwrapped erasure key may be kept.
  package var keyCacheNanoseconds: UInt64 = 600_000_000_000
  /// Wall clock and boot clock further apart than this since the start: the machine was cloned or resumed.
  package var clockDriftNanoseconds: UInt64 = 5_000_000_000
  /// Called on the writer thread with what became readable metadata; must only queue.
  package var onMetadata: (@Sendable ([MetadataRecord]) -> Void)?

  package init() {}
}

/// One META frame that was written, for the index.
package struct MetadataRecord: Sendable, Equatable {
  package let stream: StreamName
  package let segment: SegmentName
  /// Number of the frame in its segment.
  package let frame: UInt64
  /// Nanoseconds since 1970 UTC.
  package let time: UInt64
  package let recordID: UInt128
  package let json: [UInt8]

  package init(
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
