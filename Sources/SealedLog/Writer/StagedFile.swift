internal import Glibc
internal import Synchronization

/// One file of a ``StagedDisk``. One thread at a time appends to it; others may flush the area meanwhile, and nobody who
/// appends waits for them.
final class StagedFile: SegmentFile {
  /// So much is allocated ahead of what is written, at least and at most.
  private static let allocatedAhead = (least: 256 * 1024, most: 16 << 20)

  /// Short, and never held while the volume is asked for anything.
  private struct State {
    var name: [UInt8]
    /// With all that is staged.
    var length: Int
    /// The volume keeps room for the file up to here; 0 where it cannot: then nothing is staged.
    var allocated: Int
    /// `errno` of the last write that failed.
    var fault: Int32 = 0
  }

  private struct Written {
    var length: Int
    /// Bytes behind it could not be cut off.
    var isRagged = false
  }

  let isSidecar: Bool
  private let file: any SegmentFile
  private let area: StagingArea
  private let state: Mutex<State>
  private let written: Mutex<Written>
  private let onClose: @Sendable (String) -> Void

  init(
    _ file: any SegmentFile, name: String, length: Int, area: StagingArea, onClose: @escaping @Sendable (String) -> Void
  ) {
    self.file = file
    self.area = area
    self.onClose = onClose
    isSidecar = name.contains(".thk")
    let end = length + Self.allocatedAhead.least
    state = Mutex(State(name: Array(name.utf8), length: length, allocated: file.allocate(to: end) ? end : 0))
    written = Mutex(Written(length: length))
  }

  func rename(to name: String) { state.withLock { $0.name = Array(name.utf8) } }

  func takesAtOnce(_ count: Int) -> Bool {
    let path = state.withLock { state in
      state.fault == 0 && state.length + count <= state.allocated ? state.name.count : nil
    }
    guard let path, count < StagingArea.largestPiece else { return false }
    return area.hasRoom(count, path: path)
  }

  func append(_ bytes: UnsafeRawBufferPointer) -> Int {
    let (name, length, fault) = state.withLock { state in
      (state.length + bytes.count <= state.allocated ? state.name : nil, state.length, state.fault)
    }
    guard fault == 0 else { return -Int(fault) }
    if let name, area.stage(bytes, for: self, path: name, offset: length) {
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

  /// What was staged goes into the file. The area calls this, one thread at a time.
  /// - Returns: False if nothing of it does.
  func write(_ pieces: [UnsafeRawBufferPointer]) -> Bool {
    written.withLock { written in
      if written.isRagged {
        written.isRagged = file.truncate(to: written.length) != 0
        guard !written.isRagged else { return false }
      }
      let number = file.appendAll(pieces)
      state.withLock { $0.fault = number }
      guard number == 0 else {
        written.isRagged = file.truncate(to: written.length) != 0
        return false
      }
      let count = pieces.reduce(0) { $0 + $1.count }
      written.length += count
      allocateAhead(written.length, grownBy: count)
      return true
    }
  }

  /// - Parameter count: The last step; four more of its kind are to find room before the next look.
  private func allocateAhead(_ length: Int, grownBy count: Int) {
    let allocated = state.withLock { $0.allocated }
    let ahead = max(Self.allocatedAhead.least, min(4 * count, Self.allocatedAhead.most))
    guard allocated > 0, length + ahead / 2 > allocated else { return }
    let end = length + ahead
    if file.allocate(to: end) { state.withLock { $0.allocated = end } }
  }

  func allocate(to length: Int) -> Bool { file.allocate(to: length) }

  func synchronize() -> Int32 {
    area.flush()
    let fault = state.withLock { $0.fault }
    return fault == 0 ? file.synchronize() : fault
  }

  func truncate(to length: Int) -> Int32 {
    area.flush()
    area.forget(self)
    return written.withLock { written in
      let number = file.truncate(to: length)
      guard number == 0 else { return number }
      written = Written(length: length)
      state.withLock { state in
        state.length = length
        state.fault = 0
        // What was allocated beyond the end went with it.
        state.allocated = min(state.allocated, length)
      }
      allocateAhead(length, grownBy: 0)
      return 0
    }
  }

  /// What was allocated for more than has come is others'.
  private func giveBack() {
    written.withLock { written in
      let allocated = state.withLock { $0.allocated }
      guard !written.isRagged, allocated - written.length > Self.allocatedAhead.least else { return }
      _ = file.truncate(to: written.length)
    }
  }

  func close() {
    area.flush()
    area.forget(self)
    giveBack()
    file.close()
    onClose(String(decoding: state.withLock { $0.name }, as: UTF8.self))
  }
}
