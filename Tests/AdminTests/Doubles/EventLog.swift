import Synchronization

/// What the doubles did, in order.
final class EventLog: Sendable {
  private let events = Mutex<[String]>([])

  func note(_ event: String) { events.withLock { $0.append(event) } }
  var all: [String] { events.withLock { $0 } }
  /// Changes of state and openings of content; reading is not noted.
  var acts: [String] { all.filter { !$0.hasPrefix("audit:") } }
}
