internal import Synchronization
internal import Tenancy

/// What the writer has done beside its own thread.
enum MakerJob: Sendable {
  case make(StreamName, StreamSettings, number: UInt32?, notes: StreamNotes)
  case discard(MadeSegment)
  case end(poisoned: OpenSegment, at: SegmentPoint)
}

/// What the writer is told.
enum WriterMessage: Sendable {
  case made(StreamName, MadeSegment)
  case notMade(StreamName, SealedLogError)
  case poisoned(OpenSegment)
  case roll(TenantID)
  case journal(path: String, beginning: [UInt8], done: JournalSwitch)
  case stop
}

/// The thread that makes segments ahead of time and signs checkpoints: everything slow that is no data.
final class MakerThread: Sendable {
  private struct State: Sendable {
    var jobs: [MakerJob] = []
    var notes: [StreamNotes] = []
  }

  private let state = Mutex(State())
  private let wake = WakeUp()
  private let isStopping = Flag()

  func submit(_ job: MakerJob) {
    state.withLock { $0.jobs.append(job) }
    wake.signal()
  }

  func offer(_ notes: StreamNotes) {
    state.withLock { $0.notes.append(notes) }
    wake.signal()
  }

  func stop() {
    isStopping.set()
    wake.signal()
  }

  /// The thread's body.
  func run(_ maker: inout SegmentMaker, post: @Sendable (WriterMessage) -> Void) {
    while true {
      let stopping = isStopping.isSet
      let (jobs, notes) = state.withLock { state in
        defer { state = State() }
        return (state.jobs, state.notes)
      }
      for job in jobs { Self.perform(job, &maker, post) }
      let late = Self.sign(notes, maker, interval: stopping ? 0 : maker.options.checkpointNanoseconds)
      if stopping && jobs.isEmpty && notes.isEmpty {
        maker.erasureKeys.forgetAll()
        return
      }
      if !late.isEmpty { state.withLock { $0.notes += late } }
      maker.erasureKeys.expire(now: maker.clock.monotonic())
      if jobs.isEmpty && !stopping { wake.wait(nanoseconds: late.isEmpty ? 10_000_000_000 : 100_000_000) }
    }
  }

  private static func perform(_ job: MakerJob, _ maker: inout SegmentMaker, _ post: @Sendable (WriterMessage) -> Void) {
    switch job {
    case .make(let stream, let settings, let number, let notes):
      do throws(SealedLogError) {
        post(.made(stream, try maker.make(stream, settings, number: number, notes: notes)))
      } catch { post(.notMade(stream, error)) }
    case .discard(let made): maker.discard(made)
    case .end(let segment, let point): maker.end(poisoned: segment, at: point)
    }
  }

  /// - Returns: Those that are not due yet, or whose note could not be stored.
  private static func sign(_ notes: [StreamNotes], _ maker: SegmentMaker, interval: UInt64) -> [StreamNotes] {
    notes.filter { notes in
      guard let offer = notes.takeOffer(now: maker.clock.monotonic(), interval: interval) else { return true }
      // a checkpoint that cannot be stored is followed by the next one
      try? maker.checkpoint(offer, notes)
      return false
    }
  }
}
