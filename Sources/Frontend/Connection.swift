import EventLoop
import Gateway
import JSONText

/// One client connection speaking HTTP/1.1: takes requests apart, hands them to the pipeline one at a time and writes
/// the answers in order. Decides nothing about a request beyond its framing.
///
/// Belongs to its loop.
final class Connection: WireProtocol, ClientPort, ClientConnection {
  private enum Phase {
    /// Between requests, or reading a head.
    case head
    /// Reading a body of known length; what is still missing.
    case body(missing: Int)
    case chunkedBody
    /// A request is in work.
    case working
    /// Answered for the last time; only the flush is left.
    case closing
  }

  /// What of a request's head its answer's framing depends on.
  private struct Asked {
    var isHead = false
    var isVersion11 = true
    var keepsAlive = true
    var hasBody = false

    init() {}

    init(_ head: RequestHead) {
      isHead = head.method == .head
      isVersion11 = head.isVersion11
      keepsAlive = head.keepAlive
      hasBody = head.framing != .none && head.framing != .length(0)
    }
  }

  private let worker: LoopWorker
  // The worker's: a call through it would count a reference to them.
  private let pipeline: RequestPipeline
  private let headBuffer: ByteArena
  private var limits: Limits { worker.limits }
  private var wire: ClientWire?
  private var parser = RequestHeadParser()
  private var chunks: ChunkedDecoder
  private var phase = Phase.head
  /// What was received and not used yet: the beginning of a head, and requests that wait for the one in work.
  let inbox = ByteArena(capacity: 1024)
  private var exchange: Exchange?
  private var asked = Asked()
  private var requests = 0
  private var isDraining = false
  /// Of the stream in work the end can be told by an event.
  private var hasEvents = false
  /// The head of the stream in work has announced the connection's end.
  private var saidClose = false
  /// Among its tenant's connections; a proxy's are many tenants'.
  private var place: TenantPlace?
  private let isProxy: Bool
  /// Of an answer that is over and waits here.
  private var lease: AnswerLease?
  /// While draining, how long an idle connection stays, and since when.
  private var lingerMilliseconds = 0
  private var drainBegan: Int64 = 0
  /// An answer can be given, and the next request looked for, from inside of a request's reading: only the outermost
  /// call reads on.
  private var isProcessing = false
  var index = -1
  let source: SourceAddress

  // Deadlines in the worker's milliseconds; the worker looks once a second.
  private var phaseBegan: Int64
  private var pace: BodyPace
  private var writePace: WritePace
  /// When a connection that is closing must be over.
  private var closesBy: Int64 = .max

  /// Takes over a connection that is read already.
  init(wire: ClientWire, worker: LoopWorker, source: SourceAddress) {
    self.worker = worker
    pipeline = worker.pipeline
    headBuffer = worker.headBuffer
    self.source = source
    isProxy = worker.isProxy(source)
    chunks = ChunkedDecoder(maximumBytes: worker.limits.bodyBytes)
    phaseBegan = worker.milliseconds
    pace = BodyPace(worker.limits, bytes: 0, now: phaseBegan)
    writePace = WritePace(worker.limits, now: phaseBegan)  // the handshake's last bytes may still wait
    self.wire = wire
    wire.user = self
  }

  // MARK: The wire's calls

  var missingBodyBytes: Int {
    if case .body(let missing) = phase, inbox.count == 0 { missing } else { 0 }
  }

  var bodyRoom: ByteArena? { exchange?.body }

  /// A large body; or what comes behind the last answer, and is thrown away.
  var isSentMuch: Bool {
    switch phase {
    case .body(let missing): missing > limits.ownWorkBytes
    case .chunkedBody: exchange.map { $0.body.count > limits.ownWorkBytes } ?? false
    case .closing: true
    case .head, .working: false
    }
  }

  func bodyGrew(by count: Int) {
    guard case .body(let missing) = phase, let exchange else { return }
    pace.received(count, now: worker.milliseconds)
    phase = .body(missing: missing &- count)
    if count == missing { start(exchange) }
  }

  func received(_ bytes: UnsafeRawBufferPointer) {
    if inbox.count == 0 {
      if case .head = phase { phaseBegan = worker.milliseconds }  // a head's time runs from its first byte
      let used = process(bytes)
      if used < bytes.count, !isClosing { inbox.append(UnsafeRawBufferPointer(rebasing: bytes[used...])) }
    } else {
      inbox.append(bytes)
      processInbox()
    }
    readOnIfOfUse()
  }

  /// While nothing can be done with what was read, no more of it is: nobody counts what lies here, the kernel does.
  private func readOnIfOfUse() {
    let isOfUse =
      switch phase {
      case .working: false
      case .head: wire?.isWritable ?? false
      case .body, .chunkedBody, .closing: true
      }
    wire?.read(inbox.count == 0 || isOfUse && inbox.count < limits.readAheadBytes)
  }

  func progressed(by bytes: Int) {
    writePace.took(bytes, now: worker.milliseconds)
    if let lease {
      lease.shrink(to: heldBytes)
      if heldBytes == 0 { self.lease = nil }
    }
    // Between requests, and at the end, time runs from the last byte that the client has taken.
    switch phase {
    case .head, .closing: phaseBegan = worker.milliseconds
    case .body, .chunkedBody, .working: break
    }
    if let exchange, case .working = phase { pipeline.clientProgress(exchange) }
    if case .head = phase, inbox.count > 0 { worker.resumeAtEndOfTurn(self) }
  }

  func isGone() {
    wire = nil
    lease = nil
    place = nil
    worker.remove(self)
    phase = .closing
    guard let exchange else { return }
    self.exchange = nil
    pipeline.clientGone(exchange)  // decides by the exchange's stage, never by this connection's phase
  }

  // MARK: Requests in

  private var isClosing: Bool { if case .closing = phase { true } else { false } }

  /// What waits in the inbox, as far as it can be used now.
  func processInbox() {
    guard inbox.count > 0 else { return }
    if isClosing { return inbox.reset(keeping: 0) }
    let used = process(inbox.bytes)
    if used == inbox.count { inbox.reset(keeping: 0) } else { inbox.dropFirst(used) }
    readOnIfOfUse()
  }

  /// Takes requests apart until the bytes are used up, a request is in work or more bytes are needed.
  /// - Returns: How many bytes are used.
  private func process(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard !isProcessing else { return 0 }
    isProcessing = true
    defer { isProcessing = false }
    var used = 0
    var heads = 0
    while true {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[used...])
      switch phase {
      case .head:
        // Who does not take answers gets no further ones made.
        guard rest.count > 0, wire?.isWritable ?? false else { return used }
        // A bound on what one client gets done at a time: requests that their head answers need no turn of their own.
        heads &+= 1
        guard heads <= 16 else {
          worker.resumeAtEndOfTurn(self)
          return used
        }
        guard let length = readHead(rest) else { return used }
        used &+= length
      case .body(let missing):
        guard rest.count > 0, let exchange else { return used }
        let count = min(missing, rest.count)
        exchange.body.append(UnsafeRawBufferPointer(rebasing: rest[..<count]))
        used &+= count
        bodyGrew(by: count)
      case .chunkedBody:
        guard rest.count > 0, let exchange else { return used }
        used &+= readChunks(rest, exchange)
      case .working: return used
      case .closing: return bytes.count
      }
    }
  }

  /// Reads a head and takes the request through authentication.
  /// - Returns: The head's length; nil when more is needed, or nothing more is to be done.
  private func readHead(_ bytes: UnsafeRawBufferPointer) -> Int? {
    switch parser.parse(bytes, within: limits) {
    case .incomplete: return nil
    case .failed(let fault):
      fail(fault, path: parser.refusedPath.map { UnsafeRawBufferPointer(rebasing: bytes[$0]) })
      return nil
    case .complete(let head):
      asked = Asked(head)
      requests &+= 1
      let exchange = pipeline.takeExchange()
      exchange.client = self
      exchange.address = source.network
      self.exchange = exchange
      let beginning = worker.begin(
        exchange, head, UnsafeRawBufferPointer(rebasing: bytes[..<head.length]), place: &place, isProxy: isProxy)
      switch beginning {
      case .goesOn: awaitBody(exchange, head, hasMore: bytes.count > head.length)
      case .answered: answeredEarly()
      case .withoutPlace: if !isClosing { finish(closes: true) }
      }
      return head.length
    }
  }

  /// The request was answered by its head alone. Its body, if any, is unwanted: then the connection was closed with it.
  private func answeredEarly() {
    guard !isClosing else { return }
    phase = .head
    phaseBegan = worker.milliseconds
  }

  private func awaitBody(_ exchange: Exchange, _ head: RequestHead, hasMore: Bool) {
    phaseBegan = worker.milliseconds
    switch head.framing {
    case .none, .length(0): start(exchange)
    case .length(let count):
      pace = BodyPace(limits, bytes: count, now: phaseBegan)
      guard pipeline.hold(exchange, bodyBytes: count) else { return answeredEarly() }
      exchange.body.reserve(count)  // the machine gives memory for what is written to only
      phase = .body(missing: count)
    case .chunked:
      pace = BodyPace(limits, bytes: nil, now: phaseBegan)
      chunks = ChunkedDecoder(maximumBytes: limits.bodyBytes)
      phase = .chunkedBody
    }
    guard head.expectsContinue, !hasMore else { return }
    noteWrite()
    wire?.pending.append(ResponseEncoder.interimContinue)
  }

  private func readChunks(_ bytes: UnsafeRawBufferPointer, _ exchange: Exchange) -> Int {
    var position = 0
    let before = exchange.body.count
    let outcome = chunks.decode(bytes, from: &position, into: exchange.body)
    pace.received(position, now: worker.milliseconds)
    let decoded = exchange.body.count &- before
    guard decoded == 0 || pipeline.hold(exchange, bodyBytes: decoded) else { return position }
    switch outcome {
    case .complete: start(exchange)
    case .incomplete: break
    case .failed(let fault): fail(fault)
    }
    return position
  }

  private func start(_ exchange: Exchange) {
    phase = .working
    pipeline.run(exchange)
  }

  /// - Parameter path: Of a head that is refused, as far as it was read.
  private func fail(_ fault: HTTPFault, path: UnsafeRawBufferPointer? = nil) {
    if let limit = fault.limit { pipeline.counters.fired(limit) }
    let exchange = self.exchange ?? pipeline.takeExchange()
    exchange.client = self
    self.exchange = exchange
    // What the last head said does not hold for bytes that are no head.
    if case .head = phase { asked = Asked() }
    asked.keepsAlive = false
    phase = .working
    pipeline.refuse(exchange, status: fault.status, message: fault.message, path: path)
  }

  // MARK: Answers out (ClientPort)

  var heldBytes: Int { wire?.heldBytes ?? 0 }

  /// What waits of an answer before is counted with it.
  func keep(_ lease: AnswerLease) { if heldBytes > 0 { self.lease = lease } }

  private var closesAfterAnswer: Bool {
    if case .body = phase { return true }
    if case .chunkedBody = phase { return true }
    return !asked.keepsAlive || isDraining || requests >= limits.requestsPerConnection
  }

  /// A refused head whose body has not been read: what follows on the wire is no request.
  private var hasUnreadBody: Bool {
    if case .head = phase { return asked.hasBody }
    return false
  }

  func respond(_ response: ResponseHead, fields: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer) {
    exchange = nil  // whatever the write brings about, this exchange is the pipeline's alone from here on
    let closes = response.closes || closesAfterAnswer || hasUnreadBody
    headBuffer.reset()
    ResponseEncoder.writeHead(
      response, fields: fields, length: body.count, isVersion11: asked.isVersion11, closes: closes, into: headBuffer)
    noteWrite()
    wire?.write(headBuffer.bytes, asked.isHead ? UnsafeRawBufferPointer(start: nil, count: 0) : body)
    finish(closes: closes)
  }

  func begin(_ response: ResponseHead, fields: UnsafeRawBufferPointer) {
    if !asked.isVersion11 { asked.keepsAlive = false }  // a stream without chunks ends with the connection
    guard let wire else { return }
    noteWrite()
    saidClose = response.closes || closesAfterAnswer
    hasEvents = response.kind == .eventStream
    ResponseEncoder.writeHead(
      response, fields: fields, length: nil, isVersion11: asked.isVersion11, closes: saidClose, into: wire.pending)
  }

  func send(_ bytes: UnsafeRawBufferPointer) {
    guard let wire, bytes.count > 0 else { return }
    noteWrite()
    let pending = wire.pending
    if asked.isVersion11 { ResponseEncoder.writeChunk(bytes, into: pending) } else { pending.append(bytes) }
  }

  func end() {
    exchange = nil
    if asked.isVersion11 { wire?.pending.append(ResponseEncoder.lastChunk) }
    // Who was not told at the stream's head may be sending the next request already: another answer tells it.
    finish(closes: lingerMilliseconds > 0 ? saidClose : closesAfterAnswer)
  }

  func abort() {
    asked.keepsAlive = false
    // Where neither chunks nor events tell the end, an orderly one looks like the answer's own.
    if !asked.isVersion11, !hasEvents { wire?.cut() }
    finish(closes: true)
  }

  /// The pace is counted from the first byte that waits.
  private func noteWrite() { if heldBytes == 0 { writePace.begin(now: worker.milliseconds) } }

  /// The answer is written; what comes next on this connection.
  private func finish(closes: Bool) {
    exchange = nil
    phaseBegan = worker.milliseconds
    guard !closes else {
      phase = .closing
      closesBy = WritePace.end(limits, bytes: heldBytes, now: phaseBegan)
      // Half-close and let the client read: closing at once could reset the connection before the answer is taken.
      wire?.read(true)
      wire?.closeOutput()
      return
    }
    let wasWorking = if case .working = phase { true } else { false }
    phase = .head
    guard wasWorking else { return }
    // The next pipelined request starts at the turn's end, so that a long row of them cannot deepen the stack.
    if inbox.count > 0 { worker.resumeAtEndOfTurn(self) }
  }

  // MARK: Time

  func tick(_ now: Int64) {
    let waited = now &- phaseBegan
    if heldBytes > 0, writePace.isTooSlow(now: now) {
      pipeline.counters.fired(.writeStall)
      return close()
    }
    switch phase {
    case .head:
      // Who is still taking an answer is neither idle nor late with the next request.
      if heldBytes > 0 { return }
      if inbox.count > 0 {
        if waited > Int64(limits.headMilliseconds) { fail(.headTimeout) }
      } else if waited > Int64(limits.idleMilliseconds)
        || isDraining && now &- max(phaseBegan, drainBegan) >= Int64(lingerMilliseconds)
      {
        // Its next request may have come already, and is read then.
        if wire?.hasUnread != true { close() }
      }
    case .body, .chunkedBody:
      // What has come while the loop was late is read first.
      if pace.isTooSlow(now: now), wire?.hasUnread != true { fail(.bodyTimeout) }
    case .working: break
    case .closing:
      if heldBytes == 0 && waited > 5_000 || now > closesBy { close() }
    }
  }

  func drain(lingerMilliseconds: Int) {
    isDraining = true
    self.lingerMilliseconds = lingerMilliseconds
    drainBegan = worker.milliseconds
    guard lingerMilliseconds == 0, case .head = phase, inbox.count == 0, heldBytes == 0 else { return }
    if wire?.hasUnread != true { close() }
  }

  func close() { wire?.end() }
}
