internal import Glibc

/// One file that only grows. Calls answer with `errno`, so that the writer decides what a fault means.
public protocol SegmentFile: AnyObject, Sendable {
  /// Appends; may write less than asked.
  /// - Returns: How many bytes were written, or the negative `errno`.
  func append(_ bytes: UnsafeRawBufferPointer) -> Int
  /// Appends several pieces, of which none is empty; may write less than asked. The same answer.
  func append(_ pieces: ArraySlice<UnsafeRawBufferPointer>) -> Int
  /// From now on what is appended may go by way of memory that outlives the process, if the disk has some.
  func goByMemory()
  /// Whether the file takes so many bytes in one piece without asking the volume for anything, if the disk does.
  func takesAtOnce(_ count: Int) -> Bool
  /// What was appended stands in the file, as far as others can see. 0 or `errno`; may be tried again.
  func settle() -> Int32
  /// Has the volume keep room up to this length, without changing the file's own. False where it has none, or cannot.
  func allocate(to length: Int) -> Bool
  /// Makes what was appended durable. 0 or `errno`. After a failure the file is never synced again.
  func synchronize() -> Int32
  /// Cuts the file. 0 or `errno`.
  func truncate(to length: Int) -> Int32
  func close()
}

extension SegmentFile {
  public func append(_ pieces: ArraySlice<UnsafeRawBufferPointer>) -> Int { pieces.first.map(append) ?? 0 }

  public func goByMemory() {}

  public func takesAtOnce(_ count: Int) -> Bool { false }

  public func settle() -> Int32 { 0 }

  public func allocate(to length: Int) -> Bool { false }
}

/// The volume of a log: where its files come from. The second implementation is the faulty disk of the tests.
public protocol LogDisk: Sendable {
  /// Makes a new file that others see as owned (a lock) while it is open, with room allocated ahead.
  func create(_ path: String) throws(SealedLogError) -> any SegmentFile
  /// Opens a file that exists, or makes it, to append at its end. Not owned.
  func open(_ path: String) throws(SealedLogError) -> any SegmentFile
  /// Gives a file the name under which others look for it. Fails if something has that name.
  func rename(_ path: String, to name: String) throws(SealedLogError)
  /// Replaces a small file as a whole: at no time does anybody find half of it.
  func replace(_ path: String, with bytes: [UInt8], synchronizingFolder: Bool) throws(SealedLogError)
  /// Takes a file away, if it is there.
  func remove(_ path: String)
  /// What was appended stands in the files, where others find it. Blocks.
  func flush()
  /// ``isFlushed(to:)`` is true of it once all that has been appended so far stands in the files.
  var flushMark: UInt64 { get }
  func isFlushed(to mark: UInt64) -> Bool
  /// Whether pieces of so many bytes in all, a kilobyte more for each, are appended without asking the volume for
  /// anything, as far as the disk is concerned: ``SegmentFile/takesAtOnce(_:)``.
  func takesAtOnce(_ bytes: Int) -> Bool
  /// Syncs everything of the volume at once. 0 or `errno`.
  func synchronizeVolume() -> Int32
}

extension LogDisk {
  public func rename(_ path: String, to name: String) throws(SealedLogError) {
    // Names hold the process's epoch and the folder is locked for one process: nobody makes it in between.
    guard !Files.exists(name) else { throw .disk("rename", EEXIST) }
    guard Glibc.rename(path, name) == 0 else { throw .disk("rename", errno) }
  }

  public func replace(_ path: String, with bytes: [UInt8], synchronizingFolder: Bool) throws(SealedLogError) {
    try Files.replace(path, with: bytes, synchronizingFolder: synchronizingFolder)
  }

  public func remove(_ path: String) { unlink(path) }

  public func flush() {}

  public var flushMark: UInt64 { 0 }

  public func isFlushed(to mark: UInt64) -> Bool { true }

  public func takesAtOnce(_ bytes: Int) -> Bool { false }
}

/// The file system.
public final class PosixDisk: LogDisk {
  private let folder: Int32

  /// - Parameter folder: Any folder of the volume; made when missing.
  public init(folder: String) throws(SealedLogError) {
    try Files.makeFolders(folder)
    self.folder = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard self.folder >= 0 else { throw .disk("open folder", errno) }
  }

  deinit { Glibc.close(folder) }

  public func create(_ path: String) throws(SealedLogError) -> any SegmentFile {
    try PosixSegmentFile(path, flags: O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, owned: true)
  }

  public func open(_ path: String) throws(SealedLogError) -> any SegmentFile {
    try PosixSegmentFile(path, flags: O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, owned: false)
  }

  public func synchronizeVolume() -> Int32 { LinuxCalls.synchronizeVolume(folder) }

  static func isOwned(_ path: String) -> Bool {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { Glibc.close(descriptor) }
    return isOwned(descriptor)
  }

  /// Whether some process has the file open as its own segment.
  static func isOwned(_ descriptor: Int32) -> Bool {
    guard flock(descriptor, LOCK_SH | LOCK_NB) != 0 else {
      flock(descriptor, LOCK_UN)
      return false
    }
    return errno == EWOULDBLOCK
  }
}

private final class PosixSegmentFile: SegmentFile {
  private static let allocatedAhead: off_t = 256 * 1024
  /// Of one call; the kernel takes at most 1,024.
  private static let vectors = 256
  private let descriptor: Int32

  init(_ path: String, flags: Int32, owned: Bool) throws(SealedLogError) {
    descriptor = Glibc.open(path, flags, 0o600)
    guard descriptor >= 0 else { throw .disk("open", errno) }
    guard owned else { return }
    _ = LinuxCalls.allocate(descriptor, to: Self.allocatedAhead)
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let number = errno
      Glibc.close(descriptor)
      unlink(path)
      throw .disk("flock", number)
    }
  }

  func append(_ bytes: UnsafeRawBufferPointer) -> Int {
    while true {
      let count = write(descriptor, bytes.baseAddress, bytes.count)
      if count >= 0 { return count }
      let number = errno
      if number != EINTR { return -Int(number) }
    }
  }

  func append(_ pieces: ArraySlice<UnsafeRawBufferPointer>) -> Int {
    var vectors = pieces.prefix(Self.vectors).map {
      iovec(iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress), iov_len: $0.count)
    }
    while true {
      let count = writev(descriptor, &vectors, Int32(vectors.count))
      if count >= 0 { return count }
      let number = errno
      if number != EINTR { return -Int(number) }
    }
  }

  func allocate(to length: Int) -> Bool { LinuxCalls.allocate(descriptor, to: off_t(length)) }

  func synchronize() -> Int32 { fdatasync(descriptor) == 0 ? 0 : errno }

  func truncate(to length: Int) -> Int32 { ftruncate(descriptor, off_t(length)) == 0 ? 0 : errno }

  func close() { Glibc.close(descriptor) }
}

/// Of many bytes that many are appended at once.
private let appendedBytes = 256 * 1024

extension SegmentFile {
  /// Appends all of `bytes`, or cuts the file back to `length` and answers with `errno`.
  /// - Parameters:
  ///   - isRagged: Whether bytes of an earlier call may lie behind `length`, because the file could not be cut either.
  ///     Nothing is appended to those: what follows would look as if somebody had damaged what is before it.
  ///   - between: Called between two pieces of many bytes: the kernel copies a megabyte in two milliseconds.
  func appendAll(_ bytes: [UInt8], at length: Int, isRagged: inout Bool, between: () -> Void = {}) -> Int32 {
    if isRagged {
      let number = truncate(to: length)
      guard number == 0 else { return number }
      isRagged = false
    }
    return bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        let end = min(done + appendedBytes, buffer.count)
        let count = append(UnsafeRawBufferPointer(rebasing: buffer[done..<end]))
        guard count > 0 else {
          isRagged = truncate(to: length) != 0
          return count == 0 ? EIO : Int32(-count)
        }
        done += count
        if done < buffer.count { between() }
      }
      return 0
    }
  }

  /// Appends all pieces, or answers with `errno`: then some bytes may lie there.
  func appendAll(_ pieces: [UnsafeRawBufferPointer]) -> Int32 {
    var rest = ArraySlice(pieces.filter { !$0.isEmpty })
    while let first = rest.first {
      var count = append(rest)
      guard count > 0 else { return count == 0 ? EIO : Int32(-count) }
      if count < first.count {
        rest[rest.startIndex] = UnsafeRawBufferPointer(rebasing: first[count...])
        continue
      }
      while let next = rest.first, count >= next.count {
        count -= next.count
        rest.removeFirst()
      }
      if count > 0, let next = rest.first {
        rest[rest.startIndex] = UnsafeRawBufferPointer(rebasing: next[count...])
      }
    }
    return 0
  }

  /// The same for a file to which nothing more is appended after a failure.
  func appendAll(_ bytes: [UInt8], at length: Int) -> Int32 {
    var isRagged = false
    return appendAll(bytes, at: length, isRagged: &isRagged)
  }
}
