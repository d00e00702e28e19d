/// Searches that look at many bytes per step: by vectors over what holds nothing, then by words of eight bytes (SWAR:
/// Hacker's Delight, section 6-1) for the place of the hit.
///
/// In a word, a borrow can mark bytes above a true hit by mistake, never below it; the lowest mark is what counts.
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

  /// Sixteen bytes, signed: a control character and a byte ≥ 0x80 are both less than a space.
  private typealias Block = SIMD16<Int8>
  private typealias Marks = SIMDMask<SIMD16<Int8>>

  @inline(__always)
  private static func block(_ bytes: UnsafePointer<UInt8>, _ index: Int) -> Block {
    UnsafeRawPointer(bytes + index).loadUnaligned(as: Block.self)
  }

  /// All ones where ``specials(_:)`` sets a mark; each of them is true.
  @inline(__always)
  private static func specials(in block: Block) -> Marks {
    let controls = block .< Block(repeating: 0x20)
    let quotes = block .== Block(repeating: 0x22)
    let backslashes = block .== Block(repeating: 0x5C)
    return controls .| quotes .| backslashes
  }

  @inline(__always)
  private static func isAnySet(_ marks: Marks) -> Bool {
    let halves = unsafeBitCast(marks, to: SIMD2<UInt64>.self)
    return halves.x | halves.y != 0
  }

  /// What ``nextSpecial(_:_:_:)`` finds if it lies within 16 bytes; else a place in front of it, which may be `end`.
  @inline(__always)
  static func nearSpecial(_ bytes: UnsafePointer<UInt8>, _ index: Int, _ end: Int) -> Int {
    guard end &- index >= 16 else { return index }
    let first = specials(word(bytes, index))
    if first != 0 { return index &+ first.trailingZeroBitCount / 8 }
    let second = specials(word(bytes, index &+ 8))
    if second != 0 { return index &+ 8 &+ second.trailingZeroBitCount / 8 }
    return index &+ 16
  }

  /// The first quote, backslash, control character or byte ≥ 0x80 at or behind `index`; `end` if there is none.
  @inline(__always)
  static func nextSpecial(_ bytes: UnsafePointer<UInt8>, _ index: Int, _ end: Int) -> Int {
    var index = index
    // Between two escapes or letters beyond ASCII lies little, a plain text goes on for long: that by blocks.
    if end &- index >= 8 {
      let marks = specials(word(bytes, index))
      if marks != 0 { return index &+ marks.trailingZeroBitCount / 8 }
      index &+= 8
    }
    while end &- index >= 32 {
      if isAnySet(specials(in: block(bytes, index)) .| specials(in: block(bytes, index &+ 16))) { break }
      index &+= 32
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

  /// The begin of the first 64 bytes from `index` on that hold `byte`, or of what is left behind the last.
  @inline(__always)
  static func skip(without byte: UInt8, _ bytes: UnsafePointer<UInt8>, _ index: Int, _ end: Int) -> Int {
    let wanted = Block(repeating: Int8(bitPattern: byte))
    var index = index
    while end &- index >= 64 {
      let first: Marks = (block(bytes, index) .== wanted) .| (block(bytes, index &+ 16) .== wanted)
      let second: Marks = (block(bytes, index &+ 32) .== wanted) .| (block(bytes, index &+ 48) .== wanted)
      if isAnySet(first .| second) { break }
      index &+= 64
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
