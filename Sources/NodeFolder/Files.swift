import Glibc
import Quotas

/// The few system calls of the node's folder, with errors instead of codes.
enum Files {
  private static func failure(_ what: String) -> QuotaError {
    QuotaError(.folderUnusable, "\(what): \(String(cString: strerror(errno)))")
  }

  static func makeFolder(_ path: String) throws(QuotaError) {
    if mkdir(path, 0o700) != 0 && errno != EEXIST { throw failure("mkdir") }
  }

  /// - Returns: a descriptor that holds the lock until it is closed.
  static func lock(_ path: String) throws(QuotaError) -> Int32 {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure("open lock") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let isTaken = errno == EWOULDBLOCK
      let error = isTaken ? QuotaError(.folderLocked, "another process holds this data folder") : failure("flock")
      close(descriptor)
      throw error
    }
    return descriptor
  }

  /// Nil if there is no such file.
  static func read(_ path: String) throws(QuotaError) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 {
      if errno == ENOENT { return nil }
      throw failure("open")
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count == 0 { return bytes }
      if count < 0 {
        if errno == EINTR { continue }
        throw failure("read")
      }
      bytes.append(contentsOf: chunk[..<count])
    }
  }

  /// Durable or not done: a new file is synced, renamed over the old one, and the folder is synced.
  static func replace(_ path: String, with bytes: [UInt8]) throws(QuotaError) {
    let fresh = path + ".new"
    let descriptor = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure("create") }
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        let error = failure("write")
        close(descriptor)
        throw error
      }
      written += count
    }
    guard fsync(descriptor) == 0 else {
      let error = failure("fsync")
      close(descriptor)
      throw error
    }
    close(descriptor)
    guard rename(fresh, path) == 0 else { throw failure("rename") }
    let folder = open(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw failure("open folder") }
    defer { close(folder) }
    guard fsync(folder) == 0 else { throw failure("fsync folder") }
  }

  static func remove(_ path: String) throws(QuotaError) {
    if unlink(path) != 0 && errno != ENOENT { throw failure("unlink") }
  }

  static func names(in path: String) throws(QuotaError) -> [String] {
    guard let folder = opendir(path) else { throw failure("opendir") }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }
}
