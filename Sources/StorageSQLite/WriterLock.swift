internal import Glibc

/// Keeps the processes that have one database open from writing to it, or moving its log into it, at the same time.
///
/// SQLite has locks of its own for that. But versions before 3.51.3 may damage a file when two connections write or
/// checkpoint in the same instant while its write-ahead log begins anew; Debian 12 has 3.40.1. Usually there is one
/// process and the lock costs two system calls a transaction; there are two while one relieves the other.
final class WriterLock: Sendable {
  /// The lock cannot be had, for the reason that `errno` gives: nothing may be written.
  struct Unavailable: Error { let number: Int32 }

  private let descriptor: Int32

  /// - Parameter path: Of the database; the lock is a file beside it.
  init?(_ path: String) {
    let descriptor = open("\(path)-lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return nil }
    self.descriptor = descriptor
  }

  /// - Parameter descriptor: Of the lock's file; this closes it.
  init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Waits for the other process's transaction, if it is in one.
  /// - Throws: What `body` throws; ``Unavailable`` before it has begun.
  func hold<Value>(_ body: () throws -> Value) throws -> Value {
    while flock(descriptor, LOCK_EX) != 0 {
      guard errno == EINTR else { throw Unavailable(number: errno) }
    }
    defer { flock(descriptor, LOCK_UN) }
    return try body()
  }
}
