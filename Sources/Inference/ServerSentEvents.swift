internal import JSONText

/// Cuts a stream of server-sent events into events, however it is split between reads (WHATWG HTML, section 9.2.6).
///
/// Lines end in LF, CRLF or CR; several `data` lines join with LF; comments, `id`, `retry` and a byte order mark at the
/// start are skipped. Only the unfinished tail is copied. One pass over a chunk is:
/// ```
/// reader.open(chunk)
/// while try reader.next() { … reader.data … }
/// ```
/// A value to be kept in one place, never copied. The chunk must stay where it is until `next` has answered false or
/// thrown, or ``close()`` was called.
public struct ServerSentEventReader {
  /// Bytes of one event with its framing (`api.md` section 2).
  public static let largestEvent = 1 << 20

  /// The event's data; valid until the next call.
  public private(set) var data = UnsafeRawBufferPointer(start: nil, count: 0)
  /// The value of the event's `event` line, empty without one; valid until the next call.
  public private(set) var name = UnsafeRawBufferPointer(start: nil, count: 0)
  /// The event's `data` line as it came, if it is exactly `data: …` and two LF: it can be passed on so.
  public private(set) var verbatim: UnsafeRawBufferPointer?
  /// The event as it came with its name, if it is exactly `event: …`, LF, `data: …` and two LF.
  public private(set) var verbatimNamed: UnsafeRawBufferPointer?
  /// Whether ``data`` was joined of several lines and so holds LF.
  public private(set) var isJoined = false

  private let tail = ByteArena(capacity: 1024)
  private let joined = ByteArena(capacity: 64)
  private var input = UnsafeRawBufferPointer(start: nil, count: 0)
  private var isInTail = false

  // Positions in `input`
  private var eventStart = 0
  private var lineStart = 0
  private var searched = 0
  private var dataStart = 0
  private var dataEnd = 0
  private var dataLineStart = 0
  private var nameStart = 0
  private var nameEnd = 0

  private var dataLines = 0
  private var isCanonical = true
  /// Whether an `event` line was met; until then nothing in front of the first data line is kept.
  private var hasName = false
  private var isNameCanonical = false
  private var skipsLineFeed = false
  private var isFirstLine = true

  public init() {}

  /// Bytes of an event that has not ended yet.
  public var heldBytes: Int { input.count > 0 ? 0 : tail.count }

  /// Begins a pass over the next bytes of the stream.
  public mutating func open(_ chunk: UnsafeRawBufferPointer) {
    isInTail = tail.count > 0
    if isInTail {
      tail.append(chunk)
      input = tail.bytes
    } else {
      input = chunk
    }
  }

  /// Ends a pass early: what was not read is forgotten with the event it belongs to.
  public mutating func close() {
    input = UnsafeRawBufferPointer(start: nil, count: 0)
    tail.reset()
    startEvent(at: 0)
  }

  /// Treats what is left at the end of the stream as if a blank line followed.
  public mutating func openEnd() {
    guard tail.count > 0 else { return }
    tail.append("\n\n")
    isInTail = true
    input = tail.bytes
  }

  /// Advances to the next whole event with data; false, when the chunk has no more.
  /// - Throws: ``InferenceError`` with `upstream_error` for an event beyond ``largestEvent``.
  public mutating func next() throws(InferenceError) -> Bool {
    while true {
      if skipsLineFeed, lineStart < input.count {
        skipsLineFeed = false
        if input[lineStart] == 0x0A {
          if eventStart == lineStart { eventStart += 1 }
          lineStart += 1
          searched = lineStart
        }
      }
      let end = input.lineEnd(from: searched)
      guard end - eventStart <= Self.largestEvent else {
        close()
        throw InferenceError(
          .upstreamError, message: "The provider sent an event of more than 1 MiB.", detail: "sse_event_too_large")
      }
      guard end < input.count else {
        searched = input.count
        keepTail()
        return false
      }
      if line(end) { return true }
    }
  }

  /// Takes the line that ends at `end`; true if it completes an event.
  private mutating func line(_ end: Int) -> Bool {
    let isReturn = input[end] == 0x0D
    skipsLineFeed = isReturn
    var start = lineStart
    if isFirstLine {
      isFirstLine = false
      if end - start >= 3, input[start] == 0xEF, input[start + 1] == 0xBB, input[start + 2] == 0xBF {
        start += 3
        if eventStart == lineStart { eventStart = start }
      }
    }
    lineStart = end + 1
    searched = lineStart
    if isReturn { isCanonical = false }

    if start == end {
      guard dataLines > 0 else {
        startEvent(at: lineStart)
        return false
      }
      finishEvent()
      return true
    }
    let line = ByteRange(start, end).of(input)
    guard let value = Self.dataValue(line) else {
      // Not data: it is cut away in front of an event, and spoils the framing inside of one.
      if let value = Self.nameValue(line) {
        takeName(value, start, end, isReturn)
      } else if dataLines == 0, !hasName {
        startEvent(at: lineStart)
      } else {
        isNameCanonical = false
        isCanonical = dataLines == 0
      }
      return false
    }
    dataLines += 1
    if dataLines == 1 {
      (dataStart, dataEnd, dataLineStart) = (start + value, end, start)
      if value != 6 { isCanonical = false }
    } else {
      if dataLines == 2 {
        joined.reset()
        joined.append(ByteRange(dataStart, dataEnd).of(input))
      }
      joined.append(0x0A)
      joined.append(ByteRange(start + value, end).of(input))
      isCanonical = false
    }
    return false
  }

  /// Where the value of a `data` line begins; nil for another field or a comment.
  private static func dataValue(_ line: UnsafeRawBufferPointer) -> Int? {
    guard line.count >= 4, line[0] == 0x64, line[1] == 0x61, line[2] == 0x74, line[3] == 0x61 else { return nil }
    guard line.count > 4 else { return 4 }
    guard line[4] == 0x3A else { return nil }
    return line.count > 5 && line[5] == 0x20 ? 6 : 5
  }

  /// Where the value of an `event` line begins; nil for another field or a comment.
  private static func nameValue(_ line: UnsafeRawBufferPointer) -> Int? {
    guard line.count >= 5, line[0] == 0x65, line[1] == 0x76, line[2] == 0x65, line[3] == 0x6E, line[4] == 0x74
    else { return nil }
    guard line.count > 5 else { return 5 }
    guard line[5] == 0x3A else { return nil }
    return line.count > 6 && line[6] == 0x20 ? 7 : 6
  }

  /// The last `event` line of an event counts.
  private mutating func takeName(_ value: Int, _ start: Int, _ end: Int, _ isReturn: Bool) {
    isNameCanonical = !hasName && dataLines == 0 && value == 7 && end > start + value && !isReturn
    isCanonical = dataLines == 0
    if !hasName, dataLines == 0 { eventStart = start }
    (nameStart, nameEnd, hasName) = (start + value, end, true)
  }

  private mutating func finishEvent() {
    isJoined = dataLines > 1
    data = isJoined ? joined.bytes : ByteRange(dataStart, dataEnd).of(input)
    name = hasName ? ByteRange(nameStart, nameEnd).of(input) : UnsafeRawBufferPointer(start: nil, count: 0)
    verbatim = isCanonical ? ByteRange(dataLineStart, lineStart).of(input) : nil
    verbatimNamed = isCanonical && isNameCanonical ? ByteRange(eventStart, lineStart).of(input) : nil
    startEvent(at: lineStart)
  }

  private mutating func startEvent(at position: Int) {
    eventStart = position
    lineStart = position
    searched = position
    dataLines = 0
    isCanonical = true
    hasName = false
    isNameCanonical = false
  }

  /// Keeps the unfinished event at the front of the tail and counts positions from there.
  private mutating func keepTail() {
    let rest = ByteRange(eventStart, input.count).of(input)
    let moved = eventStart
    if isInTail {
      tail.dropFirst(moved)
    } else {
      tail.reset()
      tail.append(rest)
    }
    (eventStart, lineStart, searched) = (0, lineStart - moved, searched - moved)
    (dataStart, dataEnd, dataLineStart) = (dataStart - moved, dataEnd - moved, dataLineStart - moved)
    (nameStart, nameEnd) = (nameStart - moved, nameEnd - moved)
    input = UnsafeRawBufferPointer(start: nil, count: 0)
    // The next event is most often whole: an open stream holds memory only for one that is not.
    if tail.count == 0 { tail.reset(keeping: 0) }
  }
}
