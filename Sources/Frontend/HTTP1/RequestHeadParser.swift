public import Gateway

/// A strict parser of HTTP/1.1 request heads (RFC 9112) that makes no strings and refuses whatever two parsers could
/// read in two ways; the list of what is refused is section 3 of the threat model.
public struct RequestHeadParser {
  public enum Outcome {
    case incomplete
    case complete(RequestHead)
    case failed(HTTPFault)
  }

  private var searched = 0
  /// Where the path of a head stands that was read so far, but is refused: it says how its client speaks.
  private(set) var refusedPath: Range<Int>?

  public init() {}

  /// Looks at all bytes received since the last request; called again with more when ``Outcome/incomplete``.
  public mutating func parse(_ bytes: UnsafeRawBufferPointer, within limits: Limits) -> Outcome {
    // An empty line in front of a request line is tolerated once (RFC 9112, 2.2).
    refusedPath = nil
    let start = bytes.count >= 2 && bytes[0] == 0x0D && bytes[1] == 0x0A ? 2 : 0
    guard let end = endOfHead(bytes, from: max(start, searched)) else {
      if bytes.count &- start > limits.headBytes { return .failed(.headTooLarge) }
      if hasBareLineFeed(bytes, from: max(start, searched)) { return .failed(.malformedField) }
      searched = max(start, bytes.count &- 3)
      return .incomplete
    }
    searched = 0
    guard end &- start <= limits.headBytes else { return .failed(.headTooLarge) }
    var reader = HeadReader(bytes: UnsafeRawBufferPointer(rebasing: bytes[0..<end]), position: start, limits: limits)
    do throws(HTTPFault) {
      return .complete(try reader.read())
    } catch {
      refusedPath = reader.head.path.isEmpty ? nil : reader.head.path
      return .failed(error)
    }
  }

  /// A line feed without its carriage return never ends a line here: no reason to wait for more.
  private func hasBareLineFeed(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Bool {
    var index = start
    while index < bytes.count {
      if bytes[index] == 0x0A, index == 0 || bytes[index &- 1] != 0x0D { return true }
      index &+= 1
    }
    return false
  }

  /// The position behind CRLF CRLF.
  private func endOfHead(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
    var index = start
    while index &+ 3 < bytes.count {
      let fourth = bytes[index &+ 3]
      if fourth == 0x0A {
        if bytes[index] == 0x0D, bytes[index &+ 1] == 0x0A, bytes[index &+ 2] == 0x0D { return index &+ 4 }
        index &+= 2
      } else if fourth == 0x0D {
        index &+= 1
      } else {
        index &+= 4
      }
    }
    return nil
  }
}

/// Reads one complete head.
private struct HeadReader {
  let bytes: UnsafeRawBufferPointer
  var position: Int
  let limits: Limits
  var head = RequestHead()
  var seen = SeenFields()
  var hosts = 0
  var closes = false

  mutating func read() throws(HTTPFault) -> RequestHead {
    try requestLine()
    var count = 0
    while bytes[position] != 0x0D {
      count &+= 1
      guard count <= limits.fieldCount else { throw .tooManyFields }
      try field()
    }
    // endOfHead guarantees CRLF here, unless a bare CR stood at a line's start.
    guard position &+ 2 == bytes.count, bytes[position &+ 1] == 0x0A else { throw .malformedField }
    head.length = bytes.count
    try check()
    return head
  }

  /// Methods that a route may refuse by itself, with what it takes instead; all others end the connection.
  private static let otherMethods: [StaticString] = ["PUT", "PATCH", "OPTIONS"]

  private mutating func requestLine() throws(HTTPFault) {
    let methodStart = position
    while position < bytes.count, Octet.isToken(bytes[position]) { position &+= 1 }
    let method = methodStart..<position
    guard !method.isEmpty, position < bytes.count, bytes[position] == 0x20 else { throw .malformedRequestLine }
    position &+= 1
    let targetStart = position
    while position < bytes.count, bytes[position] > 0x20, bytes[position] < 0x7F { position &+= 1 }
    let target = targetStart..<position
    guard position &+ 10 < bytes.count, bytes[position] == 0x20 else { throw .malformedTarget }
    position &+= 1
    guard Octet.equal(bytes, position..<(position &+ 7), "HTTP/1.") else {
      throw Octet.equal(bytes, position..<(position &+ 5), "HTTP/") ? .unsupportedVersion : .malformedRequestLine
    }
    switch bytes[position &+ 7] {
    case 0x31: head.isVersion11 = true
    case 0x30:
      head.isVersion11 = false
      head.keepAlive = false
    default: throw .unsupportedVersion
    }
    guard bytes[position &+ 8] == 0x0D, bytes[position &+ 9] == 0x0A else { throw .malformedRequestLine }
    position &+= 10

    if Octet.equal(bytes, method, "POST") {
      head.method = .post
    } else if Octet.equal(bytes, method, "GET") {
      head.method = .get
    } else if Octet.equal(bytes, method, "HEAD") {
      head.method = .head
    } else if Octet.equal(bytes, method, "DELETE") {
      head.method = .delete
    } else if !Self.otherMethods.contains(where: { Octet.equal(bytes, method, $0) }) {
      if target.count <= limits.targetBytes, let path = try? path(target) { head.path = path }
      throw .unsupportedMethod
    }
    guard target.count <= limits.targetBytes else { throw .targetTooLong }
    head.path = try path(target)
  }

  /// The path without its query; nothing is decoded or normalised.
  private func path(_ target: Range<Int>) throws(HTTPFault) -> Range<Int> {
    guard target.count > 0, bytes[target.lowerBound] == 0x2F else { throw .malformedTarget }
    var end = target.upperBound
    var index = target.lowerBound
    while index < target.upperBound {
      let byte = bytes[index]
      if byte == 0x3F {
        end = index
        break
      }
      let next = index &+ 1 < target.upperBound ? bytes[index &+ 1] : 0
      switch byte {
      case 0x23, 0x5C: throw .malformedTarget  // # and backslash
      case 0x2F where next == 0x2F: throw .malformedTarget
      case 0x2E where next == 0x2E: throw .malformedTarget
      case 0x25:  // %2f and %5c hide a separator
        let last = index &+ 2 < target.upperBound ? bytes[index &+ 2] | 0x20 : 0
        if (next == 0x32 && last == 0x66) || (next == 0x35 && last == 0x63) || (next == 0x32 && last == 0x65) {
          throw .malformedTarget
        }
      default: break
      }
      index &+= 1
    }
    if end < target.upperBound, bytes[end..<target.upperBound].contains(0x23) { throw .malformedTarget }
    return target.lowerBound..<end
  }

  private mutating func field() throws(HTTPFault) {
    let nameStart = position
    var hasUnderscore = false
    while position < bytes.count, Octet.isToken(bytes[position]) {
      if bytes[position] == 0x5F { hasUnderscore = true }
      position &+= 1
    }
    let name = nameStart..<position
    guard !name.isEmpty, position < bytes.count, bytes[position] == 0x3A else { throw .malformedField }
    position &+= 1
    while position < bytes.count, bytes[position] == 0x20 || bytes[position] == 0x09 { position &+= 1 }
    let valueStart = position
    position = Octet.endOfText(bytes, from: position)
    while position < bytes.count, bytes[position] == 0x09 { position = Octet.endOfText(bytes, from: position &+ 1) }
    guard position &+ 1 < bytes.count, bytes[position] == 0x0D, bytes[position &+ 1] == 0x0A else {
      throw .malformedField
    }
    var valueEnd = position
    while valueEnd > valueStart, bytes[valueEnd &- 1] == 0x20 || bytes[valueEnd &- 1] == 0x09 { valueEnd &-= 1 }
    position &+= 2
    guard position &- nameStart <= limits.fieldBytes else { throw .fieldTooLarge }
    if hasUnderscore {
      if Octet.imitatesGuarded(bytes, name) { throw .ambiguousField }
      return
    }
    try take(name, valueStart..<valueEnd)
  }

  private mutating func take(_ name: Range<Int>, _ value: Range<Int>) throws(HTTPFault) {
    switch name.count {
    case 4 where Octet.matches(bytes, name, "host"):
      guard hosts == 0 else { throw .duplicateField }
      hosts = 1
      guard Octet.isHost(bytes, value) else { throw .malformedHost }
      head.host = value
    case 6 where Octet.matches(bytes, name, "expect"):
      try seen.once(.expect)
      guard Octet.matches(bytes, value, "100-continue") else { throw .unsupportedExpectation }
      head.expectsContinue = head.isVersion11
    case 7 where Octet.matches(bytes, name, "upgrade"):
      head.upgrades = true
    case 7 where Octet.matches(bytes, name, "api-key"):
      try seen.once(.apiKey)
      head.apiKey = value
    case 9 where Octet.matches(bytes, name, "x-api-key"):
      try seen.once(.xAPIKey)
      head.xAPIKey = value
    case 10 where Octet.matches(bytes, name, "connection"):
      connection(value)
    case 12 where Octet.matches(bytes, name, "content-type"):
      try seen.once(.contentType)
      head.contentType = value
    case 12 where Octet.matches(bytes, name, "x-request-id"):
      head.clientRequestID = value
    case 13 where Octet.matches(bytes, name, "authorization"):
      try seen.once(.authorization)
      head.authorization = value
    case 14 where Octet.matches(bytes, name, "content-length"):
      try seen.once(.contentLength)
      head.framing = .length(try length(value))
    case 14 where Octet.matches(bytes, name, "anthropic-beta"):
      head.anthropicBetas.append(value)
    case 15 where Octet.matches(bytes, name, "x-forwarded-for"):
      head.isForwarded = true
    case 16 where Octet.matches(bytes, name, "content-encoding"):
      try seen.once(.contentEncoding)
      head.contentEncoding = value
    case 17 where Octet.matches(bytes, name, "transfer-encoding"):
      try seen.once(.transferEncoding)
      guard Octet.matches(bytes, value, "chunked"), head.isVersion11 else { throw .malformedEncoding }
    case 17 where Octet.matches(bytes, name, "x-torhaus-subject"):
      try seen.once(.subject)
      head.subject = value
    case 17 where Octet.matches(bytes, name, "anthropic-version"):
      try seen.once(.anthropicVersion)
      head.anthropicVersion = value
    case 21 where Octet.matches(bytes, name, "x-torhaus-translation"):
      try seen.once(.translation)
      head.translation = value
    default: break
    }
  }

  private mutating func connection(_ value: Range<Int>) {
    var start = value.lowerBound
    while start < value.upperBound {
      var end = start
      while end < value.upperBound, bytes[end] != 0x2C { end &+= 1 }
      let option = Octet.trimmed(bytes, start..<end)
      if Octet.matches(bytes, option, "close") {
        head.keepAlive = false
        closes = true
      } else if !head.isVersion11, !closes, Octet.matches(bytes, option, "keep-alive") {
        head.keepAlive = true
      }
      start = end &+ 1
    }
  }

  /// 1 to 15 digits and nothing else.
  private func length(_ value: Range<Int>) throws(HTTPFault) -> Int {
    guard (1...15).contains(value.count) else { throw .malformedLength }
    var length = 0
    for index in value {
      guard (0x30...0x39).contains(bytes[index]) else { throw .malformedLength }
      length = length &* 10 &+ Int(bytes[index] &- 0x30)
    }
    return length
  }

  private mutating func check() throws(HTTPFault) {
    if head.isVersion11, hosts == 0 { throw .missingHost }
    if seen.contains(.transferEncoding) {
      guard !seen.contains(.contentLength) else { throw .conflictingFraming }
      head.framing = .chunked
    }
    if head.method == .get || head.method == .head {
      guard head.framing == .none || head.framing == .length(0) else { throw .bodyNotAllowed }
    }
    if case .length(let count) = head.framing, count > limits.bodyBytes { throw .bodyTooLarge }
    // The bytes behind an upgrade request belong to nobody: answered, then closed.
    if head.upgrades { head.keepAlive = false }
  }
}

/// Which of the fields that may stand once have been read.
private struct SeenFields: OptionSet {
  let rawValue: UInt16
  init(rawValue: UInt16) { self.rawValue = rawValue }
  static let expect = SeenFields(rawValue: 1)
  static let apiKey = SeenFields(rawValue: 2)
  static let xAPIKey = SeenFields(rawValue: 4)
  static let contentType = SeenFields(rawValue: 8)
  static let authorization = SeenFields(rawValue: 16)
  static let contentLength = SeenFields(rawValue: 32)
  static let contentEncoding = SeenFields(rawValue: 64)
  static let transferEncoding = SeenFields(rawValue: 128)
  static let subject = SeenFields(rawValue: 256)
  static let anthropicVersion = SeenFields(rawValue: 512)
  static let translation = SeenFields(rawValue: 1024)

  mutating func once(_ field: SeenFields) throws(HTTPFault) {
    guard !contains(field) else { throw .duplicateField }
    insert(field)
  }
}
