import Dispatch
import Glibc
import Synchronization

/// Answers every request over HTTP/1.1 and keeps its connections, each on a thread of its own.
final class PoliteProvider: Sendable {
  let port: UInt16
  private let descriptor: Int32
  private let taken = Mutex<[Int32]>([])

  init() {
    let listening = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    descriptor = listening
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    port = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = bind(listening, $0, length)
        _ = listen(listening, 8)
        _ = getsockname(listening, $0, &length)
      }
      return UInt16(bigEndian: pointer.pointee.sin_port)
    }
  }

  /// How many connections were taken so far.
  var connections: Int { taken.withLock(\.count) }

  func start() {
    DispatchQueue(label: "polite").async { [self] in
      while case let client = accept(descriptor, nil, nil), client >= 0 {
        taken.withLock { $0.append(client) }
        DispatchQueue(label: "polite client").async { Self.answer(client) }
      }
    }
  }

  /// Says something that nobody has asked for, and returns when the other side's kernel has it.
  func babble(on connection: Int) {
    let client = taken.withLock { $0[connection] }
    _ = send(client, "HTTP/1.1 200 OK\r\n", 17, Int32(MSG_NOSIGNAL))
    var left: Int32 = 1
    while left > 0, ioctl(client, UInt(TIOCOUTQ), &left) == 0 { sched_yield() }
  }

  /// Requests have no body.
  private static func answer(_ client: Int32) {
    var seen: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    while case let count = recv(client, &buffer, buffer.count, 0), count > 0 {
      seen += buffer[..<count]
      guard seen.suffix(4) == [13, 10, 13, 10] else { continue }
      seen = []
      _ = send(client, answer, answer.utf8.count, Int32(MSG_NOSIGNAL))
    }
  }

  func stop() {
    shutdown(descriptor, Int32(SHUT_RDWR))
    close(descriptor)
    for client in taken.withLock({ $0 }) {
      shutdown(client, Int32(SHUT_RDWR))
      close(client)
    }
  }
}
