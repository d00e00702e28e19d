import Gateway
import NIOCore
import Synchronization

/// Brings news of other threads to the loops: which exchanges the ledger or the log's writer has answered.
final class LoopMailbox: Sendable {
  private struct Loop: Sendable {
    let loop: any EventLoop
    let pipeline: NIOLoopBound<RequestPipeline>
  }

  private let loops = Mutex<[Loop]>([])

  func add(_ loop: any EventLoop, _ pipeline: NIOLoopBound<RequestPipeline>) {
    loops.withLock { $0.append(Loop(loop: loop, pipeline: pipeline)) }
  }

  private func loop(_ number: Int) -> Loop? { loops.withLock { $0.indices.contains(number) ? $0[number] : nil } }

  /// The quota ledger has answered.
  func wake(_ number: Int, _ tickets: [UInt64]) {
    guard let loop = loop(number) else { return }
    loop.loop.execute { loop.pipeline.value.wake(tickets) }
  }

  /// The log's writer has written.
  func confirmed(_ number: Int, _ tickets: [UInt64]) {
    guard let loop = loop(number) else { return }
    loop.loop.execute { loop.pipeline.value.confirmed(tickets) }
  }
}
