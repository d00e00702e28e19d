import CLinux
import EventLoop
import Glibc

/// A listening socket; accepts on one loop and gives each connection away.
final class Listener: Watcher {
  private let loop: EventLoop
  private let descriptor: Int32
  private let path: String?
  private let accepted: (Int32, SourceAddress) -> Void
  private var isOpen = true
  private var isAccepting = false

  /// - Parameter accepted: Takes over the connection's descriptor.
  init(_ socket: ListeningSocket, on loop: EventLoop, accepted: @escaping (Int32, SourceAddress) -> Void) {
    self.loop = loop
    descriptor = socket.descriptor
    path = socket.path
    self.accepted = accepted
  }

  func start() {
    guard isOpen, !isAccepting else { return }
    isAccepting = true
    watch()
  }

  func pause() {
    guard isOpen, isAccepting else { return }
    isAccepting = false
    loop.forget(descriptor)
  }

  private func watch() {
    loop.announce(descriptor)
    loop.watch(descriptor, .readable, by: self)
  }

  /// Accepts no more but who has connected already: the kernel would reset them.
  /// - Parameter isHandedOver: Another process goes on listening: the socket's file stays, and who waits is that one's.
  func close(isHandedOver: Bool) {
    guard isOpen else { return }
    if let path, !isHandedOver { unlink(path) }
    if isAccepting {
      // As many as may wait; more come from whoever connects without end.
      if !isHandedOver { for _ in 0..<ListeningSocket.backlog where !accept() { break } }
      loop.forget(descriptor)
    }
    isOpen = false
    Glibc.close(descriptor)
  }

  override func ready(_ descriptor: Int32, _ events: Events) {
    // A bound, so that a flood of connections leaves the open ones their turn.
    for _ in 0..<16 where !(isAccepting && isOpen && accept()) { return }
  }

  /// - Returns: False if there is nobody to accept, or no descriptor for them.
  private func accept() -> Bool {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let connection = withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { th_accept(descriptor, $0, &length) }
    }
    guard connection >= 0 else {
      if errno == ECONNABORTED || errno == EINTR { return true }
      if errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM { rest() }
      return false
    }
    var one: Int32 = 1
    setsockopt(connection, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    let source = withUnsafePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { SourceAddress($0) }
    }
    accepted(connection, source)
    return true
  }

  /// No descriptor is left: the socket would report without end. Who waits is accepted when others have gone.
  private func rest() {
    loop.forget(descriptor)
    loop.schedule(at: loop.now + 100_000_000) { [weak self] in
      guard let self, isOpen, isAccepting else { return }
      watch()
    }
  }
}
