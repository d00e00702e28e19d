/// What can be spoken over a connection, by its name in the handshake (ALPN, RFC 7301).
public enum ApplicationProtocol: String, Sendable, CaseIterable {
  case http2 = "h2"
  case http11 = "http/1.1"

  /// The first of `offered`, our own order, that stands in a client's list.
  /// - Parameter list: Names as the handshake carries them, each behind a byte with its length.
  /// - Returns: Where the name stands in the list; nil if there is none or the list is malformed.
  static func choose(among offered: [ApplicationProtocol], in list: UnsafeRawBufferPointer) -> Range<Int>? {
    for wanted in offered {
      var position = 0
      while position < list.count {
        let start = position + 1
        let end = start + Int(list[position])
        guard end > start, end <= list.count else { return nil }
        if list[start..<end].elementsEqual(wanted.rawValue.utf8) { return start..<end }
        position = end
      }
    }
    return nil
  }
}
