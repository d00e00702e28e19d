import CLinux
import Glibc

/// A kernel's epoll set as the tests look at it; closed when it goes.
final class EpollSet {
  let descriptor: Int32
  init() { descriptor = epoll_create1(Int32(EPOLL_CLOEXEC)) }
  deinit { close(descriptor) }

  /// What is ready now: descriptors and their events.
  func ready() -> [Int32: UInt32] {
    var events = [epoll_event](repeating: epoll_event(), count: 16)
    let count = Int(epoll_wait(descriptor, &events, 16, 0))
    var ready: [Int32: UInt32] = [:]
    for event in events.prefix(max(0, count)) { ready[event.data.fd] = event.events }
    return ready
  }
}

/// Two connected sockets, closed when they go.
final class SocketPair {
  let near: Int32
  let far: Int32
  private var farIsOpen = true

  init() {
    var pair: [Int32] = [-1, -1]
    _ = socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0, &pair)
    near = pair[0]
    far = pair[1]
  }

  deinit {
    close(near)
    closeFar()
  }

  func send() {
    var byte: UInt8 = 1
    _ = write(far, &byte, 1)
  }

  func closeFar() {
    if farIsOpen { close(far) }
    farIsOpen = false
  }
}
