import NIOCore

/// Serves one connection, one request after the other; everything happens on its event loop.
final class ConnectionHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Pipelined bytes that may wait behind a running answer before reading stops.
  private static let pendingLimit = 1_048_576
  /// Bytes of a stream without delays that are written in one piece.
  static let batchBytes = 32_768

  let journal: Journal
  let signature: AmazonSignature?
  var prepared: PreparedAnswer?
  var output = ByteBuffer()
  private var reader = RequestReader()
  private var pending = ByteBuffer()
  private var isReadHeld = false

  /// True while an answer is under way; the next request waits.
  var isBusy = false
  /// True inside ``serve(_:)``, so that many pipelined streams do not call each other in ever deeper frames.
  private var isServing = false
  private(set) var isClosed = false
  var timer: Scheduled<Void>?

  /// The stream under way, if one is.
  var streaming: StreamProgress?
  var waitsForRoom = false
  var waitsForDrip = false

  private var drip = ByteBuffer()
  private var dripBytes = 0
  private(set) var isDripping = false
  private var afterDrip: (keepsAlive: Bool, isEnd: Bool) = (true, false)
  /// Bytes of the head that still go out one by one, and the pause between them.
  private var slowBytes = 0
  private var slowMilliseconds = 0
  /// Bytes until the script resets the connection; nil if it does not.
  private var bytesToReset: Int?

  init(_ journal: Journal, _ signature: AmazonSignature?) {
    self.journal = journal
    self.signature = signature
  }

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

  /// Says in the vendor's shape why a request is not answered.
  func refuse(
    _ context: ChannelHandlerContext, _ refused: Refused, _ vendor: Vendor, number: UInt64, retryAfter: Int? = nil,
    keepsAlive: Bool
  ) {
    var body = ByteBuffer()
    VendorError.write(refused, vendor, number: number, into: &body)
    send(
      context, status: refused.status, body: body, vendor: vendor, number: number, retryAfter: retryAfter,
      keepsAlive: keepsAlive)
  }

  func send(
    _ context: ChannelHandlerContext, status: Int = 200, body: ByteBuffer, type: StaticString = "application/json",
    vendor: Vendor = .openAI, number: UInt64 = 0, retryAfter: Int? = nil, splitBytes: Int = 0, keepsAlive: Bool
  ) {
    var whole = ByteBuffer()
    ResponseFrame(
      status: status, contentType: type, contentLength: body.readableBytes, closes: !keepsAlive,
      retryAfterSeconds: retryAfter, number: number, vendor: vendor
    ).write(into: &whole)
    whole.writeImmutableBuffer(body)
    emit(context, whole, splitBytes: splitBytes)
    end(context, keepsAlive: keepsAlive)
  }

  // MARK: Output

  /// Takes over what a script does to the bytes of the answer that begins.
  func prepareOutput(_ script: Script) {
    bytesToReset = script.resetAt
    slowMilliseconds = script.headDelayMilliseconds
    slowBytes = slowMilliseconds > 0 ? .max : 0
  }

  /// Writes what goes out before the reset, and resets; the connection takes nothing more.
  private func writeToReset(_ context: ChannelHandlerContext, _ buffer: ByteBuffer, left: Int) {
    var buffer = buffer
    bytesToReset = max(0, left - buffer.readableBytes)
    guard !isClosed, let part = buffer.readSlice(length: min(left, buffer.readableBytes)) else { return }
    context.write(wrapOutboundOut(part), promise: nil)
    guard bytesToReset == 0 else { return }
    closeNow(context, withReset: true)
    isClosed = true
  }

  /// Writes at once, or in pieces of `splitBytes`, each in a turn of the loop of its own.
  func emit(_ context: ChannelHandlerContext, _ buffer: ByteBuffer, splitBytes: Int) {
    if let bytesToReset { return writeToReset(context, buffer, left: bytesToReset) }
    guard splitBytes > 0 || slowBytes > 0 else {
      context.write(wrapOutboundOut(buffer), promise: nil)
      return
    }
    if slowBytes == .max { slowBytes = buffer.withUnsafeReadableBytes(Self.headLength) }
    drip.writeImmutableBuffer(buffer)
    dripBytes = splitBytes > 0 ? splitBytes : .max
    guard !isDripping else { return }
    isDripping = true
    isBusy = true
    dripOn(context)
  }

  private func dripOn(_ context: ChannelHandlerContext) {
    guard !isClosed else { return }
    if slowBytes > 0, let byte = drip.readSlice(length: 1) {
      slowBytes -= 1
      context.writeAndFlush(wrapOutboundOut(byte), promise: nil)
      timer = context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(slowMilliseconds))) {
        self.dripOn(context)
      }
      return
    }
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

  /// How many bytes the head at the start of `bytes` has, with its empty line.
  private static func headLength(_ bytes: UnsafeRawBufferPointer) -> Int {
    var start = 0
    while let feed = bytes.index(of: 0x0A, from: start, to: bytes.count) {
      if feed - start == 1 { return feed + 1 }
      start = feed + 1
    }
    return bytes.count
  }

  /// The answer is complete: take the next request, or close.
  func end(_ context: ChannelHandlerContext, keepsAlive: Bool) {
    guard !isClosed else { return }
    if isDripping {
      afterDrip = (keepsAlive, true)
      return
    }
    // What comes next has its own script, or none.
    bytesToReset = nil
    slowBytes = 0
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
}
