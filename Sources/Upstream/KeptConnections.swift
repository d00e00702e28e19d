import CCurl
import EventLoop
import Glibc

/// The connections of one multi handle that have answered before, by their local port.
///
/// libcurl takes whatever waits in a kept connection for the answer to the next request. A provider that once said more
/// than it was asked for (an answer too many, the rest of a broken one) would from then on answer each request with the
/// words meant for the one before, which may be another tenant's. So a kept connection is looked at before it is used.
///
/// Over HTTP/2 answers name their request, and frames between answers are usual. There only a farewell counts: libcurl 7.88
/// takes a connection for alive on which its peer has ended TLS, and what is then sent there is lost and paid for.
final class KeptConnections {
  let loop: EventLoop
  private var descriptors: [Int: curl_socket_t] = [:]
  private var ports: [curl_socket_t: Int] = [:]
  /// Ports of those that speak HTTP/2.
  private var shared: Set<Int> = []

  init(loop: EventLoop) { self.loop = loop }

  func knows(_ port: Int) -> Bool { descriptors[port] != nil }

  func isHTTP2(_ port: Int) -> Bool { shared.contains(port) }

  func keep(_ descriptor: curl_socket_t, port: Int, isHTTP2: Bool = false) {
    guard descriptor >= 0, port > 0 else { return }
    descriptors[port] = descriptor
    ports[descriptor] = port
    if isHTTP2 { shared.insert(port) }
  }

  /// Nothing was said and nobody has hung up since the last answer; over HTTP/2 only that nobody has said goodbye. A
  /// connection that is not known is a new one.
  func isQuiet(_ port: Int) -> Bool {
    guard let descriptor = descriptors[port] else { return true }
    guard !shared.contains(port) else { return !hasEnded(descriptor) }
    var byte: UInt8 = 0
    let got = recv(descriptor, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)
  }

  /// Whether the peer has hung up, or a TLS alert lies among the first things that wait: there is none that a connection
  /// survives.
  private func hasEnded(_ descriptor: curl_socket_t) -> Bool {
    withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { buffer in
      let got = recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_PEEK | MSG_DONTWAIT))
      guard got > 0 else { return got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK) }
      return Self.hasAlert(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
    }
  }

  /// Under TLS 1.3 an alert looks like data. Its length tells it: two bytes, their kind and a tag of sixteen; the shortest
  /// HTTP/2 frame has nine bytes.
  static func hasAlert(_ records: UnsafeRawBufferPointer) -> Bool {
    var start = 0
    while start + 5 <= records.count {
      let kind = records[start]
      let length = Int(records[start + 3]) << 8 | Int(records[start + 4])
      if kind == 21 || kind == 23 && length == 19 { return true }
      start += 5 + length
    }
    return false
  }

  func closed(_ descriptor: curl_socket_t) {
    loop.forget(descriptor)
    guard let port = ports.removeValue(forKey: descriptor), descriptors[port] == descriptor else { return }
    descriptors[port] = nil
    shared.remove(port)
  }
}
