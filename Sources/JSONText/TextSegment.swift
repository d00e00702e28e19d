/// A stretch of a JSON body that can carry text and is scanned before it leaves.
///
/// Offsets are byte positions in the body, of the raw (still escaped) content without its quotes.
public struct TextSegment: Sendable, Equatable {
  public enum Kind: UInt8, Sendable {
    /// The content of a string, a member's value or an array's element.
    case string
    /// The name of a member in a free-form object (tool input).
    case name
    /// A number of nine or more digits: an identifier may travel as a JSON number.
    case number
  }

  public var start: Int
  public var end: Int
  public var kind: Kind
  /// How often the content is escaped: 1 for a JSON string, 2 for a string inside JSON inside a JSON string
  /// (`tool_calls[].function.arguments`), 0 for a number.
  public var depth: UInt8
  /// Whether a backslash stands in the content; without one the bytes are the text.
  public var hasEscapes: Bool
  /// Whether a byte ≥ 0x80 stands in the content.
  public var isASCII: Bool
  /// Neighbouring text parts of one message share a group and count as one text; otherwise each segment has its own.
  public var group: Int32
  /// Whether the field takes only letters, digits, `_` and `-` (names of tools and of participants): a placeholder then
  /// comes without brackets.
  public var isIdentifier: Bool

  public init(
    start: Int, end: Int, kind: Kind = .string, depth: UInt8 = 1, hasEscapes: Bool = false, isASCII: Bool = true,
    group: Int32 = 0, isIdentifier: Bool = false
  ) {
    self.start = start
    self.end = end
    self.kind = kind
    self.depth = depth
    self.hasEscapes = hasEscapes
    self.isASCII = isASCII
    self.group = group
    self.isIdentifier = isIdentifier
  }
}
