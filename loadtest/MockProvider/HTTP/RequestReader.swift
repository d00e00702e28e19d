import NIOCore

/// Cuts a connection's bytes into requests; keeps its place between reads and allows pipelining.
struct RequestReader {
  enum Step {
    case needMore
    /// The client waits for `100 Continue` before it sends its body.
    case sendContinue
    case request(RequestHead, head: ByteBuffer, body: ByteBuffer)
    case malformed
  }

  private var head: RequestHead?
  private var headBytes = ByteBuffer()
  private var chunked = ChunkedBody()
  private var owesContinue = false

  mutating func next(_ input: inout ByteBuffer) -> Step {
    if head == nil {
      guard input.readableBytes > 0 else { return .needMore }
      switch input.withUnsafeReadableBytes(RequestHead.parse) {
      case .incomplete: return .needMore
      case .malformed: return .malformed
      case .complete(let parsed, let length):
        guard let bytes = input.readSlice(length: length) else { return .malformed }
        head = parsed
        headBytes = bytes
        owesContinue = parsed.expectsContinue
      }
    }
    guard let head else { return .needMore }
    if head.isChunked {
      switch chunked.feed(&input) {
      case .needMore: return continueOrWait()
      case .malformed: return .malformed
      case .done:
        let body = chunked.bytes
        chunked = ChunkedBody()
        return finish(head, body)
      }
    }
    let length = head.contentLength ?? 0
    guard let body = input.readSlice(length: length) else {
      // One reservation instead of a growing buffer; the length was checked against the limit.
      input.reserveCapacity(minimumWritableBytes: length - input.readableBytes)
      return continueOrWait()
    }
    return finish(head, body)
  }

  private mutating func continueOrWait() -> Step {
    guard owesContinue else { return .needMore }
    owesContinue = false
    return .sendContinue
  }

  private mutating func finish(_ head: RequestHead, _ body: ByteBuffer) -> Step {
    let bytes = headBytes
    self.head = nil
    headBytes = ByteBuffer()
    return .request(head, head: bytes, body: body)
  }
}
