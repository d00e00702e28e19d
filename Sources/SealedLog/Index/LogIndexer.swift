internal import Synchronization

/// Brings META into the index by a thread of its own: it may lag, and it makes up for what it missed from the segments.
///
/// Give ``feed(_:)`` to the writer as `WriterOptions.onMetadata`.
public final class LogIndexer: Sendable {
  /// Records that wait; more, and the rest is read from disk later.
  private static let bound = 50_000
  /// Records of one transaction at most.
  private static let batch = 5_000
  /// A transaction per record would cost ten times as much: so long the thread gathers after one, by how many records it
  /// had. When few come, somebody may be waiting to see his; when many come, each page of the index is written for more of
  /// them, and of thousands of busy tenants each has more than one.
  private static func gatheringNanoseconds(after records: Int) -> UInt64 {
    records < 100 ? 200_000_000 : records < 2_000 ? 500_000_000 : 1_000_000_000
  }

  private struct State: Sendable {
    var records: [MetadataRecord] = []
    /// Something was not fed: read the segments from the marks on.
    var mustCatchUp = true
    var isBusy = false
  }

  private let index: any LogIndexing
  private let reader: LogReader
  private let state = Mutex(State())
  private let wake = WakeUp()
  /// Signalled by ``stop()`` only.
  private let pause = WakeUp()
  private let isStopping = Flag()
  /// Has what was fed stand in the segments.
  private let settle = Mutex<(@Sendable () -> Void)?>(nil)
  private let fault = Mutex<SealedLogError?>(nil)
  private let thread = Mutex<WorkerThread?>(nil)

  /// Starts the thread, which first catches up with what is on disk.
  public init(index: any LogIndexing, reader: LogReader) throws(SealedLogError) {
    self.index = index
    self.reader = reader
    let thread = try WorkerThread("log-indexer") { [weak self] in self?.run() }
    self.thread.withLock { $0 = thread }
  }

  /// Never blocks on the index.
  public func feed(_ records: [MetadataRecord]) {
    state.withLock { state in
      if state.records.count + records.count > Self.bound {
        state.records = []
        state.mustCatchUp = true
      } else {
        state.records += records
      }
    }
    wake.signal()
  }

  /// - Parameter settle: Called before segments are read: what was fed and lost must be found in them. May block.
  public func readAfter(_ settle: @escaping @Sendable () -> Void) { self.settle.withLock { $0 = settle } }

  /// Another process has written segments that nobody fed here: they are read from disk.
  public func lookAgain() {
    state.withLock { $0.mustCatchUp = true }
    wake.signal()
  }

  /// What went wrong last; nil when the index is well.
  public var health: SealedLogError? { fault.withLock { $0 } }

  /// Whether everything fed so far is in the index.
  public var isCurrent: Bool {
    state.withLock { $0.records.isEmpty && !$0.mustCatchUp && !$0.isBusy }
  }

  public func stop() {
    guard isStopping.set() else { return }
    wake.signal()
    pause.signal()
    thread.withLock { $0 }?.join()
  }

  private func run() {
    /// Streams whose segments could not be read: nothing of them may be added before that has been made up for, or the
    /// mark would jump over what is missing.
    var behind: Set<StreamName> = []
    var rounds = 0
    while !isStopping.isSet {
      var records: [MetadataRecord] = []
      let mustCatchUp = state.withLock { state in
        if !state.mustCatchUp { swap(&records, &state.records) }
        state.isBusy = state.mustCatchUp || !records.isEmpty
        defer { state.mustCatchUp = false }
        return state.mustCatchUp
      }
      do throws(SealedLogError) {
        if mustCatchUp { behind = try catchUp(try reader.streams()) }
        try add(behind.isEmpty ? records : records.filter { !behind.contains($0.stream) })
        if behind.isEmpty { fault.withLock { $0 = nil } }
        state.withLock { $0.isBusy = false }
      } catch {
        fault.withLock { $0 = error }
        state.withLock { state in
          state.records = []
          state.mustCatchUp = true
        }
        wake.wait(nanoseconds: 1_000_000_000)
      }
      if mustCatchUp { continue }
      if !records.isEmpty {
        pause.wait(nanoseconds: Self.gatheringNanoseconds(after: records.count))
        continue
      }
      wake.wait(nanoseconds: 1_000_000_000)
      rounds += 1
      if !behind.isEmpty, rounds % 10 == 0 { behind = (try? catchUp(Array(behind))) ?? behind }
    }
  }

  /// - Parameter records: In order within each stream. They are added stream by stream, so that each is looked up once.
  private func add(_ records: [MetadataRecord]) throws(SealedLogError) {
    let sorted = Array(Dictionary(grouping: records, by: \.stream).values.joined())
    for start in stride(from: 0, to: sorted.count, by: Self.batch) {
      try index.add(Array(sorted[start..<min(start + Self.batch, sorted.count)]))
    }
  }

  /// - Returns: The streams that could not be read: one tenant's missing key must not keep the others' records out.
  /// - Throws: When the index cannot be written.
  private func catchUp(_ streams: [StreamName]) throws(SealedLogError) -> Set<StreamName> {
    settle.withLock { $0 }?()
    var behind: Set<StreamName> = []
    for stream in streams where !isStopping.isSet {
      let mark = try index.mark(of: stream)
      do throws(SealedLogError) {
        try reader.metadata(of: stream, after: mark) { (records) throws(SealedLogError) in try add(records) }
      } catch {
        behind.insert(stream)
        fault.withLock { $0 = error }
      }
    }
    return behind
  }
}
