internal import Glibc
internal import Staging
internal import Synchronization

/// What is on its way to the files of a ``StagedDisk``: two halves of mapped memory, one that takes pieces while the other
/// one is being written.
///
/// A piece counts as written as soon as it stands here, as bytes in the kernel's cache do: the process may die, and
/// ``StagedReplay`` brings it into its file before anybody looks at that.
final class StagingArea: Sendable {
  /// From here on the copy costs more than a call of the kernel.
  static let largestPiece = 256 * 1024

  private struct Piece {
    let file: StagedFile
    let half: Int
    let at: Int
    let bytes: Range<Int>

    /// No other piece has it.
    var key: Int { at << 1 | half }
  }

  private struct State {
    /// The half that takes pieces.
    var half = 0
    var used = 0
    var pieces: [Piece] = []
    var generation: UInt64 = 1
    /// Some file cannot be written: nothing new is staged until that is known to its owner and closed.
    var isSuspended = false
  }

  private let memory: StagedMemory
  private let state = Mutex(State())
  /// Pieces that could not be written; held while anything is.
  private let stuck = Mutex<[Piece]>([])

  init(_ memory: StagedMemory) {
    self.memory = memory
    memory.empty(0, generation: 1)
    memory.empty(1, generation: 0)
  }

  /// Whether ``stage(_:for:path:offset:)`` would take so many bytes in one piece now.
  func hasRoom(_ bytes: Int, path: Int) -> Bool {
    state.withLock { !$0.isSuspended && memory.hasRoom(at: $0.used, path: path, bytes: bytes) }
  }

  /// - Returns: False if there is no room: then the caller writes by itself, after a ``flush()``.
  func stage(_ bytes: UnsafeRawBufferPointer, for file: StagedFile, path: [UInt8], offset: Int) -> Bool {
    guard bytes.count < Self.largestPiece else { return false }
    return state.withLock { state in
      guard !state.isSuspended, memory.hasRoom(at: state.used, path: path.count, bytes: bytes.count) else {
        return false
      }
      let (bytesAt, end) = memory.append(state.half, at: state.used, to: path, offset: offset, bytes)
      state.pieces.append(
        Piece(file: file, half: state.half, at: state.used, bytes: bytesAt..<(bytesAt + bytes.count)))
      state.used = end
      return true
    }
  }

  /// Writes everything staged so far into its files. Blocks.
  func flush() {
    stuck.withLock { stuck in
      let earlier = stuck
      stuck = write(earlier)
      void(earlier, but: stuck)
      guard stuck.isEmpty else {
        // The half that takes pieces is the only one left: it is written where it lies.
        let pieces = state.withLock { state in
          state.isSuspended = true
          defer { state.pieces = [] }
          return state.pieces
        }
        let left = write(pieces)
        void(pieces, but: left)
        stuck += left
        return
      }
      guard let (half, pieces) = change() else { return }
      stuck = write(pieces)
      if stuck.isEmpty { memory.empty(half, generation: 0) } else { void(pieces, but: stuck) }
    }
  }

  /// The other half, which is empty, takes what comes. Nil: nothing is staged.
  private func change() -> (half: Int, pieces: [Piece])? {
    state.withLock { state in
      guard !state.pieces.isEmpty || state.isSuspended else { return nil }
      let old = state.half
      state.generation += 1
      state.half = 1 - old
      state.used = 0
      state.isSuspended = false
      memory.empty(state.half, generation: state.generation)
      defer { state.pieces = [] }
      return (old, state.pieces)
    }
  }

  /// Where a half cannot be emptied, each piece that has been written must say so: its file may be cut before the process
  /// dies.
  private func void(_ pieces: [Piece], but left: [Piece]) {
    let missing = Set(left.map(\.key))
    for piece in pieces where !missing.contains(piece.key) { memory.void(piece.half, pieceAt: piece.at) }
  }

  /// - Returns: The pieces of files that could not be written.
  private func write(_ pieces: [Piece]) -> [Piece] {
    var order: [ObjectIdentifier: Int] = [:]
    var files: [(file: StagedFile, pieces: [Piece])] = []
    for piece in pieces {
      let key = ObjectIdentifier(piece.file)
      if let index = order[key] {
        files[index].pieces.append(piece)
      } else {
        order[key] = files.count
        files.append((piece.file, [piece]))
      }
    }
    var left: [Piece] = []
    // Sidecars before segments: a reader must find the key of a frame that it finds.
    for (file, pieces) in files.filter(\.file.isSidecar) + files.filter({ !$0.file.isSidecar }) {
      if !file.write(pieces.map { memory.bytes($0.half, $0.bytes) }) { left += pieces }
    }
    return left
  }

  /// Whether some file could not be written at the last try.
  var isStuck: Bool { stuck.withLock { !$0.isEmpty } }

  /// The file is cut or closed: what of it could not be written stands in no file any more.
  func forget(_ file: StagedFile) {
    let isFreed = stuck.withLock { stuck in
      guard !stuck.isEmpty else { return false }
      for piece in stuck where piece.file === file { memory.void(piece.half, pieceAt: piece.at) }
      stuck.removeAll { $0.file === file }
      return stuck.isEmpty
    }
    if isFreed { flush() }  // and others' bytes are staged again
  }
}
