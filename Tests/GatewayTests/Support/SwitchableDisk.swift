import Dispatch
import Glibc
import SealedLog
import Synchronization

/// The file system with faults that a test switches on.
final class SwitchableDisk: LogDisk {
  enum Mode: Sendable, Equatable {
    case works
    /// Appends to files whose path contains the text fail so.
    case fails(errno: Int32, path: String)
    /// Appends do not come back until the mode changes.
    case hangs
    /// Appends work; syncs do not come back until the mode changes.
    case hangsAtSync
  }

  private let mode = Mutex(Mode.works)
  private let disk: PosixDisk

  init(folder: String) throws { disk = try PosixDisk(folder: folder) }

  func set(_ fresh: Mode) { mode.withLock { $0 = fresh } }

  /// 0, or the `errno` of the append; waits while the disk hangs.
  fileprivate func fault(_ path: String) -> Int32 {
    let pause = DispatchSemaphore(value: 0)
    while true {
      switch mode.withLock({ $0 }) {
      case .works, .hangsAtSync: return 0
      case .fails(let number, let part): return path.contains(part) ? number : 0
      case .hangs: _ = pause.wait(timeout: .now() + .milliseconds(1))
      }
    }
  }

  fileprivate func awaitSync() {
    let pause = DispatchSemaphore(value: 0)
    while mode.withLock({ $0 == .hangsAtSync }) { _ = pause.wait(timeout: .now() + .milliseconds(1)) }
  }

  func create(_ path: String) throws(SealedLogError) -> any SegmentFile {
    SwitchableFile(path, try disk.create(path), self)
  }
  func open(_ path: String) throws(SealedLogError) -> any SegmentFile {
    SwitchableFile(path, try disk.open(path), self)
  }
  func synchronizeVolume() -> Int32 {
    awaitSync()
    return disk.synchronizeVolume()
  }
}

private final class SwitchableFile: SegmentFile {
  private let path: String
  private let file: any SegmentFile
  private let disk: SwitchableDisk

  init(_ path: String, _ file: any SegmentFile, _ disk: SwitchableDisk) {
    self.path = path
    self.file = file
    self.disk = disk
  }

  func append(_ bytes: UnsafeRawBufferPointer) -> Int {
    let number = disk.fault(path)
    return number == 0 ? file.append(bytes) : -Int(number)
  }
  func synchronize() -> Int32 {
    disk.awaitSync()
    return file.synchronize()
  }
  func truncate(to length: Int) -> Int32 { file.truncate(to: length) }
  func close() { file.close() }
}
