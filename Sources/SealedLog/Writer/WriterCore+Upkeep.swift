internal import Synchronization
internal import Tenancy

/// What segments need besides records: to be given up, to end, to make room; once a second or when something failed.
extension WriterCore {
  /// Segments that end at once for their age, or to make room for others.
  private static let endedAtOnce = 256

  /// Gives a segment up after a failed sync: its copies are sealed anew in the next one.
  func poison(_ segment: OpenSegment, _ state: StreamState) {
    let (point, unsynced, strict, isAgain) = segment.sync.withLock { sync in
      defer {
        sync.unsynced = []
        sync.strictTokens = []
        sync.isPoisoned = true
        sync.isGivenUp = true
      }
      return (sync.synced, sync.unsynced, sync.strictTokens, sync.isGivenUp)
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
    if isAgain {
      // What was on its way to the disk when it was given up: the rest has been seen to.
    } else if state.open === segment {
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
    // Theirs is on the disk, and has no copy.
    for token in awaited where !copies.contains(where: { $0.loop == token.loop && $0.entry.token == token.token }) {
      confirmations.append(Confirmation(segment: segment, token: token, isStrict: true, isOnDisk: true))
    }
  }

  /// Copies of what the syncer has given up are all written: they are synced with what is submitted next.
  func tellMended(_ state: StreamState) {
    guard state.broken > 0, state.waiting.isEmpty, state.sealed.isEmpty else { return }
    mended.append((state.name, state.broken))
    state.broken = 0
  }

  func endGivenUp(_ state: StreamState) {
    for (segment, point) in state.givenUp { maker.submit(.end(poisoned: segment, at: point)) }
    state.givenUp = []
  }

  /// A batch begins: was the machine copied?
  func watchClock() {
    tools.nonces.forget()
    let offset = Self.offset(clock)
    let (drift, overflow) = offset.subtractingReportingOverflow(clockOffset)
    guard overflow || drift.magnitude > options.clockDriftNanoseconds else { return }
    clockOffset = offset
    for state in streams.values { state.mustRoll = true }
  }

  /// Once a second: idle segments end by age or for want of room, checkpoints go into quiet segments.
  func maintain(now: UInt64) {
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
    // Those may be made faster than that: a quarter above the bound is the end of everybody's patience.
    let most = max(Self.endedAtOnce, surplus - options.openSegments / 4)
    for state in idle.prefix(most) where surplus > 0 {
      surplus -= state.made == nil ? 1 : 2
      state.mustRoll = true
      discardMade(state)
    }
  }

  func discardMade(_ state: StreamState) {
    guard let made = state.made else { return }
    maker.submit(.discard(made))
    state.made = nil
  }

  func rollMarked() {
    for state in streams.values where state.mustRoll {
      guard let open = state.open else {
        state.mustRoll = false
        continue
      }
      do throws(SealedLogError) { try end(state, open, .roll) } catch { fault(state, error, now: clock.monotonic()) }
    }
  }

  func fault(_ state: StreamState, _ error: SealedLogError, now: UInt64) {
    state.fault = error
    state.retryAt = now &+ options.retryNanoseconds
    if !troubled.contains(where: { $0 === state }) { troubled.append(state) }
  }

  func endAll() {
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
