internal import Dispatch
internal import Staging
internal import Synchronization

/// What is on its way to the files of a ``StagedDisk``: two halves of mapped memory, one that takes pieces while the other
/// one is being written.
///
/// A piece counts as written as soon as it stands here, as bytes in the kernel's cache do: the process may die, and
/// ``StagedReplay`` brings it into its file before anybody looks at that. Pieces of one file are written in their order or
/// not at all.
final class StagingArea: Sendable {
  /// From here on the copy costs more than a call of the kernel.
  static let largestPiece = 256 * 1024

  private struct Piece {
    let file: StagedFile
    let offset: Int
    let half: Int
    let at: Int
    let bytes: Range<Int>

    /// No other piece has it.
    var key: Int { at << 1 | half }
  }

  /// Short, and never held while the volume is asked for anything.
  private struct State {
    /// The half that takes pieces.
    var half = 0
    var used = 0
    var pieces: [Piece] = []
    var generation: UInt64 = 1
    /// Some file cannot be written: nothing new is staged until it can, or is cut or closed.
    var isSuspended = false
  }

  private struct Stuck {
    var pieces: [Piece] = []
    var retryAt: UInt64 = 0
  }

  private let memory: StagedMemory
  private let retry: UInt64
  private let state = Mutex(State())
  /// Pieces that could not be written; held while anything is.
  private let stuck = Mutex(Stuck())
  private let flushed = Atomic<UInt64>(0)

  init(_ memory: StagedMemory, retryNanoseconds: UInt64) {
    self.memory = memory
    retry = retryNanoseconds
    memory.empty(0, generation: 1)
    memory.empty(1, generation: 0)
  }

  // MARK: In

  /// Whether pieces of so many bytes, with all that is kept of each, would be taken now.
  func hasRoom(_ bytes: Int) -> Bool {
    state.withLock { !$0.isSuspended && memory.hasRoom(at: $0.used, path: 0, bytes: bytes) }
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
        Piece(
          file: file, offset: offset, half: state.half, at: state.used, bytes: bytesAt..<(bytesAt + bytes.count)))
      state.used = end
      return true
    }
  }

  // MARK: Out

  /// Writes everything staged so far into its files. Blocks.
  func flush() {
    stuck.withLock { stuck in
      tryAgain(&stuck)
      guard stuck.pieces.isEmpty else { return flushBeside(&stuck) }
      guard let (half, pieces, generation) = change() else {
        return flushed.store(state.withLock { $0.generation } - 1, ordering: .releasing)
      }
      let left = write(pieces)
      if left.isEmpty {
        memory.empty(half, generation: 0)
        flushed.store(generation, ordering: .releasing)
      } else {
        void(pieces, but: left)
        stuck = Stuck(pieces: left, retryAt: Self.now &+ retry)
      }
    }
  }

  /// Passed by ``isFlushed(to:)`` when all that is staged now has been written.
  var mark: UInt64 { state.withLock { $0.pieces.isEmpty && !$0.isSuspended ? $0.generation - 1 : $0.generation } }

  func isFlushed(to mark: UInt64) -> Bool { flushed.load(ordering: .acquiring) >= mark }

  private static var now: UInt64 { DispatchTime.now().uptimeNanoseconds }

  private func tryAgain(_ stuck: inout Stuck) {
    guard !stuck.pieces.isEmpty, Self.now >= stuck.retryAt else { return }
    let left = write(stuck.pieces)
    void(stuck.pieces, but: left)
    stuck = Stuck(pieces: left, retryAt: Self.now &+ retry)
  }

  /// The half that takes pieces is the only one left: it is written where it lies, but for files that have stuck pieces.
  private func flushBeside(_ stuck: inout Stuck) {
    let pieces = state.withLock { state in
      state.isSuspended = true
      defer { state.pieces = [] }
      return state.pieces
    }
    let held = Set(stuck.pieces.map { ObjectIdentifier($0.file) })
    let free = pieces.filter { !held.contains(ObjectIdentifier($0.file)) }
    let left = write(free)
    void(free, but: left)
    stuck.pieces += pieces.filter { held.contains(ObjectIdentifier($0.file)) } + left
  }

  /// The other half, which is empty, takes what comes. Nil: nothing is staged.
  private func change() -> (half: Int, pieces: [Piece], generation: UInt64)? {
    state.withLock { state in
      guard !state.pieces.isEmpty || state.isSuspended else { return nil }
      let (half, pieces, generation) = (state.half, state.pieces, state.generation)
      state.generation += 1
      state.half = 1 - half
      state.used = 0
      state.pieces = []
      state.isSuspended = false
      memory.empty(state.half, generation: state.generation)
      return (half, pieces, generation)
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
      let isWritten = file.write(pieces.map { memory.bytes($0.half, $0.bytes) }, at: pieces[0].offset)
      if !isWritten { left += pieces }
    }
    return left
  }

  // MARK: Ends

  /// Cuts or closes a file while nobody writes to it; then what of it could not be written belongs into no file.
  /// - Parameter body: 0 or `errno`.
  func end(_ file: StagedFile, _ body: () -> Int32) -> Int32 {
    let (number, isFreed) = stuck.withLock { stuck in
      let number = body()
      guard number == 0, !stuck.pieces.isEmpty else { return (number, false) }
      for piece in stuck.pieces where piece.file === file { memory.void(piece.half, pieceAt: piece.at) }
      stuck.pieces.removeAll { $0.file === file }
      return (number, stuck.pieces.isEmpty)
    }
    if isFreed { flush() }  // and others' bytes are staged again
    return number
  }

  /// Whether some file could not be written at the last try.
  var isStuck: Bool { stuck.withLock { !$0.pieces.isEmpty } }
}
