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
  private var descriptors: [ConnectionName: curl_socket_t] = [:]
  private var names: [curl_socket_t: ConnectionName] = [:]
  /// Those that speak HTTP/2.
  private var shared: Set<ConnectionName> = []
  /// Sockets that libcurl has open, connected or not.
  private(set) var openSockets = 0

  init(loop: EventLoop) { self.loop = loop }

  func knows(_ name: ConnectionName) -> Bool { descriptors[name] != nil }

  func isHTTP2(_ name: ConnectionName) -> Bool { shared.contains(name) }

  func opened(_ descriptor: curl_socket_t) {
    openSockets += 1
    loop.announce(descriptor)
  }

  func keep(_ descriptor: curl_socket_t, as name: ConnectionName, isHTTP2: Bool = false) {
    guard descriptor >= 0, name.localPort > 0 else { return }
    descriptors[name] = descriptor
    names[descriptor] = name
    if isHTTP2 { shared.insert(name) }
  }

  /// Nothing was said and nobody has hung up since the last answer; over HTTP/2 only that nobody has said goodbye. A
  /// connection that is not known is a new one.
  func isQuiet(_ name: ConnectionName) -> Bool {
    guard let descriptor = descriptors[name] else { return true }
    guard !shared.contains(name) else { return !hasEnded(descriptor) }
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
    openSockets -= 1
    loop.forget(descriptor)
    guard let name = names.removeValue(forKey: descriptor), descriptors[name] == descriptor else { return }
    descriptors[name] = nil
    shared.remove(name)
  }
}
