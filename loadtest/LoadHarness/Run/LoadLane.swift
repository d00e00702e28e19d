import NIOCore
import NIOPosix

/// The connections of one event loop and what they count; used on that loop only.
final class LoadLane {
  let requests: PreparedRequests
  let isStream: Bool
  private(set) var result: LaneResult

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
  private var nextKey: Int
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
    isStream = plan.isStream
    result = LaneResult(keys: requests.keyCount, targets: plan.targets.count)
    if let limit = plan.requestLimit {
      issueLimit = limit / plan.loops + (lane < limit % plan.loops ? 1 : 0)
    } else {
      issueLimit = .max
    }
    nextKey = requests.keyCount * lane / plan.loops
    if case .open(let rate) = plan.pace {
      schedule = ArrivalSchedule(requestsPerSecond: rate, lane: lane, lanes: plan.loops, limit: plan.requestLimit)
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
    let late = backlog.count - backlogHead
    if late > 0 { result.errors[FailureKind.unfinished.label, default: 0] += late }
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
      backlog.append(intended)
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
    let key = nextKey
    nextKey = (nextKey + 1) % requests.keyCount
    connection.send(key: key, intended: intended, now: now)
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
    let batch = left.prefix(64).map { open(target: $0 % plan.targets.count) }
    EventLoopFuture.andAllComplete(batch, on: loop).assumeIsolated().whenComplete { _ in
      self.connectNext(left.dropFirst(64), all)
    }
  }

  private func open(target: Int) -> EventLoopFuture<Void> {
    let destination = plan.targets[target]
    let connection = LoadConnection(self, target: target)
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
        if case .failure = outcome { self.connectFailed(target: target) }
        opened.succeed()
      }
    return opened.futureResult
  }

  private func connectFailed(target: Int) {
    guard !isOver else { return }
    result.errors[FailureKind.connect.label, default: 0] += 1
    result.targets[target].failed += 1
    reopen(target: target, after: .milliseconds(50))
  }

  private func reopen(target: Int, after delay: TimeAmount) {
    guard !isOver, times.map({ NIODeadline.now().uptimeNanoseconds < $0.end }) ?? false else { return }
    loop.assumeIsolated().scheduleTask(in: delay) {
      guard !self.isOver else { return }
      self.result.reconnects += 1
      _ = self.open(target: target)
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
    reopen(target: connection.target, after: .zero)
    checkIfDone()
  }

  // MARK: What connections report

  func completed(_ connection: LoadConnection, _ exchange: Exchange, now: UInt64, keepsAlive: Bool) {
    if let failure = exchange.verdict(isStream: isStream) {
      failed(exchange, target: connection.target, failure)
    } else {
      succeeded(exchange, target: connection.target, now: now)
    }
    if keepsAlive { giveWork(to: connection) }
    checkIfDone()
  }

  private func succeeded(_ exchange: Exchange, target: Int, now: UInt64) {
    inFlight -= 1
    result.succeeded += 1
    result.keys[exchange.key].succeeded += 1
    result.targets[target].succeeded += 1
    if isStream { result.streamsComplete += 1 }
    guard let times else { return }
    if times.isMeasured(now) { result.measured += 1 }
    let isMeasured = exchange.intended >= times.warm
    if isMeasured { result.latency.record(fromIntended: exchange.intended, to: now) }
    // Streams that live longer than the warm-up all begin in it, and how they begin is worth knowing.
    if isMeasured || isStream, let first = exchange.firstByte {
      result.firstByte.record(fromIntended: exchange.intended, to: first)
    }
  }

  func failed(_ exchange: Exchange, target: Int, _ kind: FailureKind) {
    inFlight -= 1
    result.errors[kind.label, default: 0] += 1
    result.keys[exchange.key].failed += 1
    result.targets[target].failed += 1
  }

  func eventsArrived(_ count: Int, gap: UInt64?, now: UInt64) {
    if let gap { result.eventGap.record(gap) }
    result.events += count
    if times?.isMeasured(now) ?? false { result.measuredEvents += count }
  }
}
