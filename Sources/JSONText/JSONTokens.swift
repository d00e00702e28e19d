/// A scanned JSON string: where its raw content lies, without the quotes.
package struct JSONString: Sendable, Equatable {
  package var start: Int
  package var end: Int
  /// Whether a backslash stands in the content; without one the bytes are the text.
  package var hasEscapes: Bool
  /// Whether all bytes are below 0x80.
  package var isASCII: Bool

  package init(start: Int, end: Int, hasEscapes: Bool, isASCII: Bool) {
    self.start = start
    self.end = end
    self.hasEscapes = hasEscapes
    self.isASCII = isASCII
  }

  @inlinable
  package var range: ByteRange { ByteRange(start, end) }
  /// The content with its quotes.
  @inlinable
  package var quoted: ByteRange { ByteRange(start - 1, end + 1) }
  @inlinable
  package var isEmpty: Bool { end <= start }
}

/// A scanned JSON number.
package struct JSONNumber: Sendable, Equatable {
  package var start: Int
  package var end: Int
  /// Written without fraction and exponent.
  package var isInteger: Bool
  package var isNegative: Bool
  /// Digits before and after the point, without the exponent's.
  package var digits: Int
  /// The value, if it is written as an integer and fits.
  package var integer: Int64?

  @inlinable
  package var range: ByteRange { ByteRange(start, end) }
}

/// Where a walk through one object or array stands.
package struct JSONWalk: Sendable {
  var count = 0
  package init() {}
  /// How many members or elements were met so far.
  package var met: Int { count }
}

/// What kind of value comes next.
package enum JSONKind: Sendable {
  case object, array, string, number, `true`, `false`, null
}
