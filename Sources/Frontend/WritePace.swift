import Gateway

/// Whether a client takes what waits for it fast enough: a store of bytes that time uses up and taken ones fill.
///
/// It begins full, with what ``Limits/writeStallMilliseconds`` use up, and never holds more. So whoever takes nothing
/// has that time, and a byte now and then buys no more of it.
struct WritePace {
  /// Thousandths of bytes.
  private var store: Int64
  private let most: Int64
  private let bytesPerSecond: Int64
  /// Milliseconds of the worker's clock.
  private var lookedAt: Int64

  init(_ limits: Limits, now: Int64) {
    bytesPerSecond = Int64(limits.writeBytesPerSecond)
    most = bytesPerSecond &* Int64(limits.writeStallMilliseconds)
    store = most
    lookedAt = now
  }

  /// From now on bytes wait; before, nothing did.
  mutating func begin(now: Int64) {
    store = most
    lookedAt = now
  }

  mutating func took(_ bytes: Int, now: Int64) {
    passTime(until: now)
    store = min(most, store &+ Int64(bytes) &* 1000)
  }

  /// To be asked while bytes wait only.
  mutating func isTooSlow(now: Int64) -> Bool {
    passTime(until: now)
    return store < 0
  }

  private mutating func passTime(until now: Int64) {
    store &-= bytesPerSecond &* max(0, now &- lookedAt)
    lookedAt = max(lookedAt, now)
  }

  /// When a connection must be over that says nothing more, with so many bytes still to be taken.
  static func end(_ limits: Limits, bytes: Int, now: Int64) -> Int64 {
    now &+ Int64(limits.lastAnswerMilliseconds)
      &+ Int64(bytes) &* 1000 / max(1, Int64(limits.lastAnswerBytesPerSecond))
  }
}
