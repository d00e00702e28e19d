internal import Glibc

/// Calls of glibc that its Swift module leaves out because it is imported without `_GNU_SOURCE`.
///
/// Looked up once by name; where one is missing the log works without it.
enum LinuxCalls {
  private typealias OneDescriptor = @convention(c) (Int32) -> Int32
  private typealias Allocate = @convention(c) (Int32, Int32, off_t, off_t) -> Int32
  private typealias NameThread = @convention(c) (pthread_t, UnsafePointer<CChar>) -> Int32

  private static let batch: Int32 = 3  // SCHED_BATCH
  private static let keepSize: Int32 = 1  // FALLOC_FL_KEEP_SIZE
  private static let syncfs = dlsym(nil, "syncfs").map { unsafeBitCast($0, to: OneDescriptor.self) }
  private static let fallocate = dlsym(nil, "fallocate").map { unsafeBitCast($0, to: Allocate.self) }
  private static let setName = dlsym(nil, "pthread_setname_np").map { unsafeBitCast($0, to: NameThread.self) }

  /// syncfs(2): 0 or `errno`.
  static func synchronizeVolume(_ descriptor: Int32) -> Int32 {
    guard let syncfs else { return ENOSYS }
    return syncfs(descriptor) == 0 ? 0 : errno
  }

  /// Room for a file up to a length, which does not change its size. False where the file system has none or cannot.
  static func allocate(_ descriptor: Int32, to length: off_t) -> Bool {
    guard let fallocate else { return false }
    return fallocate(descriptor, keepSize, 0, length) == 0
  }

  /// The calling thread's wake-ups push nobody off a processor: an event loop ends its turn first, and the log's batches
  /// grow with the load. An idle processor takes the thread at once, as before.
  static func yieldToOthers() {
    var parameters = sched_param()
    _ = pthread_setschedparam(pthread_self(), batch, &parameters)
  }

  /// The calling thread, not its process, gets a third of the time that another one gets that wants the same processor.
  static func beNice() { _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 5) }

  /// Names the calling thread, at most 15 bytes.
  static func nameThread(_ name: String) { _ = name.withCString { setName?(pthread_self(), $0) } }
}
