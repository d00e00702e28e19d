internal import Synchronization
internal import Tenancy

/// What is done to one stream: seal what waits, into a segment that may take it, and write it.
extension WriterCore {
  func advance(_ state: StreamState, now: UInt64) {
    defer {
      state.tellBacklog()
      tellMended(state)
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

  func seal(_ state: StreamState, now: UInt64) throws(SealedLogError) {
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
  func segment(_ state: StreamState, for settings: StreamSettings, now: UInt64) throws(SealedLogError)
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
        let open = try made.begin(at: point, signer: signer.current, time: clock.wall(), tools: tools)
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

  func isFull(_ open: OpenSegment, _ state: StreamState, now: UInt64) -> Bool {
    state.mustRoll || open.isEnded || open.sealedBytes >= options.segmentBytes
      || open.frameCount >= options.segmentFrames || open.slotCount >= options.segmentSlots
      || now &- open.made >= options.segmentAgeNanoseconds
  }

  func request(_ state: StreamState, _ settings: StreamSettings) {
    guard !state.isMaking, state.made == nil else { return }
    state.isMaking = true
    let number = state.open.map { $0.header.fields.name.number &+ 1 } ?? state.resume?.nextNumber
    maker.submit(.make(state.name, settings, number: number, notes: state.notes))
  }

  func prepareAhead(_ state: StreamState, now: UInt64) {
    guard let open = state.open, !open.isEnded, state.made == nil, !state.isMaking, stopsAt == nil else { return }
    let isNear =
      open.sealedBytes >= options.segmentBytes / 5 * 4 || open.slotCount >= options.segmentSlots / 5 * 4
      || now &- open.made >= options.segmentAgeNanoseconds / 5 * 4
    if isNear { request(state, open.settings) }
  }

  func noteIfDue(_ state: StreamState, _ open: OpenSegment, now: UInt64, time: UInt64)
    throws(SealedLogError)
  {
    guard now &- state.notedAt >= options.checkpointFrameNanoseconds else { return }
    try note(state, open, time: time)
    state.notedAt = now
  }

  /// Puts the newest checkpoint into the segment whose tree it states.
  func note(_ state: StreamState, _ open: OpenSegment, time: UInt64) throws(SealedLogError) {
    guard let note = state.notes.newest, note.size > open.resumed.tree.end, note.size != state.notedSize else { return }
    try open.seal(clear: .checkpoint, body: note.bytes, time: time)
    state.notedSize = note.size
  }

  func end(_ state: StreamState, _ open: OpenSegment, _ reason: FooterBody.Reason) throws(SealedLogError) {
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
  func write(_ state: StreamState) throws(SealedLogError) {
    // An entry may have no frame (journal bytes alone): it is due all the same.
    guard let open = state.open, open.hasPending || !state.sealed.isEmpty else { return }
    let number = open.hasPending ? open.flush(between: attendOthers) : 0
    guard number == 0 else { throw .disk("write", number) }
    open.sync.withLock { sync in
      open.note(in: &sync.written)
      for entry in state.sealed {
        sync.unsynced.append(QueuedEntry(entry: entry.entry, loop: entry.loop, isConfirmed: true, isJournaled: true))
      }
    }
    for entry in state.sealed {
      dirtyBytes += entry.entry.footprint
      if !entry.isJournaled { journalBytes += entry.entry.journal }
      if !entry.isConfirmed {
        confirmations.append(
          Confirmation(
            segment: open, token: StrictToken(loop: entry.loop, token: entry.entry.token),
            isStrict: open.settings.durability == .strict))
      }
    }
    // There are as many of these lists as busy tenants: what most batches need of them is kept.
    state.sealed.removeAll(keepingCapacity: state.sealed.capacity <= 16)
    markDirty(open)
    if !state.metadata.isEmpty {
      options.onMetadata?(state.metadata)
      state.metadata.removeAll(keepingCapacity: true)
    }
  }

  func markDirty(_ open: OpenSegment) {
    let isNew = open.sync.withLock { sync in
      defer { sync.isQueued = true }
      return !sync.isQueued
    }
    if isNew { dirty.append(open) }
  }
}
