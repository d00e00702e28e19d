internal import Glibc

/// System calls on whole files and folders, off the writing path.
enum Files {
  /// Makes a folder and its parents, 0700.
  static func makeFolders(_ path: String) throws(SealedLogError) {
    var at = path.startIndex
    while at != path.endIndex {
      let next = path[path.index(after: at)...].firstIndex(of: "/") ?? path.endIndex
      let part = String(path[..<next])
      if mkdir(part, 0o700) != 0 {
        let number = errno
        guard number == EEXIST else { throw .disk("mkdir", number) }
      } else if let parent = part.lastIndex(of: "/"), parent != part.startIndex {
        try synchronizeFolder(String(part[..<parent]))
      }
      at = next
    }
  }

  /// Keeps other processes from changing what lies in a folder, as far as they ask; until the descriptor is closed.
  static func lockFolder(_ path: String) throws(SealedLogError) -> Int32 {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .disk("open folder", errno) }
    while flock(descriptor, LOCK_EX) != 0 {
      guard errno == EINTR else {
        let number = errno
        close(descriptor)
        throw .disk("lock folder", number)
      }
    }
    return descriptor
  }

  static func unlock(_ descriptor: Int32) { close(descriptor) }

  static func synchronizeFolder(_ path: String) throws(SealedLogError) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .disk("open folder", errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .disk("fsync folder", errno) }
  }

  /// The names in a folder, sorted; empty when there is none. One that cannot be read is no empty one: whoever goes on
  /// from the newest segment would begin the stream anew.
  static func names(in path: String) throws(SealedLogError) -> [String] {
    guard let folder = opendir(path) else {
      let number = errno
      guard number == ENOENT || number == ENOTDIR else { throw .disk("open folder", number) }
      return []
    }
    defer { closedir(folder) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(folder) else {
        let number = errno
        guard number == 0 else { throw .disk("read folder", number) }
        break
      }
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Nil only if there is no such file.
  static func size(ifThere path: String) throws(SealedLogError) -> Int? {
    var status = stat()
    guard stat(path, &status) == 0 else {
      let number = errno
      guard number == ENOENT else { throw .disk("stat", number) }
      return nil
    }
    return Int(status.st_size)
  }

  /// Reads a file to its end at this moment.
  static func read(_ path: String, limit: Int = 1 << 30) throws(SealedLogError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .disk("open", errno) }
    defer { close(descriptor) }
    return try read(descriptor, limit: limit)
  }

  static func size(_ descriptor: Int32) throws(SealedLogError) -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .disk("fstat", errno) }
    return Int(status.st_size)
  }

  /// - Parameter end: Reads no further, though the file may have grown since.
  static func read(_ descriptor: Int32, to end: Int = .max, limit: Int = 1 << 30) throws(SealedLogError) -> [UInt8] {
    let size = min(try Self.size(descriptor), end)
    guard size <= limit else { throw .malformed("file of \(size) bytes") }
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while count < size {
        let got = pread(descriptor, buffer.baseAddress.map { $0 + count }, size - count, off_t(count))
        if got < 0 && errno == EINTR { continue }
        if got < 0 { failure = errno }
        if got <= 0 { break }
        count += got
      }
    }
    guard failure == 0 else { throw .disk("read", failure) }
    return bytes
  }

  /// Replaces a file by temp file, fsync, rename, fsync of the folder.
  static func replace(_ path: String, with bytes: [UInt8], synchronizingFolder: Bool = true) throws(SealedLogError) {
    let temporary = path + ".new"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .disk("open", errno) }
    do throws(SealedLogError) {
      try writeAll(descriptor, bytes)
      guard fsync(descriptor) == 0 else { throw .disk("fsync", errno) }
      close(descriptor)
    } catch {
      close(descriptor)
      unlink(temporary)
      throw error
    }
    guard rename(temporary, path) == 0 else { throw .disk("rename", errno) }
    if synchronizingFolder, let end = path.lastIndex(of: "/") { try synchronizeFolder(String(path[..<end])) }
  }

  static func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) throws(SealedLogError) {
    var done = 0
    while done < bytes.count {
      let put = bytes.withUnsafeBytes { buffer in
        write(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done)
      }
      if put < 0 && errno == EINTR { continue }
      guard put > 0 else { throw .disk("write", errno) }
      done += put
    }
  }
}
