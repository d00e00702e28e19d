/// What the head of a request says that matters here; every other field was checked and dropped.
///
/// Ranges are positions in the bytes the head was parsed from.
public struct RequestHead: Sendable {
  public enum Method: Sendable { case get, head, post, delete, other }
  public enum Framing: Sendable, Equatable {
    case none
    case length(Int)
    case chunked
  }

  public var method = Method.other
  public var path: Range<Int> = 0..<0
  public var isVersion11 = true
  public var framing = Framing.none
  public var keepAlive = true
  public var upgrades = false
  public var expectsContinue = false
  /// There is an `X-Forwarded-For`.
  public var isForwarded = false
  public var host: Range<Int>?
  public var authorization: Range<Int>?
  public var xAPIKey: Range<Int>?
  public var apiKey: Range<Int>?
  public var contentType: Range<Int>?
  public var contentEncoding: Range<Int>?
  public var subject: Range<Int>?
  public var translation: Range<Int>?
  public var clientRequestID: Range<Int>?
  public var anthropicVersion: Range<Int>?
  /// Every `anthropic-beta`; clients send one or several.
  public var anthropicBetas: [Range<Int>] = []
  /// Bytes of the whole head, the empty line included.
  public var length = 0

  public init() {}
}
