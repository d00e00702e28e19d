import Admin
import EventLoop
import Foundation
import Frontend
import Gateway
import Logging
import Synchronization
import Upstream

/// A started gateway: listeners, loops and everything behind them.
package final class RunningInstallation: Sendable {
  let core: InstallationCore
  /// URLs of the unified endpoint and the Admin API.
  package let endpoint: String
  package let admin: String
  private let loops: [EventLoop]
  private let frontend: FrontendServer
  private let adminServer: AdminServer
  private let adminTask: Task<Void, any Error>
  private let housekeeping: Task<Void, Never>
  private let pools: [LoopBound<UpstreamPool>]
  private let isOver = Atomic<Bool>(false)

  /// - Parameter isReady: False leaves it to the caller to say when requests are taken.
  package static func start(_ configuration: ServerConfiguration, isReady: Bool = true) async throws
    -> RunningInstallation
  {
    // A core is left to the log: sealing, writing and indexing are a third of a request's cost, on threads of their own.
    let loops = configuration.loops ?? max(1, ProcessInfo.processInfo.activeProcessorCount - 1)
    do {
      let core = try InstallationCore(configuration, loops: loops)
      let running = try await RunningInstallation(core, loops: loops)
      if isReady { core.readiness.markServing() }
      return running
    } catch let error as InstallationError {
      throw error
    } catch let error as ListenerError {
      throw InstallationError(.portTaken, "\(error)", hint: "choose another address or port, or port 0 for a free one")
    } catch {
      throw InstallationError(.storeUnusable, "\(error)", hint: "run 'torhausctl doctor' or read the log above")
    }
  }

  private init(_ core: InstallationCore, loops: Int) async throws {
    self.core = core
    let configuration = core.configuration
    let services = GatewayServices(
      snapshots: core.snapshots, quotas: core.quotas, log: core.log, pepper: core.pepper,
      limits: configuration.limits, readiness: core.readiness)
    var made: [(loop: EventLoop, pipeline: LoopBound<RequestPipeline>, pool: LoopBound<UpstreamPool>)] = []
    var counters: [LoopCounters] = []
    let clock = SystemClock()
    for number in 0..<max(1, loops) {
      let loop = try EventLoop(name: "loop-\(number)")
      let (pipeline, pool, count) = try await loop.run {
        let pipeline = try RequestPipeline(services: services, loop: number, clock: clock)
        let pool = UpstreamPool(loop: loop, limits: services.limits, delegate: pipeline)
        pipeline.upstreamPort = pool
        return (LoopBound(pipeline, loop), LoopBound(pool, loop), pipeline.counters)
      }
      made.append((loop, pipeline, pool))
      counters.append(count)
      core.mailbox.add(pipeline)
    }
    self.loops = made.map(\.loop)
    pools = made.map(\.pool)
    let metrics = LoopMetrics(counters: counters, core: core)
    let administration = Administration(core: core)
    let adminServer = AdminServer(
      configuration: try AdminConfiguration(
        address: configuration.admin.address, port: configuration.admin.port, hosts: []),
      services: administration.services(metrics: metrics), logger: Logger(label: "torhaus.admin"))
    self.adminServer = adminServer
    adminTask = Task { try await adminServer.run() }
    guard let adminPort = await adminServer.boundPort() else {
      try await adminTask.value
      throw InstallationError(
        .portTaken, "the Admin API cannot listen on \(configuration.admin.address):\(configuration.admin.port)",
        hint: "choose another port, or 0 for a free one")
    }
    frontend = try await FrontendServer(
      FrontendServer.Configuration(
        address: configuration.api.address, port: configuration.api.port, hosts: configuration.hosts,
        limits: configuration.limits, tls: core.tls?.front),
      pipelines: made.map(\.pipeline))
    endpoint = "\(core.tls == nil ? "http" : "https")://\(configuration.api.address):\(frontend.port)"
    admin = "http://\(configuration.admin.address):\(adminPort)"
    housekeeping = Task {
      while !Task.isCancelled {
        try? await Task.sleep(for: .seconds(60))
        guard !Task.isCancelled else { return }
        core.tls?.refresh(asked: false)
        do { try core.rollJournal() } catch { OperatorLog.say("the journal could not be rolled: \(error)") }
      }
    }
  }

  /// Applies the folder of policies, and the endpoint's certificate and key.
  package func reload() {
    core.reloadPolicies()
    core.tls?.refresh(asked: true)
  }

  /// Takes nothing new, lets what is in work finish, writes everything, ends.
  package func drain() async {
    guard isOver.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged else { return }
    core.readiness.markDraining()
    await frontend.drain(seconds: core.configuration.drainSeconds)
    housekeeping.cancel()
    await adminServer.stop()
    _ = try? await adminTask.value
    core.stop()
    for pool in pools { _ = try? await pool.loop.run { pool.value.stop() } }
    for loop in loops { loop.stop() }
  }
}
