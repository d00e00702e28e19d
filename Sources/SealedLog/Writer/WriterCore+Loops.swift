internal import Synchronization
internal import Tenancy

/// What a loop does at the end of its turn, in place of the thread.
extension WriterCore {
  /// What frames and padding may add to an entry, and a checkpoint and a footer to a stream.
  private static let attendedMargin = 1536

  /// After so many batches the loop goes on with its own work, and the writer's thread has what still comes.
  private static let attendedBatches = 3

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
  func attendBatch() -> Bool {
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

  /// Whether sealing and writing all that waits in touched streams keeps nobody: it is little, and no disk is asked.
  private func isTouchedQuick(now: UInt64) -> Bool {
    var all = 0
    var journal = journalBytes.count
    for state in touched {
      guard let open = state.open, state.sealed.isEmpty, now >= state.retryAt, !isFull(open, state, now: now)
      else { return false }
      var bytes = Self.attendedMargin
      var frames: UInt64 = 2  // a checkpoint, a footer
      for waiting in state.waiting {
        guard waiting.entry.stream.settings.seals(like: open.settings) else { return false }
        bytes += waiting.entry.footprint + Self.attendedMargin
        frames += waiting.entry.mostFrames
        journal += waiting.entry.journal.count
        if all + bytes > Self.largeBytes { return false }
      }
      let sidecar = open.sidecarBytes(entries: state.waiting.count)
      // Nor may the segment end on the way: that asks the disk for all that is staged, and begins another one.
      guard open.takesAtOnce(bytes, sidecar: sidecar), open.sealedBytes + bytes < options.segmentBytes,
        open.frameCount + frames < options.segmentFrames,
        open.slotCount + state.waiting.count * OpenSegment.slotsPerEntry < options.segmentSlots
      else { return false }
      all += bytes + sidecar + 2048
    }
    return self.journal.takesAtOnce(journal) && disk.takesAtOnce(all + journal + 1024)
  }
}
