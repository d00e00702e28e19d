import Gateway
import JSONText
import NIOCore

/// One client connection speaking HTTP/1.1: takes requests apart, hands them to the pipeline one at a time and writes
/// the answers in order. Decides nothing about a request beyond its framing.
///
/// Belongs to its channel's event loop.
final class Connection: ChannelInboundHandler, ChannelOutboundHandler, ClientPort {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = Never
  typealias OutboundOut = ByteBuffer

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

  private let worker: LoopWorker
  private let limits: Limits
  private var parser: RequestHeadParser
  private var chunks: ChunkedDecoder
  private var phase = Phase.head
  private var inbox = ByteBuffer()
  private var exchange: Exchange?
  private var head = RequestHead()
  private var context: ChannelHandlerContext?
  private var requests = 0
  private var readHeld = false
  private var answerStarted = false
  private var isDraining = false
  /// A write can fail and bring the next read from inside of an answer: then only the bytes are kept.
  private var isProcessing = false
  /// Position in the worker's table of connections.
  var index = -1
  private let source: SourceAddress

  // Deadlines in the worker's milliseconds; the worker looks once a second.
  private var phaseBegan: Int64
  private var bodyReceived = 0
  private var lastWriteProgress: Int64 = 0
  private(set) var heldBytes = 0

  init(worker: LoopWorker, source: SourceAddress) {
    self.worker = worker
    self.source = source
    worker.readClock()
    limits = worker.limits
    parser = RequestHeadParser(limits: worker.limits)
    chunks = ChunkedDecoder(maximumBytes: worker.limits.bodyBytes)
    phaseBegan = worker.milliseconds
  }

  // MARK: Channel events

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func channelActive(context: ChannelHandlerContext) {
    worker.add(self, from: source)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    worker.remove(self, from: source)
    self.context = nil
    phase = .closing
    if let exchange {
      self.exchange = nil
      worker.pipeline.clientGone(exchange)  // decides by the exchange's stage, never by this connection's phase
    }
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    worker.readClock()
    var buffer = unwrapInboundIn(data)
    if inbox.readableBytes == 0 {
      inbox = buffer
      if case .head = phase { phaseBegan = worker.milliseconds }  // a head's time runs from its first byte
    } else {
      inbox.writeBuffer(&buffer)
    }
    process()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // Resets and broken pipes are a client's good right; channelInactive does the rest.
    context.close(promise: nil)
  }

  func read(context: ChannelHandlerContext) {
    // While a request is in work only so much is read ahead; the rest waits in the kernel.
    if case .working = phase, inbox.readableBytes >= limits.readAheadBytes {
      readHeld = true
    } else {
      context.read()
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if let exchange, case .working = phase { worker.pipeline.clientProgress(exchange) }
    if context.channel.isWritable { process() }
    context.fireChannelWritabilityChanged()
  }

  // MARK: Requests in

  private func process() {
    guard !isProcessing else { return }
    isProcessing = true
    defer { isProcessing = false }
    while true {
      switch phase {
      case .head:
        // Who does not take answers gets no further ones made.
        guard inbox.readableBytes > 0, context?.channel.isWritable ?? false, readHead() else { return }
      case .body(let missing):
        guard inbox.readableBytes > 0, let exchange else { return }
        let count = min(missing, inbox.readableBytes)
        inbox.readWithUnsafeReadableBytes { bytes in
          exchange.body.append(UnsafeRawBufferPointer(rebasing: bytes[0..<count]))
          return count
        }
        bodyReceived &+= count
        guard count == missing else {
          phase = .body(missing: missing &- count)
          return
        }
        start(exchange)
      case .chunkedBody:
        guard inbox.readableBytes > 0, let exchange, readChunks(exchange) else { return }
        start(exchange)
      case .working: return
      case .closing:
        inbox.clear()
        return
      }
    }
  }

  /// Reads a head and takes the request through authentication. False when there is nothing more to do now.
  private func readHead() -> Bool {
    switch inbox.withUnsafeReadableBytes({ parser.parse($0) }) {
    case .incomplete: return false
    case .failed(let fault):
      fail(fault)
      return false
    case .complete(let head):
      self.head = head
      requests &+= 1
      let exchange = worker.pipeline.takeExchange()
      exchange.client = self
      exchange.address = source.network
      self.exchange = exchange
      // Taken out first: an answer from the head alone may come from inside and end this connection's reading.
      guard let bytes = inbox.readSlice(length: head.length) else { return false }
      answerStarted = false
      let answered = bytes.withUnsafeReadableBytes { worker.begin(exchange, head, $0) }
      guard !answered else { return answeredEarly() }
      return awaitBody(exchange)
    }
  }

  /// The request was answered by its head alone. Its body, if any, is unwanted: the connection cannot be used again.
  private func answeredEarly() -> Bool {
    if case .closing = phase { return false }
    phase = .head
    phaseBegan = worker.milliseconds
    return true
  }

  private func awaitBody(_ exchange: Exchange) -> Bool {
    phaseBegan = worker.milliseconds
    bodyReceived = 0
    switch head.framing {
    case .none, .length(0): start(exchange)
    case .length(let count):
      exchange.body.reserve(min(count, 1024 * 1024))
      phase = .body(missing: count)
    case .chunked:
      chunks = ChunkedDecoder(maximumBytes: limits.bodyBytes)
      phase = .chunkedBody
    }
    if head.expectsContinue, inbox.readableBytes == 0, let context {
      var buffer = context.channel.allocator.buffer(capacity: 32)
      buffer.writeStaticString(ResponseEncoder.interimContinue)
      context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }
    return true
  }

  private func readChunks(_ exchange: Exchange) -> Bool {
    var position = 0
    let outcome = inbox.withUnsafeReadableBytes { chunks.decode($0, from: &position, into: exchange.body) }
    inbox.moveReaderIndex(forwardBy: position)
    bodyReceived &+= position
    switch outcome {
    case .complete: return true
    case .incomplete: return false
    case .failed(let fault):
      fail(fault)
      return false
    }
  }

  private func start(_ exchange: Exchange) {
    phase = .working
    if inbox.readableBytes == 0 { inbox = ByteBuffer() }  // an idle connection holds no memory for bytes
    worker.pipeline.run(exchange)
  }

  private func fail(_ fault: HTTPFault) {
    let exchange = self.exchange ?? worker.pipeline.takeExchange()
    exchange.client = self
    self.exchange = exchange
    // What the last head said does not hold for bytes that are no head.
    if case .head = phase { head = RequestHead() }
    head.keepAlive = false
    phase = .working
    worker.pipeline.refuse(exchange, status: fault.status, message: fault.message)
  }

  // MARK: Answers out (ClientPort)

  private var closesAfterAnswer: Bool {
    if case .body = phase { return true }
    if case .chunkedBody = phase { return true }
    return !head.keepAlive || isDraining || requests >= limits.requestsPerConnection
  }

  /// A refused head whose body has not been read: what follows on the wire is no request.
  private var hasUnreadBody: Bool {
    if case .head = phase { return head.framing != .none && head.framing != .length(0) }
    return false
  }

  func respond(_ response: ResponseHead, fields: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer) {
    exchange = nil  // whatever the write brings about, this exchange is the pipeline's alone from here on
    guard let context else { return }
    let closes = response.closes || closesAfterAnswer || hasUnreadBody
    var buffer = context.channel.allocator.buffer(capacity: 320 + fields.count + body.count)
    ResponseEncoder.writeHead(
      response, fields: fields, length: body.count, isVersion11: head.isVersion11, closes: closes, into: &buffer)
    if head.method != .head { buffer.writeBytes(body) }
    write(buffer, context)
    finish(closes: closes)
  }

  func begin(_ response: ResponseHead, fields: UnsafeRawBufferPointer) {
    guard let context else { return }
    answerStarted = true
    if !head.isVersion11 { head.keepAlive = false }  // a stream without chunks ends with the connection
    var buffer = context.channel.allocator.buffer(capacity: 320 + fields.count)
    ResponseEncoder.writeHead(
      response, fields: fields, length: nil, isVersion11: head.isVersion11,
      closes: response.closes || closesAfterAnswer, into: &buffer)
    write(buffer, context)
  }

  func send(_ bytes: UnsafeRawBufferPointer) {
    guard let context, bytes.count > 0 else { return }
    var buffer = context.channel.allocator.buffer(capacity: bytes.count + 16)
    if head.isVersion11 { ResponseEncoder.writeChunk(bytes, into: &buffer) } else { buffer.writeBytes(bytes) }
    write(buffer, context)
  }

  func end() {
    exchange = nil
    guard let context else { return }
    if head.isVersion11 {
      var buffer = context.channel.allocator.buffer(capacity: 8)
      buffer.writeStaticString(ResponseEncoder.lastChunk)
      write(buffer, context)
    }
    finish(closes: closesAfterAnswer)
  }

  func abort() {
    head.keepAlive = false
    finish(closes: true)
  }

  private func write(_ buffer: ByteBuffer, _ context: ChannelHandlerContext) {
    let count = buffer.readableBytes
    if heldBytes == 0 { lastWriteProgress = worker.milliseconds }
    // Streams and large answers need to know how much the client has not taken yet; the kernel takes the small ones.
    guard answerStarted || count > limits.heldHighBytes else {
      context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
      return
    }
    heldBytes &+= count
    let promise = context.eventLoop.makePromise(of: Void.self)
    let me = NIOLoopBound(self, eventLoop: context.eventLoop)
    promise.futureResult.whenComplete { _ in me.value.taken(count) }
    context.writeAndFlush(wrapOutboundOut(buffer), promise: promise)
  }

  private func taken(_ count: Int) {
    heldBytes &-= count
    lastWriteProgress = worker.milliseconds
    if let exchange, case .working = phase { worker.pipeline.clientProgress(exchange) }
  }

  /// The answer is written; what comes next on this connection.
  private func finish(closes: Bool) {
    exchange = nil
    answerStarted = false
    guard closes, let context else {
      let wasWorking = if case .working = phase { true } else { false }
      phase = .head
      phaseBegan = worker.milliseconds
      guard wasWorking, let context else { return }
      if readHeld {
        readHeld = false
        context.read()
      }
      guard inbox.readableBytes > 0 else { return }
      // The next pipelined request starts in a fresh turn, so that a long row of them cannot deepen the stack.
      let me = NIOLoopBound(self, eventLoop: context.eventLoop)
      context.eventLoop.execute { me.value.process() }
      return
    }
    phase = .closing
    inbox.clear()
    // Half-close and let the client read: closing at once could reset the connection before the answer is taken.
    context.close(mode: .output, promise: nil)
    phaseBegan = worker.milliseconds
  }

  // MARK: Time

  /// Once a second, on the loop.
  func tick(_ now: Int64) {
    guard let context else { return }
    let waited = now &- phaseBegan
    if heldBytes > 0, now &- lastWriteProgress > Int64(limits.writeStallMilliseconds) {
      context.close(promise: nil)
      return
    }
    switch phase {
    case .head:
      if inbox.readableBytes > 0 {
        if waited > Int64(limits.headMilliseconds) { fail(.headTimeout) }
      } else if waited > Int64(limits.idleMilliseconds) || isDraining {
        context.close(promise: nil)
      }
    case .body, .chunkedBody:
      let beyond = waited &- Int64(limits.bodyGraceMilliseconds)
      if beyond > 0, Int64(bodyReceived) &* 1000 < beyond &* Int64(limits.bodyBytesPerSecond) { fail(.bodyTimeout) }
    case .working: break
    case .closing:
      if waited > 5_000 { context.close(promise: nil) }
    }
  }

  /// Finish what is in work and take nothing new.
  func drain() {
    isDraining = true
    if case .head = phase, inbox.readableBytes == 0 { context?.close(promise: nil) }
  }

  func close() { context?.close(promise: nil) }
}
