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

  /// Segments end, or another journal begins: the disk is waited for.
  var asksDisk: Bool {
    switch self {
    case .roll, .journal: true
    case .made, .notMade, .poisoned, .stop: false
    }
  }
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
    var waiting: [StreamNotes] = []  // for their checkpoint
    var pace = SigningPace()
    while true {
      let stopping = isStopping.isSet
      let (jobs, notes) = state.withLock { state in
        defer { state = State() }
        return (state.jobs, state.notes)
      }
      Self.perform(jobs, &maker, post)
      waiting += notes
      let begin = maker.clock.monotonic()
      if stopping {
        waiting = Self.sign(waiting, maker, interval: 0, until: .max)
      } else if !waiting.isEmpty, let end = pace.end(ofTurnAt: begin) {
        waiting = Self.sign(waiting, maker, interval: maker.options.checkpointNanoseconds, until: end)
        pace.worked(from: begin, to: maker.clock.monotonic())
      }
      if stopping && jobs.isEmpty && notes.isEmpty {
        maker.erasureKeys.forgetAll()
        return
      }
      maker.erasureKeys.expire(now: maker.clock.monotonic())
      if jobs.isEmpty && !stopping { wake.wait(nanoseconds: waiting.isEmpty ? 10_000_000_000 : 100_000_000) }
    }
  }

  private static func perform(
    _ jobs: [MakerJob], _ maker: inout SegmentMaker, _ post: @Sendable (WriterMessage) -> Void
  ) {
    var made: [(stream: StreamName, segment: MadeSegment)] = []
    for job in jobs {
      switch job {
      case .make(let stream, let settings, let number, let notes):
        do throws(SealedLogError) {
          made.append((stream, try maker.make(stream, settings, number: number, notes: notes)))
        } catch { post(.notMade(stream, error)) }
        // Many streams begin together, but the first must not wait for the last.
        if made.count >= 32 { handOver(&made, &maker, post) }
      case .discard(let segment): maker.discard(segment)
      case .end(let segment, let point): maker.end(poisoned: segment, at: point)
      }
    }
    handOver(&made, &maker, post)
  }

  private static func handOver(
    _ made: inout [(stream: StreamName, segment: MadeSegment)], _ maker: inout SegmentMaker,
    _ post: @Sendable (WriterMessage) -> Void
  ) {
    do throws(SealedLogError) {
      try maker.list(made.map(\.stream))
      for (stream, segment) in made { post(.made(stream, segment)) }
    } catch {
      for (stream, segment) in made {
        maker.discard(segment)
        post(.notMade(stream, error))
      }
    }
    made.removeAll()
  }

  /// Signs what is due, in order, until the time is over.
  /// - Returns: Those that are not due yet or did not get their turn.
  private static func sign(_ notes: [StreamNotes], _ maker: SegmentMaker, interval: UInt64, until end: UInt64)
    -> [StreamNotes]
  {
    notes.filter { notes in
      let now = maker.clock.monotonic()
      guard now < end, let offer = notes.takeOffer(now: now, interval: interval) else { return true }
      // a checkpoint that cannot be stored is followed by the next one
      try? maker.checkpoint(offer, notes)
      return false
    }
  }
}
