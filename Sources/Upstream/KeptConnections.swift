import CCurl
import EventLoop
import Glibc

/// The connections of one multi handle: how many are open, and those that have answered before, by their names.
///
/// libcurl takes whatever waits in a kept connection for the answer to the next request. A provider that once said more
/// than it was asked for (an answer too many, the rest of a broken one) would from then on answer each request with the
/// words meant for the one before, which may be another tenant's. So a kept connection is looked at before it is used.
///
/// Over HTTP/2 answers name their request, and frames between answers are usual. There only a farewell counts: libcurl 7.88
/// takes a connection for alive on which its peer has ended TLS, and what is then sent there is lost and paid for.
final class KeptConnections {
  let loop: EventLoop
  private var connections: [ConnectionName: KeptConnection] = [:]
  private var names: [curl_socket_t: ConnectionName] = [:]
  /// Sockets that libcurl has open, connected or not.
  private(set) var openSockets = 0

  init(loop: EventLoop) { self.loop = loop }

  /// Nil for a connection that has not answered yet.
  func find(_ name: ConnectionName) -> KeptConnection? { connections[name] }

  func opened(_ descriptor: curl_socket_t) {
    openSockets += 1
    loop.announce(descriptor)
  }

  func keep(_ descriptor: curl_socket_t, as name: ConnectionName, isHTTP2: Bool = false) {
    guard descriptor >= 0, name.localPort > 0 else { return }
    connections[name] = KeptConnection(descriptor: descriptor, isHTTP2: isHTTP2)
    names[descriptor] = name
  }

  func closed(_ descriptor: curl_socket_t) {
    openSockets -= 1
    loop.forget(descriptor)
    guard let name = names.removeValue(forKey: descriptor), connections[name]?.descriptor == descriptor else { return }
    connections[name] = nil
  }
}

/// A connection that has answered before.
struct KeptConnection {
  fileprivate let descriptor: curl_socket_t
  let isHTTP2: Bool

  /// Nothing was said and nobody has hung up since the last answer; over HTTP/2 only that nobody has said goodbye.
  var isQuiet: Bool {
    guard !isHTTP2 else { return !hasEnded }
    var byte: UInt8 = 0
    let got = recv(descriptor, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)
  }

  /// Whether the peer has hung up, or a TLS alert lies among the first things that wait: there is none that a connection
  /// survives.
  private var hasEnded: Bool {
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
}
