/// Reads the plain JSON that META is written in: one object with strings without escapes, integers, and objects of
/// integers. Anything else is left to a whole JSON reader, which costs ten times as much.
struct MetadataScanner {
  private let bytes: [UInt8]
  private var at = 0
  private(set) var texts: [(key: Range<Int>, value: Range<Int>)] = []
  private(set) var integers: [(key: Range<Int>, value: Int64)] = []
  private(set) var groups: [(group: Range<Int>, key: Range<Int>, value: Int64)] = []

  /// Nil: not of this plain kind.
  init?(_ bytes: [UInt8]) {
    self.bytes = bytes
    texts.reserveCapacity(16)
    integers.reserveCapacity(16)
    groups.reserveCapacity(8)
    guard object(group: nil) else { return nil }
    skipSpace()
    guard at == bytes.count else { return nil }
  }

  /// The whole text of a value, if the key stands there as text.
  func text(_ key: String) -> String? {
    texts.last { bytes[$0.key].elementsEqual(key.utf8) }.flatMap { String(validating: bytes[$0.value], as: UTF8.self) }
  }

  func integer(_ key: String) -> Int64? { integers.last { bytes[$0.key].elementsEqual(key.utf8) }?.value }

  func integer(_ group: String, _ key: String) -> Int64? {
    groups.last { bytes[$0.group].elementsEqual(group.utf8) && bytes[$0.key].elementsEqual(key.utf8) }?.value
  }

  func sum(_ group: String) -> Int64 {
    groups.reduce(0) { bytes[$1.group].elementsEqual(group.utf8) ? $0 &+ $1.value : $0 }
  }

  private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { at += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    skipSpace()
    guard next == byte else { return false }
    at += 1
    return true
  }

  private mutating func string() -> Range<Int>? {
    guard take(0x22) else { return nil }
    let start = at
    while let byte = next, byte != 0x22 {
      guard byte != 0x5C, byte >= 0x20 else { return nil }
      at += 1
    }
    guard next != nil else { return nil }
    defer { at += 1 }
    return start..<at
  }

  private mutating func integer() -> Int64? {
    let isNegative = next == 0x2D
    if isNegative { at += 1 }
    let start = at
    var value: Int64 = 0
    while let byte = next, (0x30...0x39).contains(byte) {
      let (tens, first) = value.multipliedReportingOverflow(by: 10)
      let (sum, second) = tens.addingReportingOverflow(Int64(byte - 0x30))
      guard !first, !second else { return nil }
      value = sum
      at += 1
    }
    // no leading zeros, no fractions, no exponents
    guard at > start, at == start + 1 || bytes[start] != 0x30, next.map({ $0 != 0x2E && $0 | 0x20 != 0x65 }) ?? false
    else { return nil }
    return isNegative ? -value : value
  }

  private mutating func object(group: Range<Int>?) -> Bool {
    guard take(0x7B) else { return false }
    if take(0x7D) { return true }
    while true {
      skipSpace()
      guard let key = string(), take(0x3A) else { return false }
      skipSpace()
      switch next {
      case 0x22:
        guard group == nil, let value = string() else { return false }
        texts.append((key, value))
      case 0x7B:
        guard group == nil, object(group: key) else { return false }
      default:
        guard let value = integer() else { return false }
        if let group { groups.append((group, key, value)) } else { integers.append((key, value)) }
      }
      if take(0x2C) { continue }
      return take(0x7D)
    }
  }
}
