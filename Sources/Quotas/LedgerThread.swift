import Glibc
import Synchronization

/// The one thread that speaks to the ledger: runs turns when it is told that there is work, and four times a second.
final class LedgerThread: Sendable {
  private struct State {
    var handle: pthread_t?
    var turn: (@Sendable () -> Bool)?
  }

  private static let pauseNanoseconds: Int64 = 250_000_000
  private let state = Mutex(State())
  private let isEnding = Atomic<Bool>(false)
  private let working = Atomic<Int64>(0)
  private let bell = Bell()

  /// - Parameter turn: does a piece of work; true if there is more.
  func start(_ turn: @escaping @Sendable () -> Bool) {
    state.withLock { state in
      guard state.handle == nil, !isEnding.load(ordering: .relaxed) else { return }
      state.turn = turn
      var handle = pthread_t()
      let context = Unmanaged.passRetained(self)
      let result = pthread_create(
        &handle, nil,
        { context in
          guard let context else { return nil }
          Unmanaged<LedgerThread>.fromOpaque(context).takeRetainedValue().run()
          return nil
        }, context.toOpaque())
      if result == 0 {
        state.handle = handle
      } else {
        context.release()
      }
    }
  }

  func signal() { bell.ring() }

  /// Whether the turn in work takes longer than requests wait for one: the ledger's store hangs.
  var isStuck: Bool {
    let since = working.load(ordering: .relaxed)
    return since != 0 && Self.now - since > Self.longestNanoseconds
  }

  private static let longestNanoseconds: Int64 = 2_000_000_000

  private static var now: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// Ends the thread after its turn; returns when it is gone.
  func stop() {
    isEnding.store(true, ordering: .relaxed)
    signal()
    let handle = state.withLock { state in
      defer { state.handle = nil }
      return state.handle
    }
    if let handle { pthread_join(handle, nil) }
    state.withLock { $0.turn = nil }
  }

  /// Ends the thread without waiting for it, also from the thread itself.
  func abandon() {
    isEnding.store(true, ordering: .relaxed)
    signal()
    let handle = state.withLock { state in
      defer { state.handle = nil }
      return state.handle
    }
    if let handle { pthread_detach(handle) }
  }

  private func run() {
    guard let turn = state.withLock({ $0.turn }) else { return }
    while !isEnding.load(ordering: .relaxed) {
      working.store(Self.now, ordering: .relaxed)
      let hasMore = turn()
      working.store(0, ordering: .relaxed)
      if hasMore { continue }
      bell.wait(nanoseconds: Self.pauseNanoseconds)
    }
  }
}

/// Wakes one sleeping thread; any number of rings before it looks are one.
private final class Bell: Sendable {
  private nonisolated(unsafe) let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private nonisolated(unsafe) let condition: UnsafeMutablePointer<pthread_cond_t>
  /// Guarded by the mutex.
  private nonisolated(unsafe) var hasRung = false

  init() {
    mutex = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
    condition = .allocate(capacity: 1)
    condition.initialize(to: pthread_cond_t())
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    condition.deallocate()
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  func ring() {
    pthread_mutex_lock(mutex)
    hasRung = true
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  func wait(nanoseconds pause: Int64) {
    var until = timespec()
    clock_gettime(CLOCK_MONOTONIC, &until)
    let nanoseconds = Int64(until.tv_nsec) + pause
    until.tv_sec += Int(nanoseconds / 1_000_000_000)
    until.tv_nsec = Int(nanoseconds % 1_000_000_000)
    pthread_mutex_lock(mutex)
    var result: Int32 = 0
    while !hasRung && result == 0 { result = pthread_cond_timedwait(condition, mutex, &until) }
    hasRung = false
    pthread_mutex_unlock(mutex)
  }
}
