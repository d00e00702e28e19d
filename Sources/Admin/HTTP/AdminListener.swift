import Glibc
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// Accepts the Admin API's connections, on a socket of its own or on one that was open before this process began.
///
/// Hummingbird speaks HTTP on them; its own server can only open sockets by itself.
struct AdminListener: Service {
  let configuration: AdminConfiguration
  /// A socket that listens already; nil opens one.
  let socket: Int32?
  let responder: AdminResponder
  let logger: Logger
  /// Told the port, 0 for a socket without one.
  let onListening: @Sendable (Int) -> Void

  func run() async throws {
    let (clients, arrivals) = AsyncStream<HTTP1Channel.Value>.makeStream()
    let (child, logger, open) = (makeChannel(), logger, OpenChannels())
    let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.backlog, value: 256)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { channel in
        child.setup(channel: channel, logger: logger).map { client in
          guard case .terminated = arrivals.yield(client) else { return }
          Task { try? await client.executeThenClose { _, _ in } }  // too late; it may not just be dropped
        }
      }
    let binding =
      if let socket { bootstrap.withBoundSocket(socket) } else {
        bootstrap.bind(host: configuration.address, port: configuration.port)
      }
    let listening = try await binding.get()
    onListening(listening.localAddress?.port ?? 0)
    await withGracefulShutdownHandler {
      await withDiscardingTaskGroup { group in
        for await client in clients {
          let number = open.add(client.channel)
          group.addTask {
            await child.handle(value: client, logger: logger)
            open.remove(number)
          }
        }
      }
    } onGracefulShutdown: {
      listening.close(promise: nil)
      arrivals.finish()
      open.quiesce()
    }
    // Also where this was cancelled.
    arrivals.finish()
    try? await listening.close()
  }

  private func makeChannel() -> HTTP1Channel {
    let (responder, logger) = (responder, logger)
    return HTTP1Channel(
      responder: { request, writer, channel in
        var response: Response
        do {
          response = try await responder.respond(
            to: request,
            context: AdminContext(source: ApplicationRequestContextSource(channel: channel, logger: logger)))
        } catch {
          response = Response(status: .internalServerError)
        }
        if let date = HTTPDate.now { response.headers[.date] = date }
        try await writer.write(response: response.head, body: response.body)
      },
      configuration: .init(
        idleTimeout: .seconds(60),
        httpDecoderConfiguration: .init(
          maxHeaderFieldSize: 8 * 1024, maxHeaderListSize: 32 * 1024, maxHeaderFieldCount: 100)))
  }
}

/// Connections that are to be told of the end.
private final class OpenChannels: Sendable {
  private struct State {
    var channels: [Int: any Channel] = [:]
    var last = 0
    var isOver = false
  }

  private let state = Mutex(State())

  func add(_ channel: any Channel) -> Int {
    let (number, isOver) = state.withLock { state in
      state.last += 1
      state.channels[state.last] = channel
      return (state.last, state.isOver)
    }
    if isOver { tell(channel) }
    return number
  }

  func remove(_ number: Int) { state.withLock { $0.channels[number] = nil } }

  /// Connections finish what they are at, and close.
  func quiesce() {
    let channels = state.withLock { state in
      state.isOver = true
      return Array(state.channels.values)
    }
    for channel in channels { tell(channel) }
  }

  private func tell(_ channel: any Channel) {
    channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
  }
}

/// The time as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
private enum HTTPDate {
  static var now: String? {
    var seconds = time(nil)
    var parts = tm()
    guard gmtime_r(&seconds, &parts) != nil else { return nil }
    let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard days.indices.contains(Int(parts.tm_wday)), months.indices.contains(Int(parts.tm_mon)) else { return nil }
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1900) "
      + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
  }
}
