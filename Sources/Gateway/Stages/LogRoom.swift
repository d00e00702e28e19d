import Inference
import JSONText
import SealedLog
import Tenancy

/// Room in the log's queue for a request's record. Taken before a provider's place is: a request for which there is none
/// waits its turn, and is refused only if nothing moves.
extension RequestPipeline {
  func takeLogRoom(_ exchange: Exchange) -> Step {
    // Whoever brings much stands behind those of its tenant that wait already; a little fits in between.
    let isBehind = !awaitingLog.isEmpty && keepsRoom(exchange) && hasOneWaiting(exchange.caller?.principal.tenant)
    var room = isBehind ? .full : tryLogRoom(exchange)
    if room == .full {
      logWriter.awaitRoom(loop: loop)
      if !isBehind { room = tryLogRoom(exchange) }  // something may have left the queue just now
    }
    switch room {
    case .taken: return .next
    case .refused: return .refused(Self.logRefusal)
    case .full:
      exchange.roomSince = max(1, stageTime.monotonic)
      exchange.roomProgress = logWriter.progress
      awaitingLog.append(exchange.ticket)
      return .parked
    }
  }

  /// Much is not worked on for a log that is not being written.
  func logFault(_ exchange: Exchange) -> Refusal? {
    guard exchange.body.count > limits.ownWorkBytes, let caller = exchange.caller,
      logWriter.isStuck(caller.rules.stream)
    else { return nil }
    return Self.logRefusal
  }

  static let logRefusal = Refusal(.logUnavailable, message: "The log cannot be written now; nothing was sent.")

  /// Entries have left the log's queue: those that wait are tried in turn, each tenant's up to the first without room.
  public func logHasRoom() {
    for ticket in unrecorded {
      if let exchange = exchange(of: ticket), exchange.stage == .settle { handOver(exchange) }
    }
    unrecorded.removeAll { exchange(of: $0)?.pendingRecord == nil }
    guard !awaitingLog.isEmpty || !unrecorded.isEmpty else { return }
    logWriter.awaitRoom(loop: loop)
    lookAtClock()
    var waiting: [UInt64] = []
    swap(&waiting, &awaitingLog)
    var full: Set<TenantID> = []
    for ticket in waiting {
      guard let exchange = exchange(of: ticket), exchange.roomSince > 0, let tenant = exchange.caller?.principal.tenant
      else { continue }
      let room = full.contains(tenant) ? .full : tryLogRoom(exchange)
      guard room != .full else {
        full.insert(tenant)
        awaitingLog.append(ticket)
        continue
      }
      exchange.roomSince = 0
      if room == .taken { advance(exchange) } else { refuse(exchange, Self.logRefusal) }
    }
  }

  /// Ends the wait of a request if nothing has left the log's queue for too long.
  func lookAfterLogRoom(_ exchange: Exchange, _ now: Int64) {
    let progress = logWriter.progress
    if progress != exchange.roomProgress {
      exchange.roomProgress = progress
      exchange.roomSince = now
    } else if now - exchange.roomSince > Int64(limits.logRoomMilliseconds) * 1_000_000 {
      exchange.roomSince = 0
      refuse(exchange, Self.logRefusal)
    }
  }

  /// The request ends without its record.
  func giveLogRoom(of exchange: Exchange) {
    guard let bytes = exchange.logRoom, bytes > 0, let caller = exchange.caller else { return }
    exchange.logRoom = nil
    logWriter.giveRoom(bytes, of: caller.rules.stream)
  }

  /// Between here and its record there may be a helper's work, and others that are let in meanwhile: for that the room is
  /// kept. A small request's record is written in the same turn.
  private func keepsRoom(_ exchange: Exchange) -> Bool {
    exchange.body.count > limits.ownWorkBytes && exchange.caller?.rules.stream.mode != .off
  }

  private func tryLogRoom(_ exchange: Exchange) -> LogWriter.Room {
    guard let caller = exchange.caller else { return .refused }
    let stream = caller.rules.stream
    let bytes = 1024 &+ (stream.mode == .off ? 0 : exchange.body.count)
    let keeps = keepsRoom(exchange)
    let room = keeps ? logWriter.takeRoom(bytes, of: stream) : logWriter.hasRoom(for: bytes, of: stream)
    if room == .taken { exchange.logRoom = keeps ? bytes : 0 }
    return room
  }

  private func hasOneWaiting(_ tenant: TenantID?) -> Bool {
    awaitingLog.contains { ticket in
      guard let exchange = exchange(of: ticket), exchange.roomSince > 0 else { return false }
      return exchange.caller?.principal.tenant == tenant
    }
  }
}
