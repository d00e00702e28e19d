/// What the head of a request says that matters here; every other field was checked and dropped.
///
/// Ranges are positions in the bytes the head was parsed from.
package struct RequestHead: Sendable {
  package enum Method: Sendable { case get, head, post, other }
  package enum Framing: Sendable, Equatable {
    case none
    case length(Int)
    case chunked
  }

  package var method = Method.other
  package var path: Range<Int> = 0..<0
  package var isVersion11 = true
  package var framing = Framing.none
  package var keepAlive = true
  package var upgrades = false
  package var expectsContinue = false
  /// There is an `X-Forwarded-For`.
  package var isForwarded = false
  package var host: Range<Int>?
  package var authorization: Range<Int>?
  package var xAPIKey: Range<Int>?
  package var apiKey: Range<Int>?
  package var contentType: Range<Int>?
  package var contentEncoding: Range<Int>?
  package var subject: Range<Int>?
  package var translation: Range<Int>?
  package var clientRequestID: Range<Int>?
  package var anthropicVersion: Range<Int>?
  /// Every `anthropic-beta`; clients send one or several.
  package var anthropicBetas: [Range<Int>] = []
  /// Bytes of the whole head, the empty line included.
  package var length = 0

  package init() {}
}
