extension UnsafeRawBufferPointer {
  /// Whether the bytes are those of `text`. Inlined, the words of a constant are part of the code.
  @inline(__always)
  func equals(_ text: StaticString) -> Bool {
    equals(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Whether the bytes are those of `other`.
  @inline(__always)
  func equals(_ other: UnsafeRawBufferPointer) -> Bool {
    guard count == other.count else { return false }
    guard count >= 8 else { return equalsInShort(other) }
    var index = 0
    while index &+ 8 < count {
      guard isSame(UInt64.self, other, at: index) else { return false }
      index &+= 8
    }
    // The last word may overlap the one before.
    return isSame(UInt64.self, other, at: count &- 8)
  }

  /// As ``equals(_:)``, of less than eight bytes.
  @inline(__always)
  private func equalsInShort(_ other: UnsafeRawBufferPointer) -> Bool {
    if count >= 4 {
      return isSame(UInt32.self, other, at: 0) && isSame(UInt32.self, other, at: count &- 4)
    }
    if count >= 2 {
      return isSame(UInt16.self, other, at: 0) && isSame(UInt16.self, other, at: count &- 2)
    }
    return count == 0 || self[0] == other[0]
  }

  /// Whether both have the same word at `index`, where each holds a whole one.
  @inline(__always)
  private func isSame<Word: FixedWidthInteger & BitwiseCopyable>(
    _ type: Word.Type, _ other: UnsafeRawBufferPointer, at index: Int
  ) -> Bool {
    loadUnaligned(fromByteOffset: index, as: type) == other.loadUnaligned(fromByteOffset: index, as: type)
  }

  /// Whether the bytes begin with those of `text`, ASCII case ignored; `text` is lower-case.
  func begins(withLowercase text: StaticString) -> Bool {
    guard count >= text.utf8CodeUnitCount else { return false }
    for index in 0..<text.utf8CodeUnitCount {
      let byte = self[index]
      let folded = byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
      if folded != text.utf8Start[index] { return false }
    }
    return true
  }
}
