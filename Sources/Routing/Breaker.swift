/// Takes a failing target out of use for a while: a pure value, told what happened and what time it is.
///
/// Closed: all pass. Opens after `consecutive` failures in a row, or when of at least `minimum` results in the current
/// window the failed share reaches `ratioPercent`. Open: none pass until the pause is over. Half-open: up to `probes` at
/// a time, and one more whenever the last one has been silent for a pause; as many successes close it, where the beginning
/// of an answer is one; one failure opens it for twice as long, up to `maxPause`.
public struct Breaker: Hashable, Sendable {
  public struct Settings: Hashable, Sendable {
    public var consecutive: Int
    public var minimum: Int
    public var ratioPercent: Int
    public var window: Int64
    public var pause: Int64
    public var maxPause: Int64
    public var probes: Int

    /// All times in milliseconds.
    public init(
      consecutive: Int = 5, minimum: Int = 20, ratioPercent: Int = 50, window: Int64 = 10_000, pause: Int64 = 5_000,
      maxPause: Int64 = 60_000, probes: Int = 1
    ) {
      self.consecutive = max(1, consecutive)
      self.minimum = max(1, minimum)
      self.ratioPercent = min(100, max(1, ratioPercent))
      self.window = max(1, window)
      self.pause = max(1, pause)
      self.maxPause = max(self.pause, maxPause)
      self.probes = max(1, probes)
    }
  }

  public enum Phase: Hashable, Sendable { case closed, open, halfOpen }

  private enum State: Hashable, Sendable {
    case closed
    case open(until: Int64)
    case halfOpen(underWay: Int, succeeded: Int, since: Int64)
  }

  private let settings: Settings
  private var state = State.closed
  private var failuresInRow = 0
  private var windowStart: Int64?
  private var results = 0
  private var failures = 0
  private var pause: Int64
  /// Since it was open an answer has come to its end, or it was never open.
  private var isProven = true

  public init(_ settings: Settings = Settings()) {
    self.settings = settings
    pause = settings.pause
  }

  /// The phase at `now`; an open breaker whose pause is over counts as half-open.
  public func phase(at now: Int64) -> Phase {
    switch state {
    case .closed: .closed
    case .open(let until): now >= until ? .halfOpen : .open
    case .halfOpen: .halfOpen
    }
  }

  /// Asks whether an attempt may go out; a `true` must be followed by exactly one of succeeded, failed and abandoned.
  /// Where ``answering(at:)`` has said `true`, only a failure may follow.
  /// - Parameter now: Milliseconds of a clock that never runs backwards.
  public mutating func admits(at now: Int64) -> Bool {
    switch state {
    case .closed: return true
    case .open(let until):
      guard now >= until else { return false }
      state = .halfOpen(underWay: 1, succeeded: 0, since: now)
      return true
    case .halfOpen(let underWay, let succeeded, let since):
      // A long answer begins late: nobody is kept waiting for longer than by a failure.
      guard underWay + succeeded < settings.probes || now &- since >= pause else { return false }
      state = .halfOpen(underWay: underWay + 1, succeeded: succeeded, since: now)
      return true
    }
  }

  public mutating func succeeded(at now: Int64) {
    switch state {
    case .closed:
      failuresInRow = 0
      isProven = true
      pause = settings.pause
      count(failed: false, at: now)
    case .open: break  // a late answer of an attempt from before
    case .halfOpen(let underWay, let succeeded, let since):
      if succeeded + 1 >= settings.probes {
        close()
      } else {
        state = .halfOpen(underWay: max(0, underWay - 1), succeeded: succeeded + 1, since: since)
      }
    }
  }

  /// The target has begun to answer an attempt. Whether it is up is all that is asked of a probe: nobody waits for the
  /// end of an answer that takes minutes. A closed breaker counts answers at their end alone.
  /// A target that begins well and never ends is left alone for longer and longer all the same.
  /// - Returns: True if that was the attempt's success.
  public mutating func answering(at now: Int64) -> Bool {
    guard case .halfOpen = state else { return false }
    let last = pause
    succeeded(at: now)
    if case .closed = state { (isProven, pause) = (false, last) }
    return true
  }

  /// A failure that says something about the target: no connection, timeout, 5xx, cut stream; not a client's error.
  public mutating func failed(at now: Int64) {
    switch state {
    case .closed:
      failuresInRow += 1
      count(failed: true, at: now)
      let share = failures * 100 >= settings.ratioPercent * results && results >= settings.minimum
      guard failuresInRow >= settings.consecutive || share else { return }
      if !isProven { lengthenPause() }
      open(at: now)
    case .open: break
    case .halfOpen:
      lengthenPause()
      open(at: now)
    }
  }

  private mutating func lengthenPause() {
    pause = pause > settings.maxPause / 2 ? settings.maxPause : pause * 2
  }

  /// The attempt ended without telling anything: the client went away before the target answered.
  public mutating func abandoned(at now: Int64) {
    if case .halfOpen(let underWay, let succeeded, let since) = state {
      state = .halfOpen(underWay: max(0, underWay - 1), succeeded: succeeded, since: since)
    }
  }

  private mutating func count(failed: Bool, at now: Int64) {
    if let start = windowStart, now &- start < settings.window {
      results += 1
      failures += failed ? 1 : 0
    } else {
      windowStart = now
      results = 1
      failures = failed ? 1 : 0
    }
  }

  private mutating func open(at now: Int64) {
    let (until, overflow) = now.addingReportingOverflow(pause)
    state = .open(until: overflow ? .max : until)
    failuresInRow = 0
    windowStart = nil
    results = 0
    failures = 0
  }

  private mutating func close() {
    state = .closed
    failuresInRow = 0
    windowStart = nil
    results = 0
    failures = 0
    isProven = true
    pause = settings.pause
  }
}
