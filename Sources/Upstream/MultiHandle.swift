import CCurl
import EventLoop
import Gateway

/// One libcurl multi handle: the connections of one provider credential on one loop.
///
/// libcurl pools by host and cannot tell two API keys apart, so each pool key has a handle of its own.
final class MultiHandle: Watcher {
  private let multi: UnsafeMutableRawPointer  // CURLM
  let loop: EventLoop
  /// Outlives libcurl's connections, which tell it of their end.
  let kept: KeptConnections
  let sessions: TLSSessions
  /// In the order in which they were made.
  private var targets: [PreparedTarget] = []
  let news: TurnNews
  private unowned let pool: UpstreamPool
  private var idle: [Transfer] = []
  /// In no order; each knows its place.
  private var active: [Transfer] = []
  /// Seconds of the pool's clock at which the last request was started.
  var lastUsed: Int64 = 0
  /// Milliseconds from now at which libcurl wants to be called; nil for never. Noted by the timer callback.
  private(set) var requestedTimeout: Int?
  let limits: Limits

  /// A pool has a target for each route of its provider; those of an earlier register are never asked for again.
  private static let keptTargets = 32
  /// Idle connections that stay open.
  private static let kept = 1024

  init(pool: UpstreamPool, news: TurnNews, loop: EventLoop, limits: Limits) throws(UpstreamError) {
    sessions = try TLSSessions()
    guard let multi = curl_multi_init() else { throw UpstreamError(.libcurl, detail: "curl_multi_init") }
    self.multi = multi
    self.news = news
    self.pool = pool
    self.loop = loop
    self.limits = limits
    kept = KeptConnections(loop: loop)
    super.init()
    let me = Unmanaged.passUnretained(self).toOpaque()
    let codes = [
      th_curl_multi_set_socket_function(multi, noteSocket),
      th_curl_multi_set_ptr(multi, CURLMOPT_SOCKETDATA, me),
      th_curl_multi_set_timer_function(multi, noteTimer),
      th_curl_multi_set_ptr(multi, CURLMOPT_TIMERDATA, me),
      th_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, min(Self.kept, limits.upstreamConnections)),
      // To one origin; requests beyond it would wait inside of libcurl, seen by nobody.
      th_curl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, limits.upstreamConnections),
      th_curl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX)),
    ]
    guard codes.allSatisfy({ $0 == CURLM_OK }) else { throw UpstreamError(.libcurl, detail: "curl_multi_setopt") }
  }

  deinit {
    for transfer in active { curl_multi_remove_handle(multi, transfer.easy) }
    active.removeAll()
    idle.removeAll()
    curl_multi_cleanup(multi)
  }

  var activeTransfers: [Transfer] { active }

  /// Who is not sent yet may have to wait until a connection is free, however well the provider is.
  var isFull: Bool { kept.openSockets >= limits.upstreamConnections }

  /// Starts a request; nil if libcurl refuses.
  func start(_ exchange: Exchange, _ target: UpstreamTarget, body: UnsafeRawBufferPointer) -> Transfer? {
    let isStream = exchange.isStream
    guard let transfer = rested(for: target, isStream) ?? (try? Transfer(multi: self, isForStreams: isStream)) else {
      return nil
    }
    guard transfer.prepare(target, body: body),
      curl_multi_add_handle(multi, transfer.easy) == CURLM_OK
    else { return nil }
    transfer.exchange = exchange
    transfer.ticket = exchange.ticket
    transfer.place = active.count
    active.append(transfer)
    runTimer()
    return transfer
  }

  /// A target in libcurl's form; nil if libcurl refuses.
  func prepared(_ target: UpstreamTarget) -> PreparedTarget? {
    // What is asked by its name once takes no place of what is sent to all the time.
    guard target.method == .post else { return PreparedTarget(target) }
    if let place = targets.lastIndex(where: { $0.target === target }) { return targets[place] }
    guard let made = PreparedTarget(target) else { return nil }
    if targets.count >= Self.keptTargets { targets.removeFirst() }
    targets.append(made)
    return made
  }

  /// A resting transfer of its kind, if possible one that points at the target already: its address and headers are
  /// dear to set.
  private func rested(for target: UpstreamTarget, _ isStream: Bool) -> Transfer? {
    // Most often it is the one that has come to rest last.
    if idle.last.map({ $0.isForStreams == isStream && $0.target === target }) == true { return idle.removeLast() }
    var found: Int?
    for index in idle.indices.suffix(16).reversed() where idle[index].isForStreams == isStream {
      if found == nil || idle[index].target === target { found = index }
      if idle[index].target === target { break }
    }
    guard let found else { return nil }
    idle.swapAt(found, idle.count - 1)
    return idle.removeLast()
  }

  /// Sends the same request once more, on a new connection; only for one of which nothing has left.
  func restart(_ transfer: Transfer) -> Bool {
    curl_multi_remove_handle(multi, transfer.easy)
    guard transfer.prepareAgain(), curl_multi_add_handle(multi, transfer.easy) == CURLM_OK else { return false }
    runTimer()
    return true
  }

  /// Takes the transfer out of libcurl and keeps it for the next request. An unfinished answer closes its connection.
  func end(_ transfer: Transfer) {
    let place = transfer.place
    guard active.indices.contains(place), active[place] === transfer else { return }
    if place < active.count - 1 {
      active[place] = active[active.count - 1]
      active[place].place = place
    }
    active.removeLast()
    transfer.place = -1
    let socket = transfer.sharedSocket
    remove(transfer)
    if let received = transfer.takeReceived() { news.give(received) }
    transfer.exchange = nil
    transfer.isDirty = false
    if idle.count < 256, transfer.mayRest { idle.append(transfer) }
    if let socket { goOn(with: socket) }
    // Another request may have waited for the connection that is free now.
    if let timeout = requestedTimeout {
      requestedTimeout = nil
      pool.schedule(self, milliseconds: timeout)
    }
  }

  /// libcurl 7.88 to 8.14 lets an HTTP/2 stream's reset lie until something else is sent on the connection (curl#17611),
  /// so the provider would go on answering, and be paid for it. A connection that nobody else uses ends with the stream
  /// instead; on one that others use, ``goOn(with:)`` has it leave.
  private func remove(_ transfer: Transfer) {
    let isUnfinished = transfer.isBegun && transfer.result == nil
    if isUnfinished { transfer.forbidReuse(true) }
    curl_multi_remove_handle(multi, transfer.easy)
    if isUnfinished { transfer.forbidReuse(false) }
  }

  /// Has those act who share a connection with a stream that was given up. libcurl may have read more than its data:
  /// what lies behind them would wait until the socket has something again, which may be never. A socket that is closed
  /// by now is none of libcurl's, and ignored.
  private func goOn(with socket: curl_socket_t) {
    var running: Int32 = 0
    _ = curl_multi_socket_action(multi, socket, CURL_CSELECT_IN, &running)
    runTimer()
  }

  /// One of libcurl's sockets has something.
  override func ready(_ descriptor: Int32, _ events: Events) {
    var mask: Int32 = 0
    if events.contains(.readable) { mask |= CURL_CSELECT_IN }
    if events.contains(.writable) { mask |= CURL_CSELECT_OUT }
    if events.contains(.failed) { mask |= CURL_CSELECT_IN | CURL_CSELECT_ERR }
    var running: Int32 = 0
    _ = curl_multi_socket_action(multi, descriptor, mask, &running)
    runTimer()
  }

  /// Calls libcurl as long as it wants to be called at once (it does after every new handle).
  func runTimer() {
    var running: Int32 = 0
    var rounds = 0
    while requestedTimeout == 0, rounds < 8 {
      requestedTimeout = nil
      _ = curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running)
      rounds &+= 1
    }
    collect()
    if let timeout = requestedTimeout {
      requestedTimeout = nil
      pool.schedule(self, milliseconds: timeout)
    }
  }

  func timeoutReached() {
    var running: Int32 = 0
    _ = curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running)
    if requestedTimeout == nil {
      // libcurl tells a deadline once; one that was covered by an earlier call must be asked for again.
      var milliseconds = -1
      if curl_multi_timeout(multi, &milliseconds) == CURLM_OK, milliseconds >= 0 { requestedTimeout = milliseconds }
    }
    runTimer()
  }

  func resume(_ transfer: Transfer) {
    transfer.wantsPause = false
    guard transfer.isPaused else { return }
    transfer.isPaused = false
    _ = curl_easy_pause(transfer.easy, CURLPAUSE_CONT)
    runTimer()
  }

  /// Notes which transfers are done; they are taken out when their news are delivered.
  private func collect() {
    var easy: UnsafeMutableRawPointer?
    var result = CURLE_OK
    while th_curl_multi_next_done(multi, &easy, &result) == 1 {
      var pointer: UnsafeMutableRawPointer?
      guard let easy, th_curl_easy_get_ptr(easy, CURLINFO_PRIVATE, &pointer) == CURLE_OK, let pointer else { continue }
      let transfer = Unmanaged<Transfer>.fromOpaque(pointer).takeUnretainedValue()
      transfer.result = result
      if result == CURLE_OK { transfer.noteConnection() }
      news.add(transfer)
    }
  }

  /// The peer has said something of all streams of a connection.
  func note(_ talk: StreamTalk, on connection: ConnectionName) {
    for transfer in active where transfer.isBegun && transfer.fate.connection == connection { transfer.note(talk) }
  }

  fileprivate func noteTimeout(_ milliseconds: Int) { requestedTimeout = milliseconds < 0 ? nil : milliseconds }
}

// Both are called from inside of the multi handle's own calls, which it outlives.

private func noteSocket(
  _ easy: UnsafeMutableRawPointer?, _ descriptor: curl_socket_t, _ what: Int32, _ context: UnsafeMutableRawPointer?,
  _ socket: UnsafeMutableRawPointer?
) -> Int32 {
  guard let context else { return 0 }
  let interest: Interest =
    switch what {
    case CURL_POLL_IN: .readable
    case CURL_POLL_OUT: .writable
    case CURL_POLL_INOUT: [.readable, .writable]
    default: []
    }
  Unmanaged<MultiHandle>.fromOpaque(context)._withUnsafeGuaranteedRef {
    $0.loop.watch(descriptor, interest, by: $0)
  }
  return 0
}

private func noteTimer(_ multi: UnsafeMutableRawPointer?, _ milliseconds: Int, _ context: UnsafeMutableRawPointer?)
  -> Int32
{
  if let context {
    Unmanaged<MultiHandle>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.noteTimeout(milliseconds) }
  }
  return 0
}
