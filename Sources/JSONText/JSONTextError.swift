/// Why a text is not the JSON that this module accepts: RFC 8259 in UTF-8, without BOM, within ``JSONLimits``.
public struct JSONTextError: Error, Equatable {
  public enum Code: String, Sendable {
    case empty
    case byteOrderMark = "byte_order_mark"
    case unexpectedEnd = "unexpected_end"
    case unexpectedByte = "unexpected_byte"
    case trailingBytes = "trailing_bytes"
    case controlCharacter = "control_character"
    case invalidUTF8 = "invalid_utf8"
    case invalidEscape = "invalid_escape"
    case loneSurrogate = "lone_surrogate"
    case invalidNumber = "invalid_number"
    case numberOutOfRange = "number_out_of_range"
    case tooDeep = "too_deep"
    case tooManyMembers = "too_many_members"
    case tooManyTexts = "too_many_texts"
    /// The reader ended the scan for a reason of its own.
    case stopped
  }

  public let code: Code
  /// The byte position at which the scan ended.
  public let offset: Int

  public init(_ code: Code, at offset: Int) {
    self.code = code
    self.offset = offset
  }

  /// What is wrong, for the one who sent the text; it quotes nothing of it.
  public var explanation: String {
    switch code {
    case .empty: "it is empty"
    case .byteOrderMark: "it begins with a byte order mark"
    case .unexpectedEnd: "it ends too early"
    case .unexpectedByte: "there is an unexpected character"
    case .trailingBytes: "something follows after its end"
    case .controlCharacter: "a string holds an unescaped control character"
    case .invalidUTF8: "it is not valid UTF-8"
    case .invalidEscape: "there is an invalid escape sequence"
    case .loneSurrogate: "there is half of a surrogate pair"
    case .invalidNumber: "there is a malformed number"
    case .numberOutOfRange: "there is a number that no double can hold"
    case .tooDeep: "it is nested deeper than 64 levels"
    case .tooManyMembers: "an object has more than 10000 members"
    case .tooManyTexts: "it holds more than 100000 texts, names and long numbers"
    case .stopped: "it was not accepted"
    }
  }
}

/// Bounds of a scan (`threats.md` section 6).
public struct JSONLimits: Sendable {
  public var depth = 64
  public var membersPerObject = 10_000
  /// Whether `\ud83d` may stand alone: refused in requests; in answers a character may be cut between two events.
  public var allowsLoneSurrogates = false

  public init() {}

  /// Segments of one body: each takes as much memory as eight of the smallest texts. Inlined, as each text asks for it.
  @inlinable public static var texts: Int { 100_000 }

  /// For bodies that clients send.
  public static let request = JSONLimits()
  /// For answers and stream events of an upstream.
  public static let answer: JSONLimits = {
    var limits = JSONLimits()
    limits.allowsLoneSurrogates = true
    return limits
  }()
}
