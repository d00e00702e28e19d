internal import Glibc
internal import Synchronization

/// The node journal: opaque bytes of other modules, written in the batch of the records they belong to.
///
/// The writer appends, the syncer syncs.
final class NodeJournal: Sendable {
  private struct State: Sendable {
    var file: (any SegmentFile)?
    var length = 0
    var isRagged = false
    var isDirty = false
    var fault: Int32 = 0
  }

  private let state = Mutex(State())
  /// Held while the file is synced: nobody closes it meanwhile, and who finds nothing dirty finds it synced.
  private let syncing = Mutex(())

  /// Goes on in another file, which ends every fault of the old one.
  /// - Parameter beginning: Stands in it, durably, before it takes the old one's place.
  /// - Returns: 0, or `errno` if that cannot be: then the old one stays.
  @discardableResult
  func open(_ path: String, disk: any LogDisk, beginning: [UInt8] = []) throws(SealedLogError) -> Int32 {
    let length = try Files.size(ifThere: path) ?? 0
    let file = try disk.open(path)
    file.goByMemory()
    var next = State(file: file, length: length + beginning.count)
    if !beginning.isEmpty {
      var number = file.appendAll(beginning, at: length, isRagged: &next.isRagged)
      if number == 0 { number = file.settle() }
      if number == 0 { number = file.synchronize() }
      guard number == 0 else {
        // Left where it is, it would be taken for what follows the old one, which goes on.
        _ = file.truncate(to: length)
        file.close()
        if length == 0 { disk.remove(path) }
        return number
      }
    }
    syncing.withLock { [next] _ in
      let old = state.withLock { state in
        defer { state = next }
        return state.file
      }
      old?.close()
    }
    return 0
  }

  /// `errno` of a sync that failed: nothing counts as durable until another file is opened.
  var fault: Int32 { state.withLock { $0.fault } }

  /// Whether so many bytes are appended without asking the volume for anything.
  func takesAtOnce(_ count: Int) -> Bool {
    state.withLock { state in state.fault == 0 && !state.isRagged && state.file?.takesAtOnce(count) != false }
  }

  /// What was appended stands in the file. 0 or `errno`.
  func settle() -> Int32 { state.withLock { $0.file }?.settle() ?? 0 }

  /// 0 or `errno`; after an error nothing of `bytes` is in the file.
  func append(_ bytes: [UInt8]) -> Int32 {
    state.withLock { state in
      guard !bytes.isEmpty, let file = state.file else { return 0 }
      guard state.fault == 0 else { return state.fault }
      let number = file.appendAll(bytes, at: state.length, isRagged: &state.isRagged)
      guard number == 0 else { return number }
      state.length += bytes.count
      state.isDirty = true
      return 0
    }
  }

  /// 0 or `errno`.
  func synchronize() -> Int32 { syncing.withLock { _ in synchronizeAlone() } }

  private func synchronizeAlone() -> Int32 {
    let file: (any SegmentFile)? = state.withLock { state in
      guard state.fault == 0, state.isDirty else { return nil }
      state.isDirty = false
      return state.file
    }
    guard let file else { return fault }
    let unwritten = file.settle()
    guard unwritten == 0 else {  // no sync has failed: it is tried again
      state.withLock { state in if state.file === file { state.isDirty = true } }
      return unwritten
    }
    let number = file.synchronize()
    if number != 0 {
      state.withLock { state in if state.file === file { state.fault = number } }
    }
    return number
  }

  /// A file that lacks something of what was appended stays open: its bytes would be dropped with it, and memory that
  /// outlives the process has them.
  func close() {
    state.withLock { state in
      if state.file?.settle() == 0 { state.file?.close() }
      state.file = nil
    }
  }
}
