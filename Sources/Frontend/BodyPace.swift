import Gateway

/// Whether a body comes fast enough: a store of bytes that time uses up and received ones fill, and an end by which all
/// of it must be there.
///
/// It begins with what is used up in the grace, and never holds more than ``Limits/bodySilenceMilliseconds`` use up. So a
/// steady body must come at the least rate, a pause is borne, and a fast beginning buys no long silence. The end is
/// there because memory is set aside for the whole body from its first byte on.
struct BodyPace {
  /// Thousandths of bytes.
  private var store: Int64
  private let most: Int64
  private let bytesPerSecond: Int64
  /// Milliseconds of the worker's clock.
  private var lookedAt: Int64
  private let end: Int64

  /// - Parameters:
  ///   - bytes: The body's length; nil if it tells none.
  ///   - now: When its first byte can be expected.
  init(_ limits: Limits, bytes: Int?, now: Int64) {
    bytesPerSecond = Int64(limits.bodyBytesPerSecond)
    store = bytesPerSecond &* Int64(limits.bodyGraceMilliseconds)
    most = max(store, bytesPerSecond &* Int64(limits.bodySilenceMilliseconds))
    lookedAt = now
    let length = Int64(min(bytes ?? limits.bodyBytes, limits.bodyBytes))
    end = now &+ Int64(limits.wholeBodyMilliseconds) &+ length &* 1000 / max(1, Int64(limits.wholeBodyBytesPerSecond))
  }

  mutating func received(_ bytes: Int, now: Int64) {
    passTime(until: now)
    store = min(most, store &+ Int64(bytes) &* 1000)
  }

  mutating func isTooSlow(now: Int64) -> Bool {
    passTime(until: now)
    return store < 0 || isLate(now: now)
  }

  /// Whether all of the body should be there.
  func isLate(now: Int64) -> Bool { now > end }

  private mutating func passTime(until now: Int64) {
    store &-= bytesPerSecond &* max(0, now &- lookedAt)
    lookedAt = max(lookedAt, now)
  }
}
