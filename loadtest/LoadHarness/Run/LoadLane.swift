import NIOCore
import NIOPosix

/// The connections of one event loop and what they count; used on that loop only.
final class LoadLane {
  /// Requests that wait for a connection; more than that are counted as unfinished at once, so that memory is bounded.
  private static let backlogLimit = 4_000_000

  let requests: PreparedRequests
  private(set) var result: LaneResult
  private var interval = LaneInterval()

  private let loop: any EventLoop
  private let plan: LoadPlan
  private let lane: Int
  private var connections: [ObjectIdentifier: LoadConnection] = [:]
  private var idle: [LoadConnection] = []
  private var times: LoadWindow?
  private var schedule: ArrivalSchedule?
  /// Requests that were due while every connection was busy, from `backlogHead` on.
  private var backlog: [UInt64] = []
  private var backlogHead = 0
  private var issued = 0
  private let issueLimit: Int
  private var draw: RequestDraw
  private let tenantShares: WeightedChoice
  private var inFlight = 0
  private var isStopped = false
  private var isOver = false
  private let onDone: @Sendable () -> Void

  init(
    _ plan: LoadPlan, _ requests: PreparedRequests, loop: any EventLoop, lane: Int,
    onDone: @escaping @Sendable () -> Void
  ) {
    self.plan = plan
    self.requests = requests
    self.loop = loop
    self.lane = lane
    self.onDone = onDone
    result = LaneResult(
      keys: requests.keyCount, targets: plan.targets.count, tenants: plan.tenants.count, classes: plan.classes.count)
    if let limit = plan.requestLimit {
      issueLimit = limit / plan.loops + (lane < limit % plan.loops ? 1 : 0)
    } else {
      issueLimit = .max
    }
    draw = RequestDraw(plan, requests, lane: lane)
    tenantShares = WeightedChoice(plan.tenants.map(\.weight))
    switch plan.pace {
    case .closed: break
    case .open(let rate):
      schedule = ArrivalSchedule(requestsPerSecond: rate, lane: lane, lanes: plan.loops, limit: plan.requestLimit)
    case .scheduled(let profile, let process):
      schedule = ArrivalSchedule(
        profile, process, seed: plan.seed, lane: lane, lanes: plan.loops, limit: plan.requestLimit)
    }
  }

  // MARK: The run

  /// Starts sending when the window does; every connection that could be made is open.
  func begin(_ window: LoadWindow) {
    loop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(window.start)) { self.start(window) }
  }

  private func start(_ window: LoadWindow) {
    guard !isOver else { return }
    times = window
    if schedule != nil {
      waitForNextArrival()
    } else {
      let ready = idle
      idle.removeAll(keepingCapacity: true)
      for connection in ready { giveWork(to: connection) }
    }
    sweep()
    checkIfDone()
  }

  /// No more requests become due; what is due or under way may finish.
  func stopIssuing() {
    isStopped = true
    checkIfDone()
  }

  /// Counts what is still open as unfinished and closes everything.
  func end() {
    isStopped = true
    isOver = true
    for connection in connections.values { connection.fail(.unfinished) }
    for _ in backlogHead..<backlog.count { count(.unfinished) }
    backlogHead = backlog.count
    for connection in connections.values { connection.close() }
  }

  private func checkIfDone() {
    let isExhausted = schedule == nil ? issued >= issueLimit : schedule?.nextDueNanoseconds == nil
    if times != nil, isStopped || isExhausted, inFlight == 0, backlogHead == backlog.count { onDone() }
  }

  private func waitForNextArrival() {
    guard !isStopped, let times, let due = schedule?.nextDueNanoseconds else { return }
    let (deadline, overflow) = times.start.addingReportingOverflow(due)
    guard !overflow, deadline < times.end else { return }
    loop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(deadline)) { self.arrive() }
  }

  private func arrive() {
    guard !isStopped, let times else { return }
    let now = NIODeadline.now().uptimeNanoseconds
    while let due = schedule?.take(atNanoseconds: now - min(now, times.start)) {
      let intended = times.start + due
      if intended >= times.end { break }
      if backlog.count - backlogHead < Self.backlogLimit {
        backlog.append(intended)
      } else {
        count(.unfinished)
      }
    }
    while backlogHead < backlog.count, let connection = idle.popLast() { giveWork(to: connection) }
    waitForNextArrival()
  }

  /// Sends the next request on `connection`, or lets it wait.
  private func giveWork(to connection: LoadConnection) {
    let now = NIODeadline.now().uptimeNanoseconds
    var intended = now
    if schedule != nil {
      guard backlogHead < backlog.count, !isOver else { return idle.append(connection) }
      intended = backlog[backlogHead]
      backlogHead += 1
      if backlogHead == backlog.count {
        backlog.removeAll(keepingCapacity: true)
        backlogHead = 0
      }
    } else {
      guard !isStopped, let times, now < times.end, issued < issueLimit else { return idle.append(connection) }
    }
    issued += 1
    inFlight += 1
    let what = draw.next(bound: connection.slot.tenant)
    result.tenants[what.tenant].offered += 1
    result.classes[what.kind].offered += 1
    connection.send(what, of: plan.classes[what.kind], intended: intended, now: now)
  }

  private func sweep() {
    guard !isOver else { return }
    let now = NIODeadline.now().uptimeNanoseconds
    let limit = UInt64(plan.timeoutSeconds * 1_000_000_000)
    for connection in connections.values {
      guard let exchange = connection.exchange, now > exchange.sent, now - exchange.sent > limit else { continue }
      connection.fail(.timeout)
      connection.close()
    }
    loop.assumeIsolated().scheduleTask(in: .milliseconds(100)) { self.sweep() }
  }

  // MARK: Connections

  /// Opens this lane's share of the connections; completes when each one stands or has failed.
  func connect() -> EventLoopFuture<Void> {
    let own = (0..<plan.connections).filter { $0 % plan.loops == lane }
    let all = loop.makePromise(of: Void.self)
    connectNext(own[...], all)
    return all.futureResult
  }

  /// Opens 64 at a time, so that no listen queue overflows.
  private func connectNext(_ left: ArraySlice<Int>, _ all: EventLoopPromise<Void>) {
    guard !left.isEmpty else { return all.succeed() }
    let batch = left.prefix(64).map { open(slot(ofConnection: $0)) }
    EventLoopFuture.andAllComplete(batch, on: loop).assumeIsolated().whenComplete { _ in
      self.connectNext(left.dropFirst(64), all)
    }
  }

  private func slot(ofConnection index: Int) -> LoadConnection.Slot {
    let part = (Double(index) + 0.5) / Double(plan.connections)
    return .init(
      target: index % plan.targets.count, tenant: plan.bindsConnections ? tenantShares.index(at: part) : nil)
  }

  private func open(_ slot: LoadConnection.Slot) -> EventLoopFuture<Void> {
    let destination = plan.targets[slot.target]
    let connection = LoadConnection(self, slot)
    let handler = NIOLoopBound(connection, eventLoop: loop)
    let opened = loop.makePromise(of: Void.self)
    guard let address = try? SocketAddress(ipAddress: destination.address, port: destination.port) else {
      opened.succeed()
      return opened.futureResult
    }
    ClientBootstrap(group: loop)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(
        .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 2_048, initial: 4_096, maximum: 262_144)
      )
      .connectTimeout(.seconds(5))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler.value) }
      }
      .connect(to: address).assumeIsolated().whenComplete { outcome in
        if case .failure = outcome { self.connectFailed(slot) }
        opened.succeed()
      }
    return opened.futureResult
  }

  private func connectFailed(_ slot: LoadConnection.Slot) {
    guard !isOver else { return }
    count(.connect)
    result.targets[slot.target].failed += 1
    reopen(slot, after: .milliseconds(50))
  }

  private func reopen(_ slot: LoadConnection.Slot, after delay: TimeAmount) {
    guard !isOver, times.map({ NIODeadline.now().uptimeNanoseconds < $0.end }) ?? false else { return }
    loop.assumeIsolated().scheduleTask(in: delay) {
      guard !self.isOver else { return }
      self.result.reconnects += 1
      _ = self.open(slot)
    }
  }

  var openConnections: Int { connections.count }

  func opened(_ connection: LoadConnection) {
    connections[ObjectIdentifier(connection)] = connection
    if times == nil { idle.append(connection) } else { giveWork(to: connection) }
  }

  func closed(_ connection: LoadConnection) {
    guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
    idle.removeAll { $0 === connection }
    reopen(connection.slot, after: .zero)
    checkIfDone()
  }

  // MARK: What connections report

  func completed(_ connection: LoadConnection, _ exchange: Exchange, isStream: Bool, now: UInt64, keepsAlive: Bool) {
    if let failure = exchange.verdict(isStream: isStream) {
      failed(exchange, target: connection.slot.target, failure)
    } else {
      succeeded(exchange, target: connection.slot.target, isStream: isStream, now: now)
    }
    if keepsAlive { giveWork(to: connection) }
    checkIfDone()
  }

  private func succeeded(_ exchange: Exchange, target: Int, isStream: Bool, now: UInt64) {
    let what = exchange.what
    inFlight -= 1
    result.succeeded += 1
    result.keys[what.key].succeeded += 1
    result.targets[target].succeeded += 1
    result.tenants[what.tenant].succeeded += 1
    result.classes[what.kind].succeeded += 1
    interval.requests += 1
    interval.latency.record(fromIntended: exchange.intended, to: now)
    if isStream { result.streamsComplete += 1 }
    guard let times else { return }
    if times.isMeasured(now) { result.measured += 1 }
    let isMeasured = exchange.intended >= times.warm
    if isMeasured {
      result.latency.record(fromIntended: exchange.intended, to: now)
      result.tenants[what.tenant].latency?.record(fromIntended: exchange.intended, to: now)
      result.classes[what.kind].latency?.record(fromIntended: exchange.intended, to: now)
    }
    // Streams that live longer than the warm-up all begin in it, and how they begin is worth knowing.
    if isMeasured || isStream, let first = exchange.firstByte {
      result.firstByte.record(fromIntended: exchange.intended, to: first)
    }
  }

  func failed(_ exchange: Exchange, target: Int, _ kind: FailureKind) {
    inFlight -= 1
    count(kind)
    result.keys[exchange.what.key].failed += 1
    result.targets[target].failed += 1
    result.tenants[exchange.what.tenant].failed += 1
    result.classes[exchange.what.kind].failed += 1
  }

  /// A request that its client gave up: no success and no failure.
  func aborted(_ exchange: Exchange) {
    inFlight -= 1
    result.aborted += 1
    result.tenants[exchange.what.tenant].aborted += 1
    result.classes[exchange.what.kind].aborted += 1
  }

  private func count(_ kind: FailureKind) {
    result.errors[kind.label, default: 0] += 1
    interval.failed += 1
  }

  func eventsArrived(_ count: Int, gap: UInt64?, now: UInt64) {
    if let gap { result.eventGap.record(gap) }
    result.events += count
    if times?.isMeasured(now) ?? false { result.measuredEvents += count }
  }

  /// What was counted since this was last asked.
  func takeInterval() -> LaneInterval {
    defer { interval = LaneInterval() }
    return interval
  }
}
