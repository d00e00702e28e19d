package import Gateway
package import NIOCore
package import NIOPosix

/// The data plane's listener: accepts connections on all loops and gives each to the loop it stays on.
package final class FrontendServer: Sendable {
  package struct Configuration: Sendable {
    package var address: String
    /// 0 takes a free one.
    package var port: Int
    /// Host names that are served; empty serves all.
    package var hosts: Set<String>
    package var limits: Limits

    package init(address: String, port: Int, hosts: Set<String> = [], limits: Limits = Limits()) {
      self.address = address
      self.port = port
      self.hosts = hosts
      self.limits = limits
    }
  }

  private let group: MultiThreadedEventLoopGroup
  private let workers: [ObjectIdentifier: NIOLoopBound<LoopWorker>]
  private let channel: any Channel
  private let ticks: [RepeatedTask]

  /// The port in use.
  package var port: Int { channel.localAddress?.port ?? 0 }

  /// Binds and starts to accept.
  /// - Parameter pipelines: One per loop of the group, made for that loop.
  package init(
    _ configuration: Configuration, group: MultiThreadedEventLoopGroup,
    pipelines: [(loop: any EventLoop, pipeline: NIOLoopBound<RequestPipeline>)]
  ) async throws {
    self.group = group
    var workers: [ObjectIdentifier: NIOLoopBound<LoopWorker>] = [:]
    var ticks: [RepeatedTask] = []
    for (loop, pipeline) in pipelines {
      let worker = try await loop.submit {
        NIOLoopBound(
          LoopWorker(pipeline: pipeline.value, limits: configuration.limits, hosts: configuration.hosts),
          eventLoop: loop)
      }.get()
      workers[ObjectIdentifier(loop)] = worker
      ticks.append(
        loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in worker.value.tick() })
    }
    self.workers = workers
    self.ticks = ticks
    let byLoop = workers
    channel = try await ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
      .childChannelOption(.maxMessagesPerRead, value: 4)
      .childChannelOption(
        .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 4096, maximum: 262_144)
      )
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard let worker = byLoop[ObjectIdentifier(channel.eventLoop)] else { throw ChannelError.unknownLocalAddress }
          let connection = Connection(worker: worker.value, source: SourceAddress(channel.remoteAddress))
          try channel.pipeline.syncOperations.addHandler(connection)
        }
      }
      .bind(host: configuration.address, port: configuration.port).get()
  }

  /// Stops accepting, lets what is in work finish, and closes the rest after `grace`.
  package func drain(grace: TimeAmount) async {
    try? await channel.close().get()
    for worker in workers.values { worker.eventLoop.execute { worker.value.drain() } }
    let deadline = NIODeadline.now() + grace
    while NIODeadline.now() < deadline {
      var open = 0
      for worker in workers.values {
        open += (try? await worker.eventLoop.submit { worker.value.connectionCount }.get()) ?? 0
      }
      if open == 0 { break }
      try? await Task.sleep(nanoseconds: 50_000_000)
    }
    // What is left ends with an error its client can see; its records and settlements are waited for.
    for worker in workers.values { worker.eventLoop.execute { worker.value.pipeline.endAll() } }
    let settled = NIODeadline.now() + .seconds(6)
    while NIODeadline.now() < settled {
      var open = 0
      for worker in workers.values {
        open += (try? await worker.eventLoop.submit { worker.value.pipeline.openExchanges }.get()) ?? 0
      }
      if open == 0 { break }
      try? await Task.sleep(nanoseconds: 20_000_000)
    }
    for worker in workers.values { worker.eventLoop.execute { worker.value.closeAll() } }
    for tick in ticks { tick.cancel() }
  }
}
