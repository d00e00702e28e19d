import NIOCore

/// Serves one connection, one request after the other; everything happens on its event loop.
final class ConnectionHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Pipelined bytes that may wait behind a running answer before reading stops.
  private static let pendingLimit = 1_048_576
  /// Bytes of a stream without delays that are written in one piece.
  private static let batchBytes = 32_768

  let journal: Journal
  var prepared: PreparedAnswer?
  var output = ByteBuffer()
  private var reader = RequestReader()
  private var pending = ByteBuffer()
  private var isReadHeld = false

  /// True while an answer is under way; the next request waits.
  private var isBusy = false
  /// True inside ``serve(_:)``, so that many pipelined streams do not call each other in ever deeper frames.
  private var isServing = false
  private var isClosed = false
  private var timer: Scheduled<Void>?

  private var stream: AnswerStream?
  private var streamTurn: ChatTurn?
  private var streamStart = NIODeadline.uptimeNanoseconds(0)
  private var streamDeltas: Int64 = 0
  private var waitsForRoom = false
  private var waitsForDrip = false

  private var drip = ByteBuffer()
  private var dripBytes = 0
  private var isDripping = false
  private var afterDrip: (keepsAlive: Bool, isEnd: Bool) = (true, false)

  init(_ journal: Journal) { self.journal = journal }

  // MARK: Channel events

  func channelActive(context: ChannelHandlerContext) {
    journal.connectionOpened()
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    isClosed = true
    timer?.cancel()
    timer = nil
    chargeAbortedStream()
    journal.connectionClosed()
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var incoming = unwrapInboundIn(data)
    if pending.readableBytes == 0 {
      pending = incoming
    } else {
      pending.writeBuffer(&incoming)
    }
    serve(context)
  }

  func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

  func read(context: ChannelHandlerContext) {
    if isBusy, pending.readableBytes > Self.pendingLimit {
      isReadHeld = true
    } else {
      context.read()
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if waitsForRoom, context.channel.isWritable {
      waitsForRoom = false
      pump(context)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  // MARK: Requests

  private func serve(_ context: ChannelHandlerContext) {
    guard !isServing else { return }
    isServing = true
    defer { isServing = false }
    while !isBusy, !isClosed {
      switch reader.next(&pending) {
      case .needMore:
        pending.discardReadBytes()
        if pending.readableBytes == 0 { pending = ByteBuffer() }
        return
      case .sendContinue:
        write(context) { $0.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n") }
        context.flush()
      case .malformed:
        sendError(context, status: 400, message: "The mock could not read this HTTP.", keepsAlive: false)
        return
      case .request(let head, let headBytes, let body):
        respond(context, head, headBytes, body)
      }
    }
  }

  /// Reuses `output` for one write without a copy: the channel lets go of it when the bytes are out.
  func write(_ context: ChannelHandlerContext, _ fill: (inout ByteBuffer) -> Void) {
    output.clear()
    fill(&output)
    context.write(wrapOutboundOut(output), promise: nil)
  }

  func sendError(
    _ context: ChannelHandlerContext, status: Int, message: String? = nil, retryAfter: Int? = nil, keepsAlive: Bool
  ) {
    var body = ByteBuffer()
    ErrorAnswer.write(status: status, message: message, into: &body)
    send(context, status: status, body: body, retryAfter: retryAfter, keepsAlive: keepsAlive)
  }

  func send(
    _ context: ChannelHandlerContext, status: Int = 200, body: ByteBuffer, retryAfter: Int? = nil, splitBytes: Int = 0,
    keepsAlive: Bool
  ) {
    var whole = ByteBuffer()
    ResponseFrame(
      status: status, contentLength: body.readableBytes, closes: !keepsAlive, retryAfterSeconds: retryAfter
    ).write(into: &whole)
    whole.writeImmutableBuffer(body)
    emit(context, whole, splitBytes: splitBytes)
    end(context, keepsAlive: keepsAlive)
  }

  // MARK: Output

  /// Writes at once, or in pieces of `splitBytes`, each in a turn of the loop of its own.
  private func emit(_ context: ChannelHandlerContext, _ buffer: ByteBuffer, splitBytes: Int) {
    guard splitBytes > 0 else {
      context.write(wrapOutboundOut(buffer), promise: nil)
      return
    }
    drip.writeImmutableBuffer(buffer)
    dripBytes = splitBytes
    guard !isDripping else { return }
    isDripping = true
    isBusy = true
    dripOn(context)
  }

  private func dripOn(_ context: ChannelHandlerContext) {
    guard !isClosed else { return }
    if let part = drip.readSlice(length: min(dripBytes, drip.readableBytes)), part.readableBytes > 0 {
      context.writeAndFlush(wrapOutboundOut(part), promise: nil)
      context.eventLoop.assumeIsolated().execute { self.dripOn(context) }
      return
    }
    drip = ByteBuffer()
    isDripping = false
    if afterDrip.isEnd {
      afterDrip.isEnd = false
      end(context, keepsAlive: afterDrip.keepsAlive)
    } else if waitsForDrip {
      waitsForDrip = false
      pump(context)
    }
  }

  /// The answer is complete: take the next request, or close.
  private func end(_ context: ChannelHandlerContext, keepsAlive: Bool) {
    if isDripping {
      afterDrip = (keepsAlive, true)
      return
    }
    guard keepsAlive else {
      isBusy = true
      closeAfterWrites(context)
      return
    }
    guard isBusy else { return }
    isBusy = false
    context.flush()
    serve(context)
    context.flush()
    if isReadHeld {
      isReadHeld = false
      context.read()
    }
  }

  private func closeAfterWrites(_ context: ChannelHandlerContext) {
    let written = context.eventLoop.makePromise(of: Void.self)
    written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
    context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
  }

  func closeNow(_ context: ChannelHandlerContext, withReset: Bool) {
    isBusy = true
    context.flush()
    if withReset { SocketReset.prepare(context.channel) }
    context.close(promise: nil)
  }

  /// Answers nothing any more; the connection stays open until the client leaves.
  func stall() { isBusy = true }

  /// Runs `action` after the script's wait.
  func after(_ milliseconds: Int, _ context: ChannelHandlerContext, _ action: @escaping () -> Void) {
    guard milliseconds > 0 else {
      action()
      return
    }
    isBusy = true
    let delay = TimeAmount.milliseconds(Int64(milliseconds))
    timer = context.eventLoop.assumeIsolated().scheduleTask(in: delay) {
      guard !self.isClosed else { return }
      action()
      context.flush()
    }
  }

  // MARK: Answers

  func sendPlain(_ context: ChannelHandlerContext, _ turn: ChatTurn) {
    journal.charge(turn.answer.usage)
    var body = ByteBuffer()
    PlainAnswer.write(turn.answer, turn.identity, reportsUsage: turn.script.reportsUsage, into: &body)
    let length = body.readableBytes
    if turn.script.kind == .garbageBody {
      body.moveWriterIndex(to: body.readerIndex + length / 2)
    }
    guard turn.script.kind == .cut else {
      send(context, body: body, splitBytes: turn.script.splitBytes, keepsAlive: turn.keepsAlive)
      return
    }
    var whole = ByteBuffer()
    ResponseFrame(contentLength: length, number: turn.identity.number).write(into: &whole)
    whole.writeBytes(body.readableBytesView.prefix(length / 2))
    emit(context, whole, splitBytes: turn.script.splitBytes)
    end(context, keepsAlive: false)
  }

  func beginStream(_ context: ChannelHandlerContext, _ turn: ChatTurn) {
    isBusy = true
    var head = ByteBuffer()
    ResponseFrame(
      isEventStream: true, isChunked: !turn.isHTTP10, closes: !turn.keepsAlive, number: turn.identity.number
    ).write(into: &head)
    stream = AnswerStream(
      turn.answer, turn.identity, turn.script, wantsUsage: turn.wantsUsage, isChunked: !turn.isHTTP10)
    streamTurn = turn
    streamStart = .now()
    streamDeltas = 0
    emit(context, head, splitBytes: turn.script.splitBytes)
    pump(context)
    context.flush()
  }

  /// Writes events until the script wants a pause, the socket is full or the stream is over.
  private func pump(_ context: ChannelHandlerContext) {
    guard let turn = streamTurn, !isClosed else { return }
    if isDripping {
      waitsForDrip = true
      return
    }
    var batch = ByteBuffer()
    var step = AnswerStream.Step.event
    let limit = turn.script.splitBytes > 0 ? 1 : Self.batchBytes
    repeat {
      step = stream?.next(into: &batch) ?? .finished
    } while (step == .event || (step == .delta && turn.script.delayMilliseconds == 0)) && batch.readableBytes < limit
    // Charged before the last bytes leave, so that whoever has read the end finds it in the bill.
    if step == .finished {
      journal.charge(turn.answer.usage)
      stream = nil
    } else if step == .cut || step == .reset {
      chargeAbortedStream()
    }
    emit(context, batch, splitBytes: turn.script.splitBytes)
    context.flush()
    switch step {
    case .event: continueStream(context)
    case .delta:
      guard turn.script.delayMilliseconds > 0 else { return continueStream(context) }
      streamDeltas += 1
      scheduleDelta(context, turn)
    case .finished:
      streamTurn = nil
      end(context, keepsAlive: turn.keepsAlive)
    case .cut: end(context, keepsAlive: false)
    case .reset: closeNow(context, withReset: true)
    case .stall: stall()
    }
  }

  private func continueStream(_ context: ChannelHandlerContext) {
    if isDripping {
      waitsForDrip = true
    } else if context.channel.isWritable {
      context.eventLoop.assumeIsolated().execute { self.pump(context) }
    } else {
      waitsForRoom = true
    }
  }

  /// Deltas keep to a schedule from the stream's start, so a late loop does not stretch the stream.
  private func scheduleDelta(_ context: ChannelHandlerContext, _ turn: ChatTurn) {
    let due = streamStart + .milliseconds(streamDeltas * Int64(turn.script.delayMilliseconds))
    timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: due) {
      if context.channel.isWritable { self.pump(context) } else { self.waitsForRoom = true }
    }
  }

  private func chargeAbortedStream() {
    guard let stream, let turn = streamTurn else { return }
    journal.charge(
      MockUsage(
        promptTokens: turn.answer.usage.promptTokens,
        completionTokens: MockUsage.tokens(inBytes: stream.textBytes)))
    self.stream = nil
    streamTurn = nil
  }
}
