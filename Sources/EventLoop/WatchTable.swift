import CLinux
import Glibc

/// Which descriptors a loop's epoll set watches, for what and for whom; spares the kernel what it knows already.
///
/// Interest often goes and comes back between two reports: libcurl drops its own after each answer. Of a descriptor that
/// was announced the kernel is told only interest that it does not have, or when it reports and nobody is interested. All
/// others leave the set as soon as nobody wants them: libcurl opens and closes some by itself and says nothing, and what
/// is remembered of a number must not be held against the next descriptor that gets it.
final class WatchTable {
  private struct Entry {
    var kernel: Interest = []
    var wanted: Interest = []
    var isAnnounced = false
    // Not retained: a watcher takes its descriptors back before it goes.
    var watcher: Unmanaged<Watcher>?
  }

  /// The kernel's limit of descriptors is far lower; a number beyond this is none.
  private static let most: Int32 = 1 << 22

  private let set: Int32
  private var entries = [Entry](repeating: Entry(), count: 1024)

  /// - Parameter set: The epoll set; stays its owner's.
  init(set: Int32) { self.set = set }

  /// The descriptor has just been opened, and ``forget(_:)`` comes before it is closed.
  func announce(_ descriptor: Int32) {
    guard let index = index(of: descriptor) else { return }
    entries[index] = Entry(isAnnounced: true)
  }

  /// Where a descriptor's entry is; nil for numbers that are none.
  private func index(of descriptor: Int32) -> Int? {
    guard descriptor >= 0, descriptor < Self.most else { return nil }
    while Int(descriptor) >= entries.count {
      entries.append(contentsOf: repeatElement(Entry(), count: entries.count))
    }
    return Int(descriptor)
  }

  /// No interest at all keeps an announced descriptor in the kernel's set until its next report.
  func want(_ descriptor: Int32, _ interest: Interest, _ watcher: Watcher) {
    guard let index = index(of: descriptor) else { return }
    guard !interest.isEmpty || entries[index].isAnnounced else { return forget(descriptor) }
    entries[index].wanted = interest
    entries[index].watcher = interest.isEmpty ? nil : Unmanaged.passUnretained(watcher)
    let kernel = entries[index].kernel
    guard !interest.isEmpty, interest != kernel else { return }
    guard tell(kernel.isEmpty ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, interest) else { return }
    entries[index].kernel = interest
  }

  private func tell(_ operation: Int32, _ descriptor: Int32, _ interest: Interest) -> Bool {
    if th_epoll_control(set, operation, descriptor, Self.bits(interest)) == 0 { return true }
    // The kernel knows better whether it has the descriptor.
    switch errno {
    case ENOENT where operation == EPOLL_CTL_MOD:
      return th_epoll_control(set, EPOLL_CTL_ADD, descriptor, Self.bits(interest)) == 0
    case EEXIST where operation == EPOLL_CTL_ADD:
      return th_epoll_control(set, EPOLL_CTL_MOD, descriptor, Self.bits(interest)) == 0
    default: return false
    }
  }

  /// Who waits for this descriptor; a report that nobody waits for takes it out of the set.
  func watcher(of descriptor: Int32) -> Watcher? {
    guard descriptor >= 0, Int(descriptor) < entries.count else { return nil }
    let index = Int(descriptor)
    guard entries[index].wanted.isEmpty else { return entries[index].watcher?.takeUnretainedValue() }
    if !entries[index].kernel.isEmpty {
      _ = th_epoll_control(set, EPOLL_CTL_DEL, descriptor, 0)
      entries[index].kernel = []
    }
    return nil
  }

  /// The descriptor is about to be closed; its number will come back as another one.
  func forget(_ descriptor: Int32) {
    guard descriptor >= 0, Int(descriptor) < entries.count else { return }
    if !entries[Int(descriptor)].kernel.isEmpty { _ = th_epoll_control(set, EPOLL_CTL_DEL, descriptor, 0) }
    entries[Int(descriptor)] = Entry()
  }

  private static func bits(_ interest: Interest) -> UInt32 {
    (interest.contains(.readable) ? EPOLLIN.rawValue : 0) | (interest.contains(.writable) ? EPOLLOUT.rawValue : 0)
      | (interest.contains(.peerClosed) ? EPOLLRDHUP.rawValue : 0)
  }

  static func events(_ bits: UInt32) -> Events {
    var events: Events = []
    if bits & EPOLLIN.rawValue != 0 { events.insert(.readable) }
    if bits & EPOLLOUT.rawValue != 0 { events.insert(.writable) }
    if bits & EPOLLRDHUP.rawValue != 0 { events.insert(.peerClosed) }
    if bits & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 { events.insert(.failed) }
    return events
  }
}
