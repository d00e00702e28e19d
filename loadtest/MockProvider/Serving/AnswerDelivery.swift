import NIOCore

/// How far the stream of one answer has come.
struct StreamProgress {
  let turn: Turn
  let start: NIODeadline
  // One of the two is there: a case with a payload would be copied for each event.
  private var chat: AnswerStream?
  private var reply: ReplyStream?
  /// Deltas after which the script's delay was kept.
  var deltas: Int64 = 0

  init(_ turn: Turn, start: NIODeadline) {
    self.turn = turn
    self.start = start
    switch turn.content {
    case .chat(let answer, let identity, let wantsUsage):
      chat = AnswerStream(answer, identity, turn.script, wantsUsage: wantsUsage, isChunked: !turn.isHTTP10)
    case .reply(let form): reply = ReplyStream(form, turn.script, isChunked: !turn.isHTTP10)
    case .whole: break
    }
  }

  mutating func next(into output: inout ByteBuffer) -> AnswerStream.Step {
    chat?.next(into: &output) ?? reply?.next(into: &output) ?? .finished
  }

  /// When the next delta is due: counted from the start, so a late loop does not stretch the stream.
  var nextDelta: NIODeadline { start + .milliseconds(deltas &* Int64(turn.script.delayMilliseconds)) }

  /// What was used until now.
  var usage: MockUsage {
    MockUsage(
      promptTokens: turn.charge?.promptTokens ?? 0,
      completionTokens: chat.map { MockUsage.tokens(inBytes: $0.textBytes) } ?? reply?.completionTokens ?? 0)
  }
}

/// How an answer goes out: as one body, or event by event.
extension ConnectionHandler {
  func sendPlain(_ context: ChannelHandlerContext, _ turn: Turn) {
    if let charge = turn.charge { journal.charge(charge) }
    var body = turn.plainBody()
    let length = body.readableBytes
    if turn.script.kind == .garbageBody {
      body.moveWriterIndex(to: body.readerIndex + length / 2)
    }
    if turn.script.kind == .garbageMiddle {
      body.setBytes([0x00, 0xFF, 0xC3, 0x28, 0x22, 0x7B, 0x01, 0xFE], at: body.readerIndex + length / 2)
    }
    if turn.script.holdMilliseconds > 0, turn.script.kind != .cut { return sendHeld(context, turn, body) }
    guard turn.script.kind == .cut else {
      send(
        context, body: body, type: turn.type, vendor: turn.vendor, number: turn.number,
        splitBytes: turn.script.splitBytes, keepsAlive: turn.keepsAlive)
      return
    }
    var whole = ByteBuffer()
    ResponseFrame(contentType: turn.type, contentLength: length, number: turn.number, vendor: turn.vendor).write(
      into: &whole)
    whole.writeBytes(body.readableBytesView.prefix(length / 2))
    emit(context, whole, splitBytes: turn.script.splitBytes)
    end(context, keepsAlive: false)
  }

  /// The head at once, the body after the script's hold.
  private func sendHeld(_ context: ChannelHandlerContext, _ turn: Turn, _ body: ByteBuffer) {
    var head = ByteBuffer()
    ResponseFrame(
      contentType: turn.type, contentLength: body.readableBytes, closes: !turn.keepsAlive, number: turn.number,
      vendor: turn.vendor
    ).write(into: &head)
    emit(context, head, splitBytes: turn.script.splitBytes)
    context.flush()
    after(turn.script.holdMilliseconds, context) {
      self.emit(context, body, splitBytes: turn.script.splitBytes)
      self.end(context, keepsAlive: turn.keepsAlive)
    }
  }

  func beginStream(_ context: ChannelHandlerContext, _ turn: Turn) {
    isBusy = true
    var head = ByteBuffer()
    ResponseFrame(
      contentType: turn.type, isStream: true, isChunked: !turn.isHTTP10, closes: !turn.keepsAlive,
      number: turn.number, vendor: turn.vendor
    ).write(into: &head)
    streaming = StreamProgress(turn, start: .now() + .milliseconds(Int64(turn.script.holdMilliseconds)))
    emit(context, head, splitBytes: turn.script.splitBytes)
    if turn.script.holdMilliseconds > 0 { context.flush() }
    after(turn.script.holdMilliseconds, context) { self.pump(context) }
  }

  /// Writes events until the script wants a pause, the socket is full or the stream is over.
  func pump(_ context: ChannelHandlerContext) {
    guard let turn = streaming?.turn, !isClosed else { return }
    if isDripping {
      waitsForDrip = true
      return
    }
    var batch = ByteBuffer()
    var step = AnswerStream.Step.event
    let limit = turn.script.splitBytes > 0 ? 1 : Self.batchBytes
    repeat {
      step = streaming?.next(into: &batch) ?? .finished
    } while (step == .event || (step == .delta && turn.script.delayMilliseconds == 0)) && batch.readableBytes < limit
    // Charged before the last bytes leave, so that whoever has read the end finds it in the bill.
    if step == .finished {
      if let charge = turn.charge { journal.charge(charge) }
      streaming = nil
    } else if step == .cut || step == .reset || step == .failed {
      chargeAbortedStream()
    }
    emit(context, batch, splitBytes: turn.script.splitBytes)
    context.flush()
    switch step {
    case .event: continueStream(context)
    case .delta:
      guard turn.script.delayMilliseconds > 0 else { return continueStream(context) }
      streaming?.deltas += 1
      scheduleDelta(context)
    case .finished, .failed: end(context, keepsAlive: turn.keepsAlive)
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
  private func scheduleDelta(_ context: ChannelHandlerContext) {
    guard let due = streaming?.nextDelta else { return }
    timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: due) {
      if context.channel.isWritable { self.pump(context) } else { self.waitsForRoom = true }
    }
  }

  /// Charges a stream that ends before its end for the text that was written.
  func chargeAbortedStream() {
    guard let streaming else { return }
    journal.charge(streaming.usage)
    self.streaming = nil
  }
}
