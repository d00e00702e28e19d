import Gateway

/// The sender, which sends nothing and keeps what it was given.
final class RecordingUpstream: UpstreamPort {
  struct Sent {
    let exchange: Exchange
    let target: UpstreamTarget
    let body: [UInt8]
    var text: String { String(decoding: body, as: UTF8.self) }
  }

  private(set) var sent: [Sent] = []
  private(set) var cancelled = 0
  private(set) var paused = 0
  private(set) var resumed = 0
  /// Looks at the world at the instant of sending.
  var onSend: (() -> Void)?

  func send(_ exchange: Exchange, to target: UpstreamTarget, body: UnsafeRawBufferPointer) {
    onSend?()
    sent.append(Sent(exchange: exchange, target: target, body: Array(body)))
  }

  func cancel(_ exchange: Exchange) { cancelled += 1 }
  func pause(_ exchange: Exchange) { paused += 1 }
  func resume(_ exchange: Exchange) { resumed += 1 }

  struct Wake {
    let exchange: Exchange
    let ticket: UInt64
    let milliseconds: Int64
  }
  /// Waits that were asked for and are not over.
  private(set) var wakes: [Wake] = []

  func wake(_ exchange: Exchange, afterMilliseconds milliseconds: Int64) {
    wakes.append(Wake(exchange: exchange, ticket: exchange.ticket, milliseconds: milliseconds))
  }

  func takeWakes() -> [Wake] {
    defer { wakes.removeAll() }
    return wakes
  }
}
