import CLinux
import Glibc

/// Tells systemd how the service fares, if it wants to know (`$NOTIFY_SOCKET`, `Type=notify`).
enum ServiceManager {
  static func tellReady() { tell("READY=1") }
  /// The watchdog's sign of life.
  static func tellAlive() { tell("WATCHDOG=1") }
  static func tellStopping() { tell("STOPPING=1") }
  /// Another process is the service from now on: its end is the service's, and this one's is not.
  static func tellMainProcess(_ id: Int32) { tell("MAINPID=\(id)") }

  private static func tell(_ text: String) {
    guard let path = Environment.value("NOTIFY_SOCKET"), let (address, length) = Self.address(path) else { return }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var target = address
    let bytes = Array(text.utf8)
    _ = withUnsafePointer(to: &target) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
      }
    }
  }

  /// A path, or an abstract name that is written with `@` in front.
  private static func address(_ path: String) -> (sockaddr_un, socklen_t)? {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(path.utf8)
    guard let first = bytes.first, first == 0x2F || first == 0x40, bytes.count < 108 else { return nil }
    if first == 0x40 { bytes[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    // An abstract name has no end but its length.
    let length = MemoryLayout<sa_family_t>.size + bytes.count + (first == 0x2F ? 1 : 0)
    return (address, socklen_t(length))
  }
}
