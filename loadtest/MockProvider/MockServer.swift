import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// A scripted provider that speaks the dialects of the large ones, for tests and for load.
///
/// It listens on 127.0.0.1 only. What it does is said by the model's name (see the README of `loadtest/`): the same
/// request always has the same answer, the same usage and the same charge.
package final class MockServer: Sendable {
  private struct Running {
    let group: MultiThreadedEventLoopGroup
    let channel: any Channel
    let port: Int
  }

  private let wantedPort: Int
  private let loops: Int
  private let journal: Journal
  private let signature: AmazonSignature?
  private let running = NIOLockedValueBox<Running?>(nil)

  /// - Parameters:
  ///   - port: Where to listen; 0 takes a free one.
  ///   - loops: Event loops, each on a thread of its own.
  ///   - keep: How many of the last requests the report holds.
  ///   - amazonKey: The key that requests of Bedrock's dialect must be signed with; without it, any credential will do.
  package init(port: Int = 0, loops: Int = 1, keep: Int = 256, amazonKey: AmazonKey? = nil) {
    wantedPort = port
    self.loops = max(1, loops)
    journal = Journal(limit: keep)
    signature = amazonKey.map { AmazonSignature(key: $0) }
  }

  /// Listens; returns when connections are accepted.
  ///
  /// - Throws: ``MockProviderError`` with code `listen_failed` if the port is taken or none.
  package func start() throws(MockProviderError) {
    guard running.withLockedValue({ $0 == nil }) else {
      throw MockProviderError(code: .alreadyStarted, message: "The mock provider runs already.")
    }
    guard (0...65_535).contains(wantedPort) else {
      throw MockProviderError(code: .listenFailed, message: "\(wantedPort) is no port; 0 to 65535 are.")
    }
    let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
    let journal = journal
    let signature = signature
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 4_096)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelOption(.maxMessagesPerRead, value: 64)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(
        .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 4_096, initial: 8_192, maximum: 262_144)
      )
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(ConnectionHandler(journal, signature))
        }
      }
    do {
      let channel = try bootstrap.bind(host: "127.0.0.1", port: wantedPort).wait()
      let port = channel.localAddress?.port ?? wantedPort
      running.withLockedValue { $0 = Running(group: group, channel: channel, port: port) }
    } catch {
      try? group.syncShutdownGracefully()
      throw MockProviderError(
        code: .listenFailed, message: "The mock provider cannot listen on 127.0.0.1:\(wantedPort): \(error)")
    }
  }

  /// The port it listens on; 0 while it does not run.
  package var port: Int { running.withLockedValue { $0?.port ?? 0 } }

  /// The base URL to give a client, `http://127.0.0.1:PORT/v1`.
  package var baseURL: String { "http://127.0.0.1:\(port)/v1" }

  /// What it saw and charged since it started or was reset.
  package func report() -> MockReport { journal.report() }

  /// Forgets requests, bill and failure counts.
  package func reset() { journal.reset() }

  /// Closes the port and every connection; safe to call twice.
  package func stop() {
    let last = running.withLockedValue { running in
      defer { running = nil }
      return running
    }
    guard let last else { return }
    try? last.channel.close().wait()
    try? last.group.syncShutdownGracefully()
  }
}
