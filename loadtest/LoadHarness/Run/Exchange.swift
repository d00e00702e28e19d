/// One request and what came back so far; times are nanoseconds of the monotonic clock.
struct Exchange {
  let what: Assignment
  /// Tells this request from the others of its connection.
  let number: UInt64
  /// When it was due (open loop) or sent (closed loop): latency counts from here.
  let intended: UInt64
  let sent: UInt64
  var firstByte: UInt64?
  var status = 0
  var events = EventStreamReader()
  private var countedEvents = 0
  private var lastEvents: UInt64?

  init(_ what: Assignment, number: UInt64, intended: UInt64, sent: UInt64) {
    self.what = what
    self.number = number
    self.intended = intended
    self.sent = sent
  }

  /// How many events came since this was last asked, and after which pause; nil if none did.
  mutating func takeNewEvents(now: UInt64) -> (count: Int, gap: UInt64?)? {
    let count = events.events - countedEvents
    guard count > 0 else { return nil }
    let gap = lastEvents.map { now - min($0, now) }
    countedEvents = events.events
    lastEvents = now
    return (count, gap)
  }

  /// Why the answer, which HTTP says is complete, is not a success; nil if it is one.
  func verdict(isStream: Bool) -> FailureKind? {
    guard (200..<300).contains(status) else { return .status(status) }
    guard isStream, !events.isComplete else { return nil }
    return events.sawError ? .streamError : .streamIncomplete
  }
}
