/// The status and the framing of a response.
struct ResponseHead: Equatable {
  enum Parsed: Equatable { case incomplete, malformed, complete(ResponseHead, length: Int) }

  private(set) var status = 0
  private(set) var contentLength: Int?
  private(set) var isChunked = false
  private(set) var keepsAlive = true

  static func parse(_ bytes: UnsafeRawBufferPointer, limit: Int) -> Parsed {
    var head = ResponseHead()
    var start = 0
    var isFirst = true
    while let feed = ResponseReader.index(of: 0x0A, in: bytes, from: start) {
      guard feed > start, bytes[feed - 1] == 0x0D else { return .malformed }
      if feed == start + 1 { return isFirst ? .malformed : .complete(head, length: feed + 1) }
      let line = UnsafeRawBufferPointer(rebasing: bytes[start..<(feed - 1)])
      guard isFirst ? head.readStatus(line) : head.readField(line) else { return .malformed }
      isFirst = false
      start = feed + 1
    }
    if isFirst, bytes.count >= 5, !starts(bytes, "http/") { return .malformed }
    return bytes.count > limit ? .malformed : .incomplete
  }

  private mutating func readStatus(_ line: UnsafeRawBufferPointer) -> Bool {
    guard line.count >= 12, Self.starts(line, "http/1."), line[8] == 0x20 else { return false }
    if line[7] == 0x30 { keepsAlive = false }
    for index in 9..<12 {
      guard line[index] >= 0x30, line[index] <= 0x39 else { return false }
      status = status * 10 + Int(line[index]) - 0x30
    }
    return line.count == 12 || line[12] == 0x20
  }

  private mutating func readField(_ line: UnsafeRawBufferPointer) -> Bool {
    guard let colon = ResponseReader.index(of: 0x3A, in: line, from: 0), colon > 0 else { return false }
    switch colon {
    case 14 where Self.starts(line, "content-length:"):
      var value = 0
      var digits = 0
      for byte in line[(colon + 1)...] where byte != 0x20 && byte != 0x09 {
        guard byte >= 0x30, byte <= 0x39, value < 1 << 40 else { return false }
        value = value * 10 + Int(byte) - 0x30
        digits += 1
      }
      guard digits > 0, contentLength ?? value == value else { return false }
      contentLength = value
    case 17 where Self.starts(line, "transfer-encoding:"): isChunked = true
    case 10 where Self.starts(line, "connection:"):
      let value = UnsafeRawBufferPointer(rebasing: line[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 })
      if Self.starts(value, "close") { keepsAlive = false }
      if Self.starts(value, "keep-alive") { keepsAlive = true }
    default: break
    }
    return true
  }

  /// Whether `bytes` begin with `text`, which is lower case, when ASCII case is ignored.
  private static func starts(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
    guard bytes.count >= text.utf8CodeUnitCount else { return false }
    for index in 0..<text.utf8CodeUnitCount {
      let byte = bytes[index]
      let lower = byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
      if lower != text.utf8Start[index] { return false }
    }
    return true
  }
}
