import NIOCore

/// A reply of Bedrock's Converse; its stream is binary.
struct ConverseForm: ReplyForm {
  let reply: Reply
  let vendor = Vendor.bedrock
  let streamType: StaticString = "application/vnd.amazon.eventstream"
  private let identity: ReplyIdentity

  init(_ reply: Reply, _ identity: ReplyIdentity) {
    self.reply = reply
    self.identity = identity
  }

  func writePlain(into body: inout ByteBuffer) {
    body.writeStaticString("{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[")
    for (index, part) in reply.parts.enumerated() {
      if index > 0 { body.writeStaticString(",") }
      switch part.kind {
      case .text, .refusal:
        body.writeStaticString("{\"text\":")
        body.writeQuoted(part.text)
        body.writeStaticString("}")
      case .thinking:
        body.writeStaticString("{\"reasoningContent\":{\"reasoningText\":{\"text\":")
        body.writeQuoted(part.text)
        body.writeString(",\"signature\":\"\(OpaqueMark.over(part.text))\"}}}")
      case .call:
        body.writeStaticString("{\"toolUse\":{")
        writeCall(index, into: &body)
        body.writeStaticString(",\"input\":")
        let isObject = part.text.withUnsafeBytes { JSONValue($0)?.members != nil }
        if isObject { body.writeBytes(part.text) } else { body.writeStaticString("{}") }
        body.writeStaticString("}}")
      }
    }
    body.writeString("]}},\"stopReason\":\"\(stopReason)\"")
    if reply.usage.isReported {
      body.writeStaticString(",\"usage\":")
      writeUsage(into: &body)
    }
    body.writeStaticString(",\"metrics\":{\"latencyMs\":1}}")
  }

  private func writeCall(_ index: Int, into body: inout ByteBuffer) {
    guard case .call(let name) = reply.parts[index].kind else { return }
    let id = identity.call(reply.parts[..<index].count { $0.isCall }, "tooluse_")
    body.writeString("\"toolUseId\":\"\(id)\",\"name\":")
    body.writeQuoted(name)
  }

  private var stopReason: String {
    switch reply.end {
    case .stop, .failed: "end_turn"
    case .length: "max_tokens"
    case .calls: "tool_use"
    case .refusal: "content_filtered"
    case .blocked: "guardrail_intervened"
    case .stopSequence: "stop_sequence"
    case .word(let word): word
    }
  }

  /// As with Anthropic, what was cached is outside the input.
  private func writeUsage(into body: inout ByteBuffer) {
    let usage = reply.usage
    let written = usage.cacheWrite + usage.cacheWriteLong
    body.writeString("{\"inputTokens\":\(usage.say(usage.prompt - usage.cached - written))")
    body.writeString(",\"outputTokens\":\(usage.say(usage.output))")
    body.writeString(",\"totalTokens\":\(usage.say(usage.prompt + usage.output))")
    body.writeString(",\"cacheReadInputTokens\":\(usage.say(usage.cached))")
    body.writeString(",\"cacheWriteInputTokens\":\(usage.say(written))}")
  }

  // MARK: Stream

  private func write(_ type: String, into event: inout ByteBuffer, _ fill: (inout ByteBuffer) -> Void) {
    var payload = ByteBuffer()
    fill(&payload)
    EventFrame.write(
      [(":event-type", type), (":content-type", "application/json"), (":message-type", "event")], payload: payload,
      into: &event)
  }

  mutating func open(into event: inout ByteBuffer) {
    write("messageStart", into: &event) { $0.writeStaticString("{\"role\":\"assistant\"}") }
  }

  mutating func openPart(_ index: Int, into event: inout ByteBuffer) {
    guard reply.parts[index].isCall else { return }
    write("contentBlockStart", into: &event) { data in
      data.writeString("{\"contentBlockIndex\":\(index),\"start\":{\"toolUse\":{")
      writeCall(index, into: &data)
      data.writeStaticString("}}}")
    }
  }

  mutating func writeDelta(_ text: ArraySlice<UInt8>, part index: Int, into event: inout ByteBuffer) {
    write("contentBlockDelta", into: &event) { data in
      data.writeString("{\"contentBlockIndex\":\(index),\"delta\":{")
      switch reply.parts[index].kind {
      case .text, .refusal:
        data.writeStaticString("\"text\":")
        data.writeQuoted(text)
      case .thinking:
        data.writeStaticString("\"reasoningContent\":{\"text\":")
        data.writeQuoted(text)
        data.writeStaticString("}")
      case .call:
        data.writeStaticString("\"toolUse\":{\"input\":")
        data.writeQuoted(text)
        data.writeStaticString("}")
      }
      data.writeStaticString("}}")
    }
  }

  mutating func closePart(_ index: Int, into event: inout ByteBuffer) {
    let part = reply.parts[index]
    if part.kind == .thinking {
      write("contentBlockDelta", into: &event) { data in
        data.writeString("{\"contentBlockIndex\":\(index),\"delta\":{\"reasoningContent\":{\"signature\":")
        data.writeString("\"\(OpaqueMark.over(part.text))\"}}}")
      }
    }
    write("contentBlockStop", into: &event) { $0.writeString("{\"contentBlockIndex\":\(index)}") }
  }

  mutating func close(into event: inout ByteBuffer) {
    write("messageStop", into: &event) { $0.writeString("{\"stopReason\":\"\(stopReason)\"}") }
    write("metadata", into: &event) { data in
      data.writeStaticString("{")
      if reply.usage.isReported {
        data.writeStaticString("\"usage\":")
        writeUsage(into: &data)
        data.writeStaticString(",")
      }
      data.writeStaticString("\"metrics\":{\"latencyMs\":1}}")
    }
  }

  mutating func writeFailure(status: Int, into event: inout ByteBuffer) {
    var payload = ByteBuffer()
    VendorError.write(VendorError.scripted(status, vendor), vendor, number: 0, into: &payload)
    let name = VendorError.amazonType(status)
    // The stream's own names begin with a small letter.
    EventFrame.write(
      [
        (":exception-type", name.prefix(1).lowercased() + name.dropFirst()), (":content-type", "application/json"),
        (":message-type", "exception"),
      ], payload: payload, into: &event)
  }

  /// A message whose checksum is wrong.
  func writeBroken(into event: inout ByteBuffer) {
    let start = event.writerIndex
    write("contentBlockDelta", into: &event) {
      $0.writeStaticString("{\"contentBlockIndex\":0,\"delta\":{\"text\":\"broken\"}}")
    }
    let last = event.writerIndex - 1
    if last > start, let byte = event.getInteger(at: last, as: UInt8.self) { event.setInteger(byte ^ 1, at: last) }
  }
}
