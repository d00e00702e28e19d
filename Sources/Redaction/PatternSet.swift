/// A match of a tenant's pattern: bytes `start ..< end` of the text that was given.
public struct PatternHit: Sendable, Equatable {
  public let pattern: Int
  public let start: Int
  public let end: Int
  public init(pattern: Int, start: Int, end: Int) {
    self.pattern = pattern
    self.start = start
    self.end = end
  }
}

/// The compiled patterns of one profile, in the order of its rules and of the patterns in each.
///
/// Matching takes time linear in the text for every pattern and text, and holds no state: it is safe on any loop.
public protocol PatternSet: Sendable {
  /// How many patterns it holds.
  var count: Int { get }

  /// Adds every leftmost-longest, non-overlapping match of every pattern to `hits`, in any order. Empty matches are none.
  /// - Throws: ``RedactionError`` with code `unavailable` if it cannot say for sure.
  func match(_ text: UnsafeRawBufferPointer, into hits: inout [PatternHit]) throws(RedactionError)
}
