import CLinux
import Glibc
import Synchronization

/// Why staged memory cannot be had, or what lies in it cannot be brought into its files.
public struct StagingError: Error, Sendable, Equatable, CustomStringConvertible {
  public let what: String
  /// `errno`.
  public let number: Int32

  public var description: String { "\(what): \(String(cString: strerror(number)))" }
}

/// A mapped file with two halves of pieces that are on their way to other files. What stands in it survives the process as
/// it does in the kernel's own cache, without a call of the kernel for each piece. It does not survive the boot.
///
/// One thread at a time owns a half. A piece counts when its half's `used` covers it, which is stored last: a process may
/// die between any two instructions.
public final class StagedMemory: @unchecked Sendable {
  public let halfBytes: Int
  private let base: UnsafeMutableRawPointer
  private let size: Int

  /// Makes the file and maps it. Whatever an earlier process has left was brought into its files before, by
  /// ``StagedReplay``; here it is dropped.
  public init(path: String, halfBytes: Int = 8 << 20) throws(StagingError) {
    self.halfBytes = max(4096, min(halfBytes, 1 << 30)) & ~7
    size = StagedLayout.headerBytes + 2 * self.halfBytes
    // Never cut: who has the old one mapped must not be hit by a signal.
    guard unlink(path) == 0 || errno == ENOENT else { throw StagingError(what: "staged memory", number: errno) }
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw StagingError(what: "staged memory", number: errno) }
    defer { close(descriptor) }
    // All of it now: a full disk shows here, and not as a signal later.
    let number = posix_fallocate(descriptor, 0, off_t(size))
    guard number == 0 else {
      unlink(path)
      throw StagingError(what: "staged memory", number: number)
    }
    guard let mapped = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), mapped != MAP_FAILED else {
      throw StagingError(what: "staged memory", number: errno)
    }
    base = mapped
    base.storeBytes(of: UInt64(self.halfBytes), toByteOffset: 8, as: UInt64.self)
    base.storeBytes(of: StagedLayout.currentBoot(), toByteOffset: 16, as: UInt128.self)
    base.storeBytes(of: StagedLayout.magic, as: UInt64.self)
  }

  deinit { munmap(base, size) }

  /// Whether files of a folder lie in memory alone. Elsewhere a store into a mapped page may wait for the disk.
  public static func isMemory(folder: String) -> Bool {
    th_is_tmpfs(folder) == 1
  }

  /// The half is empty from now on, and the younger one if its generation is the higher one.
  public func empty(_ half: Int, generation: UInt64) {
    setUsed(half, 0)
    base.storeBytes(of: generation, toByteOffset: StagedLayout.generationAt(half), as: UInt64.self)
  }

  /// Whether a piece fits behind what is used.
  public func hasRoom(at used: Int, path: Int, bytes: Int) -> Bool {
    path <= StagedLayout.longestPath && used + StagedLayout.pieceHeaderBytes + path + bytes + 7 <= halfBytes
  }

  /// Adds a piece, for which there is room.
  /// - Returns: Where its bytes begin in the half, and where the next piece will.
  public func append(
    _ half: Int, at used: Int, to path: [UInt8], offset: Int, _ bytes: UnsafeRawBufferPointer
  ) -> (bytesAt: Int, end: Int) {
    let bytesAt = used + StagedLayout.pieceHeaderBytes + path.count
    let end = (bytesAt + bytes.count + 7) & ~7
    let piece = start(half) + used
    piece.storeBytes(of: UInt32(truncatingIfNeeded: end - used), as: UInt32.self)
    piece.storeBytes(of: UInt16(truncatingIfNeeded: path.count), toByteOffset: 4, as: UInt16.self)
    piece.storeBytes(of: StagedLayout.live, toByteOffset: 6, as: UInt16.self)
    piece.storeBytes(of: UInt64(offset), toByteOffset: 8, as: UInt64.self)
    piece.storeBytes(of: UInt64(bytes.count), toByteOffset: 16, as: UInt64.self)
    path.withUnsafeBytes { path in
      if let from = path.baseAddress {
        (piece + StagedLayout.pieceHeaderBytes).copyMemory(from: from, byteCount: path.count)
      }
    }
    if let from = bytes.baseAddress { th_copy_past_caches(start(half) + bytesAt, from, bytes.count) }
    setUsed(half, end)
    return (bytesAt, end)
  }

  public func bytes(_ half: Int, _ range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: start(half) + range.lowerBound, count: range.count)
  }

  /// The piece is brought into no file any more.
  public func void(_ half: Int, pieceAt at: Int) {
    (start(half) + at).storeBytes(of: StagedLayout.void, toByteOffset: 6, as: UInt16.self)
  }

  private func start(_ half: Int) -> UnsafeMutableRawPointer { base + StagedLayout.headerBytes + half * halfBytes }

  private func setUsed(_ half: Int, _ used: Int) {
    (base + StagedLayout.usedAt(half)).assumingMemoryBound(to: Atomic<UInt64>.self).pointee
      .store(UInt64(used), ordering: .releasing)
  }
}
