/// A half-open range of byte positions in a body; unlike `Range`, making one never traps.
package struct ByteRange: Sendable, Equatable {
  package var start: Int
  package var end: Int

  @inlinable
  package init(_ start: Int, _ end: Int) {
    self.start = start
    self.end = end
  }

  @inlinable
  package var count: Int { max(0, end - start) }
  @inlinable
  package var isEmpty: Bool { end <= start }

  /// The bytes of `body` in this range; empty if the range does not lie inside of it.
  @inlinable
  package func of(_ body: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard start >= 0, end >= start, end <= body.count else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(rebasing: body[start..<end])
  }
}
