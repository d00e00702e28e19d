import Admin
import Frontend
import Gateway
import Glibc
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Upstream

/// A started gateway: listeners, loops and everything behind them.
package final class RunningInstallation: Sendable {
  let core: InstallationCore
  /// URLs of the unified endpoint and the Admin API.
  package let endpoint: String
  package let admin: String
  /// How the loops are woken for libcurl's sockets.
  package let readinessKind: String
  private let group: MultiThreadedEventLoopGroup
  private let frontend: FrontendServer
  private let adminServer: AdminServer
  private let adminTask: Task<Void, any Error>
  private let housekeeping: Task<Void, Never>
  private let pools: [NIOLoopBound<UpstreamPool>]
  private let pipelines: [NIOLoopBound<RequestPipeline>]
  private let isOver = Atomic<Bool>(false)

  /// - Parameter isReady: False leaves it to the caller to say when requests are taken.
  package static func start(_ configuration: ServerConfiguration, isReady: Bool = true) async throws
    -> RunningInstallation
  {
    let loops = configuration.loops ?? System.coreCount
    do {
      let core = try InstallationCore(configuration, loops: loops)
      let running = try await RunningInstallation(core, loops: loops)
      if isReady { core.readiness.markServing() }
      return running
    } catch let error as InstallationError {
      throw error
    } catch let error as IOError where error.errnoCode == EADDRINUSE {
      throw InstallationError(.portTaken, "a port is taken", hint: "choose another port, or 0 for a free one")
    } catch {
      throw InstallationError(.storeUnusable, "\(error)", hint: "run 'torhausctl doctor' or read the log above")
    }
  }

  private init(_ core: InstallationCore, loops: Int) async throws {
    self.core = core
    let configuration = core.configuration
    group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
    let services = GatewayServices(
      snapshots: core.snapshots, quotas: core.quotas, log: core.log, pepper: core.pepper,
      limits: configuration.limits, readiness: core.readiness)
    var pipelines: [(loop: any EventLoop, pipeline: NIOLoopBound<RequestPipeline>)] = []
    var pools: [NIOLoopBound<UpstreamPool>] = []
    var counters: [LoopCounters] = []
    var kind = ""
    let clock = SystemClock()
    for (number, loop) in group.makeIterator().enumerated() {
      let made = try await loop.flatSubmit {
        loop.makeCompletedFuture {
          let pipeline = try RequestPipeline(services: services, loop: number, clock: clock)
          let pool = try UpstreamPool(loop: loop, limits: services.limits, delegate: pipeline)
          pipeline.upstreamPort = pool
          let bound = NIOLoopBound(pipeline, eventLoop: loop)
          pipeline.atEndOfTurn = { loop.execute { bound.value.turnEnded() } }
          return (
            bound, NIOLoopBound(pool, eventLoop: loop), pipeline.counters,
            pool.kind.rawValue, try pool.start()
          )
        }
      }.get()
      try await made.4.get()
      pipelines.append((loop, made.0))
      pools.append(made.1)
      counters.append(made.2)
      kind = made.3
      core.mailbox.add(loop, made.0)
    }
    self.pools = pools
    self.pipelines = pipelines.map(\.pipeline)
    readinessKind = kind
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
        limits: configuration.limits),
      group: group, pipelines: pipelines)
    endpoint = "http://\(configuration.api.address):\(frontend.port)"
    admin = "http://\(configuration.admin.address):\(adminPort)"
    housekeeping = Task {
      while !Task.isCancelled {
        try? await Task.sleep(for: .seconds(60))
        guard !Task.isCancelled else { return }
        do { try core.rollJournal() } catch { OperatorLog.say("the journal could not be rolled: \(error)") }
      }
    }
  }

  /// Applies the folder of policies.
  package func reloadPolicies() { core.reloadPolicies() }

  /// Takes nothing new, lets what is in work finish, writes everything, ends.
  package func drain() async {
    guard isOver.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged else { return }
    core.readiness.markDraining()
    await frontend.drain(grace: .seconds(core.configuration.drainSeconds))
    housekeeping.cancel()
    await adminServer.stop()
    _ = try? await adminTask.value
    core.stop()
    for pool in pools { try? await pool.eventLoop.submit { pool.value.stop() }.get() }
    // The closure holds the pipeline that holds it.
    for pipeline in pipelines { try? await pipeline.eventLoop.submit { pipeline.value.atEndOfTurn = nil }.get() }
    try? await group.shutdownGracefully()
  }
}
