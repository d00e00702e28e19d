import CCurl
import EventLoop
import Glibc

/// The HTTP/1 connections of one multi handle that have answered before, by their local port.
///
/// libcurl takes whatever waits in a kept connection for the answer to the next request. A provider that once said more
/// than it was asked for (an answer too many, the rest of a broken one) would from then on answer each request with the
/// words meant for the one before, which may be another tenant's. So a kept connection is looked at before it is used.
final class KeptConnections {
  let loop: EventLoop
  private var descriptors: [Int: curl_socket_t] = [:]
  private var ports: [curl_socket_t: Int] = [:]

  init(loop: EventLoop) { self.loop = loop }

  func knows(_ port: Int) -> Bool { descriptors[port] != nil }

  func keep(_ descriptor: curl_socket_t, port: Int) {
    guard descriptor >= 0, port > 0 else { return }
    descriptors[port] = descriptor
    ports[descriptor] = port
  }

  /// Nothing was said and nobody has hung up since the last answer. A connection that is not known is a new one, or one
  /// of HTTP/2, where answers name their request.
  func isQuiet(_ port: Int) -> Bool {
    guard let descriptor = descriptors[port] else { return true }
    var byte: UInt8 = 0
    let got = recv(descriptor, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)
  }

  func closed(_ descriptor: curl_socket_t) {
    loop.forget(descriptor)
    guard let port = ports.removeValue(forKey: descriptor) else { return }
    if descriptors[port] == descriptor { descriptors[port] = nil }
  }
}
