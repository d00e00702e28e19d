import Gateway
import JSONText

/// Requests in: what comes on streams becomes exchanges, by the rules of HTTP/1.1.
extension HTTP2Connection {
  // MARK: Heads in

  /// - Returns: False if there is no memory.
  func headBegan(_ id: Int32, isTrailer: Bool) -> Bool {
    trailer = isTrailer ? TrailerCheck(limits: limits) : nil
    if isTrailer { return true }
    let stream = HTTP2Stream(id: id, connection: self)
    guard session.attach(stream) else { return false }
    stream.index = streams.count
    streams.append(stream)
    let bytes = layoutBytes ?? worker.room.takeArena()
    bytes.reset()
    layoutBytes = bytes
    layout = HeadLayout(in: bytes, limits: limits)
    return true
  }

  /// - Returns: False if this goes too far.
  func field(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool {
    trailer?.add(name, value) ?? layout?.add(name, value) ?? true
  }

  func headEnded(_ id: Int32, endsStream: Bool) {
    guard let stream = session.stream(id), var layout, let bytes = layoutBytes else { return }
    self.layout = nil
    session.takeTurns(id)
    countRequest()
    let exchange = worker.pipeline.takeExchange()
    exchange.client = stream
    exchange.address = source.network
    stream.exchange = exchange
    let head = layout.finish()
    do throws(HTTPFault) {
      if let fault = layout.fault { throw fault }
      try begin(stream, exchange, head, endsStream: endsStream)
    } catch { fail(stream, error, path: layout.target) }
    // A large head is not kept for the small ones that follow; the arena itself goes back for others to use.
    layoutBytes = nil
    worker.room.give(bytes)
  }

  private func begin(
    _ stream: HTTP2Stream, _ exchange: Exchange, _ bytes: UnsafeRawBufferPointer, endsStream: Bool
  ) throws(HTTPFault) {
    var parser = RequestHeadParser()
    let head: RequestHead
    switch parser.parse(bytes, within: limits) {
    case .complete(let complete): head = complete
    case .failed(let fault): throw fault
    case .incomplete: throw .malformedField
    }
    // One head and nothing behind it: else something was laid out that ends lines.
    guard head.length == bytes.count, head.framing != .chunked else { throw .malformedField }
    stream.isHead = head.method == .head
    if !endsStream, head.method == .get || head.method == .head { throw .bodyNotAllowed }
    switch worker.begin(exchange, head, bytes, place: &place, isProxy: isProxy) {
    case .goesOn: break
    case .answered: return
    case .withoutPlace: return leave()
    }
    if endsStream { return start(stream, exchange) }
    if case .length(let count) = head.framing, !worker.pipeline.hold(exchange, bodyBytes: count) { return }
    stream.phase = .body
    if case .length(let count) = head.framing {
      stream.expected = count
      // The pipeline has counted all of it, so it need not wait for those whose length nobody knows.
      if count > limits.http2.streamWindowBytes { stream.isLetIn = true }
      exchange.body.reserve(count)  // the machine gives memory for what is written to only
    }
    stream.pace = BodyPace(limits, bytes: stream.expected, now: now)
    if head.expectsContinue {
      HTTP2Answer.withFields(
        ResponseHead(status: 100, kind: .empty), UnsafeRawBufferPointer(start: nil, count: 0), length: nil
      ) {
        session.inform(stream.id, $0)
      }
    }
  }

  private func start(_ stream: HTTP2Stream, _ exchange: Exchange) {
    stream.phase = .working
    worker.pipeline.run(exchange)
  }

  /// Answers a request that is none; its stream ends with the answer.
  /// - Parameter path: Of a head that is refused, as far as it was read.
  func fail(_ stream: HTTP2Stream, _ fault: HTTPFault, path: UnsafeRawBufferPointer? = nil) {
    guard let exchange = stream.exchange else { return }
    if let limit = fault.limit { worker.pipeline.counters.fired(limit) }
    if fault != .bodyTimeout, fault != .bodyTooLarge { noteFault() }
    endUpload(stream)
    stream.phase = .working
    worker.pipeline.refuse(exchange, status: fault.status, message: fault.message, path: path)
    askToWrite()
  }

  func trailerEnded(_ id: Int32) {
    if let fault = trailer?.fault, let stream = session.stream(id), stream.phase == .body {
      fail(stream, fault)
    } else {
      bodyEnded(id)
    }
  }

  // MARK: Bodies in

  func data(_ id: Int32, _ bytes: UnsafeRawBufferPointer) {
    session.consumedOfConnection(bytes.count)
    // Behind an early answer nothing is wanted.
    guard let stream = session.stream(id), stream.phase == .body, let exchange = stream.exchange else { return }
    guard exchange.body.count + bytes.count <= limits.bodyBytes else { return fail(stream, .bodyTooLarge) }
    if stream.expected == nil {
      stream.phase = .working  // should it be answered now
      guard worker.pipeline.hold(exchange, bodyBytes: bytes.count) else {
        endUpload(stream)
        return askToWrite()
      }
      stream.phase = .body
    }
    exchange.body.append(bytes)
    stream.uploadedBytes += bytes.count
    uploadedBytes += bytes.count
    stream.pace.received(bytes.count, now: now)
    if stream.isLetIn { return session.consumed(bytes.count, of: id) }
    stream.unconsumed += bytes.count
    guard stream.expected == nil, !stream.isWaitingForRoom,
      stream.unconsumed > limits.http2.streamWindowBytes / 2
    else { return }
    askForRoom(stream)
  }

  func bodyEnded(_ id: Int32) {
    guard let stream = session.stream(id), stream.phase == .body, let exchange = stream.exchange else { return }
    endUpload(stream)
    start(stream, exchange)
  }

  /// Of a body that tells no length nobody knows what it comes to.
  private var wantedRoom: Int { limits.bodyBytes }

  private func askForRoom(_ stream: HTTP2Stream) {
    if room.take(wantedRoom, for: stream.id) { letIn(stream) } else { stream.isWaitingForRoom = true }
  }

  /// The client may send on; its time begins anew, for it was us who held it up.
  private func letIn(_ stream: HTTP2Stream) {
    stream.room = wantedRoom
    stream.isLetIn = true
    stream.isWaitingForRoom = false
    stream.pace = BodyPace(limits, bytes: nil, now: now)
    session.consumed(stream.unconsumed, of: stream.id)
    stream.unconsumed = 0
  }

  func endUpload(_ stream: HTTP2Stream) {
    uploadedBytes -= stream.uploadedBytes
    stream.uploadedBytes = 0
    if stream.isWaitingForRoom { room.leave(stream.id) }
    stream.isWaitingForRoom = false
    room.give(stream.room)
    stream.room = 0
    // Also whoever only stood in line may have stood before somebody who fits.
    while let first = room.first {
      guard let next = session.stream(first), next.isWaitingForRoom else {
        room.leave(first)
        continue
      }
      guard room.admitFirst(wantedRoom) else { return }
      letIn(next)
    }
  }
}
