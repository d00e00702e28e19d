import NIOCore

/// Every request of a run, rendered once: a head per target and key, and the body they share.
struct PreparedRequests: Sendable {
  /// Heads and body are joined up to this size; larger bodies stay apart, so that many keys do not multiply them.
  private static let joinLimit = 16_384

  private let wholes: [[ByteBuffer]]
  private let body: ByteBuffer?
  let keyCount: Int
  let bodyBytes: Int

  init(_ plan: LoadPlan) {
    let bytes = plan.body.bytes(isStream: plan.isStream)
    let keys: [String?] = plan.keys.isEmpty ? [nil] : plan.keys
    let joins = bytes.count <= Self.joinLimit
    wholes = plan.targets.map { target in
      keys.map { key in
        var buffer = ByteBuffer()
        buffer.writeString("POST \(target.path) HTTP/1.1\r\nHost: \(target.host)\r\n")
        buffer.writeString("Content-Type: application/json\r\nContent-Length: \(bytes.count)\r\n")
        buffer.writeString("Accept: \(plan.isStream ? "text/event-stream" : "application/json")\r\n")
        if let key { buffer.writeString("Authorization: Bearer \(key)\r\n") }
        for header in plan.extraHeaders { buffer.writeString("\(header)\r\n") }
        buffer.writeString("\r\n")
        if joins { buffer.writeBytes(bytes) }
        return buffer
      }
    }
    body = joins ? nil : ByteBuffer(bytes: bytes)
    keyCount = keys.count
    bodyBytes = bytes.count
  }

  /// Writes the request for `target` with `key` (indices into the plan's lists) and flushes.
  func send(target: Int, key: Int, to context: ChannelHandlerContext) {
    if let body {
      context.write(NIOAny(wholes[target][key]), promise: nil)
      context.writeAndFlush(NIOAny(body), promise: nil)
    } else {
      context.writeAndFlush(NIOAny(wholes[target][key]), promise: nil)
    }
  }
}
