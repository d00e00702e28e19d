/// Reads server-sent events, however their bytes are cut, and tells whether a chat stream is complete.
///
/// Lines end in LF, CRLF or CR; comments and other fields than `data` are skipped (WHATWG HTML, section 9.2). Of an
/// event's data only what completeness needs is looked at.
package struct EventStreamReader: Sendable {
  private static let carryLimit = 1_048_576

  /// Events with data, `[DONE]` included.
  package private(set) var events = 0
  /// Comments, such as keep-alives.
  package private(set) var comments = 0
  package private(set) var sawDone = false
  package private(set) var sawFinishReason = false
  package private(set) var sawError = false
  /// An event was longer than 1 MiB, or something came after `[DONE]`.
  package private(set) var isBroken = false

  private var carry: [UInt8] = []
  private var skipsFeed = false
  private var hasData = false

  package init() {}

  /// Whether the stream ended as the dialect wants it: a finish reason, `[DONE]`, and no error.
  package var isComplete: Bool {
    sawDone && sawFinishReason && !sawError && !isBroken && carry.isEmpty && !hasData
  }

  /// Takes the next bytes of the body.
  package mutating func feed(_ bytes: UnsafeRawBufferPointer) {
    var start = 0
    if skipsFeed, bytes.count > 0 {
      skipsFeed = false
      if bytes[0] == 0x0A { start = 1 }
    }
    var position = start
    while position < bytes.count {
      let byte = bytes[position]
      guard byte == 0x0A || byte == 0x0D else {
        position += 1
        continue
      }
      take(UnsafeRawBufferPointer(rebasing: bytes[start..<position]))
      position += 1
      if byte == 0x0D {
        if position == bytes.count {
          skipsFeed = true
        } else if bytes[position] == 0x0A {
          position += 1
        }
      }
      start = position
    }
    guard start < bytes.count else { return }
    guard carry.count + bytes.count - start <= Self.carryLimit else {
      isBroken = true
      return
    }
    carry.append(contentsOf: bytes[start...])
  }

  private mutating func take(_ rest: UnsafeRawBufferPointer) {
    guard !carry.isEmpty else { return readLine(rest) }
    carry.append(contentsOf: rest)
    let line = carry
    carry.removeAll(keepingCapacity: true)
    line.withUnsafeBytes { readLine($0) }
  }

  private mutating func readLine(_ line: UnsafeRawBufferPointer) {
    guard line.count > 0 else {
      if hasData { events += 1 }
      hasData = false
      return
    }
    if line[0] == 0x3A {
      comments += 1
      return
    }
    guard line.count >= 5, line[0] == 0x64, line[1] == 0x61, line[2] == 0x74, line[3] == 0x61, line[4] == 0x3A else {
      return
    }
    if sawDone { isBroken = true }
    hasData = true
    let data = UnsafeRawBufferPointer(rebasing: line[(line.count > 5 && line[5] == 0x20 ? 6 : 5)...])
    if DataProbe.isDone(data) {
      sawDone = true
    } else {
      if !sawFinishReason, DataProbe.hasFinishReason(data) { sawFinishReason = true }
      if DataProbe.isError(data) { sawError = true }
    }
  }
}
