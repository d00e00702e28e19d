import Glibc

/// Brings what a process has left in its ``StagedMemory`` into the files it was meant for. The caller holds the lock that
/// the process held. May be killed anywhere and run again: a piece stands at its own offset.
///
/// Nothing in the file is trusted further than it is checked: a copy of it may have been taken while it was written.
public struct StagedReplay {
  /// What was found.
  public struct Report: Sendable, Equatable {
    /// Bytes that their files lacked.
    public var bytes = 0
    public var files = 0
    /// Pieces for files that are gone, that end before the piece begins, or that hold something else in its place.
    public var homeless = 0

    public init() {}
  }

  /// - Parameters:
  ///   - path: Of the staged memory.
  ///   - folder: What the pieces' paths are relative to.
  /// - Throws: If a file cannot be read or written: then all is kept, and can be tried again.
  @discardableResult
  public static func run(_ path: String, into folder: String) throws(StagingError) -> Report {
    let descriptor = Glibc.open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else {
      if errno == ENOENT { return Report() }
      throw StagingError(what: "staged records", number: errno)
    }
    defer { close(descriptor) }
    var replay = StagedReplay(folder: folder)
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw StagingError(what: "staged records", number: errno) }
    let size = Int(status.st_size)
    if size > StagedLayout.headerBytes, size <= 1 << 31 {
      guard let mapped = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), mapped != MAP_FAILED else {
        throw StagingError(what: "staged records", number: errno)
      }
      defer { munmap(mapped, size) }
      try replay.take(UnsafeRawBufferPointer(start: mapped, count: size))
    }
    // Never twice: whoever writes the files from now on may cut them.
    guard unlink(path) == 0 else { throw StagingError(what: "staged records", number: errno) }
    return replay.report
  }

  private let folder: String
  private var report = Report()
  private var open: [String: (descriptor: Int32, size: Int)] = [:]
  /// Files that lack something that was not staged: what follows it has no place.
  private var broken: Set<String> = []
  private var seen: Set<String> = []
  private static let mostOpen = 256

  private init(folder: String) { self.folder = folder }

  private mutating func take(_ memory: UnsafeRawBufferPointer) throws(StagingError) {
    defer { for (_, file) in open { close(file.descriptor) } }
    func word(_ at: Int) -> UInt64 { memory.loadUnaligned(fromByteOffset: at, as: UInt64.self) }
    let boot = memory.loadUnaligned(fromByteOffset: 16, as: UInt128.self)
    guard word(0) == StagedLayout.magic, boot != 0, boot == StagedLayout.currentBoot(),
      let half = Int(exactly: word(8)), half > 0, half <= (memory.count - StagedLayout.headerBytes) / 2
    else { return }
    let older = word(StagedLayout.generationAt(0)) <= word(StagedLayout.generationAt(1)) ? 0 : 1
    for index in [older, 1 - older] {
      let start = StagedLayout.headerBytes + index * half
      let used = min(Int(exactly: word(StagedLayout.usedAt(index))) ?? 0, half)
      try take(pieces: UnsafeRawBufferPointer(rebasing: memory[start..<(start + used)]))
    }
    // Also where all of it is there already: whoever wrote it may have died before it was safe.
    if report.files > 0 { try synchronizeVolume() }
  }

  /// One call, however many files: whoever starts is waited for.
  private func synchronizeVolume() throws(StagingError) {
    typealias OneDescriptor = @convention(c) (Int32) -> Int32
    let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StagingError(what: "staged records", number: errno) }
    defer { close(descriptor) }
    // Missing from the imported module, for that is made without _GNU_SOURCE.
    guard let syncfs = dlsym(nil, "syncfs").map({ unsafeBitCast($0, to: OneDescriptor.self) }) else { return sync() }
    guard syncfs(descriptor) == 0 else { throw StagingError(what: "staged records", number: errno) }
  }

  private mutating func take(pieces: UnsafeRawBufferPointer) throws(StagingError) {
    var at = 0
    while pieces.count - at >= StagedLayout.pieceHeaderBytes {
      let length = Int(pieces.loadUnaligned(fromByteOffset: at, as: UInt32.self))
      let path = Int(pieces.loadUnaligned(fromByteOffset: at + 4, as: UInt16.self))
      let state = pieces.loadUnaligned(fromByteOffset: at + 6, as: UInt16.self)
      let rest = length - StagedLayout.pieceHeaderBytes - path
      guard length % 8 == 0, rest >= 0, length <= pieces.count - at,
        let offset = Int(exactly: pieces.loadUnaligned(fromByteOffset: at + 8, as: UInt64.self)),
        let count = Int(exactly: pieces.loadUnaligned(fromByteOffset: at + 16, as: UInt64.self)), count <= rest
      else { return }
      if state == StagedLayout.live {
        let name = at + StagedLayout.pieceHeaderBytes
        let bytes = UnsafeRawBufferPointer(rebasing: pieces[(name + path)..<(name + path + count)])
        try write(bytes, to: String(decoding: pieces[name..<(name + path)], as: UTF8.self), at: offset)
      }
      at += length
    }
  }

  private mutating func write(_ bytes: UnsafeRawBufferPointer, to path: String, at offset: Int) throws(StagingError) {
    guard !broken.contains(path), let file = try file(path) else { return report.homeless += 1 }
    guard offset <= file.size else {
      broken.insert(path)
      return report.homeless += 1
    }
    // What stands there already must be the same, else somebody has gone on with the file.
    guard try isSame(bytes.prefix(file.size - offset), as: file.descriptor, at: offset, path) else {
      broken.insert(path)
      return report.homeless += 1
    }
    var done = file.size - offset
    while done < bytes.count {
      let count = pwrite(file.descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw StagingError(what: "staged records of \(path)", number: count == 0 ? EIO : errno) }
      done += count
      report.bytes += count
      open[path]?.size = offset + done
    }
  }

  private func isSame(
    _ bytes: Slice<UnsafeRawBufferPointer>, as descriptor: Int32, at offset: Int, _ path: String
  ) throws(StagingError) -> Bool {
    var found = [UInt8](repeating: 0, count: bytes.count)
    var done = 0
    while done < found.count {
      let count = found.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress.map { $0 + done }, $0.count - done, off_t(offset + done))
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw StagingError(what: "staged records of \(path)", number: count == 0 ? EIO : errno) }
      done += count
    }
    return bytes.elementsEqual(found)
  }

  /// Nil if there is no such file, or the path leads out of the folder.
  private mutating func file(_ path: String) throws(StagingError) -> (descriptor: Int32, size: Int)? {
    if let known = open[path] { return known }
    if open.count >= Self.mostOpen {
      for (_, file) in open { close(file.descriptor) }
      open.removeAll()
    }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard !path.utf8.contains(0), parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else { return nil }
    let descriptor = Glibc.open("\(folder)/\(path)", O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else {
      if [ENOENT, ENOTDIR, ELOOP, EISDIR, ENAMETOOLONG, ENXIO].contains(errno) { return nil }
      throw StagingError(what: "staged records of \(path)", number: errno)
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let number = errno
      close(descriptor)
      throw StagingError(what: "staged records of \(path)", number: number)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      return nil
    }
    if seen.insert(path).inserted { report.files += 1 }
    open[path] = (descriptor, Int(status.st_size))
    return open[path]
  }
}
