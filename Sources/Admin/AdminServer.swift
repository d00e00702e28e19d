package import Logging
import ServiceLifecycle
import Synchronization

/// The listener of the Admin API; its own, so that a busy API port fails no liveness probe and no administrator.
package final class AdminServer: Service, Sendable {
  private let configuration: AdminConfiguration
  private let socket: Int32?
  private let dispatcher: AdminDispatcher
  private let logger: Logger
  private let state = Mutex(State())

  private struct State {
    var port: Int?
    var isOver = false
    var waiting: [CheckedContinuation<Int?, Never>] = []
    var group: ServiceGroup?
  }

  /// - Parameter socket: A stream socket that listens already, which this server closes at its end; nil opens one.
  package init(configuration: AdminConfiguration, socket: Int32? = nil, services: AdminServices, logger: Logger) {
    self.configuration = configuration
    self.socket = socket
    self.logger = logger
    dispatcher = AdminDispatcher(services: services, hosts: configuration.hosts, logger: logger)
  }

  /// Serves until it is stopped, by ``stop()``, by the service group it belongs to, or by cancellation.
  /// - Throws: When the address cannot be bound.
  package func run() async throws {
    defer { end() }
    let listener = AdminListener(
      configuration: configuration, socket: socket, responder: AdminResponder(dispatcher: dispatcher), logger: logger,
      onListening: { [weak self] port in self?.bound(to: port) })
    let group = ServiceGroup(configuration: .init(services: [listener], logger: logger))
    guard keep(group) else { return }
    try await group.run()
  }

  /// The port that is listened on, once it is; nil if the server ended before.
  package func boundPort() async -> Int? {
    await withCheckedContinuation { continuation in
      let known = state.withLock { state -> Int?? in
        if let port = state.port { return .some(port) }
        if state.isOver { return .some(nil) }
        state.waiting.append(continuation)
        return nil
      }
      if let known { continuation.resume(returning: known) }
    }
  }

  /// Accepts nothing more, finishes what is under way; ``run()`` then returns.
  package func stop() async {
    let group = state.withLock { state in
      if state.group == nil { state.isOver = true }
      return state.group
    }
    await group?.triggerGracefulShutdown()
  }

  /// False if the server was stopped before it began.
  private func keep(_ group: ServiceGroup) -> Bool {
    state.withLock { state in
      guard !state.isOver else { return false }
      state.group = group
      return true
    }
  }

  private func bound(to port: Int) {
    let waiting = state.withLock { state in
      state.port = port
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume(returning: port) }
    logger.notice("Admin API listens", metadata: ["port": "\(port)"])
  }

  private func end() {
    let waiting = state.withLock { state in
      state.isOver = true
      state.port = nil
      state.group = nil
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume(returning: nil) }
  }
}
