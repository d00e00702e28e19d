import CCurl

/// What libcurl tells of HTTP/2 beside the transfer's result, which does not say whether a request was looked at.
///
/// RFC 9113, 8.7: a stream that was refused, or whose number is beyond the last one of a GOAWAY, was not processed at all.
/// libcurl's result is then the same as for a connection that broke behind the request, and only its words tell them apart.
/// What they do not say counts as sent.
enum StreamTalk: Equatable {
  /// The number of the stream that the request leaves on.
  case uses(UInt32)
  /// The last stream that the peer has looked at or will look at.
  case goodbye(last: UInt32)
  /// The request's stream was refused.
  case refused

  /// Nil: a line about something else.
  init?(_ line: UnsafeRawBufferPointer) {
    if let rest = Self.rest(of: line, behind: "Using Stream ID: "), let number = Self.number(rest) {
      self = .uses(number)
    } else if let rest = Self.rest(of: line, behind: "recveived GOAWAY, error=")  // so in libcurl 7.88
      ?? Self.rest(of: line, behind: "received GOAWAY, error=")
    {
      guard let comma = rest.firstIndex(of: 0x2C),
        let last = Self.rest(of: UnsafeRawBufferPointer(rebasing: rest[comma...]), behind: ", last_stream="),
        let number = Self.number(last)
      else { return nil }
      self = .goodbye(last: number)
    } else if Self.rest(of: line, behind: "REFUSED_STREAM, retrying") != nil {
      self = .refused
    } else {
      return nil
    }
  }

  private static func rest(of line: UnsafeRawBufferPointer, behind start: StaticString) -> UnsafeRawBufferPointer? {
    let count = start.utf8CodeUnitCount
    guard line.count >= count,
      line.prefix(count).elementsEqual(UnsafeBufferPointer(start: start.utf8Start, count: count))
    else { return nil }
    return UnsafeRawBufferPointer(rebasing: line[count...])
  }

  /// Decimal digits at the beginning.
  private static func number(_ text: UnsafeRawBufferPointer) -> UInt32? {
    var value: UInt64 = 0
    var count = 0
    for digit in text {
      guard (0x30...0x39).contains(digit) else { break }
      value = value * 10 + UInt64(digit - 0x30)
      count += 1
      guard value <= UInt64(UInt32.max) else { return nil }
    }
    return count > 0 ? UInt32(value) : nil
  }
}

/// What is known of the stream of one request.
struct StreamFate {
  /// Of which connection: streams of others have the same numbers.
  var connection: ConnectionName?
  private var number: UInt32?
  private var lastTaken: UInt32?
  private var isRefused = false

  init() {}

  mutating func note(_ talk: StreamTalk) {
    switch talk {
    case .uses(let number): self.number = number
    case .goodbye(let last): lastTaken = min(last, lastTaken ?? .max)
    case .refused: isRefused = true
    }
  }

  /// The peer has said that it has not looked at the request, and never will.
  var isUntouched: Bool {
    if isRefused { return true }
    guard let number, let lastTaken else { return false }
    return number > lastTaken
  }
}
