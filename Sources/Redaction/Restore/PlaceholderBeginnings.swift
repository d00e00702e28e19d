/// Skips text in which no spelling of an issued placeholder begins, two bytes at a step.
///
/// Each byte has a mask of what it may be as the first and as the second of two neighbours. A spelling's first three bytes
/// hold one pair at an even and one at an odd distance from any position before it, so a look at every other pair misses
/// none.
final class PlaceholderBeginnings {
  /// In the second masks of all bytes and the first masks of those that stop the search wherever they stand.
  private static let stopFirst: UInt8 = 1
  /// The other way round.
  private static let stopSecond: UInt8 = 2
  /// The upper six bits belong to labels: two each, for the first and the last pair; the fourth label shares the first's.
  private static let labels: UInt8 = 0xFC

  /// 256 masks of first bytes, then 256 of second bytes. Without labels the same for all: most requests issue nothing.
  private var masks = PlaceholderBeginnings.ofNoLabels.start
  private var count = 0

  private static let ofNoLabels = NoLabels()
  private struct NoLabels: @unchecked Sendable {
    let start = UnsafeMutablePointer<UInt8>.allocate(capacity: 512)
    init() { PlaceholderBeginnings.clear(start) }
  }

  deinit { reset() }

  func reset() {
    guard count > 0 else { return }
    masks.deallocate()
    masks = Self.ofNoLabels.start
    count = 0
  }

  private static func clear(_ masks: UnsafeMutablePointer<UInt8>) {
    masks.initialize(repeating: stopSecond, count: 256)
    (masks + 256).initialize(repeating: stopFirst, count: 128)
    // The matcher decides about separators beyond ASCII.
    (masks + 384).initialize(repeating: stopFirst | labels, count: 128)
    // Brackets and escapes in all spellings, and what a URL begins with.
    for byte in [0x5B, 0x3C, 0x5C, 0x25, 0x26, 0x2F] {
      masks[byte] |= stopFirst
      masks[byte + 256] |= stopSecond
    }
  }

  func add(_ label: [UInt8]) {
    if count == 0 {
      masks = .allocate(capacity: 512)
      Self.clear(masks)
    }
    let near: UInt8 = 4 << UInt8(count % 3 * 2)
    let far = near << 1
    count += 1
    mark(label, 0, first: near, second: 0)
    mark(label, 1, first: far, second: near)
    mark(label, 2, first: 0, second: far)
  }

  /// Marks what may stand at `index` of a spelling: a letter in any case, or from the first separator on any byte.
  private func mark(_ label: [UInt8], _ index: Int, first: UInt8, second: UInt8) {
    func allow(_ byte: Int) {
      masks[byte] |= first
      masks[byte + 256] |= second
    }
    if index < label.count, !label[...index].contains(0x5F) {
      allow(Int(label[index]))
      allow(Int(ASCII.lower(label[index])))
    } else {
      for byte in 0..<256 { allow(byte) }
    }
  }

  /// What the two bytes at `pair` may be together.
  @inline(__always)
  private static func may(_ masks: UnsafePointer<UInt8>, _ pair: UnsafePointer<UInt8>) -> UInt8 {
    masks[Int(pair[0])] & masks[256 &+ Int(pair[1])]
  }

  /// The first position at or behind `position` where a spelling, an escape or a URL may begin; what lies before is text.
  @inline(__always)
  func next(_ bytes: UnsafePointer<UInt8>, from position: Int, _ end: Int) -> Int {
    let masks = UnsafePointer(self.masks)
    var pair = position
    // Four pairs at once; the one that stops is then found by itself.
    while end &- pair >= 8 {
      let one = Self.may(masks, bytes + pair) | Self.may(masks, bytes + pair + 2)
      let two = Self.may(masks, bytes + pair + 4) | Self.may(masks, bytes + pair + 6)
      if one | two != 0 { break }
      pair &+= 8
    }
    while end &- pair >= 2, Self.may(masks, bytes + pair) == 0 { pair &+= 2 }
    return max(position, pair &- 1)  // a spelling's last pair may be the one that stopped
  }
}
