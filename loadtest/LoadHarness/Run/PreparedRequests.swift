import NIOCore

/// Every request of a run, rendered once: a head per target, class and key, and a body per class.
struct PreparedRequests: Sendable {
  /// Heads and bodies are joined while that takes no more than this; else the body stays apart, so that many keys do
  /// not multiply it.
  private static let joinLimit = 16_384
  private static let allJoinedLimit = 67_108_864

  /// By target, then class, then key.
  private let heads: [[[ByteBuffer]]]
  /// By class; nil where heads and body are joined.
  private let bodies: [ByteBuffer?]
  /// The keys of each tenant, as positions in the list of all keys.
  let keysOfTenants: [Range<Int>]
  let keyCount: Int
  /// Of the largest body.
  let bodyBytes: Int

  init(_ plan: LoadPlan) {
    var keys: [String?] = []
    keysOfTenants = plan.tenants.map { tenant in
      let start = keys.count
      keys += tenant.keys.isEmpty ? [nil] : tenant.keys
      return start..<keys.count
    }
    keyCount = keys.count
    let bytes = plan.classes.map { $0.body.bytes(isStream: $0.isStream) }
    bodyBytes = bytes.map(\.count).max() ?? 0
    let copies = keys.count * plan.targets.count
    let joins = bytes.map { $0.count <= Self.joinLimit && $0.count * copies <= Self.allJoinedLimit }
    heads = plan.targets.map { target in
      plan.classes.indices.map { index in
        let kind = plan.classes[index]
        return keys.map { key in
          var buffer = ByteBuffer()
          buffer.writeString("POST \(kind.path ?? target.path) HTTP/1.1\r\nHost: \(target.host)\r\n")
          buffer.writeString("Content-Type: application/json\r\nContent-Length: \(bytes[index].count)\r\n")
          buffer.writeString("Accept: \(kind.isStream ? "text/event-stream" : "application/json")\r\n")
          if let key { buffer.writeString("Authorization: Bearer \(key)\r\n") }
          for header in plan.extraHeaders { buffer.writeString("\(header)\r\n") }
          buffer.writeString("\r\n")
          if joins[index] { buffer.writeBytes(bytes[index]) }
          return buffer
        }
      }
    }
    bodies = plan.classes.indices.map { joins[$0] ? nil : ByteBuffer(bytes: bytes[$0]) }
  }

  /// Writes the request for `target` with a class and a key (indices into the plan's lists) and flushes.
  func send(target: Int, kind: Int, key: Int, to context: ChannelHandlerContext) {
    if let body = bodies[kind] {
      context.write(NIOAny(heads[target][kind][key]), promise: nil)
      context.writeAndFlush(NIOAny(body), promise: nil)
    } else {
      context.writeAndFlush(NIOAny(heads[target][kind][key]), promise: nil)
    }
  }
}
