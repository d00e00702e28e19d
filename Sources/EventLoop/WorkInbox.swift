import CLinux
import Glibc
import Synchronization

/// Work that other threads leave for a loop. A sleeping loop is woken through an eventfd, an awake one finds the work by
/// itself: while it is busy its senders make no system call.
final class WorkInbox: Sendable {
  private struct State {
    var work: [@Sendable () -> Void] = []
    var isClosed = false
  }

  /// Readable when a sleeping loop has work.
  let signal: Int32
  private let state = Mutex(State())
  private let isAsleep = Atomic<Bool>(false)

  init() throws(EventLoopError) {
    signal = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
    guard signal >= 0 else { throw .noDescriptor(errno) }
  }

  deinit { Glibc.close(signal) }

  /// - Returns: False once the loop has ended: the work will never be done.
  func leave(_ work: @escaping @Sendable () -> Void) -> Bool {
    let isTaken = state.withLock { state in
      guard !state.isClosed else { return false }
      state.work.append(work)
      return true
    }
    if isTaken, isAsleep.exchange(false, ordering: .sequentiallyConsistent) {
      var one: UInt64 = 1
      _ = write(signal, &one, 8)
    }
    return isTaken
  }

  /// Before the loop waits.
  /// - Returns: False if there is work already: then it must not sleep.
  func fallAsleep() -> Bool {
    isAsleep.store(true, ordering: .sequentiallyConsistent)
    // Who left work before this look is seen by it; who leaves some after it sees the loop asleep.
    guard state.withLock({ $0.work.isEmpty }) else {
      isAsleep.store(false, ordering: .relaxed)
      return false
    }
    return true
  }

  func awake() { isAsleep.store(false, ordering: .relaxed) }

  /// Clears the signal after it has reported.
  func clearSignal() {
    var count: UInt64 = 0
    _ = read(signal, &count, 8)
  }

  /// All that was left, in its order; `spare` takes the place of the list, so that neither is allocated anew.
  func take(into spare: inout [@Sendable () -> Void]) {
    state.withLock { if !$0.work.isEmpty { swap(&$0.work, &spare) } }
  }

  /// Nothing more is taken; what has been left is returned.
  func close() -> [@Sendable () -> Void] {
    state.withLock { state in
      state.isClosed = true
      defer { state.work = [] }
      return state.work
    }
  }
}
