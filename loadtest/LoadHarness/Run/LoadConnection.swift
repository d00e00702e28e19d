import NIOCore

/// One client connection: sends what its lane gives it and reads the answer; reports both ends to the lane.
final class LoadConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  /// What a connection is for, and what the one that comes after it is for too.
  struct Slot {
    let target: Int
    /// The tenant that it belongs to, if it belongs to one.
    let tenant: Int?
  }

  let slot: Slot
  private let lane: LoadLane
  private var context: ChannelHandlerContext?
  private var pending = ByteBuffer()
  private var reader = ResponseReader()
  private(set) var exchange: Exchange?
  private var isStream = false
  private var abort: RequestClass.Abort?
  private var sentRequests: UInt64 = 0

  init(_ lane: LoadLane, _ slot: Slot) {
    self.lane = lane
    self.slot = slot
  }

  /// Sends a request; the connection must be idle.
  func send(_ what: Assignment, of kind: RequestClass, intended: UInt64, now: UInt64) {
    guard let context else { return }
    sentRequests += 1
    let number = sentRequests
    exchange = Exchange(what, number: number, intended: intended, sent: now)
    isStream = kind.isStream
    abort = what.aborts ? kind.abort : nil
    lane.requests.send(target: slot.target, kind: what.kind, key: what.key, to: context)
    if let milliseconds = abort?.afterMilliseconds {
      context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(milliseconds))) {
        if self.exchange?.number == number { self.giveUp() }
      }
    }
  }

  func close() { context?.close(promise: nil) }

  func channelActive(context: ChannelHandlerContext) {
    self.context = context
    lane.opened(self)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.context = nil
    if exchange != nil {
      if reader.isCompleteAtClose() {
        complete(keepsAlive: false)
      } else {
        fail(exchange?.firstByte == nil ? .closedBeforeAnswer : .closedInAnswer)
      }
    }
    lane.closed(self)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var incoming = unwrapInboundIn(data)
    let now = NIODeadline.now().uptimeNanoseconds
    guard exchange != nil else {
      // Bytes that nobody asked for: the connection cannot be trusted any more.
      context.close(promise: nil)
      return
    }
    if pending.readableBytes == 0 {
      pending = incoming
    } else {
      pending.writeBuffer(&incoming)
    }
    if exchange?.firstByte == nil { exchange?.firstByte = now }
    read(context)
    countEvents(now: now)
    if let limit = abort?.afterEvents, let events = exchange?.events.events, events >= limit { giveUp() }
  }

  private func read(_ context: ChannelHandlerContext) {
    while exchange != nil {
      switch reader.next(&pending) {
      case .needMore:
        pending.discardReadBytes()
        if pending.readableBytes == 0 { pending = ByteBuffer() }
        return
      case .head(let status): exchange?.status = status
      case .body(let part):
        if isStream { part.withUnsafeReadableBytes { exchange?.events.feed($0) } }
      case .end(let keepsAlive):
        if pending.readableBytes == 0 { pending = ByteBuffer() }
        complete(keepsAlive: keepsAlive)
      case .malformed:
        fail(.malformed)
        context.close(promise: nil)
      }
    }
  }

  /// Tells the lane of the events that came since it was last told.
  private func countEvents(now: UInt64) {
    guard let news = exchange?.takeNewEvents(now: now) else { return }
    lane.eventsArrived(news.count, gap: news.gap, now: now)
  }

  private func complete(keepsAlive: Bool) {
    let now = NIODeadline.now().uptimeNanoseconds
    countEvents(now: now)
    guard let done = exchange else { return }
    exchange = nil
    lane.completed(self, done, isStream: isStream, now: now, keepsAlive: keepsAlive && context != nil)
    if !keepsAlive { context?.close(promise: nil) }
  }

  /// Ends the request under way as failed; the caller closes the connection.
  func fail(_ kind: FailureKind) {
    countEvents(now: NIODeadline.now().uptimeNanoseconds)
    guard let failed = exchange else { return }
    exchange = nil
    lane.failed(failed, target: slot.target, kind)
  }

  /// Leaves in the middle of an answer, as the plan wants it of this request.
  private func giveUp() {
    countEvents(now: NIODeadline.now().uptimeNanoseconds)
    guard let left = exchange else { return }
    exchange = nil
    lane.aborted(left)
    close()
  }
}
