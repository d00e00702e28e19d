import Glibc

/// The side of a hand-over that takes the service from another process.
struct Relief: Sendable {
  /// Names the wire to the process that is to be relieved: `DESCRIPTOR:PROCESS`.
  static let variable = "TORHAUS_RELIEVES"
  private static let patience: Int32 = 10_000

  let wire: HandOverWire
  let relieved: Int32

  /// Nil if nobody has started this process in its place. Takes the news out of the environment.
  static func take() -> Relief? {
    defer { unsetenv(variable) }
    guard let parts = Environment.value(variable)?.split(separator: ":"), parts.count == 2,
      let descriptor = Int32(parts[0]), let process = Int32(parts[1]), descriptor > 2, process == getppid(),
      fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0
    else { return nil }
    return Relief(wire: HandOverWire(descriptor: descriptor), relieved: process)
  }

  /// Everything is open; waits until the other process accepts nothing more. If that is gone, the sockets are ours.
  /// - Returns: False if it is still there and has not let go: two that serve would not know of each other's leases.
  func awaitTurn(milliseconds: Int32 = patience) -> Bool {
    _ = wire.say(.prepared)
    return switch wire.news(of: .go, milliseconds: milliseconds) {
    case .word, .end: true
    case .nothing, .nonsense: false
    }
  }

  func tellServing() {
    _ = wire.say(.serving)
    wire.close()
  }
}
