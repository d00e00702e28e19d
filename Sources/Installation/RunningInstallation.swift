import Admin
import EventLoop
import Foundation
import Frontend
import Gateway
import Logging
import Quotas
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
  private let adminSocket: Int32
  private let relief: Relief?
  private let neighbours = Mutex<Task<Void, Never>?>(nil)
  private let adminTask: Task<Void, any Error>
  private let housekeeping: Task<Void, Never>
  private let services: GatewayServices
  private let pools: [LoopBound<UpstreamPool>]
  private let helpers: Helpers
  private let desk: BatchDesk
  private let isOver = Atomic<Bool>(false)

  /// - Parameter isReady: False leaves it to the caller to say when requests are taken: ``serve()``.
  package static func start(_ configuration: ServerConfiguration, isReady: Bool = true) async throws
    -> RunningInstallation
  {
    let loops = configuration.effectiveLoops
    do {
      _ = Successor.program  // before a newer one may lie in its place
      let relief = Relief.take()
      let inherited = try InheritedSockets.take(isHandedOver: relief != nil)
      let core = try InstallationCore(configuration, loops: loops, isRelieving: relief != nil)
      let running = try await RunningInstallation(core, inherited, relief, loops: loops)
      if isReady { await running.serve() }
      return running
    } catch let error as InstallationError {
      throw error
    } catch let error as ListenerError {
      throw InstallationError(.portTaken, "\(error)", hint: "choose another address or port, or port 0 for a free one")
    } catch let error as QuotaError where error.code == .folderLocked {
      throw InstallationError(
        .storeUnusable, "\(configuration.dataFolder): \(error.detail)",
        hint: "end that process, or give this one a data folder of its own")
    } catch {
      throw InstallationError(.storeUnusable, "\(error)", hint: "run 'torhausctl doctor' or read the log above")
    }
  }

  private init(_ core: InstallationCore, _ inherited: InheritedSockets, _ relief: Relief?, loops: Int) async throws {
    self.core = core
    self.relief = relief
    let configuration = core.configuration
    let services = GatewayServices(
      snapshots: core.snapshots, quotas: core.quotas, log: core.log, pepper: core.pepper,
      limits: configuration.limits, readiness: core.readiness, batches: core.batches)
    var made: [(loop: EventLoop, pipeline: LoopBound<RequestPipeline>, pool: LoopBound<UpstreamPool>)] = []
    var counters: [LoopCounters] = []
    let clock = SystemClock()
    let mailbox = core.mailbox
    // As many as loops: large bodies may keep all processors busy, but not all of the loops.
    let helpers = try Helpers(loops, services: services, clock: clock) { mailbox.returned($0, $1) }
    self.helpers = helpers
    let desk = try BatchDesk(services: services, clock: clock) { mailbox.returned($0, $1) }
    self.desk = desk
    for number in 0..<max(1, loops) {
      let loop = try EventLoop(name: "loop-\(number)")
      let (pipeline, pool, count) = try await loop.run {
        let pipeline = try RequestPipeline(services: services, loop: number, clock: clock)
        let pool = UpstreamPool(loop: loop, limits: services.limits, delegate: pipeline)
        pipeline.upstreamPort = pool
        pipeline.helpers = helpers
        pipeline.desk = desk
        return (LoopBound(pipeline, loop), LoopBound(pool, loop), pipeline.counters)
      }
      made.append((loop, pipeline, pool))
      counters.append(count)
      core.mailbox.add(pipeline)
    }
    self.loops = made.map(\.loop)
    pools = made.map(\.pool)
    let count = ConnectionCount(
      limit: configuration.limits.connections, perSource: configuration.limits.connectionsPerSource)
    let metrics = LoopMetrics(counters: counters, connections: count, services: services, core: core)
    let administration = Administration(core: core, pipelines: made.map(\.pipeline), counters: counters)
    let listening =
      if let inherited = inherited.admin { inherited } else {
        try FrontendServer.open(configuration.admin.place).descriptor
      }
    adminSocket = listening
    let adminServer = AdminServer(
      configuration: try AdminConfiguration(
        address: configuration.admin.address, port: configuration.admin.port, hosts: []), socket: listening,
      services: administration.services(metrics: metrics), logger: Logger(label: "torhaus.admin"))
    self.adminServer = adminServer
    adminTask = Task { try await adminServer.run() }
    guard let adminPort = await adminServer.boundPort() else {
      try await adminTask.value
      throw InstallationError(.portTaken, "the Admin API cannot listen", hint: "read the log above")
    }
    frontend = try await FrontendServer(
      FrontendServer.Configuration(
        places: inherited.api.isEmpty
          ? ([configuration.api] + configuration.also).map(\.place)
          : inherited.api.map { .inherited(descriptor: $0) },
        hosts: configuration.hosts,
        proxies: TrustedProxies(networks: configuration.trustedProxies, trustsFiles: configuration.trustsUnixClients),
        limits: configuration.limits, tls: core.tls?.front),
      pipelines: made.map(\.pipeline), count: count)
    endpoint = configuration.api.url(port: frontend.ports.first ?? 0, isSecure: core.tls != nil)
    admin = configuration.admin.url(port: adminPort)
    self.services = services
    housekeeping = Task {
      while !Task.isCancelled {
        try? await Task.sleep(for: .seconds(60))
        guard !Task.isCancelled else { return }
        // Not on a thread that all tasks share: a disk that hangs would leave none for the Admin API and for signals.
        await Self.offLoops {
          Self.report(services)
          core.tls?.refresh(asked: false)
          do { try core.rollJournal() } catch { OperatorLog.say("the journal could not be rolled: \(error)") }
        }
      }
    }
  }

  /// Applies the folder of policies, and the endpoint's certificate and key.
  package func reload() async {
    await Self.offLoops { [core] in
      core.reloadPolicies()
      core.tls?.refresh(asked: true)
    }
  }

  /// Takes requests from now on. Where this process relieves another one, that has stopped before.
  package func serve() async {
    if let relief {
      guard await Self.offLoops({ relief.awaitTurn() }) else {
        // As the other one would end it: nothing was accepted, and nothing is left to be written.
        OperatorLog.say("process \(relief.relieved) has not let go within 10 s, and goes on serving")
        _exit(EX_TEMPFAIL)
      }
      core.takeUpNeighbours()
      // What it has changed since this one loaded everything.
      _ = await Self.offLoops { [core] in core.lookAtNeighbours(recovers: false) }
    }
    if core.hasNeighbours { attendNeighbours(recovers: true) }
    core.readiness.markServing()
    await frontend.accept(true)
    relief?.tellServing()
    ServiceManager.tellReady()
    Watchdog.start(loops, hasRelieved: relief != nil)
  }

  /// Follows what other processes of this data folder do, for as long as there are any.
  private func attendNeighbours(recovers: Bool) {
    let core = core
    neighbours.withLock { task in
      guard task == nil else { return }
      task = Task {
        while !Task.isCancelled, await Self.offLoops({ core.lookAtNeighbours(recovers: recovers) }) {
          try? await Task.sleep(for: .milliseconds(250))
        }
      }
    }
  }

  private func endAttending() {
    neighbours.withLock { task in
      task?.cancel()
      task = nil
    }
  }

  package enum HandOver: Sendable {
    /// Another process serves; ``drain(isHandedOver:)`` follows.
    case relieved(by: Int32)
    /// Nobody has taken over, for this reason; this process serves as before.
    case failed(String)
  }

  /// Starts the program anew and gives the listening sockets to it. Connections wait in the kernel between the last that
  /// this process accepts and the first that the other does.
  package func handOver() async -> HandOver {
    let sockets: [(descriptor: Int32, name: String)] =
      frontend.descriptors.map { (descriptor: $0, name: "api") } + [
        (descriptor: adminSocket, name: InheritedSockets.adminName)
      ]
    guard let successor = Successor.start(sockets) else { return .failed("the program cannot be started") }
    // Its Admin API may be asked as soon as it is open.
    endAttending()
    attendNeighbours(recovers: false)
    guard await Self.offLoops({ successor.isPrepared() }) else {
      goOn(instead: successor)
      return .failed("the new process ended, or was not ready within 10 s")
    }
    await frontend.accept(false)
    let core = core
    let serves = await Self.offLoops {
      // Where the ledger is away, what is leased here stays leased until this process ends: nothing is spent twice.
      do { try core.quotas.beginLeaving() } catch { OperatorLog.say("leases are given back later: \(error)") }
      return successor.serves()
    }
    guard serves else {
      goOn(instead: successor)
      await frontend.accept(true)
      return .failed("the new process did not begin to serve")
    }
    successor.leave()
    Watchdog.end()
    ServiceManager.tellMainProcess(successor.process)
    return .relieved(by: successor.process)
  }

  private func goOn(instead successor: Successor) {
    successor.end()
    core.quotas.stay()
    endAttending()
    // It has left a place of its own; and a process that this one has relieved may still be there.
    attendNeighbours(recovers: true)
  }

  /// Says what the loops have met that somebody should know of.
  private static func report(_ services: GatewayServices) {
    for line in services.failedKeys.takeReport().lines + services.providerFaults.takeReport() { OperatorLog.say(line) }
  }

  /// Work that blocks, on a thread of its own.
  private static func offLoops<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      Thread.detachNewThread { continuation.resume(returning: work()) }
    }
  }

  /// Takes nothing new, lets what is in work finish, writes everything, ends.
  /// - Parameter isHandedOver: Another process serves already: clients that are connected here are told so with their
  ///   next answer, and may send one more request until then.
  package func drain(isHandedOver: Bool = false) async {
    guard isOver.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged else { return }
    if isHandedOver {
      await adminServer.stop()
    } else {
      core.readiness.markDraining()
      ServiceManager.tellStopping()
    }
    await frontend.drain(seconds: core.configuration.drainSeconds, isHandedOver: isHandedOver)
    core.readiness.markDraining()
    housekeeping.cancel()
    Self.report(services)
    endAttending()
    await adminServer.stop()
    _ = try? await adminTask.value
    desk.stop()  // while the ledger that it corrects is open
    core.stop()
    helpers.stop()
    for pool in pools { _ = try? await pool.loop.run { pool.value.stop() } }
    for loop in loops { loop.stop() }
  }
}
