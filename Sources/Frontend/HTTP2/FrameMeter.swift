import Gateway

/// Looks at the headers of an HTTP/2 client's frames before the library does, and says when there is too much of what
/// costs us something and does nothing: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, RST_STREAM, empty DATA, frames of unknown
/// types, and heads that never end.
///
/// Counted here and not in the library's callbacks because it does not call back for what it ignores.
struct FrameMeter {
  /// Bytes of a frame's header.
  private static let headerBytes = 9
  /// What a client may owe at most: past this the numbers mean nothing.
  private static let most = 100_000

  private let limits: Limits
  private var prefaceLeft = 24
  /// The frame's header as far as it has come.
  private var header: UInt64 = 0
  private var have = 0
  /// The frame's stream, and the highest that was opened.
  private var stream: UInt32 = 0
  private var highest: UInt32 = 0
  private var payloadLeft = 0
  /// The next byte of the payload says how much of a DATA frame is padding.
  private var isPadNext = false
  /// When the head began that is being sent; in milliseconds.
  private(set) var headBegan: Int64?
  private var endsHead = false
  private var headBytes = 0
  private var continuations = 0
  private var resetsDue = 0
  private var updatesDue = 0
  /// Frames that end requests: an empty DATA or a trailer for each, and one more.
  private var endsDue = 0
  private var idleFrames: EventCount

  init(limits: Limits) {
    self.limits = limits
    idleFrames = EventCount(limit: limits.http2.idleFrames, milliseconds: limits.http2.calmMilliseconds)
  }

  /// A DATA frame has gone out: its client may open its windows again, the stream's and the connection's.
  mutating func sentData() { updatesDue = min(Self.most, updatesDue &+ 4) }

  /// Looks at the next bytes of the connection.
  /// - Returns: False if the client has gone too far.
  mutating func admits(_ bytes: UnsafeRawBufferPointer, now: Int64) -> Bool {
    var index = 0
    while index < bytes.count {
      if prefaceLeft > 0 {
        let count = min(prefaceLeft, bytes.count &- index)
        prefaceLeft &-= count
        index &+= count
      } else if isPadNext {
        isPadNext = false
        payloadLeft &-= 1
        if Int(bytes[index]) >= payloadLeft, !idleFrames.add(now) { return false }
        index &+= 1
      } else if payloadLeft > 0 {
        let count = min(payloadLeft, bytes.count &- index)
        payloadLeft &-= count
        index &+= count
        if payloadLeft == 0, endsHead { headBegan = nil }
      } else {
        // Length, 24 bits; type, 8 bits; flags, 8 bits; the stream's number, 32 bits.
        if have < 5 {
          header = header << 8 | UInt64(bytes[index])
        } else {
          stream = stream << 8 | UInt32(bytes[index])
        }
        have &+= 1
        index &+= 1
        guard have < Self.headerBytes || begin(now) else { return false }
      }
    }
    return true
  }

  private enum FrameType {
    static let data: UInt8 = 0
    static let headers: UInt8 = 1
    static let resetStream: UInt8 = 3
    static let windowUpdate: UInt8 = 8
    static let continuation: UInt8 = 9
  }

  private enum Flag {
    static let endStream: UInt8 = 1
    static let endHeaders: UInt8 = 4
    static let padded: UInt8 = 8
  }

  /// A frame that may end a request which was opened, or do nothing.
  private mutating func end(_ now: Int64) -> Bool {
    if endsDue == 0 { return idleFrames.add(now) }
    endsDue &-= 1
    return true
  }

  /// A frame's header is there.
  private mutating func begin(_ now: Int64) -> Bool {
    let length = Int(header >> 16 & 0xFF_FFFF)
    let type = UInt8(truncatingIfNeeded: header >> 8)
    let flags = UInt8(truncatingIfNeeded: header)
    let number = stream & 0x7FFF_FFFF
    header = 0
    stream = 0
    have = 0
    payloadLeft = length
    endsHead = (type == FrameType.headers || type == FrameType.continuation) && flags & Flag.endHeaders != 0
    switch type {
    case FrameType.data:
      if flags & Flag.endStream != 0 { return length > 0 || end(now) }
      if length == 0 { return idleFrames.add(now) }
      isPadNext = flags & Flag.padded != 0
      return true
    case FrameType.headers:
      if number > highest {
        highest = number
        resetsDue = min(Self.most, resetsDue &+ 1)
        updatesDue = min(Self.most, updatesDue &+ 2)
        endsDue = min(Self.most, endsDue &+ 2)
      } else if !end(now) {
        return false
      }
      headBytes = length
      continuations = 0
      headBegan = endsHead && length == 0 ? nil : now
      return headBytes <= 2 * limits.headBytes
    case FrameType.continuation:
      headBytes &+= length
      continuations &+= 1
      if endsHead, length == 0 { headBegan = nil }
      return continuations <= limits.http2.continuations && headBytes <= 2 * limits.headBytes
    case FrameType.resetStream where resetsDue > 0:
      resetsDue &-= 1
      return true
    case FrameType.windowUpdate where updatesDue > 0:
      updatesDue &-= 1
      return true
    default: return idleFrames.add(now)
    }
  }
}
