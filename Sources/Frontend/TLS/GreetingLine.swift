import EventLoop

/// Bounds what new connections cost those that are open: a turn takes a few steps of handshakes, each of which may be a
/// signature, and the other greetings wait in line.
final class GreetingLine {
  private static let stepsPerTurn = 8

  private let loop: EventLoop
  private var turn: Int64 = -1
  private var steps = 0
  private var waiting: [Greeting] = []
  /// Greetings that are not over.
  private(set) var count = 0

  init(loop: EventLoop) { self.loop = loop }

  func came() { count += 1 }

  func left() { count -= 1 }

  /// Whether a greeting may go on now; if not, it stands in line and is told to.
  func admits(_ greeting: Greeting) -> Bool {
    if turn != loop.now {
      turn = loop.now
      steps = 0
    }
    if waiting.isEmpty, steps < Self.stepsPerTurn {
      steps += 1
      return true
    }
    if waiting.isEmpty { callNext() }
    waiting.append(greeting)
    return false
  }

  /// In a turn of its own: the sockets come between.
  private func callNext() {
    loop.schedule(at: loop.now + 1_000_000) { [weak self] in self?.next() }
  }

  private func next() {
    let now = waiting.prefix(Self.stepsPerTurn)
    waiting.removeFirst(now.count)
    for greeting in now { greeting.proceed() }
    if !waiting.isEmpty { callNext() }
  }
}
