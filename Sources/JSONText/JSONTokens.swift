/// A scanned JSON string: where its raw content lies, without the quotes.
public struct JSONString: Sendable, Equatable {
  public var start: Int
  public var end: Int
  /// Whether a backslash stands in the content; without one the bytes are the text.
  public var hasEscapes: Bool
  /// Whether all bytes are below 0x80.
  public var isASCII: Bool

  public init(start: Int, end: Int, hasEscapes: Bool, isASCII: Bool) {
    self.start = start
    self.end = end
    self.hasEscapes = hasEscapes
    self.isASCII = isASCII
  }

  @inlinable
  public var range: ByteRange { ByteRange(start, end) }
  /// The content with its quotes.
  @inlinable
  public var quoted: ByteRange { ByteRange(start - 1, end + 1) }
  @inlinable
  public var isEmpty: Bool { end <= start }
}

/// A scanned JSON number.
public struct JSONNumber: Sendable, Equatable {
  public var start: Int
  public var end: Int
  /// Written without fraction and exponent.
  public var isInteger: Bool
  public var isNegative: Bool
  /// Digits before and after the point, without the exponent's.
  public var digits: Int
  /// The value, if it is written as an integer and fits.
  public var integer: Int64?

  @inlinable
  public var range: ByteRange { ByteRange(start, end) }
}

/// Where a walk through one object or array stands.
public struct JSONWalk: Sendable {
  var count = 0
  public init() {}
  /// How many members or elements were met so far.
  public var met: Int { count }
}

/// Where a cursor has been.
public struct JSONMark: Sendable {
  let position: Int
  let depth: Int
}

/// What kind of value comes next.
public enum JSONKind: Sendable {
  case object, array, string, number, `true`, `false`, null
}
