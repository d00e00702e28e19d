internal import Glibc
internal import Synchronization

/// One file of a ``StagedDisk``. One thread at a time appends to it; others may flush the area meanwhile, and nobody who
/// appends waits for them.
final class StagedFile: SegmentFile {
  /// So much is allocated ahead of what is written, at least and at most.
  private static let allocatedAhead = (least: 256 * 1024, most: 16 << 20)

  /// Short, and never held while the volume is asked for anything.
  private struct State {
    /// With all that is staged.
    var length: Int
    /// The volume keeps room for the file up to here: nothing behind it is staged.
    var allocated = 0
    /// Whether the owner wants it, and the volume can keep room.
    var isStaging = false
    /// `errno` of the last write that failed.
    var fault: Int32 = 0
  }

  private struct Written {
    var length: Int
    /// Bytes behind it could not be cut off.
    var isRagged = false
  }

  let isSidecar: Bool
  private let name: [UInt8]
  private let file: any SegmentFile
  private let area: StagingArea
  private let state: Mutex<State>
  private let written: Mutex<Written>

  init(_ file: any SegmentFile, name: String, length: Int, area: StagingArea) {
    self.file = file
    self.area = area
    self.name = Array(name.utf8)
    isSidecar = name.hasSuffix(".thk")
    state = Mutex(State(length: length))
    written = Mutex(Written(length: length))
  }

  // MARK: In

  func goByMemory() {
    written.withLock { written in
      let end = written.length + Self.allocatedAhead.least
      guard file.allocate(to: end) else { return }
      state.withLock { state in
        state.isStaging = true
        state.allocated = end
      }
    }
  }

  func takesAtOnce(_ count: Int) -> Bool {
    count < StagingArea.largestPiece
      && state.withLock { $0.fault == 0 && $0.isStaging && $0.length + count <= $0.allocated }
  }

  func append(_ bytes: UnsafeRawBufferPointer) -> Int {
    let (mayStage, length, fault) = state.withLock { state in
      (state.isStaging && state.length + bytes.count <= state.allocated, state.length, state.fault)
    }
    guard fault == 0 else { return -Int(fault) }
    if mayStage, area.stage(bytes, for: self, path: name, offset: length) {
      state.withLock { $0.length += bytes.count }
      return bytes.count
    }
    area.flush()
    return written.withLock { written in
      let fault = state.withLock { $0.fault }
      guard fault == 0 else { return -Int(fault) }
      let count = file.append(bytes)
      guard count > 0 else { return count }
      written.length += count
      state.withLock { $0.length += count }
      allocateAhead(written.length, grownBy: count)
      return count
    }
  }

  // MARK: Out

  /// What was staged goes into the file. The area calls this, one thread at a time.
  /// - Returns: False if nothing of it does.
  func write(_ pieces: [UnsafeRawBufferPointer], at offset: Int) -> Bool {
    written.withLock { written in
      if written.isRagged {
        written.isRagged = file.truncate(to: written.length) != 0
        guard !written.isRagged else { return false }
      }
      let number = offset == written.length ? file.appendAll(pieces) : EIO
      guard number == 0 else {
        written.isRagged = file.truncate(to: written.length) != 0
        state.withLock { state in
          state.fault = number
          state.allocated = min(state.allocated, written.length)  // the rest went with the cut
        }
        return false
      }
      let count = pieces.reduce(0) { $0 + $1.count }
      written.length += count
      allocateAhead(written.length, grownBy: count)
      state.withLock { $0.fault = 0 }
      return true
    }
  }

  /// - Parameter count: The last step; four more of its kind are to find room before the next look.
  private func allocateAhead(_ length: Int, grownBy count: Int) {
    let (isStaging, allocated) = state.withLock { ($0.isStaging, $0.allocated) }
    let ahead = max(Self.allocatedAhead.least, min(4 * count, Self.allocatedAhead.most))
    guard isStaging, length + ahead / 2 > allocated, file.allocate(to: length + ahead) else { return }
    state.withLock { $0.allocated = length + ahead }
  }

  func settle() -> Int32 {
    area.flush()
    return state.withLock { $0.fault }
  }

  func synchronize() -> Int32 {
    let fault = settle()
    return fault == 0 ? file.synchronize() : fault
  }

  // MARK: Ends

  func truncate(to length: Int) -> Int32 {
    area.flush()
    return area.end(self) {
      written.withLock { written in
        // What could not be written lies before it: a file is never made longer than what it has.
        guard length <= written.length else { return max(EIO, state.withLock { $0.fault }) }
        let isWhole = length == written.length && !written.isRagged && state.withLock { $0.length == length }
        guard !isWhole else { return 0 }
        let number = file.truncate(to: length)
        guard number == 0 else { return number }
        written = Written(length: length)
        state.withLock { state in
          state.length = length
          state.allocated = min(state.allocated, length)
          state.fault = 0
        }
        allocateAhead(length, grownBy: 0)
        return 0
      }
    }
  }

  func close() {
    area.flush()
    _ = area.end(self) {
      written.withLock { written in
        // What was allocated for more than has come is others'.
        let allocated = state.withLock { $0.allocated }
        if !written.isRagged, allocated > written.length { _ = file.truncate(to: written.length) }
        file.close()
        return 0
      }
    }
  }
}
