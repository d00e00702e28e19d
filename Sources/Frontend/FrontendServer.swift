package import EventLoop
package import Gateway
import Glibc

/// The data plane's listener: accepts connections on the first loop and gives each to the loop it stays on.
package final class FrontendServer: Sendable {
  package struct Configuration: Sendable {
    package var address: String
    /// 0 takes a free one.
    package var port: Int
    /// Host names that are served; empty serves all.
    package var hosts: Set<String>
    package var limits: Limits
    /// Nil serves without TLS.
    package var tls: TLSFront?

    package init(
      address: String, port: Int, hosts: Set<String> = [], limits: Limits = Limits(), tls: TLSFront? = nil
    ) {
      self.address = address
      self.port = port
      self.hosts = hosts
      self.limits = limits
      self.tls = tls
    }
  }

  private let workers: [LoopBound<LoopWorker>]
  private let listener: LoopBound<Listener>
  /// The port in use.
  package let port: Int

  /// Binds and starts to accept.
  /// - Parameter pipelines: One per loop, made for that loop; at least one.
  package init(_ configuration: Configuration, pipelines: [LoopBound<RequestPipeline>]) async throws {
    let socket = try ListeningSocket(address: configuration.address, port: configuration.port)
    port = socket.port
    var workers: [LoopBound<LoopWorker>] = []
    for pipeline in pipelines {
      let loop = pipeline.loop
      workers.append(
        try await loop.run {
          LoopBound(
            LoopWorker(
              loop: loop, pipeline: pipeline.value, limits: configuration.limits, hosts: configuration.hosts,
              tls: configuration.tls), loop)
        })
    }
    self.workers = workers
    let all = workers
    guard let first = all.first else { throw EventLoopError.ended }
    listener = try await first.loop.run {
      var turn = 0
      let listener = Listener(socket, on: first.loop) { descriptor, source in
        // In turn, for the loops to have the same number: connections of applications live long.
        turn = (turn + 1) % all.count
        let worker = all[turn]
        if worker.loop.isCurrent { return worker.value.adopt(descriptor, from: source) }
        if !worker.loop.execute({ worker.value.adopt(descriptor, from: source) }) { close(descriptor) }
      }
      listener.start()
      return LoopBound(listener, first.loop)
    }
  }

  /// Stops accepting, lets what is in work finish, and closes the rest after `seconds`.
  package func drain(seconds: Int64) async {
    _ = try? await listener.loop.run { self.listener.value.close() }
    await each(within: seconds) { $0.drain(until: $1, $2) }
    // What is left ends with an error its client can see; its records and settlements are waited for.
    await each(within: 6) { $0.endAll(until: $1, $2) }
    for worker in workers { _ = try? await worker.loop.run { worker.value.closeAll() } }
  }

  /// Starts something on every loop and waits until each has said that it is done; all have the same time for it.
  private func each(
    within seconds: Int64, _ start: @escaping @Sendable (LoopWorker, Int64, @escaping @Sendable () -> Void) -> Void
  ) async {
    await withTaskGroup { group in
      for worker in workers {
        group.addTask {
          await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            let isTaken = worker.loop.execute {
              start(worker.value, worker.loop.now + seconds * 1_000_000_000) { done.resume() }
            }
            if !isTaken { done.resume() }
          }
        }
      }
    }
  }
}
