import NIOCore

/// A reply in Gemini's dialect; its stream is events without names, or one JSON array.
struct GenerateForm: ReplyForm {
  let reply: Reply
  let vendor = Vendor.gemini
  private let identity: ReplyIdentity
  private let showsThinking: Bool
  private let isEvents: Bool
  private var isFirst = true
  private var sentBytes = 0

  /// - Parameter isEvents: Whether the query asked for server-sent events.
  init(_ reply: Reply, _ identity: ReplyIdentity, showsThinking: Bool, isEvents: Bool) {
    self.reply = reply
    self.identity = identity
    self.showsThinking = showsThinking
    self.isEvents = isEvents
  }

  var streamType: StaticString { isEvents ? "text/event-stream" : "application/json; charset=UTF-8" }

  func writePlain(into body: inout ByteBuffer) {
    body.writeStaticString("{")
    if reply.end == .blocked {
      body.writeStaticString("\"promptFeedback\":{\"blockReason\":\"PROHIBITED_CONTENT\"}")
    } else {
      body.writeStaticString("\"candidates\":[{\"content\":{\"parts\":[")
      var isFirst = true
      for index in reply.parts.indices where isShown(index) {
        if !isFirst { body.writeStaticString(",") }
        isFirst = false
        writePart(index, reply.parts[index].text[...], isWhole: true, into: &body)
      }
      body.writeStaticString("],\"role\":\"model\"},\"finishReason\":")
      body.writeQuoted(finishReason)
      body.writeStaticString(",\"index\":0}]")
    }
    writeEnd(isLast: true, into: &body)
  }

  private func isShown(_ index: Int) -> Bool { reply.parts[index].kind != .thinking || showsThinking }

  private func writePart(_ index: Int, _ text: ArraySlice<UInt8>, isWhole: Bool, into body: inout ByteBuffer) {
    switch reply.parts[index].kind {
    case .text, .refusal:
      body.writeStaticString("{\"text\":")
      body.writeQuoted(text)
      if isWhole, reply.usage.reasoning > 0 { body.writeString(",\"thoughtSignature\":\"\(OpaqueMark.over([]))\"") }
    case .thinking:
      body.writeStaticString("{\"text\":")
      body.writeQuoted(text)
      body.writeStaticString(",\"thought\":true")
    case .call(let name):
      body.writeStaticString("{\"functionCall\":{\"name\":")
      body.writeQuoted(name)
      body.writeStaticString(",\"args\":")
      let isObject = text.withUnsafeBytes { JSONValue($0)?.members != nil }
      if isObject { body.writeBytes(text) } else { body.writeStaticString("{}") }
      body.writeStaticString("}")
      let isFirstCall = !reply.parts[..<index].contains { $0.isCall }
      if isFirstCall, reply.usage.reasoning > 0 {
        body.writeString(",\"thoughtSignature\":\"\(OpaqueMark.over(name))\"")
      }
    }
    body.writeStaticString("}")
  }

  private var finishReason: String {
    switch reply.end {
    case .stop, .stopSequence, .calls: "STOP"
    case .length: "MAX_TOKENS"
    case .refusal, .blocked: "SAFETY"
    case .failed: "OTHER"
    case .word(let word): word
    }
  }

  /// Usage is in every chunk; what is not the last has only what was made until then.
  private func writeEnd(isLast: Bool, into body: inout ByteBuffer) {
    let usage = reply.usage
    if usage.isReported {
      let said = isLast ? usage.output - usage.reasoning : MockUsage.tokens(inBytes: sentBytes)
      body.writeString(",\"usageMetadata\":{\"promptTokenCount\":\(usage.say(usage.prompt))")
      if isLast, usage.cached > 0 { body.writeString(",\"cachedContentTokenCount\":\(usage.say(usage.cached))") }
      if said > 0 || isLast { body.writeString(",\"candidatesTokenCount\":\(usage.say(said))") }
      if usage.reasoning > 0 { body.writeString(",\"thoughtsTokenCount\":\(usage.say(usage.reasoning))") }
      body.writeString(",\"totalTokenCount\":\(usage.say(usage.prompt + said + usage.reasoning))")
      body.writeString(",\"promptTokensDetails\":[{\"modality\":\"TEXT\",\"tokenCount\":\(usage.say(usage.prompt))}]}")
    }
    body.writeStaticString(",\"modelVersion\":")
    body.writeQuoted(identity.model)
    body.writeString(",\"responseId\":\"mock\(identity.number)\"}")
  }

  // MARK: Stream

  mutating func open(into event: inout ByteBuffer) {
    if !isEvents { event.writeStaticString("[") }
  }

  private mutating func writeChunk(into event: inout ByteBuffer, _ fill: (inout ByteBuffer) -> Void) {
    if isEvents { event.writeStaticString("data: ") } else if !isFirst { event.writeStaticString(",\r\n") }
    isFirst = false
    fill(&event)
    if isEvents { event.writeStaticString("\r\n\r\n") }
  }

  mutating func openPart(_ index: Int, into event: inout ByteBuffer) {
    if reply.parts[index].isCall { writeDelta(reply.parts[index].text[...], part: index, into: &event) }
  }

  func isCut(_ index: Int) -> Bool { !reply.parts[index].isCall }

  mutating func writeDelta(_ text: ArraySlice<UInt8>, part index: Int, into event: inout ByteBuffer) {
    guard isShown(index) else { return }
    if reply.parts[index].kind != .thinking { sentBytes += text.count }
    writeChunk(into: &event) { [self] data in
      data.writeStaticString("{\"candidates\":[{\"content\":{\"parts\":[")
      writePart(index, text, isWhole: reply.parts[index].isCall, into: &data)
      data.writeStaticString("],\"role\":\"model\"},\"index\":0}]")
      writeEnd(isLast: false, into: &data)
    }
  }

  mutating func closePart(_ index: Int, into event: inout ByteBuffer) {}

  mutating func close(into event: inout ByteBuffer) {
    writeChunk(into: &event) { [self] data in
      guard reply.end != .blocked else { return writePlain(into: &data) }
      data.writeStaticString(
        "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},\"finishReason\":")
      data.writeQuoted(finishReason)
      data.writeStaticString(",\"index\":0}]")
      writeEnd(isLast: true, into: &data)
    }
    if !isEvents { event.writeStaticString("]") }
  }

  mutating func writeFailure(status: Int, into event: inout ByteBuffer) {
    writeChunk(into: &event) { data in
      VendorError.write(VendorError.scripted(status, .gemini), .gemini, number: 0, into: &data)
    }
    if !isEvents { event.writeStaticString("]") }
  }
}
