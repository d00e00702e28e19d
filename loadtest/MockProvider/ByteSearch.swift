import Glibc

/// Finds and compares bytes in place; every index it takes may be out of range and is checked.
extension UnsafeRawBufferPointer {
  /// The position of `byte` in `start..<end`, found with the C library's vectorised search.
  func index(of byte: UInt8, from start: Int, to end: Int) -> Int? {
    guard start >= 0, start < end, end <= count, let base = baseAddress else { return nil }
    guard let hit = memchr(base + start, Int32(byte), end - start) else { return nil }
    return UnsafeRawPointer(hit) - base
  }

  /// Whether the bytes at `start..<end` are exactly `text`.
  func equals(_ text: StaticString, from start: Int, to end: Int) -> Bool {
    guard start >= 0, start <= end, end <= count, end - start == text.utf8CodeUnitCount else { return false }
    guard end > start, let base = baseAddress else { return end == start }
    return memcmp(base + start, text.utf8Start, end - start) == 0
  }

  /// Whether the bytes at `start..<end` are `text`, which must be lower case, when ASCII case is ignored.
  func equalsIgnoringCase(_ text: StaticString, from start: Int, to end: Int) -> Bool {
    guard start >= 0, start <= end, end <= count, end - start == text.utf8CodeUnitCount else { return false }
    for offset in 0..<(end - start) {
      let byte = self[start + offset]
      let lower = byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
      if lower != text.utf8Start[offset] { return false }
    }
    return true
  }

  /// Where `start..<end` begins and ends without spaces and tabs on either side.
  func trimmed(from start: Int, to end: Int) -> Range<Int> {
    var low = Swift.max(0, start)
    var high = Swift.min(end, count)
    while low < high, self[low] == 0x20 || self[low] == 0x09 { low += 1 }
    while high > low, self[high - 1] == 0x20 || self[high - 1] == 0x09 { high -= 1 }
    return low..<Swift.max(low, high)
  }

  /// The decimal number that `range` holds, or nil if it is empty, has another byte in it or leaves `limit`.
  func decimal(in range: Range<Int>, limit: Int) -> Int? {
    guard !range.isEmpty, range.upperBound <= count else { return nil }
    var value = 0
    for index in range {
      let byte = self[index]
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      value = value * 10 + Int(byte - 0x30)
      if value > limit { return nil }
    }
    return value
  }
}
