public import EventLoop
public import Gateway
import JSONText

/// The one place that sends: all of a loop's requests to providers, by libcurl's multi interface on that same loop.
///
/// libcurl's sockets lie in the loop's own epoll set. What libcurl notes during a turn is told to the pipeline at the
/// turn's end, for all answers together.
public final class UpstreamPool: UpstreamPort, TurnEnd {
  private let loop: EventLoop
  private let limits: Limits
  private var multis: [String: MultiHandle] = [:]
  private var lastTarget: UpstreamTarget?
  private var lastMulti: MultiHandle?
  private var transfers: [Transfer?] = []
  private var freeSlots: [Int] = []
  private let news = TurnNews()
  private var delivering: [Transfer] = []
  /// Exchanges that could not even be handed to libcurl, with their tickets of then.
  private var unsent: [(exchange: Exchange, ticket: UInt64)] = []
  /// What this turn's end has still to tell, with the tickets of then.
  private var ended: [(exchange: Exchange, ticket: UInt64, end: UpstreamEnd)] = []
  private var ending: [(exchange: Exchange, ticket: UInt64, end: UpstreamEnd)] = []
  private var isStopped = false
  private var seconds: Int64 = 0
  private var timers: [ObjectIdentifier: (deadline: Int64, multi: MultiHandle)] = [:]
  private unowned let delegate: any UpstreamDelegate

  /// Of a pool that nobody uses so long: its account may be gone from the register, and its connections are stale.
  private static let idleSeconds: Int64 = 300

  /// On `loop`.
  public init(loop: EventLoop, limits: Limits, delegate: any UpstreamDelegate) {
    self.loop = loop
    self.limits = limits
    self.delegate = delegate
    loop.atEndOfTurns(self)
    // The loop keeps what ends its turns. A weak reference would make every count of this object a slow one.
    loop.repeated(everyMilliseconds: 1000) { [unowned self] in tick() }
  }

  deinit { news.forget() }  // its transfers refer to it

  /// Ends all that is under way without telling anybody, and closes every connection. Nothing is sent afterwards.
  public func stop() {
    isStopped = true
    for case let transfer? in transfers { transfer.multi.end(transfer) }
    transfers.removeAll()
    freeSlots.removeAll()
    news.forget()
    unsent.removeAll()
    ended.removeAll()
    timers.removeAll()
    multis.removeAll()
    lastTarget = nil
    lastMulti = nil
  }

  // MARK: UpstreamPort

  public func send(_ exchange: Exchange, to target: UpstreamTarget, body: UnsafeRawBufferPointer) {
    guard !isStopped, let multi = multi(for: target),
      let transfer = multi.start(exchange, target, body: body)
    else {
      unsent.append((exchange, exchange.ticket))
      return
    }
    transfer.lastActivity = seconds
    transfer.startedAt = seconds
    transfer.waitsSince = seconds
    multi.lastUsed = seconds
    let slot = freeSlots.popLast() ?? transfers.count
    if slot == transfers.count { transfers.append(transfer) } else { transfers[slot] = transfer }
    exchange.upstreamSlot = slot
  }

  public func cancel(_ exchange: Exchange) {
    guard let transfer = take(exchange) else { return }
    transfer.multi.end(transfer)
  }

  public func pause(_ exchange: Exchange) {
    guard let transfer = transfer(of: exchange), !transfer.head.isHTTP2 else { return }
    transfer.wantsPause = true
  }

  public func resume(_ exchange: Exchange) {
    guard let transfer = transfer(of: exchange), transfer.wantsPause else { return }
    transfer.multi.resume(transfer)
    transfer.lastActivity = seconds
  }

  public func wake(_ exchange: Exchange, afterMilliseconds milliseconds: Int64) {
    let ticket = exchange.ticket
    loop.schedule(at: loop.now + max(0, min(milliseconds, 86_400_000)) * 1_000_000) { [unowned self] in
      guard !isStopped, exchange.ticket == ticket else { return }
      delegate.woken(exchange)
    }
  }

  private func transfer(of exchange: Exchange) -> Transfer? {
    let slot = exchange.upstreamSlot
    guard slot >= 0, slot < transfers.count else { return nil }
    return transfers[slot]
  }

  private func take(_ exchange: Exchange) -> Transfer? {
    let transfer = transfer(of: exchange)
    let slot = exchange.upstreamSlot
    exchange.upstreamSlot = -1
    guard let transfer else { return nil }
    transfers[slot] = nil
    freeSlots.append(slot)
    return transfer
  }

  private func multi(for target: UpstreamTarget) -> MultiHandle? {
    // Many requests in a row go to one target: its name is hashed once.
    if lastTarget === target { return lastMulti }
    let made =
      multis[target.poolKey]
      ?? (try? MultiHandle(pool: self, news: news, loop: loop, limits: limits))
    multis[target.poolKey] = made
    lastTarget = made == nil ? nil : target
    lastMulti = made
    return made
  }

  // MARK: From libcurl

  /// Tells the pipeline the news, outside of libcurl; it may send and cancel from here.
  public func endTurn() -> Bool {
    guard !isStopped, !news.isEmpty || !unsent.isEmpty else { return false }
    let delegate = delegate
    if !unsent.isEmpty {
      let refused = unsent
      unsent = []
      for (exchange, ticket) in refused where exchange.ticket == ticket {
        delegate.upstream(exchange, ended: .notConnected)
      }
    }
    news.take(into: &delivering)
    for transfer in delivering where transfer.isDirty { deliver(transfer, to: delegate) }
    delivering.removeAll(keepingCapacity: true)
    // Ends come last, together: what they bring about is other code than what has just run.
    swap(&ended, &ending)
    for (exchange, ticket, end) in ending where exchange.ticket == ticket { delegate.upstream(exchange, ended: end) }
    ending.removeAll(keepingCapacity: true)
    return true
  }

  private func deliver(_ transfer: Transfer, to delegate: any UpstreamDelegate) {
    transfer.isDirty = false
    let (ticket, generation) = (transfer.ticket, transfer.generation)
    /// The exchange of this use of the transfer; nil once it was cancelled, ended or went on with another attempt.
    func current() -> Exchange? {
      guard let exchange = transfer.exchange, transfer.generation == generation, exchange.ticket == ticket else {
        return nil
      }
      return exchange
    }
    guard let exchange = current() else { return abandon(transfer) }
    if transfer.isStale, transfer.result != nil, transfer.multi.restart(transfer) {
      transfer.waitsSince = seconds
      return
    }
    transfer.lastActivity = seconds
    if transfer.headComplete, !transfer.headDelivered {
      transfer.headDelivered = true
      transfer.noteSentBody()
      delegate.upstream(exchange, answered: transfer.head)
    }
    // Taken from it before anybody is told: it may be another request's afterwards.
    while current() != nil, let received = transfer.takeReceived() {
      delegate.upstream(exchange, sent: received.bytes)
      news.give(received)
    }
    guard current() != nil, transfer.result != nil else { return }
    let end = transfer.end
    _ = take(exchange)
    transfer.multi.end(transfer)
    ended.append((exchange, ticket, end))
  }

  /// A transfer whose exchange has become another request's: it is taken out of libcurl, and nobody is told.
  private func abandon(_ transfer: Transfer) {
    guard transfer.exchange != nil else { return }
    if let slot = transfers.firstIndex(where: { $0 === transfer }) {
      transfers[slot] = nil
      freeSlots.append(slot)
    }
    transfer.multi.end(transfer)
  }

  // MARK: Time

  func schedule(_ multi: MultiHandle, milliseconds: Int) {
    let deadline = loop.now + Int64(min(milliseconds, 86_400_000)) * 1_000_000
    let id = ObjectIdentifier(multi)
    // An earlier call serves as well: libcurl looks at its own clock and asks again.
    if let scheduled = timers[id], scheduled.deadline <= deadline { return }
    timers[id] = (deadline, multi)
    loop.schedule(at: deadline) { [unowned self] in
      guard let timer = timers[id], timer.deadline == deadline else { return }
      timers[id] = nil
      timer.multi.timeoutReached()
    }
  }

  /// Handles of pools: those in use, and those that were not long ago.
  var poolCount: Int { multis.count }

  private func forgetIdlePools() {
    for (key, multi) in multis where multi.activeTransfers.isEmpty && seconds &- multi.lastUsed > Self.idleSeconds {
      timers[ObjectIdentifier(multi)] = nil
      if lastMulti === multi {
        lastTarget = nil
        lastMulti = nil
      }
      multis[key] = nil
    }
  }

  /// Once a second: ends what has been silent, or under way, for too long.
  func tick() {
    seconds &+= 1
    if seconds % 60 == 0 { forgetIdlePools() }
    for multi in multis.values {
      for transfer in multi.activeTransfers {
        guard let target = transfer.target, let exchange = transfer.exchange else { continue }
        if multi.isFull { transfer.waitsSince = seconds }
        // Of who waits to share a connection libcurl's own time begins anew whenever one has not come about.
        if !transfer.isBegun, transfer.result == nil,
          (seconds &- transfer.waitsSince) &* 1000 > Int64(target.connectMilliseconds) + 1000
        {
          _ = take(exchange)
          multi.end(transfer)
          delegate.upstream(exchange, ended: .notConnected)
          continue
        }
        let silent = transfer.wantsPause ? 0 : (seconds &- transfer.lastActivity) &* 1000
        let limit = transfer.headComplete ? target.idleMilliseconds : target.firstByteMilliseconds
        let elapsed = (seconds &- transfer.startedAt) &* 1000
        guard silent > Int64(limit) || elapsed > Int64(target.totalMilliseconds) else { continue }
        let isBegun = transfer.isBegun
        _ = take(exchange)
        multi.end(transfer)
        delegate.upstream(exchange, ended: isBegun ? .timedOut : .neverSent)
      }
    }
  }
}
