import CNghttp2
import Glibc
import Testing

/// Frames of HTTP/2 as a client writes them, right or wrong.
enum Frames {
  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  static let data: UInt8 = 0
  static let headers: UInt8 = 1
  static let priority: UInt8 = 2
  static let reset: UInt8 = 3
  static let settings: UInt8 = 4
  static let ping: UInt8 = 6
  static let goAway: UInt8 = 7
  static let windowUpdate: UInt8 = 8
  static let continuation: UInt8 = 9

  static let endStream: UInt8 = 1
  static let acknowledges: UInt8 = 1
  static let endHeaders: UInt8 = 4
  static let padded: UInt8 = 8

  static func frame(_ type: UInt8, _ flags: UInt8 = 0, _ stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
    let count = payload.count
    return [UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255), type, flags] + number(stream)
      + payload
  }

  static func number(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

  /// A header block of literals that nobody indexes.
  static func block(_ fields: [(String, String)]) -> [UInt8] {
    fields.flatMap { [0] + text(Array($0.0.utf8)) + text(Array($0.1.utf8)) }
  }

  private static func text(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
    var length: [UInt8] = [127]
    var rest = bytes.count - 127
    while rest >= 128 {
      length.append(UInt8(rest & 127 | 128))
      rest >>= 7
    }
    return length + [UInt8(rest)] + bytes
  }

  static func headers(_ stream: UInt32, _ fields: [(String, String)], endStream: Bool) -> [UInt8] {
    frame(headers, endHeaders | (endStream ? Self.endStream : 0), stream, block(fields))
  }

  static func post(_ path: String = "/v1/chat/completions", key: String?, _ more: [(String, String)] = []) -> [(
    String, String
  )] {
    [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "gate")]
      + (key.map { [("authorization", "Bearer \($0)")] } ?? []) + [("content-type", "application/json")] + more
  }

  static func get(_ path: String) -> [(String, String)] {
    [(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", "gate")]
  }
}

/// A client's end of an HTTP/2 connection; blocks until what it waits for has come.
final class HTTP2Peer {
  struct Frame {
    var type: UInt8
    var flags: UInt8
    var stream: UInt32
    var payload: [UInt8]

    var endsStream: Bool { flags & Frames.endStream != 0 && (type == Frames.data || type == Frames.headers) }
    /// The error code of RST_STREAM and GOAWAY.
    var code: UInt32 {
      let bytes = type == Frames.goAway ? payload.dropFirst(4) : payload[...]
      return bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }
  }

  /// What has come of one stream.
  struct Answer {
    var status = ""
    var fields: [String: String] = [:]
    var body: [UInt8] = []
    var isOver = false
    var reset: UInt32?
    var text: String { String(decoding: body, as: UTF8.self) }
  }

  let descriptor: Int32
  /// Whether the other side's settings are acknowledged.
  var acknowledges = true
  private var received: [UInt8] = []
  private var inflater: OpaquePointer?
  private(set) var answers: [UInt32: Answer] = [:]
  private(set) var goAways: [(last: UInt32, code: UInt32)] = []
  private(set) var frames: [Frame] = []
  private(set) var isClosed = false

  init(_ descriptor: Int32, greets: Bool = true) {
    self.descriptor = descriptor
    var patience = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    nghttp2_hd_inflate_new(&inflater)
    if greets { send(Frames.preface + Frames.frame(Frames.settings)) }
  }

  deinit {
    nghttp2_hd_inflate_del(inflater)
    close(descriptor)
  }

  /// What the other side does not take any more is lost.
  func send(_ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        let rest = UnsafeRawBufferPointer(rebasing: $0[sent...])
        return Glibc.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      sent += count
    }
  }

  /// Reads until the condition holds; false at the connection's end or after twenty seconds.
  func read(until condition: (HTTP2Peer) -> Bool) -> Bool {
    while !condition(self) {
      guard let frame = next() else { return condition(self) }
      take(frame)
    }
    return true
  }

  func answer(_ stream: UInt32) -> Answer {
    _ = read { $0.answers[stream]?.isOver ?? false || $0.answers[stream]?.reset != nil }
    return answers[stream] ?? Answer()
  }

  /// Reads to the connection's end.
  /// - Returns: The code of the last GOAWAY.
  func ending() -> UInt32? {
    _ = read { _ in false }
    return isClosed ? goAways.last?.code : nil
  }

  private func next() -> Frame? {
    while received.count < 9 { guard more() else { return nil } }
    let count = Int(received[0]) << 16 | Int(received[1]) << 8 | Int(received[2])
    while received.count < 9 + count { guard more() else { return nil } }
    let frame = Frame(
      type: received[3], flags: received[4],
      stream: received[5..<9].reduce(0) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF,
      payload: Array(received[9..<(9 + count)]))
    received.removeFirst(9 + count)
    return frame
  }

  private func more() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    if count == 0 || count < 0 && errno == ECONNRESET { isClosed = true }
    guard count > 0 else { return false }
    received += buffer[..<count]
    return true
  }

  private func take(_ frame: Frame) {
    frames.append(frame)
    switch frame.type {
    case Frames.headers:
      inflate(frame.payload, into: &answers[frame.stream, default: Answer()])
      if frame.endsStream { answers[frame.stream]?.isOver = true }
    case Frames.data:
      answers[frame.stream, default: Answer()].body += frame.payload
      if frame.endsStream { answers[frame.stream]?.isOver = true }
    case Frames.reset: answers[frame.stream, default: Answer()].reset = frame.code
    case Frames.goAway:
      goAways.append((frame.payload.prefix(4).reduce(0) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF, frame.code))
    case Frames.settings where acknowledges && frame.flags & Frames.acknowledges == 0:
      send(Frames.frame(Frames.settings, Frames.acknowledges))
    default: break
    }
  }

  private func inflate(_ block: [UInt8], into answer: inout Answer) {
    var block = block
    var start = 0
    while true {
      var field = nghttp2_nv()
      var flags: Int32 = 0
      let used = block.withUnsafeMutableBufferPointer {
        let rest = UnsafeMutableBufferPointer(rebasing: $0[start...])
        return nghttp2_hd_inflate_hd2(inflater, &field, &flags, rest.baseAddress, rest.count, 1)
      }
      guard used >= 0 else {
        Issue.record("a header block that cannot be read")
        return
      }
      start += used
      if flags & Int32(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 {
        let name = String(decoding: UnsafeBufferPointer(start: field.name, count: field.namelen), as: UTF8.self)
        let value = String(decoding: UnsafeBufferPointer(start: field.value, count: field.valuelen), as: UTF8.self)
        if name == ":status" { answer.status = value } else { answer.fields[name] = value }
      }
      if flags & Int32(NGHTTP2_HD_INFLATE_FINAL.rawValue) != 0 {
        nghttp2_hd_inflate_end_headers(inflater)
        return
      }
    }
  }
}
