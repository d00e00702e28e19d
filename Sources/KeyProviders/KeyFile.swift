internal import Glibc
internal import SealedLog

/// System calls on key files: small, 0600, durable before the call returns.
enum KeyFile {
  /// Nil when there is no such file.
  static func read(_ path: String) throws(KeyProviderError) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else {
      guard errno == ENOENT else { throw KeyProviderError(.unavailable, "open \(errno)") }
      return nil
    }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let got = Glibc.read(descriptor, &bytes, bytes.count)
    guard got >= 0 else { throw KeyProviderError(.unavailable, "read \(errno)") }
    return Array(bytes[..<got])
  }

  /// Makes a new file; an existing one is never replaced.
  static func create(_ path: String, _ bytes: [UInt8], folder: String) throws(KeyProviderError) {
    let temporary = path + ".new"
    unlink(temporary)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw KeyProviderError(.unavailable, "open \(errno)") }
    let written = write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
    let number = errno
    close(descriptor)
    guard written, link(temporary, path) == 0 else {
      let code: KeyProviderError.Code = written && errno == EEXIST ? .exists : .unavailable
      unlink(temporary)
      throw KeyProviderError(code, "write \(number)")
    }
    unlink(temporary)
    try synchronizeFolder(folder)
  }

  /// Throws where that cannot be told: what may be there does not count as missing.
  static func exists(_ path: String) throws(KeyProviderError) -> Bool {
    if access(path, F_OK) == 0 { return true }
    guard errno == ENOENT else { throw KeyProviderError(.unavailable, "access \(errno)") }
    return false
  }

  /// Makes an empty file; one that is there stays.
  static func mark(_ path: String) throws(KeyProviderError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw KeyProviderError(.unavailable, "open \(errno)") }
    close(descriptor)
  }

  /// Overwrites and unlinks; a missing file counts as destroyed.
  static func destroy(_ path: String) throws(KeyProviderError) {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else {
      guard errno == ENOENT else { throw KeyProviderError(.unavailable, "open \(errno)") }
      return
    }
    var status = stat()
    fstat(descriptor, &status)
    let zeros = [UInt8](repeating: 0, count: max(64, min(Int(status.st_size), 4096)))
    let overwritten = write(descriptor, zeros, zeros.count) == zeros.count && fsync(descriptor) == 0
    close(descriptor)
    guard unlink(path) == 0, overwritten else { throw KeyProviderError(.unavailable, "destroy \(errno)") }
  }

  static func synchronizeFolder(_ path: String) throws(KeyProviderError) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw KeyProviderError(.unavailable, "open \(errno)") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw KeyProviderError(.unavailable, "fsync \(errno)") }
  }

  static func names(in path: String) throws(KeyProviderError) -> [String] {
    guard let folder = opendir(path) else { throw KeyProviderError(.unavailable, "opendir \(errno)") }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) { pointer in
          pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        })
    }
    return names
  }
}
