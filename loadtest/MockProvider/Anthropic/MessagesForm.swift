import NIOCore

/// A reply in Anthropic's Messages dialect.
struct MessagesForm: ReplyForm {
  let reply: Reply
  let vendor = Vendor.anthropic
  private let identity: ReplyIdentity

  init(_ reply: Reply, _ identity: ReplyIdentity) {
    self.reply = reply
    self.identity = identity
  }

  func writePlain(into body: inout ByteBuffer) {
    writeHead(into: &body)
    body.writeStaticString("\"content\":[")
    for index in reply.parts.indices {
      if index > 0 { body.writeStaticString(",") }
      writeBlock(index, text: reply.parts[index].text, into: &body)
    }
    body.writeStaticString("],")
    writeStop(into: &body)
    body.writeStaticString(",\"usage\":")
    writeUsage(output: reply.usage.output, into: &body)
    body.writeStaticString("}")
  }

  private func writeHead(into body: inout ByteBuffer) {
    body.writeString("{\"id\":\"msg_mock\(identity.number)\",\"type\":\"message\",\"role\":\"assistant\",\"model\":")
    body.writeQuoted(identity.model)
    body.writeStaticString(",")
  }

  /// A content block; with empty `text` it is the one that a stream starts with.
  private func writeBlock(_ index: Int, text: [UInt8], into body: inout ByteBuffer) {
    switch reply.parts[index].kind {
    case .text, .refusal:
      body.writeStaticString("{\"type\":\"text\",\"text\":")
      body.writeQuoted(text)
    case .thinking:
      body.writeStaticString("{\"type\":\"thinking\",\"thinking\":")
      body.writeQuoted(text)
      body.writeString(",\"signature\":\"\(text.isEmpty ? "" : OpaqueMark.over(text))\"")
    case .call(let name):
      body.writeString("{\"type\":\"tool_use\",\"id\":\"\(identity.call(callNumber(index), "toolu_"))\",\"name\":")
      body.writeQuoted(name)
      body.writeStaticString(",\"input\":")
      // A token limit may have cut the arguments in the middle; what is no object any more is none.
      let isWhole = text.withUnsafeBytes { JSONValue($0)?.members != nil }
      if isWhole { body.writeBytes(text) } else { body.writeStaticString("{}") }
    }
    body.writeStaticString("}")
  }

  private func callNumber(_ index: Int) -> Int { reply.parts[..<index].count { $0.isCall } }

  private func writeStop(into body: inout ByteBuffer) {
    let (reason, sequence) = stop
    body.writeString("\"stop_reason\":\"\(reason)\",\"stop_sequence\":")
    if let sequence { body.writeQuoted(sequence) } else { body.writeStaticString("null") }
    body.writeStaticString(",\"stop_details\":")
    body.writeStaticString(
      reason == "refusal"
        ? "{\"type\":\"refusal\",\"category\":null,\"explanation\":\"The mock was asked to refuse.\"}" : "null")
  }

  private var stop: (reason: String, sequence: [UInt8]?) {
    switch reply.end {
    case .stop, .failed: ("end_turn", nil)
    case .length: ("max_tokens", nil)
    case .calls: ("tool_use", nil)
    case .refusal, .blocked: ("refusal", nil)
    case .stopSequence(let sequence): ("stop_sequence", sequence)
    case .word(let word): (word, nil)
    }
  }

  private func writeUsage(output: Int, into body: inout ByteBuffer) {
    let usage = reply.usage
    guard usage.isReported else {
      body.writeStaticString("{}")
      return
    }
    let input = usage.prompt - usage.cached - usage.cacheWrite - usage.cacheWriteLong
    body.writeString("{\"input_tokens\":\(usage.say(input))")
    body.writeString(",\"cache_creation_input_tokens\":\(usage.say(usage.cacheWrite + usage.cacheWriteLong))")
    body.writeString(",\"cache_read_input_tokens\":\(usage.say(usage.cached))")
    body.writeString(",\"cache_creation\":{\"ephemeral_5m_input_tokens\":\(usage.say(usage.cacheWrite))")
    body.writeString(",\"ephemeral_1h_input_tokens\":\(usage.say(usage.cacheWriteLong))}")
    body.writeString(",\"output_tokens\":\(usage.say(output))")
    if usage.reasoning > 0, output == usage.output {
      body.writeString(",\"output_tokens_details\":{\"thinking_tokens\":\(usage.say(usage.reasoning))}")
    }
    body.writeString(",\"service_tier\":\"\(reply.tier ?? "standard")\",\"inference_geo\":\"eu\"}")
  }

  // MARK: Stream

  mutating func open(into event: inout ByteBuffer) {
    event.writeEvent("message_start") { data in
      data.writeStaticString("{\"type\":\"message_start\",\"message\":")
      writeHead(into: &data)
      data.writeStaticString("\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":")
      writeUsage(output: 1, into: &data)
      data.writeStaticString("}}")
    }
    event.writeEvent("ping") { $0.writeStaticString("{\"type\":\"ping\"}") }
  }

  mutating func openPart(_ index: Int, into event: inout ByteBuffer) {
    event.writeEvent("content_block_start") { data in
      data.writeString("{\"type\":\"content_block_start\",\"index\":\(index),\"content_block\":")
      writeBlock(index, text: [], into: &data)
      data.writeStaticString("}")
    }
    if reply.parts[index].isCall { writeDelta([], part: index, into: &event) }
  }

  func writeDelta(_ text: ArraySlice<UInt8>, part index: Int, into event: inout ByteBuffer) {
    event.writeEvent("content_block_delta") { data in
      data.writeString("{\"type\":\"content_block_delta\",\"index\":\(index),\"delta\":{\"type\":")
      switch reply.parts[index].kind {
      case .text, .refusal: data.writeStaticString("\"text_delta\",\"text\":")
      case .thinking: data.writeStaticString("\"thinking_delta\",\"thinking\":")
      case .call: data.writeStaticString("\"input_json_delta\",\"partial_json\":")
      }
      data.writeQuoted(text)
      data.writeStaticString("}}")
    }
  }

  mutating func closePart(_ index: Int, into event: inout ByteBuffer) {
    if reply.parts[index].kind == .thinking {
      event.writeEvent("content_block_delta") { data in
        data.writeString(
          "{\"type\":\"content_block_delta\",\"index\":\(index),\"delta\":{\"type\":\"signature_delta\",")
        data.writeString("\"signature\":\"\(OpaqueMark.over(reply.parts[index].text))\"}}")
      }
    }
    event.writeEvent("content_block_stop") { $0.writeString("{\"type\":\"content_block_stop\",\"index\":\(index)}") }
  }

  mutating func close(into event: inout ByteBuffer) {
    event.writeEvent("message_delta") { data in
      data.writeStaticString("{\"type\":\"message_delta\",\"delta\":{")
      writeStop(into: &data)
      data.writeStaticString("}")
      if reply.usage.isReported {
        data.writeStaticString(",\"usage\":")
        writeUsage(output: reply.usage.output, into: &data)
      }
      data.writeStaticString("}")
    }
    event.writeEvent("message_stop") { $0.writeStaticString("{\"type\":\"message_stop\"}") }
  }

  mutating func writeFailure(status: Int, into event: inout ByteBuffer) {
    event.writeEvent("error") { data in
      VendorError.write(VendorError.scripted(status, vendor), vendor, number: 0, into: &data)
    }
  }

  func writeBroken(into event: inout ByteBuffer) {
    event.writeEvent("content_block_delta") {
      $0.writeStaticString(
        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"brok")
    }
  }
}
