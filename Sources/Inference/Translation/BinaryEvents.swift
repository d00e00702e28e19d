internal import JSONText

/// One message of an AWS event stream; valid until the next is read.
struct BinaryEvent {
  enum Kind { case event, exception }

  var kind = Kind.event
  /// `:event-type`, `:exception-type` or `:error-code`.
  var name = UnsafeRawBufferPointer(start: nil, count: 0)
  var payload = UnsafeRawBufferPointer(start: nil, count: 0)
}

/// Cuts `application/vnd.amazon.eventstream` into messages, however it is split between reads: total length, length of
/// the headers, CRC of both, headers, payload, CRC of all.
///
/// Used like ``ServerSentEventReader``; both checksums are verified, since a flipped length would make text of what is
/// none.
struct BinaryEventReader {
  /// Bytes of one message (`api.md` section 2).
  static let largest = 1 << 20
  /// Lengths, their CRC, and the CRC at the end.
  private static let framing = 16

  private(set) var event = BinaryEvent()
  private let tail = ByteArena(capacity: 1024)
  private var input = UnsafeRawBufferPointer(start: nil, count: 0)
  private var isInTail = false
  private var position = 0

  /// Bytes of a message that has not ended yet.
  var heldBytes: Int { tail.count }

  /// Begins a pass over the next bytes, which must stay where they are until ``next()`` has answered false or thrown, or
  /// ``close()`` was called.
  mutating func open(_ chunk: UnsafeRawBufferPointer) {
    isInTail = tail.count > 0
    if isInTail {
      tail.append(chunk)
      input = tail.bytes
    } else {
      input = chunk
    }
    position = 0
  }

  /// Ends a pass early, and forgets what was not read.
  mutating func close() {
    input = UnsafeRawBufferPointer(start: nil, count: 0)
    tail.reset()
    position = 0
  }

  /// Advances to the next whole message; false when the chunk has no more.
  mutating func next() throws(InferenceError) -> Bool {
    let rest = ByteRange(position, input.count).of(input)
    guard rest.count >= 12 else { return keep() }
    let total = Int(Self.word(rest, at: 0))
    let headers = Int(Self.word(rest, at: 4))
    guard CRC32.of(ByteRange(0, 8).of(rest)) == Self.word(rest, at: 8) else { throw broken("prelude_crc") }
    guard total <= Self.largest else { throw broken("too_large") }
    guard total >= Self.framing, headers <= total - Self.framing else { throw broken("length") }
    guard rest.count >= total else { return keep() }
    guard CRC32.of(ByteRange(0, total - 4).of(rest)) == Self.word(rest, at: total - 4) else { throw broken("crc") }
    var found = BinaryEvent()
    guard Self.readHeaders(ByteRange(12, 12 + headers).of(rest), into: &found) else { throw broken("headers") }
    found.payload = ByteRange(12 + headers, total - 4).of(rest)
    event = found
    position += total
    return true
  }

  /// Keeps the unfinished message at the front of the tail.
  private mutating func keep() -> Bool {
    if isInTail {
      tail.dropFirst(position)
    } else {
      tail.reset()
      tail.append(ByteRange(position, input.count).of(input))
    }
    input = UnsafeRawBufferPointer(start: nil, count: 0)
    position = 0
    if tail.count == 0 { tail.reset(keeping: 16 * 1024) }
    return false
  }

  private mutating func broken(_ detail: String) -> InferenceError {
    close()
    return InferenceError(
      .upstreamError, message: "The provider's stream could not be read.", detail: "event_stream_\(detail)")
  }

  private static func word(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt32 {
    guard offset >= 0, offset + 4 <= bytes.count else { return 0 }
    return UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }

  /// - Returns: False where a header does not end inside of its block.
  private static func readHeaders(_ bytes: UnsafeRawBufferPointer, into event: inout BinaryEvent) -> Bool {
    var index = 0
    while index < bytes.count {
      let nameEnd = index + 1 + Int(bytes[index])
      guard nameEnd < bytes.count else { return false }
      let name = ByteRange(index + 1, nameEnd).of(bytes)
      let type = bytes[nameEnd]
      index = nameEnd + 1
      // true, false, byte, i16, i32, i64, bytes, string, timestamp, UUID
      guard type < 10 else { return false }
      guard type == 6 || type == 7 else {
        index += [0, 0, 1, 2, 4, 8, 0, 0, 8, 16][Int(type)]
        guard index <= bytes.count else { return false }
        continue
      }
      guard index + 2 <= bytes.count else { return false }
      let start = index + 2
      let end = start + Int(bytes[index]) << 8 + Int(bytes[index + 1])
      guard end <= bytes.count else { return false }
      index = end
      guard type == 7 else { continue }
      let value = ByteRange(start, end).of(bytes)
      if name.equals(":message-type") {
        if !value.equals("event") { event.kind = .exception }
      } else if name.equals(":event-type") || name.equals(":exception-type") || name.equals(":error-code") {
        event.name = value
      }
    }
    return true
  }
}
