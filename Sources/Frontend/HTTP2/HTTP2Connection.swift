import EventLoop
import Gateway
import JSONText

/// One client connection speaking HTTP/2: hands its streams' requests to the pipeline and their answers to the library,
/// and holds what a client may cost. Decides nothing about a request beyond its framing.
///
/// Belongs to its loop. The library calls back from inside of ``received(_:)`` and ``writeFrames()`` only; whatever ends
/// the connection waits until those have returned.
final class HTTP2Connection: WireProtocol, ClientConnection {
  private enum Phase {
    /// Until the client's settings have come.
    case opening
    case serving
    /// The client was told that there will be an end.
    case leaving
    /// The client was told which request was the last one taken.
    case last
    /// Ended by a fault or for its client's ways; only the word for it is left to be written.
    case condemned
    /// Only the flush is left.
    case closing
  }

  let worker: LoopWorker
  let limits: Limits
  let session: HTTP2Session
  private var wire: ClientWire?
  private var phase = Phase.opening
  private var isDraining = false
  var streams: [HTTP2Stream] = []
  private var requests = 0
  var index = -1
  let source: SourceAddress
  /// Behind it are many clients: what one of them does to its own streams ends nobody else's.
  let isProxy: Bool
  /// Among its tenant's connections.
  var place: TenantPlace?

  // What is going on in a turn
  private var isToWrite = false
  var isTooMuch = false
  /// Streams whose client has been sent some of what it waited for.
  private var progressing: [HTTP2Stream] = []

  // The head that is being read: there is one at a time
  var layout: HeadLayout?
  var layoutBytes: ByteArena?
  /// Present while the head is a trailer.
  var trailer: TrailerCheck?

  // What a client may cost
  private var meter: FrameMeter
  private var earlyResets: EventCount
  private var faults: EventCount
  var room: UploadRoom

  // Deadlines in the worker's milliseconds; the worker looks once a second
  private var phaseBegan: Int64
  /// Until when a client that has said nothing may stay while the process stops.
  private var quietUntil: Int64?
  /// Of the bodies that are under way, those bytes that have come.
  var uploadedBytes = 0
  private var idleSince: Int64
  private var writePace: WritePace
  /// Of all streams together, while the client's window of the connection is what holds them up.
  private var sharedPace: WritePace
  /// When a connection must be over on which nothing is in work any more.
  private var closesBy: Int64 = .max
  /// Nothing was under way when the client was told of the end, and it has heard that.
  private var closesAtOnce = false
  private var wasIdle = false

  /// Takes over a connection whose first bytes are, or will be, HTTP/2's preface; nil without memory.
  init?(wire: ClientWire, worker: LoopWorker, source: SourceAddress) {
    isProxy = worker.isProxy(source)
    guard let session = HTTP2Session.make(limits: worker.limits, isProxy: isProxy) else { return nil }
    self.session = session
    self.worker = worker
    self.source = source
    self.wire = wire
    limits = worker.limits
    meter = FrameMeter(limits: limits)
    earlyResets = EventCount(limit: limits.http2.earlyResets, milliseconds: limits.http2.calmMilliseconds)
    faults = EventCount(limit: limits.http2.faults, milliseconds: limits.http2.calmMilliseconds)
    room = UploadRoom(limit: limits.http2.uploadBytes)
    phaseBegan = worker.milliseconds
    idleSince = phaseBegan
    writePace = WritePace(limits, now: phaseBegan)
    sharedPace = writePace
    self.session.tell(self)
    wire.user = self
    askToWrite()
  }

  var now: Int64 { worker.milliseconds }

  func takeArena() -> ByteArena { worker.room.takeArena() }
  func give(_ arena: ByteArena) { worker.room.give(arena) }

  // MARK: The wire's calls

  let missingBodyBytes = 0
  var bodyRoom: ByteArena? { nil }
  /// Bodies that are under way are large together; or what comes is thrown away.
  var isSentMuch: Bool { uploadedBytes > limits.ownWorkBytes || isEnding }
  func bodyGrew(by count: Int) {}

  private var isEnding: Bool { phase == .condemned || phase == .closing }

  func received(_ bytes: UnsafeRawBufferPointer) {
    guard !isEnding else { return }
    guard meter.admits(bytes, now: now), session.receive(bytes) else { return condemn(.enhanceYourCalm) }
    if isTooMuch { return condemn(.enhanceYourCalm) }
    askToWrite()
    // Who does not take answers is not read on, so what waits for a client has a bound.
    if let wire, wire.heldBytes >= limits.heldHighBytes { wire.read(false) }
  }

  func progressed(by bytes: Int) {
    writePace.took(bytes, now: now)
    guard let wire else { return }
    if phase == .closing {
      phaseBegan = now
      if closesAtOnce, wire.heldBytes == 0 { close() }
    } else if wire.heldBytes < limits.heldLowBytes {
      wire.read(true)
      if session.wantsToWrite() { askToWrite() }
    }
  }

  func isGone() {
    wire = nil
    place = nil
    phase = .closing
    worker.remove(self)
    tellStreams()
    for stream in streams { stream.connection = nil }
    streams.removeAll()
    if let layoutBytes { worker.room.give(layoutBytes) }
    layoutBytes = nil
  }

  /// Tells every exchange that its client is gone.
  private func tellStreams() {
    for stream in streams {
      stream.giveUp()
      guard let exchange = stream.exchange else { continue }
      stream.exchange = nil
      worker.pipeline.clientGone(exchange)
    }
  }

  // MARK: Other news of the client

  func greeted() {
    guard phase == .opening else { return }
    phase = .serving
    if isDraining { leave() }
  }

  /// The client answers our PING: it knows that there will be an end.
  func heard() {
    guard phase == .leaving else { return }
    closesAtOnce = wasIdle && streams.isEmpty
    sayLast()
  }

  func resetByClient(_ id: Int32) { session.stream(id)?.isResetByClient = true }

  func streamClosed(_ id: Int32) {
    guard let stream = session.stream(id), stream.index >= 0, stream.index < streams.count,
      streams[stream.index] === stream
    else { return }
    endUpload(stream)
    stream.dropHeld()
    streams[stream.index] = streams[streams.count - 1]
    streams[stream.index].index = stream.index
    streams.removeLast()
    stream.connection = nil
    stream.index = -1
    if streams.isEmpty { idleSince = now }
    if stream.isResetByClient, !stream.hasSent, !earlyResets.add(now), !isProxy { isTooMuch = true }
    guard let exchange = stream.exchange else { return }
    stream.exchange = nil
    worker.pipeline.clientGone(exchange)
  }

  // MARK: Answers out

  func respond(
    _ stream: HTTP2Stream, _ response: ResponseHead, _ fields: UnsafeRawBufferPointer, length: Int?, hasBody: Bool
  ) {
    endUpload(stream)
    HTTP2Answer.withFields(response, fields, length: length) { session.respond(stream.id, $0, hasBody: hasBody) }
    askToWrite()
  }

  func resume(_ stream: HTTP2Stream) {
    session.resume(stream.id)
    askToWrite()
  }

  func reset(_ stream: HTTP2Stream, _ code: HTTP2Session.Code) {
    session.reset(stream.id, code)
    askToWrite()
  }

  func askToWrite() {
    guard !isToWrite, wire != nil else { return }
    isToWrite = true
    worker.writeAtEndOfTurn(self)
  }

  /// At the turn's end: frames for all that it has brought, as far as the client takes them.
  func writeFrames() {
    isToWrite = false
    guard let wire, phase != .closing else { return }
    if wire.heldBytes == 0 { writePace.begin(now: now) }
    while wire.heldBytes < limits.heldHighBytes {
      guard let bytes = session.next() else { return wire.end() }
      guard bytes.count > 0 else { break }
      wire.pending.append(bytes)
    }
    tellOfProgress()
    if isTooMuch, !isEnding { condemn(.enhanceYourCalm) }
    if session.isOver() { finish() }
  }

  private func tellOfProgress() {
    guard !progressing.isEmpty else { return }
    for stream in progressing {
      if let exchange = stream.exchange { worker.pipeline.clientProgress(exchange) }
    }
    progressing.removeAll(keepingCapacity: true)
  }

  func dataLength(of id: Int32, most: Int) -> HTTP2Stream.Data { session.stream(id)?.next(most: most) ?? .broken }

  /// - Returns: True if no more is to be written now.
  func writeData(_ id: Int32, _ header: UnsafeRawBufferPointer, _ count: Int) -> Bool {
    guard let wire, let stream = session.stream(id) else { return true }
    let pending = wire.pending
    pending.append(header)
    stream.take(count, into: pending, now)
    sharedPace.took(count, now: now)
    meter.sentData()
    if stream.exchange != nil { progressing.append(stream) }
    return wire.heldBytes >= limits.heldHighBytes
  }

  func sent(_ id: Int32, endsStream: Bool) {
    session.stream(id)?.noteSent()
    // Whatever of the request has not come is not wanted any more; without a reset its stream would stay open.
    if endsStream, !session.isRequestOver(id) { session.reset(id, .noError) }
  }

  /// A client that has its streams reset by faults gets work done as one that resets them itself.
  func sentReset(code: UInt32) {
    switch HTTP2Session.Code(rawValue: code) {
    case .noError, .internalError, .cancel: break
    // Nothing was done for it, but it is one of those that a connection may bring; of a proxy, no more than that.
    case .refusedStream:
      countRequest()
      noteFault()
    default: noteFault()
    }
  }

  func countRequest() {
    requests &+= 1
    if requests == limits.requestsPerConnection { leave() }
  }

  /// A fault of the client's has ended a stream.
  func noteFault() { if !faults.add(now), !isProxy { isTooMuch = true } }

  // MARK: The end

  /// The news of the end has gone out. Only now the client is asked whether it has heard: PING overtakes other frames.
  func sentEnd() { if phase == .leaving { session.ping() } }

  /// Tells the client that there will be an end, and goes on serving what it has sent before it knows.
  func leave() {
    guard phase == .serving else { return }
    phase = .leaving
    phaseBegan = now
    wasIdle = streams.isEmpty
    session.announceEnd()
    askToWrite()
  }

  /// Takes nothing more; what is in work is finished.
  private func sayLast() {
    phase = .last
    setEnd(now)
    session.sayLast()
    askToWrite()
  }

  /// Ends the connection with a word why.
  private func condemn(_ code: HTTP2Session.Code) {
    guard !isEnding else { return }
    phase = .condemned
    if code == .enhanceYourCalm { worker.pipeline.counters.calmedConnection() }
    session.terminate(code)
    tellStreams()
    askToWrite()
  }

  /// All is said: half-closes and lets the client read, for closing at once could reset the connection before it has.
  private func finish() {
    guard phase != .closing else { return }
    phase = .closing
    phaseBegan = now
    setEnd(now)
    tellStreams()
    wire?.read(true)
    wire?.closeOutput()
  }

  /// GOAWAY tells the client, who is waited for: nobody has to linger for its requests.
  func drain(lingerMilliseconds: Int) {
    isDraining = true
    if phase != .opening { return leave() }
    if lingerMilliseconds == 0 { return close() }
    quietUntil = now + Int64(lingerMilliseconds)
  }

  func close() { wire?.end() }

  private func setEnd(_ now: Int64) {
    let bytes = streams.reduce(wire?.heldBytes ?? 0) { $0 &+ $1.heldBytes }
    closesBy = WritePace.end(limits, bytes: bytes, now: now)
  }

  // MARK: Time

  func tick(_ now: Int64) {
    let waited = now &- phaseBegan
    let isHeld = (wire?.heldBytes ?? 0) > 0
    if isHeld, writePace.isTooSlow(now: now) {
      worker.pipeline.counters.fired(.writeStall)
      return close()
    }
    switch phase {
    case .opening:
      if waited > Int64(limits.headMilliseconds) { return condemn(.settingsTimeout) }
      if let quietUntil, now >= quietUntil, wire?.hasUnread != true { return close() }
    case .serving:
      // Its next request may have come already, and is read then.
      if streams.isEmpty, now &- idleSince > Int64(limits.idleMilliseconds), wire?.hasUnread != true { return leave() }
    case .leaving:
      // A client that does not answer a PING has had time enough to read. What it has sent by now is read first, but a
      // client that never stops sending is not waited for.
      if waited >= 5000 || waited >= 1000 && wire?.hasUnread != true { sayLast() }
    case .last:
      // Time runs from when nothing is in work any more: then all that is left is for the client to take.
      if streams.contains(where: { $0.exchange != nil }) {
        setEnd(now)
      } else if now > closesBy {
        return close()
      }
    case .condemned: return
    case .closing:
      if !isHeld && waited > 5_000 || now > closesBy { close() }
      return
    }
    if let headBegan = meter.headBegan, now &- headBegan > Int64(limits.headMilliseconds) {
      worker.pipeline.counters.fired(.headTime)
      return condemn(.enhanceYourCalm)
    }
    // What our own socket holds up is the matter of its pace.
    if isHeld || !streams.contains(where: \.isWaitingForClient) { sharedPace.begin(now: now) }
    let isTooSlow = sharedPace.isTooSlow(now: now)
    for stream in streams { look(after: stream, isTooSlow: isTooSlow, now) }
    if isTooSlow { sharedPace.begin(now: now) }  // who waits from now on is not to blame
  }

  private func look(after stream: HTTP2Stream, isTooSlow: Bool, _ now: Int64) {
    if stream.phase == .body, stream.exchange != nil {
      // Who waits for us is not slow, but waits no longer than a body may take.
      let isHeldUp = stream.isWaitingForRoom && stream.unconsumed > limits.http2.streamWindowBytes / 2
      if isHeldUp ? stream.pace.isLate(now: now) : stream.pace.isTooSlow(now: now) { fail(stream, .bodyTimeout) }
    } else if stream.isWaitingForClient {
      // Many streams share a slow client's line: one alone is to blame where its own window is shut.
      let isShut = session.isShut(stream.id)
      if isShut ? stream.isTooSlow(now) : isTooSlow {
        worker.pipeline.counters.fired(.writeStall)
        return reset(stream, .cancel)
      }
      if !isShut { stream.beginAnew(now) }
    }
  }
}
