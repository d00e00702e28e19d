internal import Dispatch
internal import Glibc

/// One named thread that runs a closure to its end.
public final class WorkerThread: Sendable {
  private final class Body {
    let name: String
    let isNice: Bool
    let run: @Sendable () -> Void
    let ended: DispatchSemaphore
    init(name: String, isNice: Bool, run: @escaping @Sendable () -> Void, ended: DispatchSemaphore) {
      self.name = name
      self.isNice = isNice
      self.run = run
      self.ended = ended
    }
  }

  private let ended = DispatchSemaphore(value: 0)

  /// - Parameters:
  ///   - name: At most 15 bytes, as the kernel shows it.
  ///   - isNice: Its work is long: where processors are scarce it gets less of them than others.
  public init(_ name: String, isNice: Bool = false, run: @escaping @Sendable () -> Void) throws(SealedLogError) {
    let body = Unmanaged.passRetained(Body(name: name, isNice: isNice, run: run, ended: ended))
    var thread = pthread_t()
    let number = pthread_create(
      &thread, nil,
      { raw in
        guard let raw else { return nil }
        let body = Unmanaged<Body>.fromOpaque(raw).takeRetainedValue()
        LinuxCalls.nameThread(body.name)
        LinuxCalls.yieldToOthers()
        if body.isNice { LinuxCalls.beNice() }
        body.run()
        body.ended.signal()
        return nil
      }, body.toOpaque())
    guard number == 0 else {
      body.release()
      throw .disk("pthread_create", number)
    }
    pthread_detach(thread)
  }

  /// Waits for the end; once.
  public func join() { ended.wait() }
}

/// Wakes one sleeping thread; costs its callers no system call while it is awake.
final class WakeUp: Sendable {
  private let semaphore = DispatchSemaphore(value: 0)
  private let isSet = Flag()

  func signal() { if isSet.set() { semaphore.signal() } }

  /// Sleeps until a signal or the timeout.
  func wait(nanoseconds: UInt64) {
    let limit = DispatchTime.now() + .nanoseconds(Int(min(nanoseconds, 3_600_000_000_000)))
    if semaphore.wait(timeout: limit) == .timedOut {
      // a signal between timeout and here is consumed by the next wait
      return
    }
    isSet.clear()
  }
}
