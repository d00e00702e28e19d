import NIOCore

/// One client connection: sends what its lane gives it and reads the answer; reports both ends to the lane.
final class LoadConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  let target: Int
  private let lane: LoadLane
  private var context: ChannelHandlerContext?
  private var pending = ByteBuffer()
  private var reader = ResponseReader()
  private(set) var exchange: Exchange?

  init(_ lane: LoadLane, target: Int) {
    self.lane = lane
    self.target = target
  }

  /// Sends a request; the connection must be idle.
  func send(key: Int, intended: UInt64, now: UInt64) {
    guard let context else { return }
    exchange = Exchange(key: key, intended: intended, sent: now)
    lane.requests.send(target: target, key: key, to: context)
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
        if lane.isStream { part.withUnsafeReadableBytes { exchange?.events.feed($0) } }
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
    lane.completed(self, done, now: now, keepsAlive: keepsAlive && context != nil)
    if !keepsAlive { context?.close(promise: nil) }
  }

  /// Ends the request under way as failed; the caller closes the connection.
  func fail(_ kind: FailureKind) {
    countEvents(now: NIODeadline.now().uptimeNanoseconds)
    guard let failed = exchange else { return }
    exchange = nil
    lane.failed(failed, target: target, kind)
  }
}
