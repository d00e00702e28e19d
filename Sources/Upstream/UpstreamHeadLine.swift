import Gateway
import Routing

/// Reads one line of a provider's head, as libcurl hands them over one by one; unknown fields are dropped.
enum UpstreamHeadLine {
  static func read(_ line: UnsafeRawBufferPointer, into head: inout UpstreamHead) {
    if isStatus(line) {
      head = UpstreamHead()
      head.status = status(line)
      head.isHTTP2 = line[5] == 0x32  // libcurl's own line; a provider that says so without speaking it is not paused
    } else if let value = value(line, "content-type") {
      head.kind =
        has(line, value.lowerBound, "text/event-stream")
        ? .eventStream
        : has(line, value.lowerBound, "application/json")
          ? .json
          : has(line, value.lowerBound, "application/vnd.amazon.eventstream") ? .amazonEventStream : bytes(line, value)
    } else if let value = value(line, "content-encoding") {
      // One field that names a coding is enough; "identity" beside it takes nothing back.
      let isIdentity = value.count == 8 && has(line, value.lowerBound, "identity")
      head.isEncoded = head.isEncoded || !(value.isEmpty || isIdentity)
    } else if let value = value(line, "retry-after") {
      if !head.hasExactRetryAfter { head.retryAfterSeconds = seconds(line, value) }
    } else if let value = value(line, "retry-after-ms"), let milliseconds = seconds(line, value) {
      head.retryAfterSeconds = (milliseconds &+ 999) / 1000
      head.hasExactRetryAfter = true
    } else if has(line, 0, "x-ratelimit-") || has(line, 0, "anthropic-ratelimit-"),
      let colon = line.firstIndex(of: 0x3A)
    {
      var end = line.count
      var start = colon &+ 1
      while end > start, line[end &- 1] <= 0x20 { end &-= 1 }
      while start < end, line[start] == 0x20 || line[start] == 0x09 { start &+= 1 }
      head.rest.note(
        name: UnsafeRawBufferPointer(rebasing: line[0..<colon]),
        value: UnsafeRawBufferPointer(rebasing: line[start..<end]))
    }
  }

  /// A head's first line.
  static func isStatus(_ line: UnsafeRawBufferPointer) -> Bool { line.count >= 12 && has(line, 0, "http/") }

  /// Sound or octets; the media type counts, its parameters do not.
  private static func bytes(_ line: UnsafeRawBufferPointer, _ value: Range<Int>) -> UpstreamHead.ContentKind {
    func isWhole(_ name: StaticString) -> Bool {
      guard has(line, value.lowerBound, name) else { return false }
      let end = value.lowerBound &+ name.utf8CodeUnitCount
      return end >= value.upperBound || line[end] == 0x3B || line[end] == 0x20 || line[end] == 0x09
    }
    for known in SoundType.names where isWhole(known.name) { return .sound(known.type) }
    return isWhole("application/octet-stream") || isWhole("binary/octet-stream") ? .octets : .other
  }

  /// The three digits behind the version.
  private static func status(_ line: UnsafeRawBufferPointer) -> Int {
    guard let space = line.firstIndex(of: 0x20), space &+ 3 < line.count else { return 0 }
    var status = 0
    for offset in 1...3 {
      let byte = line[space &+ offset]
      guard (0x30...0x39).contains(byte) else { return 0 }
      status = status &* 10 &+ Int(byte &- 0x30)
    }
    return status
  }

  /// Leading digits, at most seven: `Retry-After` as a date counts as none.
  private static func seconds(_ line: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
    var value: Int?
    for index in range.prefix(7) {
      guard (0x30...0x39).contains(line[index]) else { break }
      value = (value ?? 0) &* 10 &+ Int(line[index] &- 0x30)
    }
    return value
  }

  private static func value(_ line: UnsafeRawBufferPointer, _ name: StaticString) -> Range<Int>? {
    let count = name.utf8CodeUnitCount
    guard line.count > count, line[count] == 0x3A, has(line, 0, name) else { return nil }
    var start = count &+ 1
    var end = line.count
    while end > start, line[end &- 1] <= 0x20 { end &-= 1 }
    while start < end, line[start] == 0x20 || line[start] == 0x09 { start &+= 1 }
    return start..<end
  }

  private static func has(_ line: UnsafeRawBufferPointer, _ start: Int, _ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard start &+ count <= line.count else { return false }
    for offset in 0..<count {
      let byte = line[start &+ offset]
      let lower = byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
      if lower != text.utf8Start[offset] { return false }
    }
    return true
  }
}
