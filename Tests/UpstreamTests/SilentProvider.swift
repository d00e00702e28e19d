import Glibc

/// Listens on a free port of this machine, lets the kernel take connections, and never says anything.
final class SilentProvider {
  private let descriptor: Int32
  private var connections: [Int32] = []
  let port: UInt16

  init() {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = descriptor
    port = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = bind(descriptor, $0, length)
        _ = listen(descriptor, 8)
        _ = getsockname(descriptor, $0, &length)
      }
      return UInt16(bigEndian: pointer.pointee.sin_port)
    }
  }

  /// Waits for one more connection, and keeps it open.
  /// - Returns: False if none comes within some seconds.
  func takeConnection() -> Bool {
    var listening = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&listening, 1, 5_000) == 1 else { return false }
    let taken = accept(descriptor, nil, nil)
    if taken >= 0 { connections.append(taken) }
    return taken >= 0
  }

  deinit { for descriptor in connections + [descriptor] { close(descriptor) } }
}
