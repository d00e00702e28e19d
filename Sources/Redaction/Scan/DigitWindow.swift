/// Up to 20 digits from one position on, read over the separators that people and OCR put between them.
struct DigitWindow {
  static let capacity = 20

  /// The digits' values, then at ``capacity`` their offsets from the first; valid until the next window is read.
  private let memory: UnsafeMutablePointer<UInt8>
  private(set) var count = 0
  /// Bit i: a separator stands before digit i.
  private(set) var breaks: UInt32 = 0
  let start: Int

  /// - Parameter memory: Twice ``capacity`` bytes.
  init(_ text: TextView, at start: Int, _ memory: UnsafeMutablePointer<UInt8>) {
    self.start = start
    self.memory = memory
    var position = start
    var count = 0
    var breaks: UInt32 = 0
    while true {
      memory[count] = text[position] &- 0x30
      memory[Self.capacity &+ count] = UInt8(truncatingIfNeeded: position &- start)
      count &+= 1
      position &+= 1
      if count == Self.capacity { break }
      if ASCII.isDigit(text[position]) { continue }
      var next = position
      while next &- position < 3, Self.isSeparator(text[next]) { next &+= 1 }
      guard next > position, ASCII.isDigit(text[next]), next < text.end, next &- start < 80 else { break }
      breaks |= 1 << UInt32(count)
      position = next
    }
    self.count = count
    self.breaks = breaks
  }

  /// Space, tab, dot, dash, slash, line break, the mark of quoted mail.
  @inline(__always)
  private static func isSeparator(_ byte: UInt8) -> Bool {
    byte < 0x40 && 0x4000_E001_0000_2600 >> UInt64(byte) & 1 != 0
  }

  @inline(__always) subscript(_ index: Int) -> Int { Int(memory[index]) }

  /// The text position behind digit `index`.
  func end(after index: Int) -> Int { start + Int(memory[Self.capacity + index]) + 1 }

  /// Whether the first `length` digits stand free: no digit or letter goes on behind them.
  func isWhole(_ length: Int, _ text: TextView) -> Bool {
    guard length <= count else { return false }
    return !text.isWord(at: end(after: length - 1))
  }

  /// The sizes of the groups that make up the first `length` digits, as decimal digits of a number: 3-4-4-2 is 3442.
  func grouping(_ length: Int) -> Int {
    var result = 0
    var size = 0
    for index in 0..<min(length, count) {
      if index > 0, breaks >> UInt32(index) & 1 != 0 {
        result = result &* 10 &+ min(size, 9)
        size = 0
      }
      size += 1
      if result > 1_000_000_000_000 { return 0 }
    }
    return result &* 10 &+ min(size, 9)
  }

  /// Whether a separator stands anywhere within the first `length` digits.
  func isGrouped(_ length: Int) -> Bool { breaks & ((1 << UInt32(length)) - 1) != 0 }

  func number(_ from: Int, _ to: Int) -> Int {
    var value = 0
    for index in from..<to { value = value * 10 + self[index] }
    return value
  }
}
