public import EventLoop
public import Gateway
import Glibc

/// The data plane's listeners: accept connections on the first loop and give each to the loop it stays on.
public final class FrontendServer: Sendable {
  public struct Configuration: Sendable {
    /// At least one.
    public var places: [ListeningPlace]
    /// Host names that are served; empty serves all.
    public var hosts: Set<String>
    public var proxies: TrustedProxies
    public var limits: Limits
    /// Nil serves without TLS.
    public var tls: TLSFront?

    public init(
      places: [ListeningPlace], hosts: Set<String> = [], proxies: TrustedProxies = TrustedProxies(),
      limits: Limits = Limits(), tls: TLSFront? = nil
    ) {
      self.places = places
      self.hosts = hosts
      self.proxies = proxies
      self.limits = limits
      self.tls = tls
    }
  }

  private let workers: [LoopBound<LoopWorker>]
  private let listeners: [LoopBound<Listener>]
  /// The ports in use, in the order of the places; 0 for a file.
  public let ports: [Int]

  /// The listening sockets, for as long as this accepts or is paused.
  public let descriptors: [Int32]

  /// Binds; ``accept(_:)`` starts it.
  /// - Parameters:
  ///   - pipelines: One per loop, made for that loop; at least one.
  ///   - count: Holds the limits on connections; over them a connection is closed as soon as it is accepted.
  public init(
    _ configuration: Configuration, pipelines: [LoopBound<RequestPipeline>], count: ConnectionCount
  ) async throws {
    var sockets: [ListeningSocket] = []
    do throws(ListenerError) {
      for place in configuration.places { sockets.append(try ListeningSocket(place)) }
    } catch {
      for socket in sockets { socket.discard() }
      throw error
    }
    ports = sockets.map(\.port)
    descriptors = sockets.map(\.descriptor)
    var workers: [LoopBound<LoopWorker>] = []
    for pipeline in pipelines {
      let loop = pipeline.loop
      workers.append(
        try await loop.run {
          LoopBound(
            LoopWorker(
              loop: loop, pipeline: pipeline.value, limits: configuration.limits, hosts: configuration.hosts,
              proxies: configuration.proxies, count: count, tls: configuration.tls), loop)
        })
    }
    self.workers = workers
    let all = workers
    guard let first = all.first else { throw EventLoopError.ended }
    let proxies = configuration.proxies
    var listeners: [LoopBound<Listener>] = []
    for socket in sockets {
      listeners.append(
        try await first.loop.run {
          var turn = 0
          let listener = Listener(socket, on: first.loop) { descriptor, source in
            guard count.admits(source, isMany: proxies.holds(source.network)) else {
              close(descriptor)
              return
            }
            // In turn, for the loops to have the same number: connections of applications live long.
            turn = (turn + 1) % all.count
            let worker = all[turn]
            if worker.loop.isCurrent { return worker.value.adopt(descriptor, from: source) }
            guard worker.loop.execute({ worker.value.adopt(descriptor, from: source) }) else {
              count.left(source)
              close(descriptor)
              return
            }
          }
          return LoopBound(listener, first.loop)
        })
    }
    self.listeners = listeners
  }

  /// Accepts connections or, for a time, none: then they wait in the kernel.
  public func accept(_ accepts: Bool) async {
    for listener in listeners {
      _ = try? await listener.loop.run { accepts ? listener.value.start() : listener.value.pause() }
    }
  }

  /// A listening socket that is not of the data plane, such as the Admin API's.
  public static func open(_ place: ListeningPlace) throws(ListenerError) -> (descriptor: Int32, port: Int) {
    let socket = try ListeningSocket(place)
    return (socket.descriptor, socket.port)
  }

  /// Whether only this machine reaches a listening socket.
  public static func isLocal(_ descriptor: Int32) -> Bool { ListeningSocket.isLocal(descriptor) }

  /// Stops accepting, lets what is in work finish, and closes the rest after `seconds`.
  /// - Parameter isHandedOver: Another process listens on the same sockets: nobody's connection is closed before its
  ///   client had the chance to hear of it.
  public func drain(seconds: Int64, isHandedOver: Bool = false) async {
    for listener in listeners {
      _ = try? await listener.loop.run { listener.value.close(isHandedOver: isHandedOver) }
    }
    await each(within: seconds) { worker, deadline, done in
      let limits = worker.limits
      worker.drain(
        until: deadline,
        lingerMilliseconds: isHandedOver ? limits.lingerMilliseconds : limits.stopLingerMilliseconds, done)
    }
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
