/// Up to 20 digits from one position on, read over the separators that people and OCR put between them.
struct DigitWindow {
  static let capacity = 20

  /// The digits' values, from the first.
  var values: (UInt64, UInt64, UInt64) = (0, 0, 0)
  /// Where each digit stands, relative to the first; a byte each.
  private var offsets: (UInt64, UInt64, UInt64) = (0, 0, 0)
  private(set) var count = 0
  /// Bit i: a separator stands before digit i.
  private(set) var breaks: UInt32 = 0
  /// Separators that occurred: 1 space, 2 dot, 4 dash, 8 slash, 16 line break, 32 more than one byte.
  private(set) var separators: UInt8 = 0
  let start: Int

  init(_ text: TextView, at start: Int) {
    self.start = start
    var position = start
    while count < Self.capacity {
      set(text[position] &- 0x30, position - start)
      position += 1
      if ASCII.isDigit(text[position]) { continue }
      var next = position
      var seen: UInt8 = 0
      while next - position < 3 {
        let kind: UInt8 =
          switch text[next] {
          case 0x20, 0x09: 1
          case 0x2E: 2
          case 0x2D: 4
          case 0x2F: 8
          case 0x0A, 0x0D, 0x3E: 16
          default: 0
          }
        if kind == 0 { break }
        seen |= kind
        next += 1
      }
      guard next > position, next < text.end, ASCII.isDigit(text[next]), next - start < 80 else { return }
      if count < Self.capacity { breaks |= 1 << UInt32(count) }
      separators |= next - position > 1 ? seen | 32 : seen
      position = next
    }
  }

  private mutating func set(_ value: UInt8, _ offset: Int) {
    let shift = UInt64(count & 7) * 8
    switch count >> 3 {
    case 0:
      values.0 |= UInt64(value) << shift
      offsets.0 |= UInt64(offset) << shift
    case 1:
      values.1 |= UInt64(value) << shift
      offsets.1 |= UInt64(offset) << shift
    default:
      values.2 |= UInt64(value) << shift
      offsets.2 |= UInt64(offset) << shift
    }
    count += 1
  }

  @inline(__always)
  subscript(_ index: Int) -> Int {
    let shift = UInt64(index & 7) * 8
    switch index >> 3 {
    case 0: return Int(values.0 >> shift & 0xFF)
    case 1: return Int(values.1 >> shift & 0xFF)
    default: return Int(values.2 >> shift & 0xFF)
    }
  }

  /// The text position behind digit `index`.
  func end(after index: Int) -> Int {
    let shift = UInt64(index & 7) * 8
    let offset =
      switch index >> 3 {
      case 0: offsets.0 >> shift
      case 1: offsets.1 >> shift
      default: offsets.2 >> shift
      }
    return start + Int(offset & 0xFF) + 1
  }

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
