/// Follows text and says whether it is within a URL, and which: the hash of all that stands behind `//`.
///
/// The same machine reads the redacted request and the answer, so that a placeholder is restored within a URL only if this
/// URL up to and including the placeholder was sent.
struct URLTracker {
  private static let seed: UInt64 = 0xCBF2_9CE4_8422_2325
  private(set) var hash = URLTracker.seed
  private(set) var isInside = false
  private var slashes: UInt8 = 0

  @inline(__always)
  mutating func read(_ scalar: UInt32) {
    if isInside {
      if Self.ends(scalar) {
        isInside = false
        slashes = 0
      } else {
        mix(scalar)
      }
      return
    }
    guard scalar == 0x2F else {
      slashes = 0
      return
    }
    slashes += 1
    if slashes == 2 {
      isInside = true
      hash = Self.seed
    }
  }

  /// Reads any text without a slash, outside of a URL.
  @inline(__always)
  mutating func readPlain() { slashes = 0 }

  /// Reads a placeholder as if it stood there in its exact spelling without brackets.
  mutating func read(label: [UInt8], tag: UInt64) {
    for byte in label { mix(UInt32(byte)) }
    mix(UInt32(truncatingIfNeeded: tag >> 32))
    mix(UInt32(truncatingIfNeeded: tag))
  }

  @inline(__always) private mutating func mix(_ scalar: UInt32) { hash = (hash ^ UInt64(scalar)) &* 0x100_0000_01B3 }

  static func ends(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0...0x20, 0x22, 0x27, 0x28, 0x29, 0x3C, 0x3E, 0x60, 0x7C, 0xA0, 0x3000: true
    default: false
    }
  }
}
