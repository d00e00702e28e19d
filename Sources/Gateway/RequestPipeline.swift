import Cryptography
import Inference
import JSONText
import Quotas
import Redaction
import SealedLog
import Tenancy

/// The life of a request: every stage that exists, in order, and nothing else leads to a provider.
///
/// One per event loop; runs on that loop only. Stages are synchronous: there is no task, actor, lock held across work or
/// thread hop between the first byte in and the hand-over to ``UpstreamPort``, but for bodies so large that their stages
/// would be the whole turn: ``Helpers``. A request rests only where it must wait for the world: for the quota ledger, for
/// the provider, and for the log's writer before its last byte.
///
/// *parse*, *authorize*, *redact*, the writing of a body and the reading of a plain answer use this pipeline's tools, the
/// exchange and what is immutable, and nothing else: helpers call them on pipelines of their own.
public final class RequestPipeline {
  /// What a stage says of a request.
  enum Step {
    case next
    /// Something will wake it.
    case parked
    case refused(Refusal)
  }

  let services: GatewayServices
  // Of it what the stages ask: a call through two objects counts a reference to the second, one through this does not.
  let quotas: QuotaGate
  let logWriter: LogWriter
  let readiness: Readiness
  let snapshots: SnapshotCell<GatewaySnapshot>
  let loop: Int
  let limits: Limits
  public let counters = LoopCounters()
  /// Refers back to this pipeline without keeping it.
  public var upstreamPort: (any UpstreamPort)?
  /// Who works on large bodies; without, this pipeline's own thread does.
  public var helpers: Helpers?
  /// Who asks the store of files and batches; without, this pipeline's own thread does.
  public var desk: BatchDesk?
  /// When the desk's own pipeline last dropped what is old.
  var sweptAt: Int64 = 0
  /// The loop is so far behind that new requests would only wait: they are refused. Set by whoever brings them.
  public var isLate = false
  /// Somebody calls ``turnEnded()`` at each turn's end. Without turns, as in tests, everything runs at once.
  public var hasTurns = false
  /// This turn has queued what somebody waits for.
  private var isLogAwaited = false
  private var written: [UInt64] = []
  /// Tickets of requests for whose records the log's queue has no room, in the order in which they came; and of exchanges
  /// that are over but for their records.
  var awaitingLog: [UInt64] = []
  var unrecorded: [UInt64] = []
  private(set) var isEnding = false
  /// Tickets of the requests that this turn has brought, and what they will cost it.
  private var arrived: [UInt64] = []
  private var arrivedCost = 0
  /// Those that wait for a later turn, because so much comes that others would wait for all of it.
  private var waiting = FairQueue<UInt64>()
  /// What this turn may still cost.
  private var allowance: Int
  private var running: [UInt64] = []
  /// Exchanges whose answers this turn has brought, in the middle of ``conclude(_:_:exit:)``.
  private var toRecord: [(ticket: UInt64, actual: Actual)] = []
  let clock: any GatewayClock
  /// When the stages in work began, for all requests that go through them together.
  private(set) var stageTime: (wall: Int64, monotonic: Int64) = (0, 0)
  /// Bytes of bodies that this loop's exchanges hold.
  let bodies: LoopBodies

  // The loop's own tools: contexts and buffers that are kept from request to request.
  let pepper: HMACKey
  let redactor: Redactor
  var pseudonyms = PseudonymKeys()
  var ids: IDSource
  var estimator = Estimator()
  var breakers = BreakerTable()
  /// Of what a provider does with files and batches: that it cannot do that says nothing of its models' answers.
  var batchBreakers = BreakerTable()
  let scratch = ByteArena(capacity: 8192)
  let plainAnswer = PlainAnswer()
  let streamTools = StreamTools()
  /// What a stream's client gets next, until it is handed over.
  let streamed = ByteArena(capacity: 4096)
  let metaWriter = MetaWriter()

  private var closing: [UInt64] = []
  private var free: [Exchange] = []
  private var table: [Exchange?] = []
  private var freeIndexes: [Int] = []
  private var generation: UInt32 = 0

  /// - Parameter loop: The number of the loop, by which other threads name it when they wake its exchanges.
  public init(services: GatewayServices, loop: Int, clock: any GatewayClock) throws {
    self.services = services
    quotas = services.quotas
    logWriter = services.log
    readiness = services.readiness
    snapshots = services.snapshots
    self.loop = loop
    self.clock = clock
    limits = services.limits
    allowance = limits.turnBytes
    bodies = LoopBodies(services.bodies)
    pepper = try HMACKey(services.pepper)
    redactor = Redactor()
    ids = try IDSource()
  }

  // MARK: The front end's calls

  /// A fresh exchange under a new ticket.
  public func takeExchange() -> Exchange {
    let exchange = free.popLast() ?? Exchange()
    register(exchange)
    counters.began()
    return exchange
  }

  /// Forgets an exchange that is over. Once per ticket: a second call does nothing, and what still hangs on it (a
  /// request at a provider, a probe of a breaker) is taken back first.
  func recycle(_ exchange: Exchange) {
    let index = Int(exchange.ticket & 0xFFFF_FFFF)
    guard exchange.ticket != 0, index < table.count, table[index] === exchange else { return }
    if exchange.upstreamSlot >= 0 { upstreamPort?.cancel(exchange) }
    endProbe(exchange, .abandoned)
    giveLogRoom(of: exchange)
    giveBodies(ofEnded: exchange)
    table[index] = nil
    freeIndexes.append(index)
    exchange.reset()
    if free.count < 256 { free.append(exchange) }
  }

  /// Exchanges that are not over.
  public var openExchanges: Int { table.count - freeIndexes.count }

  /// The drain's time is over: what is still in work ends with an error that its client can see, and is settled.
  /// Nothing is sent from here on.
  public func endAll() {
    isEnding = true
    allowance = .max
    runArrived()
    let refusal = Refusal(.overloaded, message: "The gateway is stopping.")
    for case let exchange? in table {
      switch exchange.stage {
      // What is lent ends when it comes back.
      case .returning where exchange.lent == nil:
        upstreamPort?.cancel(exchange)
        conclude(exchange, exchange.stream.hasBegun ? .streamError(refusal) : .refusal(refusal), exit: .endedByGate)
      case .reserve where exchange.lent == nil: refuse(exchange, refusal)
      case .route where exchange.isWaiting || exchange.roomSince > 0: refuse(exchange, refusal)
      default: break
      }
    }
  }

  /// What became of a request's head.
  public enum Beginning {
    case goesOn
    /// Answered or refused already.
    case answered
    /// Refused, because its tenant has too many connections: this one is to end.
    case withoutPlace
  }

  /// Stages 1 and 2, from the head alone: what the request is for, and who sends it. With a key of the tenant the
  /// connection takes its place among the tenant's.
  /// - Parameters:
  ///   - place: What the connection keeps.
  ///   - isShared: The connection is many tenants', as a proxy's is, and takes none.
  public func begin(
    _ exchange: Exchange, path: UnsafeRawBufferPointer, credentialsDiffer: Bool, place: inout TenantPlace?,
    isShared: Bool
  ) -> Beginning {
    exchange.startedAt = clock.monotonicNanoseconds
    exchange.id = RequestID(ids.next())
    guard exchange.id.value != 0 else {
      refuse(exchange, Refusal(.overloaded, message: "No random numbers are to be had; nothing was sent."))
      return .answered
    }
    let step = accept(exchange, path, credentialsDiffer: credentialsDiffer)
    if !isShared, !bodies.takePlace(of: exchange, limit: limits.connectionsPerTenant, &place) {
      refuse(
        exchange,
        Refusal(
          .rateLimitExceeded,
          message: "Your tenant has \(limits.connectionsPerTenant) connections open. Use them again, or close some.",
          retryAfter: 2))
      return .withoutPlace
    }
    guard case .refused(let refusal) = step else { return answerFromHead(exchange, path) ? .answered : .goesOn }
    refuse(exchange, refusal)
    return .answered
  }

  /// Takes memory for so many bytes more of a request's body; before they are read, where that is known.
  /// - Returns: False if there is none: the request was refused.
  public func hold(_ exchange: Exchange, bodyBytes: Int) -> Bool {
    switch bodies.take(bodyBytes, for: exchange) {
    case .taken: return true
    case .full:
      refuse(exchange, Refusal(.overloaded, message: "Too many large requests are in work. Try again shortly."))
    case .tenantFull:
      refuse(
        exchange,
        Refusal(
          .rateLimitExceeded, message: "Your tenant has too many large requests in work at once. Try again shortly.",
          retryAfter: 2))
    }
    return false
  }

  /// Bytes of an answer lie in memory until it is passed on, and those of a body as it goes upstream: they are counted,
  /// never refused, and keep new bodies out; beyond the tenant's share only its own.
  func holdUnasked(_ exchange: Exchange, _ bytes: Int) { bodies.force(bytes, for: exchange) }

  /// Why an answer that has come in part must end: there is no memory for the rest. Nil: there is.
  func lackOfMemory(_ exchange: Exchange) -> Refusal? {
    switch bodies.mayGrow(exchange) {
    case .taken: nil
    case .full: Refusal(.overloaded, message: "Too many large answers are in memory. Try again shortly.")
    case .tenantFull:
      Refusal(
        .rateLimitExceeded, message: "Too many large answers wait for your tenant at once. Take them, and try again.",
        retryAfter: 2)
    }
  }

  /// Bytes of an open stream wait for its client. They are there already, but the stream can end.
  /// - Returns: False if there is no memory for them.
  func holdWaiting(_ exchange: Exchange, _ bytes: Int) -> Bool { bodies.take(bytes, for: exchange) == .taken }

  /// So much of what the exchange held is no longer in memory.
  func giveBodies(_ bytes: Int, of exchange: Exchange) { bodies.give(bytes, of: exchange) }

  /// The client has taken so much of what it was counted for.
  func giveBodies(_ bytes: Int, of share: TenantBodies?) { bodies.give(bytes, of: share) }

  /// The exchange is over. What waits of a large answer for a slow client is counted on; what others leave behind is
  /// less than any connection may hold.
  private func giveBodies(ofEnded exchange: Exchange) {
    guard exchange.heldBytes > limits.heldHighBytes || exchange.reply.count > limits.heldHighBytes,
      let client = exchange.client
    else { return bodies.giveAll(of: exchange) }
    let left = client.heldBytes
    guard left > limits.heldHighBytes else { return bodies.giveAll(of: exchange) }
    client.keep(AnswerLease(left, of: bodies.handOver(left, of: exchange), pipeline: self))
  }

  /// The rest of the stages, once the body is there: at the end of the turn, with all others that the turn has brought.
  public func run(_ exchange: Exchange) {
    exchange.stage = .parse
    guard hasTurns else { return advance(exchange) }
    arrived.append(exchange.ticket)
    arrivedCost &+= cost(exchange)
  }

  /// Of a request in a turn, in bytes of body that cost the same. What helpers do costs the turn nothing.
  private func cost(_ exchange: Exchange) -> Int {
    let body = exchange.body.count
    return 2048 &+ (body > limits.ownWorkBytes && helpers != nil ? 0 : body)
  }

  private static let waves: [(first: Exchange.Stage, last: Exchange.Stage)] = [
    (.parse, .authorize), (.redact, .redact), (.route, .record), (.send, .send),
  ]
  /// For one that has arrived alone.
  private static let oneWave: [(first: Exchange.Stage, last: Exchange.Stage)] = [(.parse, .send)]

  /// A few stages at a time for all that have arrived: the code and tables of a stage are fetched into the processor's
  /// caches once, not once per request.
  private func runArrived() {
    guard !arrived.isEmpty || mayTakeWaiting else { return }
    chooseRunning()
    lookAtClock()
    let began = stageTime.monotonic
    for wave in running.count > 1 ? Self.waves : Self.oneWave {
      for ticket in running {
        // Refused ones are over, parked ones wait for their own news.
        guard let exchange = exchange(of: ticket), exchange.stage == wave.first else { continue }
        step(exchange, through: wave.last)
      }
    }
    running.removeAll(keepingCapacity: true)
    counters.worked(nanoseconds: clock.monotonicNanoseconds - began)
  }

  /// All that has arrived, or of too much of it as much as a turn bears, from one tenant after the other: whoever sends a
  /// thousand requests at once waits for a thousand, and everybody else for a few.
  private func chooseRunning() {
    defer { arrivedCost = 0 }
    guard !waiting.isEmpty || arrivedCost > allowance else {
      allowance &-= arrivedCost
      return swap(&arrived, &running)
    }
    for ticket in arrived {
      guard let exchange = exchange(of: ticket), let caller = exchange.caller else { continue }
      waiting.add(ticket, of: caller.principal.tenant, cost: cost(exchange))
    }
    arrived.removeAll(keepingCapacity: true)
    while allowance > 0, let ticket = waiting.next() {
      guard let exchange = exchange(of: ticket) else { continue }  // its client has gone
      allowance &-= cost(exchange)
      running.append(ticket)
    }
  }

  /// Requests wait for the next turn, which is to begin at once.
  public var hasWaiting: Bool { !waiting.isEmpty }

  private var mayTakeWaiting: Bool { allowance > 0 && !waiting.isEmpty }

  /// A turn of the loop begins: it may take as much as any other.
  public func turnBegan() { allowance = limits.turnBytes }

  /// Writes the closing record of an exchange; with turns, at this turn's end, with all others.
  func recordClosing(_ exchange: Exchange, _ actual: Actual) {
    guard hasTurns else {
      return writeClosing(exchange, actual, now: clock.wallNanoseconds, clock.monotonicNanoseconds)
    }
    toRecord.append((exchange.ticket, actual))
  }

  private func recordConcluded() {
    guard !toRecord.isEmpty else { return }
    let (wall, monotonic) = (clock.wallNanoseconds, clock.monotonicNanoseconds)
    for (ticket, actual) in toRecord {
      if let exchange = exchange(of: ticket) { writeClosing(exchange, actual, now: wall, monotonic) }
    }
    toRecord.removeAll(keepingCapacity: true)
  }

  /// Takes one request as far as it goes now.
  func advance(_ exchange: Exchange) {
    lookAtClock()
    step(exchange, through: .send)
    counters.worked(nanoseconds: clock.monotonicNanoseconds - stageTime.monotonic)
  }

  func lookAtClock() { stageTime = (clock.wallNanoseconds, clock.monotonicNanoseconds) }

  /// The stages, in the order of the design. Each route that reaches a provider passes all of them.
  private func step(_ exchange: Exchange, through last: Exchange.Stage) {
    while exchange.stage.rawValue <= last.rawValue {
      let step: Step
      let following: Exchange.Stage
      switch exchange.stage {
      case .parse:
        exchange.arrivedAt = stageTime.monotonic
        if let fault = logFault(exchange) { return refuse(exchange, fault) }
        if lend(exchange, .understanding, bytes: exchange.body.count) { return }
        (step, following) = (parse(exchange), .authorize)
      case .authorize: (step, following) = (authorize(exchange), .redact)
      case .redact: (step, following) = (redact(exchange), .route)
      case .route:
        if exchange.logRoom == nil {
          switch takeLogRoom(exchange) {
          case .next: break
          case .parked: return
          case .refused(let refusal): return refuse(exchange, refusal)
          }
        }
        (step, following) = (chooseRoute(exchange), .reserve)
      case .reserve: (step, following) = (reserve(exchange), .record)
      case .record: (step, following) = (record(exchange), .send)
      case .send: (step, following) = (send(exchange), .returning)
      // What comes back runs through `returning` and `settle`, told by the provider: see Returning.swift, Settle.swift.
      case .accept, .authenticate, .returning, .settle: return
      }
      switch step {
      case .next: exchange.stage = following
      case .parked: return
      case .refused(let refusal): return refuse(exchange, refusal)
      }
    }
  }

  // MARK: The log's writer

  /// Queues an entry for the log. It is written once a turn, with all that the turn has brought.
  func log(_ entry: LogEntry) -> Bool {
    guard logWriter.append(entry, loop: loop, wakes: !hasTurns) else { return false }
    isLogAwaited = isLogAwaited || hasTurns && !entry.canWait
    return true
  }

  /// The turn of the loop is over: what it has brought is done together.
  /// - Returns: True if there was something, which may have brought news from the sender or further requests.
  public func turnEnded() -> Bool {
    let hasWork = !arrived.isEmpty || !toRecord.isEmpty || mayTakeWaiting
    recordConcluded()
    runArrived()
    guard isLogAwaited else { return hasWork }
    isLogAwaited = false
    logWriter.endTurn(loop: loop, confirmed: &written)
    guard !written.isEmpty else { return hasWork }
    confirmed(written)
    written.removeAll(keepingCapacity: true)
    return true
  }

  // MARK: Tickets: how other threads name an exchange

  private func register(_ exchange: Exchange) {
    generation = generation == .max ? 1 : generation + 1
    let index = freeIndexes.popLast() ?? table.count
    if index == table.count { table.append(exchange) } else { table[index] = exchange }
    exchange.ticket = UInt64(generation) << 32 | UInt64(index)
  }

  func exchange(of ticket: UInt64) -> Exchange? {
    let index = Int(ticket & 0xFFFF_FFFF)
    guard index < table.count, let exchange = table[index], exchange.ticket == ticket else { return nil }
    return exchange
  }

  /// The quota ledger has answered: these may ask again.
  public func wake(_ tickets: [UInt64]) {
    for ticket in tickets {
      guard let exchange = exchange(of: ticket), exchange.stage == .reserve, exchange.lent == nil else { continue }
      advance(exchange)
    }
  }

  /// The log's writer has written what these wait for: their answers may end.
  public func confirmed(_ tickets: [UInt64]) {
    closing.removeAll(keepingCapacity: true)
    for ticket in tickets {
      if let exchange = exchange(of: ticket), release(exchange) { closing.append(ticket) }
    }
    let now = clock.monotonicNanoseconds
    for ticket in closing {
      if let exchange = exchange(of: ticket) { carryOut(exchange, now: now) }
    }
    for ticket in closing {
      if let exchange = exchange(of: ticket) { recycle(exchange) }
    }
  }

  /// Once a second: deadlines of exchanges, keep-alives of streams.
  public func tick() {
    let now = clock.monotonicNanoseconds
    for exchange in table {
      if let exchange { lookAfter(exchange, now) }
    }
    logHasRoom()
  }
}
