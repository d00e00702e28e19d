import Foundation
import Glibc
import Synchronization

@testable import SealedLog

/// The file system, with everything that is done to it written down in its order, and what was confirmed in between: each
/// prefix is what a process leaves that was killed there.
final class TracingDisk: LogDisk {
  enum Step: Sendable {
    case create(String)
    case append(String, [UInt8])
    case cut(String, to: Int)
    case synchronize(String)
    case rename(String, to: String)
    case replace(String, [UInt8])
    case remove(String)
    case confirm([UInt64])
  }

  /// One step at a time, so that the list has the order in which the world saw them.
  private let steps = Mutex<[Step]>([])
  /// `errno` for a step; 0: it works.
  private let fault: @Sendable (Step) -> Int32
  private let disk: PosixDisk

  init(folder: String, fault: @escaping @Sendable (Step) -> Int32 = { _ in 0 }) throws {
    disk = try PosixDisk(folder: folder)
    self.fault = fault
  }

  var all: [Step] { steps.withLock { $0 } }

  func confirm(_ tokens: [UInt64]) { steps.withLock { $0.append(.confirm(tokens)) } }

  fileprivate func perform(_ step: Step, _ work: () -> Int32) -> Int32 {
    steps.withLock { steps in
      var number = fault(step)
      if number == 0 { number = work() }
      if number == 0 { steps.append(step) }
      return number
    }
  }

  func create(_ path: String) throws(SealedLogError) -> any SegmentFile { try made(path, isNew: true) }

  func open(_ path: String) throws(SealedLogError) -> any SegmentFile { try made(path, isNew: !Files.exists(path)) }

  private func made(_ path: String, isNew: Bool) throws(SealedLogError) -> any SegmentFile {
    var file: (any SegmentFile)?
    let number = steps.withLock { steps -> Int32 in
      file = try? isNew ? disk.create(path) : disk.open(path)
      if isNew, file != nil { steps.append(.create(path)) }
      return file == nil ? EIO : 0
    }
    guard let file else { throw .disk("open", number) }
    return TracingFile(path, file, self)
  }

  func rename(_ path: String, to name: String) throws(SealedLogError) {
    let number = perform(.rename(path, to: name)) { Glibc.rename(path, name) == 0 ? 0 : errno }
    guard number == 0 else { throw .disk("rename", number) }
  }

  func replace(_ path: String, with bytes: [UInt8], synchronizingFolder: Bool) throws(SealedLogError) {
    let number = perform(.replace(path, bytes)) {
      (try? Files.replace(path, with: bytes, synchronizingFolder: synchronizingFolder)) == nil ? EIO : 0
    }
    guard number == 0 else { throw .disk("replace", number) }
  }

  func remove(_ path: String) {
    _ = perform(.remove(path)) {
      unlink(path)
      return 0
    }
  }

  func synchronizeVolume() -> Int32 { disk.synchronizeVolume() }
}

private final class TracingFile: SegmentFile {
  /// Follows the file, whatever it is called by now.
  private let path: String
  private let file: any SegmentFile
  private let disk: TracingDisk

  init(_ path: String, _ file: any SegmentFile, _ disk: TracingDisk) {
    self.path = path
    self.file = file
    self.disk = disk
  }

  func append(_ bytes: UnsafeRawBufferPointer) -> Int {
    let number = disk.perform(.append(path, Array(bytes))) {
      file.append(bytes) == bytes.count ? 0 : EIO
    }
    return number == 0 ? bytes.count : -Int(number)
  }

  func synchronize() -> Int32 { disk.perform(.synchronize(path)) { file.synchronize() } }

  func truncate(to length: Int) -> Int32 { disk.perform(.cut(path, to: length)) { file.truncate(to: length) } }

  func close() { file.close() }
}

/// The files that some steps have left.
struct FolderImage: Equatable {
  private(set) var files: [String: [UInt8]] = [:]
  /// Files by the names under which they were opened.
  private var names: [String: String] = [:]
  private(set) var confirmed: [UInt64] = []

  mutating func apply(_ step: TracingDisk.Step) {
    switch step {
    case .create(let path): files[path] = []
    case .append(let path, let bytes): files[name(path), default: []] += bytes
    case .cut(let path, let length):
      let name = name(path)
      if let file = files[name] { files[name] = Array(file.prefix(length)) }
    case .synchronize: break
    case .rename(let path, let name):
      files[name] = files.removeValue(forKey: path)
      names[path] = name
    case .replace(let path, let bytes): files[path] = bytes
    case .remove(let path): files[path] = nil
    case .confirm(let tokens): confirmed += tokens
    }
  }

  private func name(_ path: String) -> String { names[path] ?? path }

  /// What a step leaves that was broken off: bytes of an append, a temporary file.
  func torn(_ step: TracingDisk.Step, at lengths: (Int) -> [Int]) -> [FolderImage] {
    switch step {
    case .append(let path, let bytes):
      lengths(bytes.count).map { length in
        var image = self
        image.apply(.append(path, Array(bytes.prefix(length))))
        return image
      }
    case .replace(let path, let bytes):
      [0, bytes.count / 2, bytes.count].map { length in
        var image = self
        image.files["\(path).new"] = Array(bytes.prefix(length))
        return image
      }
    case .create, .cut, .synchronize, .rename, .remove, .confirm: []
    }
  }

  /// Writes everything below `root`, which stands for the folder it was read from.
  func store(from old: String, to root: String) throws {
    for (path, bytes) in files {
      let name = root + path.dropFirst(old.count)
      try FileManager.default.createDirectory(
        atPath: (name as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try Data(bytes).write(to: URL(fileURLWithPath: name))
    }
  }

  /// The same files in another folder.
  init(_ image: FolderImage, movedFrom old: String, to root: String) {
    for (path, bytes) in image.files { files[root + path.dropFirst(old.count)] = bytes }
  }

  /// A folder as it is.
  init(reading folder: String) throws {
    for path in try allFiles(below: folder) { files[path] = try readFile(path) }
  }

  init() {}
}
