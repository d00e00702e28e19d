import Dispatch
import Foundation
import Synchronization

@testable import SealedLog

/// The file system with faults that a test switches on.
final class FaultyDisk: LogDisk {
  struct Faults: Sendable {
    /// `errno` for appends to paths that contain the text.
    var append: (Int32, String)?
    /// So many of those appends still work.
    var appendsBeforeFault = 0
    /// How many more files cannot be cut.
    var uncut = 0
    /// Bytes an append still takes before it fails.
    var room = 0
    var synchronize: (Int32, String)?
    /// So many of those syncs still work.
    var syncsBeforeFault = 0
    /// Done once, while a sync fails.
    var whileSyncFails: (@Sendable () -> Void)?
    /// Done once, while much is appended to a path that contains the text.
    var whileAppending: (String, @Sendable () -> Void)?
    /// Done once, in the middle of a sync that works.
    var whileSyncing: (@Sendable () -> Void)?
    /// The volume has no room to keep for a file.
    var cannotAllocate = false
    /// Appends wait until it is signalled.
    var hang: DispatchSemaphore?
    /// One append takes at most so many bytes.
    var longestAppend = Int.max
  }

  let faults = Mutex(Faults())
  let synchronized = Mutex<[String]>([])
  private let disk: PosixDisk

  init(folder: String) throws { disk = try PosixDisk(folder: folder) }

  func set(_ change: (inout Faults) -> Void) { faults.withLock { change(&$0) } }

  func create(_ path: String) throws(SealedLogError) -> any SegmentFile {
    FaultyFile(path, try disk.create(path), self)
  }

  func open(_ path: String) throws(SealedLogError) -> any SegmentFile { FaultyFile(path, try disk.open(path), self) }

  func synchronizeVolume() -> Int32 { disk.synchronizeVolume() }
}

private final class FaultyFile: SegmentFile {
  private let path: String
  private let file: any SegmentFile
  private let disk: FaultyDisk
  private let hasFailedSync = Flag()
  private let isClosed = Flag()

  init(_ path: String, _ file: any SegmentFile, _ disk: FaultyDisk) {
    self.path = path
    self.file = file
    self.disk = disk
  }

  func append(_ bytes: UnsafeRawBufferPointer) -> Int {
    if let hang = disk.faults.withLock({ $0.hang }) {
      hang.wait()
      hang.signal()
    }
    let allowed: Int = disk.faults.withLock { faults in
      if let (number, text) = faults.append, path.contains(text) {
        guard faults.appendsBeforeFault == 0 else {
          faults.appendsBeforeFault -= 1
          return bytes.count
        }
        guard faults.room > 0 else { return -Int(number) }
        defer { faults.room = 0 }
        return min(bytes.count, faults.room)
      }
      return min(bytes.count, faults.longestAppend)
    }
    disk.faults.withLock { faults -> (@Sendable () -> Void)? in
      guard let (text, action) = faults.whileAppending, bytes.count > 100_000, path.contains(text) else { return nil }
      faults.whileAppending = nil
      return action
    }?()
    return allowed < 0 ? allowed : file.append(UnsafeRawBufferPointer(rebasing: bytes[..<allowed]))
  }

  func allocate(to length: Int) -> Bool {
    disk.faults.withLock { !$0.cannotAllocate } && file.allocate(to: length)
  }

  func synchronize() -> Int32 {
    let (number, meanwhile): (Int32, (@Sendable () -> Void)?) = disk.faults.withLock { faults in
      guard let (number, text) = faults.synchronize, path.contains(text) else { return (0, nil) }
      guard faults.syncsBeforeFault == 0 else {
        faults.syncsBeforeFault -= 1
        return (0, nil)
      }
      defer { faults.whileSyncFails = nil }
      return (number, faults.whileSyncFails)
    }
    if isClosed.isSet { disk.synchronized.withLock { $0.append("AFTER-CLOSE \(path)") } }
    if number != 0 {
      meanwhile?()
      if hasFailedSync.isSet { disk.synchronized.withLock { $0.append("AFTER-FAILURE \(path)") } }
      hasFailedSync.set()
      return number
    }
    disk.faults.withLock { faults in
      defer { faults.whileSyncing = nil }
      return faults.whileSyncing
    }?()
    // what Linux does after EIO: the next sync of the same descriptor claims success
    disk.synchronized.withLock { $0.append(hasFailedSync.isSet ? "AFTER-FAILURE \(path)" : path) }
    return file.synchronize()
  }

  func truncate(to length: Int) -> Int32 {
    let fails = disk.faults.withLock { faults in
      guard faults.uncut > 0 else { return false }
      faults.uncut -= 1
      return true
    }
    return fails ? EIO : file.truncate(to: length)
  }

  func close() {
    if !isClosed.set() { disk.synchronized.withLock { $0.append("CLOSED-TWICE \(path)") } }
    file.close()
  }
}
