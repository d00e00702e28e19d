/// Searches that look at eight bytes per step (SWAR: Hacker's Delight, section 6-1).
///
/// A borrow can mark bytes above a true hit by mistake, never below it; the lowest mark is what counts.
enum ByteSearch {
  private static let ones: UInt64 = 0x0101_0101_0101_0101
  private static let highs: UInt64 = 0x8080_8080_8080_8080

  @inline(__always)
  private static func word(_ bytes: UnsafePointer<UInt8>, _ index: Int) -> UInt64 {
    UInt64(littleEndian: UnsafeRawPointer(bytes + index).loadUnaligned(as: UInt64.self))
  }

  @inline(__always)
  private static func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word }

  /// Marks in the highest bit of their byte what ``nextSpecial(_:_:_:)`` looks for; the lowest mark is true.
  @inline(__always)
  private static func specials(_ text: UInt64) -> UInt64 {
    let controls = (text &- ones &* 0x20) & ~text
    return (zeros(text ^ ones &* 0x22) | zeros(text ^ ones &* 0x5C) | controls | text) & highs
  }

  /// The first quote, backslash, control character or byte ≥ 0x80 at or behind `index`; `end` if there is none.
  @inline(__always)
  static func nextSpecial(_ bytes: UnsafePointer<UInt8>, _ index: Int, _ end: Int) -> Int {
    var index = index
    // A name ends in the first word, a text goes on for many: those by two words.
    if end &- index >= 8 {
      let marks = specials(word(bytes, index))
      if marks != 0 { return index &+ marks.trailingZeroBitCount / 8 }
      index &+= 8
    }
    while end &- index >= 16 {
      if specials(word(bytes, index)) | specials(word(bytes, index &+ 8)) != 0 { break }
      index &+= 16
    }
    while end &- index >= 8 {
      let marks = specials(word(bytes, index))
      if marks != 0 { return index &+ marks.trailingZeroBitCount / 8 }
      index &+= 8
    }
    while index < end {
      let byte = bytes[index]
      if byte == 0x22 || byte == 0x5C || byte < 0x20 || byte >= 0x80 { return index }
      index &+= 1
    }
    return end
  }

  /// The begin of the first block of 32 bytes from `index` on that may hold `byte`, or of what is left behind the last.
  @inline(__always)
  static func skip(without byte: UInt8, _ bytes: UnsafePointer<UInt8>, _ index: Int, _ end: Int) -> Int {
    let wanted = ones &* UInt64(byte)
    var index = index
    while end &- index >= 32 {
      let first = zeros(word(bytes, index) ^ wanted) | zeros(word(bytes, index &+ 8) ^ wanted)
      let second = zeros(word(bytes, index &+ 16) ^ wanted) | zeros(word(bytes, index &+ 24) ^ wanted)
      if (first | second) & highs != 0 { break }
      index &+= 32
    }
    return index
  }

  /// The first byte at or behind `index` that is `first` or `second`; `end` if there is none.
  @inline(__always)
  static func next(_ first: UInt8, or second: UInt8, _ bytes: UnsafePointer<UInt8>, _ index: Int, _ end: Int) -> Int {
    var index = index
    let left = ones &* UInt64(first)
    let right = ones &* UInt64(second)
    while end &- index >= 8 {
      let text = word(bytes, index)
      let marks = (zeros(text ^ left) | zeros(text ^ right)) & highs
      if marks != 0 { return index &+ marks.trailingZeroBitCount / 8 }
      index &+= 8
    }
    while index < end {
      if bytes[index] == first || bytes[index] == second { return index }
      index &+= 1
    }
    return end
  }
}

extension UnsafeRawBufferPointer {
  /// The first LF or CR at or behind `index`; `count` if there is none.
  public func lineEnd(from index: Int) -> Int {
    guard let base = baseAddress, index >= 0, index < count else { return count }
    return ByteSearch.next(0x0A, or: 0x0D, base.assumingMemoryBound(to: UInt8.self), index, count)
  }

  /// The first `byte` at or behind `index`; `count` if there is none.
  public func firstIndex(of byte: UInt8, from index: Int) -> Int {
    guard let base = baseAddress, index >= 0, index < count else { return count }
    let bytes = base.assumingMemoryBound(to: UInt8.self)
    return ByteSearch.next(byte, or: byte, bytes, ByteSearch.skip(without: byte, bytes, index, count), count)
  }
}
