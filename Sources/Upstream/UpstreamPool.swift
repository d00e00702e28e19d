import CCurl
import CLinux
package import Gateway
import Glibc
import JSONText
package import NIOCore

/// The one place that sends: all of a loop's requests to providers, by libcurl's multi interface on that same loop.
///
/// Belongs to its event loop. libcurl's sockets lie in a private epoll set, which wakes the loop when something is ready
/// and is emptied in the same turn.
package final class UpstreamPool: UpstreamPort {
  private let loop: any EventLoop
  private let limits: Limits
  private let set: Int32
  private let sockets: SocketTable
  private var readiness: (any Readiness)?
  /// How this loop is woken; for the log and `torhaus doctor`.
  package private(set) var kind = ReadinessKind.watcherThread
  private var multis: [String: MultiHandle] = [:]
  private var transfers: [Transfer?] = []
  private var freeSlots: [Int] = []
  private var news: [Transfer] = []
  private var deliveryScheduled = false
  private var seconds: Int64 = 0
  private var timers: [ObjectIdentifier: NIODeadline] = [:]
  private unowned let delegate: any UpstreamDelegate

  /// Call on `loop` (or before it does any work).
  package init(loop: any EventLoop, limits: Limits, delegate: any UpstreamDelegate) throws(UpstreamError) {
    self.loop = loop
    self.limits = limits
    self.delegate = delegate
    set = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard set >= 0 else { throw UpstreamError(.noReadiness, detail: "epoll_create1: \(errno)") }
    sockets = SocketTable(set: set)
  }

  /// Connects the pool to its loop; requests may be sent when the future succeeds. Call on the loop, once.
  package func start() throws(UpstreamError) -> EventLoopFuture<Void> {
    let me = NIOLoopBound(self, eventLoop: loop)
    let (source, kind, started) = try ReadinessSource.make(set: set, on: loop) { me.value.drain() }
    readiness = source
    self.kind = kind
    return started
  }

  package func stop() {
    readiness?.close()
    readiness = nil
    for slot in transfers.indices { transfers[slot] = nil }
    multis.removeAll()
    close(set)
  }

  // MARK: UpstreamPort

  package func send(_ exchange: Exchange, to target: UpstreamTarget, body: UnsafeRawBufferPointer) {
    guard let multi = multi(for: target),
      let transfer = multi.start(exchange, target, body: body, maximumBytes: limits.streamBytes)
    else {
      let ticket = exchange.ticket
      let exchange = NIOLoopBound(exchange, eventLoop: loop)
      let me = NIOLoopBound(self, eventLoop: loop)
      loop.execute {
        guard exchange.value.ticket == ticket else { return }
        me.value.delegate.upstream(exchange.value, ended: .notConnected)
      }
      return
    }
    transfer.lastActivity = seconds
    let slot = freeSlots.popLast() ?? transfers.count
    if slot == transfers.count { transfers.append(transfer) } else { transfers[slot] = transfer }
    exchange.upstreamSlot = slot
  }

  package func cancel(_ exchange: Exchange) {
    guard let transfer = take(exchange) else { return }
    transfer.multi.end(transfer)
  }

  package func pause(_ exchange: Exchange) { transfer(of: exchange)?.wantsPause = true }

  package func resume(_ exchange: Exchange) {
    guard let transfer = transfer(of: exchange), transfer.wantsPause else { return }
    transfer.multi.resume(transfer)
    transfer.lastActivity = seconds
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
    if let multi = multis[target.poolKey] { return multi }
    let made = try? MultiHandle(pool: self, sockets: sockets, maximumConnections: target.maximumConnections)
    multis[target.poolKey] = made
    return made
  }

  // MARK: From libcurl

  func hasNews(_ transfer: Transfer) {
    news.append(transfer)
    guard !deliveryScheduled, !isDraining else { return }
    deliveryScheduled = true
    let me = NIOLoopBound(self, eventLoop: loop)
    loop.execute {
      me.value.deliveryScheduled = false
      me.value.deliver()
    }
  }

  private var isDraining = false

  /// Empties the epoll set, then tells the pipeline what came of it.
  private func drain() {
    guard readiness != nil else { return }  // a report that was under way when the pool stopped
    isDraining = true
    withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 128) { events in
      var rounds = 0
      while rounds < 4 {
        rounds &+= 1
        let count = Int(epoll_wait(set, events.baseAddress, 128, 0))
        guard count > 0 else { break }
        for index in 0..<count {
          let descriptor = events[index].data.fd
          let ready = events[index].events
          guard let multi = sockets.owner(of: descriptor) else { continue }
          let mask =
            (ready & (EPOLLIN.rawValue | EPOLLHUP.rawValue) != 0 ? CURL_CSELECT_IN : 0)
            | (ready & EPOLLOUT.rawValue != 0 ? CURL_CSELECT_OUT : 0)
            | (ready & EPOLLERR.rawValue != 0 ? CURL_CSELECT_ERR : 0)
          multi.act(on: descriptor, mask)
        }
        guard count == 128 else { break }
      }
    }
    isDraining = false
    deliver()
    readiness?.arm()
  }

  /// Tells the pipeline the news, outside of libcurl; it may send and cancel from here.
  private func deliver() {
    while !news.isEmpty {
      let batch = news
      news.removeAll(keepingCapacity: true)
      for transfer in batch where transfer.isDirty { deliver(transfer) }
    }
  }

  private func deliver(_ transfer: Transfer) {
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
    transfer.lastActivity = seconds
    if transfer.headComplete, !transfer.headDelivered {
      transfer.headDelivered = true
      delegate.upstream(exchange, answered: transfer.head)
    }
    if current() != nil, transfer.received.count > 0 {
      delegate.upstream(exchange, sent: transfer.received.bytes)
      if current() != nil { transfer.received.reset(keeping: 64 * 1024) }
    }
    guard current() != nil, transfer.result != nil else { return }
    let end = transfer.end
    _ = take(exchange)
    transfer.multi.end(transfer)
    delegate.upstream(exchange, ended: end)
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
    let deadline = NIODeadline.now() + .milliseconds(Int64(milliseconds))
    let id = ObjectIdentifier(multi)
    // An earlier call serves as well: libcurl looks at its own clock and asks again.
    if let scheduled = timers[id], scheduled <= deadline { return }
    timers[id] = deadline
    let me = NIOLoopBound(self, eventLoop: loop)
    let multi = NIOLoopBound(multi, eventLoop: loop)
    loop.scheduleTask(deadline: deadline) {
      guard me.value.timers[id] == deadline else { return }
      me.value.timers[id] = nil
      multi.value.timeoutReached()
    }
  }

  /// Once a second: ends what has been silent for too long.
  package func tick() {
    seconds &+= 1
    for multi in multis.values {
      for transfer in multi.activeTransfers {
        guard let target = transfer.target, let exchange = transfer.exchange, !transfer.wantsPause else { continue }
        let silent = (seconds &- transfer.lastActivity) &* 1000
        let limit = transfer.headComplete ? target.idleMilliseconds : target.firstByteMilliseconds
        guard silent > Int64(limit) else { continue }
        _ = take(exchange)
        multi.end(transfer)
        delegate.upstream(exchange, ended: .timedOut)
      }
    }
  }
}
