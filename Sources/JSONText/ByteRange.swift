/// A half-open range of byte positions in a body; unlike `Range`, making one never traps.
public struct ByteRange: Sendable, Equatable {
  public var start: Int
  public var end: Int

  @inlinable
  public init(_ start: Int, _ end: Int) {
    self.start = start
    self.end = end
  }

  @inlinable
  public var count: Int { max(0, end - start) }
  @inlinable
  public var isEmpty: Bool { end <= start }

  /// The bytes of `body` in this range; empty if the range does not lie inside of it.
  @inlinable
  public func of(_ body: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard start >= 0, end >= start, end <= body.count else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(rebasing: body[start..<end])
  }
}
