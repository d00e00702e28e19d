internal import Glibc
public import Staging

/// A volume whose files take what is appended by way of memory that outlives the process, and get it in few large writes.
///
/// To append is then a copy: no call of the kernel, and no disk to wait for. What it needs of the volume was allocated
/// before, so that a full disk shows where it always has, when bytes are appended.
public final class StagedDisk: LogDisk {
  private let disk: any LogDisk
  private let base: String
  private let area: StagingArea

  /// - Parameters:
  ///   - disk: Where the files are in the end.
  ///   - memory: Emptied by ``StagedReplay``, which must run before anybody reads the files again.
  ///   - base: The folder that the replay is given; files outside of it are not staged.
  ///   - retryNanoseconds: How long a file is left alone after it could not be written.
  public init(_ disk: any LogDisk, memory: StagedMemory, base: String, retryNanoseconds: UInt64 = 50_000_000) {
    self.disk = disk
    self.base = base.hasSuffix("/") ? base : base + "/"
    area = StagingArea(memory, retryNanoseconds: retryNanoseconds)
  }

  public func create(_ path: String) throws(SealedLogError) -> any SegmentFile {
    staged(try disk.create(path), path, length: 0)
  }

  public func open(_ path: String) throws(SealedLogError) -> any SegmentFile {
    area.flush()
    let length = try Files.size(ifThere: path) ?? 0
    return staged(try disk.open(path), path, length: length)
  }

  private func staged(_ file: any SegmentFile, _ path: String, length: Int) -> any SegmentFile {
    guard let name = name(path) else { return file }
    return StagedFile(file, name: name, length: length, area: area)
  }

  /// What a replay knows a file by: the name that it gets when it is whole, for without it nobody looks for it.
  private func name(_ path: String) -> String? {
    guard path.hasPrefix(base) else { return nil }
    let name = String(path.dropFirst(base.count).drop { $0 == "/" })
    return name.hasSuffix(LogLayout.unnamedSuffix) ? String(name.dropLast(LogLayout.unnamedSuffix.utf8.count)) : name
  }

  public func rename(_ path: String, to newPath: String) throws(SealedLogError) {
    area.flush()
    try disk.rename(path, to: newPath)
  }

  public func replace(_ path: String, with bytes: [UInt8], synchronizingFolder: Bool) throws(SealedLogError) {
    try disk.replace(path, with: bytes, synchronizingFolder: synchronizingFolder)
  }

  public func remove(_ path: String) { disk.remove(path) }

  public func flush() { area.flush() }

  public func takesAtOnce(_ bytes: Int) -> Bool { area.hasRoom(bytes) }

  public var flushMark: UInt64 { area.mark }

  public func isFlushed(to mark: UInt64) -> Bool { area.isFlushed(to: mark) }

  public func synchronizeVolume() -> Int32 {
    area.flush()
    return area.isStuck ? EIO : disk.synchronizeVolume()
  }
}
