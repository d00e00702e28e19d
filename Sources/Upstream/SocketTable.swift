import CLinux
import Glibc

/// Which of libcurl's sockets a loop's epoll set watches, and for what; spares the kernel what it knows already.
///
/// libcurl drops its interest after each answer and takes it up again with the next request on the same connection.
/// The kernel is told only when the interest truly changes, or when a socket nobody is interested in reports.
final class SocketTable {
  private struct Entry {
    var kernel: UInt8 = 0  // what the epoll set has: 1 readable, 2 writable
    var wanted: UInt8 = 0  // what libcurl wants
    var owner: Unmanaged<MultiHandle>?  // not retained: a multi handle takes its sockets back before it goes
  }

  let set: Int32
  private var entries = [Entry](repeating: Entry(), count: 1024)

  init(set: Int32) { self.set = set }

  func want(_ descriptor: Int32, _ interest: UInt8, owner: MultiHandle) {
    guard descriptor >= 0, descriptor < 1 << 20 else { return }
    let index = Int(descriptor)
    while index >= entries.count { entries.append(Entry()) }
    entries[index].wanted = interest
    entries[index].owner = interest == 0 ? nil : Unmanaged.passUnretained(owner)
    let kernel = entries[index].kernel
    guard interest != 0, interest != kernel else { return }
    let operation = kernel == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD
    guard th_epoll_control(set, operation, descriptor, Self.events(interest)) == 0 else { return }
    entries[index].kernel = interest
  }

  /// Who waits for this socket; a report that nobody waits for takes the socket out of the set.
  func owner(of descriptor: Int32) -> MultiHandle? {
    guard descriptor >= 0, Int(descriptor) < entries.count else { return nil }
    let entry = entries[Int(descriptor)]
    if entry.wanted != 0 { return entry.owner?.takeUnretainedValue() }
    if entry.kernel != 0 {
      _ = th_epoll_control(set, EPOLL_CTL_DEL, descriptor, 0)
      entries[Int(descriptor)].kernel = 0
    }
    return nil
  }

  /// The descriptor is about to be closed; its number will come back as another socket.
  func forget(_ descriptor: Int32) {
    guard descriptor >= 0, Int(descriptor) < entries.count else { return }
    if entries[Int(descriptor)].kernel != 0 { _ = th_epoll_control(set, EPOLL_CTL_DEL, descriptor, 0) }
    entries[Int(descriptor)] = Entry()
  }

  private static func events(_ interest: UInt8) -> UInt32 {
    (interest & 1 != 0 ? EPOLLIN.rawValue : 0) | (interest & 2 != 0 ? EPOLLOUT.rawValue : 0)
  }
}
