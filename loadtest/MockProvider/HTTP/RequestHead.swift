/// What the mock needs to know of a request's head; ranges count from the head's first byte.
struct RequestHead: Equatable {
  enum Method: Equatable { case get, post, delete, other }
  enum Parsed: Equatable {
    case incomplete
    case malformed
    case complete(RequestHead, length: Int)
  }

  /// The longest head that is taken, in bytes.
  static let byteLimit = 65_536
  /// The longest body that is taken, in bytes.
  static let bodyLimit = 67_108_864

  private(set) var method = Method.other
  private(set) var path = 0..<0
  private(set) var query = 0..<0
  private(set) var contentLength: Int?
  private(set) var isChunked = false
  private(set) var keepsAlive = true
  private(set) var isHTTP10 = false
  private(set) var expectsContinue = false
  private(set) var mockSettings: Range<Int>?

  /// Reads the head at the start of `bytes`.
  static func parse(_ bytes: UnsafeRawBufferPointer) -> Parsed {
    var head = RequestHead()
    var start = 0
    var isFirstLine = true
    while let feed = bytes.index(of: 0x0A, from: start, to: min(bytes.count, byteLimit)) {
      guard feed > start, bytes[feed - 1] == 0x0D else { return .malformed }
      let end = feed - 1
      if start == end {
        guard !isFirstLine, !(head.isChunked && head.contentLength != nil) else { return .malformed }
        return .complete(head, length: feed + 1)
      }
      let isGood = isFirstLine ? head.readRequestLine(bytes, start, end) : head.readField(bytes, start, end)
      guard isGood else { return .malformed }
      isFirstLine = false
      start = feed + 1
    }
    return bytes.count >= byteLimit ? .malformed : .incomplete
  }

  private mutating func readRequestLine(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> Bool {
    guard let space = bytes.index(of: 0x20, from: start, to: end),
      let second = bytes.index(of: 0x20, from: space + 1, to: end)
    else { return false }
    if bytes.equals("POST", from: start, to: space) {
      method = .post
    } else if bytes.equals("GET", from: start, to: space) {
      method = .get
    } else if bytes.equals("DELETE", from: start, to: space) {
      method = .delete
    }
    let mark = bytes.index(of: 0x3F, from: space + 1, to: second)
    path = (space + 1)..<(mark ?? second)
    query = mark.map { ($0 + 1)..<second } ?? second..<second
    if bytes.equals("HTTP/1.1", from: second + 1, to: end) { return true }
    isHTTP10 = true
    keepsAlive = false
    return bytes.equals("HTTP/1.0", from: second + 1, to: end)
  }

  private mutating func readField(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> Bool {
    guard let colon = bytes.index(of: 0x3A, from: start, to: end), colon > start else { return false }
    // The length of a name rules out nearly every field before a byte of it is compared.
    switch colon - start {
    case 14 where bytes.equalsIgnoringCase("content-length", from: start, to: colon):
      guard contentLength == nil,
        let length = bytes.decimal(in: bytes.trimmed(from: colon + 1, to: end), limit: Self.bodyLimit)
      else { return false }
      contentLength = length
    case 17 where bytes.equalsIgnoringCase("transfer-encoding", from: start, to: colon):
      let value = bytes.trimmed(from: colon + 1, to: end)
      guard !isChunked, bytes.equalsIgnoringCase("chunked", from: value.lowerBound, to: value.upperBound) else {
        return false
      }
      isChunked = true
    case 10 where bytes.equalsIgnoringCase("connection", from: start, to: colon):
      let value = bytes.trimmed(from: colon + 1, to: end)
      if bytes.equalsIgnoringCase("close", from: value.lowerBound, to: value.upperBound) { keepsAlive = false }
      if bytes.equalsIgnoringCase("keep-alive", from: value.lowerBound, to: value.upperBound) { keepsAlive = true }
    case 6 where bytes.equalsIgnoringCase("expect", from: start, to: colon):
      expectsContinue = true
    case 6 where bytes.equalsIgnoringCase("x-mock", from: start, to: colon):
      mockSettings = bytes.trimmed(from: colon + 1, to: end)
    default:
      break
    }
    return true
  }
}
