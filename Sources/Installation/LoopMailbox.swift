import EventLoop
import Gateway
import Synchronization

/// Brings news of other threads to the loops: which exchanges the ledger or the log's writer has answered.
final class LoopMailbox: Sendable {
  private let pipelines = Mutex<[LoopBound<RequestPipeline>]>([])

  func add(_ pipeline: LoopBound<RequestPipeline>) { pipelines.withLock { $0.append(pipeline) } }

  private func pipeline(_ number: Int) -> LoopBound<RequestPipeline>? {
    pipelines.withLock { $0.indices.contains(number) ? $0[number] : nil }
  }

  /// The quota ledger has answered.
  func wake(_ number: Int, _ tickets: [UInt64]) {
    guard let pipeline = pipeline(number) else { return }
    pipeline.loop.execute { pipeline.value.wake(tickets) }
  }

  /// A helper has done its work.
  func returned(_ number: Int, _ ticket: UInt64) {
    guard let pipeline = pipeline(number) else { return }
    pipeline.loop.execute { pipeline.value.returned(ticket) }
  }

  /// The log's queue has room again.
  func room(_ number: Int) {
    guard let pipeline = pipeline(number) else { return }
    pipeline.loop.execute { pipeline.value.logHasRoom() }
  }

  /// The log's writer has written.
  func confirmed(_ number: Int, _ tickets: [UInt64]) {
    guard let pipeline = pipeline(number) else { return }
    pipeline.loop.execute { pipeline.value.confirmed(tickets) }
  }
}
