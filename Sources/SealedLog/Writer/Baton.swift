internal import Synchronization

/// Who runs the writer's core now: its own thread, or an event loop at the end of a turn. Nobody ever waits for it: who
/// does not get it has asked the holder to look once more.
final class Baton: Sendable {
  enum Runner: UInt8, Sendable {
    case loop = 2
    case thread = 4
  }

  private static let held: UInt8 = 1
  /// ``held``, and one bit for each kind of runner that has asked for it meanwhile.
  private let state = Atomic<UInt8>(0)

  /// - Returns: False: somebody has it, and learns of this from ``layDown()``.
  func take(_ runner: Runner) -> Bool {
    var seen = state.load(ordering: .relaxed)
    while true {
      let wanted = seen == 0 ? Self.held : seen | runner.rawValue
      let (isDone, current) = state.compareExchange(
        expected: seen, desired: wanted, ordering: .acquiringAndReleasing)
      if isDone { return seen == 0 }
      seen = current
    }
  }

  /// Anybody may take it from now on.
  /// - Returns: Who has asked for it in vain since it was taken, and may have left work that nobody has looked at.
  func layDown() -> (hasLoopAsked: Bool, hasThreadAsked: Bool) {
    let asked = state.exchange(0, ordering: .acquiringAndReleasing)
    return (asked & Runner.loop.rawValue != 0, asked & Runner.thread.rawValue != 0)
  }
}
