/// Says of most values that they are not in a set, in 2 KB that stay in the first cache. Built once, never freed.
struct BitFilter: Sendable {
  nonisolated(unsafe) private let bits: UnsafePointer<UInt64>

  /// - Parameter hashes: Of ``hash(_:)``.
  init(_ hashes: Set<Int>) {
    let bits = UnsafeMutablePointer<UInt64>.allocate(capacity: 256)
    bits.initialize(repeating: 0, count: 256)
    for hash in hashes where (0..<16384).contains(hash) { bits[hash >> 6] |= 1 << UInt64(hash & 63) }
    self.bits = UnsafePointer(bits)
  }

  /// Fourteen bits.
  @inline(__always)
  static func hash(_ value: UInt64) -> Int { Int(truncatingIfNeeded: (value &* 0x9E37_79B9_7F4A_7C15) >> 50) }

  @inline(__always)
  func contains(_ hash: Int) -> Bool { bits[hash &>> 6] &>> UInt64(truncatingIfNeeded: hash & 63) & 1 != 0 }
}
