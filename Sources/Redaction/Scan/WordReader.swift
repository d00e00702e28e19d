/// Reads the letters of a word, eight ASCII letters at a step.
enum WordReader {
  private static let ones: UInt64 = 0x0101_0101_0101_0101
  private static let highs: UInt64 = 0x8080_8080_8080_8080
  private static let smalls: UInt64 = 0x2020_2020_2020_2020

  /// Where the word that begins at `start` ends, and its last eight bytes, folded, the last in the low end.
  /// - Parameters:
  ///   - bytes: Readable for eight bytes from the word's end on.
  ///   - fold: As ``ScanTables/fold``.
  @inline(__always)
  static func read(_ bytes: UnsafePointer<UInt8>, _ start: Int, fold: UnsafePointer<UInt8>) -> (end: Int, tail: UInt64)
  {
    var (end, tail) = letters(bytes, start)
    guard bytes[end] >= 0x80 else { return (end, tail) }
    while true {
      let folded = fold[Int(bytes[end])]
      guard folded != 0 else { return (end, tail) }
      tail = tail << 8 | UInt64(folded)
      end &+= 1
    }
  }

  /// The part of the word in front of the first byte that is no ASCII letter.
  @inline(__always)
  static func letters(_ bytes: UnsafePointer<UInt8>, _ start: Int) -> (end: Int, tail: UInt64) {
    let first = word(bytes, start)
    let marks = others(first)
    if marks != 0 {
      // Two shifts, because one of 64 bits would do nothing where no letter was read.
      let length = marks.trailingZeroBitCount &>> 3
      return (start &+ length, ((first | smalls).byteSwapped &>> 8) &>> UInt64(truncatingIfNeeded: 56 &- 8 &* length))
    }
    let stop = end(bytes, start &+ 8)
    return (stop, (word(bytes, stop &- 8) | smalls).byteSwapped)
  }

  /// The first position from `start` on where no ASCII letter stands.
  @inline(__always)
  static func end(_ bytes: UnsafePointer<UInt8>, _ start: Int) -> Int {
    var position = start
    var marks = others(word(bytes, position))
    while marks == 0 {
      position &+= 8
      marks = others(word(bytes, position))
    }
    return position &+ (marks.trailingZeroBitCount &>> 3)
  }

  /// The eight bytes at `index`, the first in the low end.
  @inline(__always)
  static func word(_ bytes: UnsafePointer<UInt8>, _ index: Int) -> UInt64 {
    UInt64(littleEndian: UnsafeRawPointer(bytes + index).loadUnaligned(as: UInt64.self))
  }

  /// The high bit of every byte that is no ASCII letter. No byte carries into the next: seven bits are added to seven.
  @inline(__always)
  static func others(_ word: UInt64) -> UInt64 {
    let small = word & ~highs | smalls
    let fromA = small &+ ones &* (0x80 - 0x61)
    let behindZ = small &+ ones &* (0x80 - 0x7B)
    return (~fromA | behindZ | word) & highs
  }
}
