import Glibc

/// A blocking socket to 127.0.0.1 that gives up after ten seconds; tests see exactly the bytes that came.
final class RawClient {
  struct Failure: Error { let what: String }

  private let descriptor: Int32
  private var buffer: [UInt8] = []

  init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw Failure(what: "socket") }
    var limit = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port).bigEndian)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let connected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { throw Failure(what: "connect") }
  }

  deinit { Glibc.close(descriptor) }

  func send(_ text: String) throws { try send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw Failure(what: "send") }
      sent += count
    }
  }

  enum Arrival: Equatable { case bytes(Int), end, reset, nothing }

  /// Reads once; `nothing` after ten seconds, or at once if `waits` is false.
  func receive(waits: Bool = true) -> Arrival {
    var chunk = [UInt8](repeating: 0, count: 65_536)
    let flags = waits ? 0 : Int32(MSG_DONTWAIT)
    let count = chunk.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, flags) }
    if count == 0 { return .end }
    if count < 0 { return errno == ECONNRESET ? .reset : .nothing }
    buffer.append(contentsOf: chunk[..<count])
    return .bytes(count)
  }

  /// Reads until the connection ends and returns everything, with the way it ended.
  func receiveToEnd() -> (text: String, end: Arrival) {
    while true {
      let arrival = receive()
      if case .bytes = arrival { continue }
      let text = String(decoding: buffer, as: UTF8.self)
      buffer = []
      return (text, arrival)
    }
  }

  /// Takes bytes up to and including `mark`.
  func take(through mark: String) throws -> String {
    let wanted = Array(mark.utf8)
    while true {
      if let end = Self.index(of: wanted, in: buffer) {
        let taken = buffer[..<(end + wanted.count)]
        buffer.removeFirst(end + wanted.count)
        return String(decoding: taken, as: UTF8.self)
      }
      guard case .bytes = receive() else { throw Failure(what: "no \(mark)") }
    }
  }

  func take(count: Int) throws -> String { String(decoding: try takeBytes(count: count), as: UTF8.self) }

  func takeBytes(count: Int) throws -> [UInt8] {
    while buffer.count < count {
      guard case .bytes = receive() else { throw Failure(what: "too few bytes") }
    }
    let taken = buffer[..<count]
    buffer.removeFirst(count)
    return Array(taken)
  }

  /// Takes one whole response.
  func response() throws -> RawResponse {
    let head = try take(through: "\r\n\r\n")
    var response = RawResponse(head: head)
    if response.headers["transfer-encoding"] == "chunked" {
      while true {
        let line = try take(through: "\r\n").dropLast()
        guard let size = Int(line, radix: 16) else { throw Failure(what: "chunk size \(line)") }
        response.body += try take(count: size)
        _ = try take(through: "\r\n")
        if size == 0 { return response }
      }
    }
    guard let length = response.headers["content-length"].flatMap({ Int($0) }) else { throw Failure(what: "length") }
    response.body = try take(count: length)
    return response
  }

  private static func index(of mark: [UInt8], in bytes: [UInt8]) -> Int? {
    guard bytes.count >= mark.count else { return nil }
    return (0...(bytes.count - mark.count)).first { bytes[$0..<($0 + mark.count)].elementsEqual(mark) }
  }
}

struct RawResponse {
  let status: Int
  let headers: [String: String]
  var body = ""

  init(head: String) {
    let lines = head.split(separator: "\r\n")
    status = lines.first.flatMap { Int($0.split(separator: " ").dropFirst().first ?? "") } ?? 0
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      headers[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].drop(while: { $0 == " " })) : ""
    }
    self.headers = headers
  }
}
