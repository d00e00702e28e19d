import CLinux
import EventLoop
import Glibc

package enum ListenerError: Error, Sendable, CustomStringConvertible {
  case unknownAddress(String)
  case portTaken(String)
  case refused(String, errno: Int32)

  package var description: String {
    switch self {
    case .unknownAddress(let address): "'\(address)' is no address of this machine"
    case .portTaken(let place): "\(place) is taken"
    case .refused(let place, let code): "cannot listen on \(place): \(String(cString: strerror(code)))"
    }
  }
}

/// A listening TCP socket; accepts on one loop and gives each connection away.
final class Listener: Watcher {
  private let loop: EventLoop
  private let descriptor: Int32
  private let accepted: (Int32, SourceAddress) -> Void
  private var isOpen = true

  /// - Parameter accepted: Takes over the connection's descriptor.
  init(_ socket: ListeningSocket, on loop: EventLoop, accepted: @escaping (Int32, SourceAddress) -> Void) {
    self.loop = loop
    descriptor = socket.descriptor
    self.accepted = accepted
  }

  func start() {
    loop.announce(descriptor)
    loop.watch(descriptor, .readable, by: self)
  }

  func close() {
    guard isOpen else { return }
    isOpen = false
    loop.forget(descriptor)
    Glibc.close(descriptor)
  }

  override func ready(_ descriptor: Int32, _ events: Events) {
    // A bound, so that a flood of connections leaves the open ones their turn.
    for _ in 0..<64 {
      guard isOpen else { return }
      var storage = sockaddr_storage()
      var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
      let connection = withUnsafeMutablePointer(to: &storage) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { th_accept(descriptor, $0, &length) }
      }
      guard connection >= 0 else {
        if errno == ECONNABORTED || errno == EINTR { continue }
        if errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM { rest() }
        return
      }
      var one: Int32 = 1
      setsockopt(connection, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
      let source = withUnsafePointer(to: &storage) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { SourceAddress($0) }
      }
      accepted(connection, source)
    }
  }

  /// No descriptor is left: the socket would report without end. Who waits is accepted when others have gone.
  private func rest() {
    loop.forget(descriptor)
    loop.schedule(at: loop.now + 100_000_000) { [weak self] in
      guard let self, isOpen else { return }
      start()
    }
  }
}

/// A socket that is bound and listens, before any loop has it.
struct ListeningSocket: Sendable {
  let descriptor: Int32
  /// The port in use.
  let port: Int

  /// - Parameter port: 0 takes a free one.
  init(address: String, port: Int) throws(ListenerError) {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(address, String(port), &hints, &list) == 0, let first = list else {
      throw .unknownAddress(address)
    }
    defer { freeaddrinfo(list) }
    let place = "\(address):\(port)"
    var fault = ListenerError.unknownAddress(address)
    var candidate: UnsafeMutablePointer<addrinfo>? = first
    while let info = candidate {
      do throws(ListenerError) {
        (descriptor, self.port) = try Self.listen(info.pointee, place)
        return
      } catch { fault = error }
      candidate = info.pointee.ai_next
    }
    throw fault
  }

  private static func listen(_ info: addrinfo, _ place: String) throws(ListenerError) -> (Int32, Int) {
    let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(info.ai_family, info.ai_socktype | flags, info.ai_protocol)
    guard descriptor >= 0 else { throw .refused(place, errno: errno) }
    var one: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
    guard bind(descriptor, info.ai_addr, info.ai_addrlen) == 0, Glibc.listen(descriptor, 1024) == 0,
      let port = port(of: descriptor)
    else {
      let code = errno
      close(descriptor)
      throw code == EADDRINUSE ? .portTaken(place) : .refused(place, errno: code)
    }
    return (descriptor, port)
  }

  private static func port(of descriptor: Int32) -> Int? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let status = withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    guard status == 0 else { return nil }
    // IPv4 and IPv6 addresses both have the port behind the family, most significant byte first.
    return withUnsafeBytes(of: storage) { Int(UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self))) }
  }
}
