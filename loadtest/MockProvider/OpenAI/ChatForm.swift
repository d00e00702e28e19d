import NIOCore

/// A reply as a chat completion, with what each vendor does in its own way.
struct ChatForm: ReplyForm {
  let reply: Reply
  let vendor: Vendor
  private let identity: ReplyIdentity
  private let wantsUsage: Bool
  private let opening: String
  private let streamOpening: String

  init(_ reply: Reply, _ identity: ReplyIdentity, _ vendor: Vendor, wantsUsage: Bool) {
    self.reply = reply
    self.vendor = vendor
    self.identity = identity
    self.wantsUsage = wantsUsage
    let tier = reply.tier.map { ",\"service_tier\":\"\($0)\"" } ?? ""
    opening = Self.opening("chat.completion", identity) + tier
    streamOpening = Self.opening("chat.completion.chunk", identity) + tier
  }

  private static func opening(_ object: String, _ identity: ReplyIdentity) -> String {
    var text = ByteBuffer()
    text.writeString("{\"id\":\"chatcmpl-mock\(identity.number)\",\"object\":\"\(object)\",")
    text.writeString("\"created\":\(AnswerIdentity.created),\"model\":")
    text.writeQuoted(identity.model)
    text.writeString(",\"system_fingerprint\":\"fp_mock\"")
    return String(buffer: text)
  }

  // MARK: One body

  func writePlain(into body: inout ByteBuffer) {
    body.writeString(opening)
    if vendor == .azure { body.writeString(",\"prompt_filter_results\":\(Self.promptFilter)") }
    body.writeStaticString(",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":")
    let texts = joined(.text)
    if let texts { body.writeQuoted(texts) } else { body.writeStaticString("null") }
    if vendor != .mistral {
      body.writeStaticString(",\"refusal\":")
      if let refusal = joined(.refusal) { body.writeQuoted(refusal) } else { body.writeStaticString("null") }
    }
    if let thinking = joined(.thinking) {
      body.writeString(",\"\(reasoningMember)\":")
      body.writeQuoted(thinking)
    }
    let calls = reply.parts.indices.filter { reply.parts[$0].isCall }
    if !calls.isEmpty {
      body.writeStaticString(",\"tool_calls\":[")
      for (number, index) in calls.enumerated() {
        if number > 0 { body.writeStaticString(",") }
        writeCall(index, arguments: reply.parts[index].text, into: &body)
      }
      body.writeStaticString("]")
    }
    body.writeStaticString("},\"logprobs\":null,\"finish_reason\":")
    body.writeQuoted(finishReason)
    writeChoiceEnd(into: &body)
    body.writeStaticString("}]")
    if reply.usage.isReported {
      body.writeStaticString(",\"usage\":")
      Self.writeUsage(reply.usage, withDetails: vendor != .mistral && vendor != .ollama, into: &body)
    }
    body.writeStaticString("}")
  }

  private func joined(_ kind: Reply.Part.Kind) -> [UInt8]? {
    let parts = reply.parts.filter { $0.kind == kind }
    return parts.isEmpty ? nil : parts.flatMap(\.text)
  }

  private var reasoningMember: String {
    vendor == .vllm || vendor == .ollama ? "reasoning" : "reasoning_content"
  }

  private func writeCall(_ index: Int, arguments: [UInt8], isDelta: Bool = false, into body: inout ByteBuffer) {
    guard case .call(let name) = reply.parts[index].kind else { return }
    let number = callNumber(index)
    body.writeString(isDelta ? "{\"index\":\(number),\"id\":\"" : "{\"id\":\"")
    body.writeString(callID(number))
    body.writeStaticString("\",\"type\":\"function\",\"function\":{\"name\":")
    body.writeQuoted(name)
    body.writeStaticString(",\"arguments\":")
    body.writeQuoted(arguments)
    body.writeStaticString("}")
    if vendor == .geminiChat, number == 0 {
      body.writeString(",\"extra_content\":{\"google\":{\"thought_signature\":\"\(OpaqueMark.over(name))\"}}")
    }
    body.writeStaticString("}")
  }

  private func callNumber(_ index: Int) -> Int { reply.parts[..<index].count { $0.isCall } }

  /// Mistral's ids have nine characters.
  private func callID(_ number: Int) -> String {
    guard vendor == .mistral else { return identity.call(number, "call_") }
    let last = String(number, radix: 36)
    return String(("mck000000" + identity.number.suffix(6)).suffix(9 - last.count)) + last
  }

  private var finishReason: String {
    switch reply.end {
    case .stop, .stopSequence, .refusal: "stop"
    case .length: "length"
    case .calls: "tool_calls"
    case .blocked: "content_filter"
    case .failed: "error"
    case .word(let word): word
    }
  }

  private func writeChoiceEnd(into body: inout ByteBuffer) {
    if vendor == .azure { body.writeString(",\"content_filter_results\":\(Self.contentFilter)") }
    if vendor == .vllm { body.writeStaticString(",\"stop_reason\":null") }
  }

  private static let contentFilter =
    "{\"hate\":{\"filtered\":false,\"severity\":\"safe\"},\"violence\":{\"filtered\":false,\"severity\":\"safe\"}}"
  private static let promptFilter = "[{\"prompt_index\":0,\"content_filter_results\":\(contentFilter)}]"

  /// - Parameter withDetails: False for vendors that say no more than the three sums.
  static func writeUsage(_ usage: ReplyUsage, withDetails: Bool = true, into body: inout ByteBuffer) {
    body.writeString("{\"prompt_tokens\":\(usage.say(usage.prompt)),\"completion_tokens\":\(usage.say(usage.output))")
    body.writeString(",\"total_tokens\":\(usage.say(usage.prompt + usage.output))")
    guard withDetails else {
      body.writeStaticString("}")
      return
    }
    body.writeString(",\"prompt_tokens_details\":{\"cached_tokens\":\(usage.say(usage.cached))")
    let written = usage.cacheWrite + usage.cacheWriteLong
    if written > 0 { body.writeString(",\"cache_write_tokens\":\(usage.say(written))") }
    body.writeString("},\"completion_tokens_details\":{\"reasoning_tokens\":\(usage.say(usage.reasoning))}}")
  }

  // MARK: Stream

  mutating func open(into event: inout ByteBuffer) {
    if vendor == .azure {
      event.writeString("data: {\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"object\":\"\",")
      event.writeString("\"prompt_filter_results\":\(Self.promptFilter)}\n\n")
    }
    writeChunk(into: &event) { $0.writeStaticString("\"role\":\"assistant\",\"content\":\"\"") }
  }

  private func writeChunk(
    finish: String? = nil, withUsage: Bool = false, into event: inout ByteBuffer, _ delta: (inout ByteBuffer) -> Void
  ) {
    event.writeStaticString("data: ")
    event.writeString(streamOpening)
    event.writeStaticString(",\"choices\":[{\"index\":0,\"delta\":{")
    delta(&event)
    event.writeStaticString("},\"logprobs\":null,\"finish_reason\":")
    if let finish { event.writeQuoted(finish) } else { event.writeStaticString("null") }
    writeChoiceEnd(into: &event)
    event.writeStaticString("}]")
    if withUsage {
      event.writeStaticString(",\"usage\":")
      Self.writeUsage(reply.usage, withDetails: vendor != .mistral && vendor != .ollama, into: &event)
    } else if wantsUsage, reply.usage.isReported, vendor != .mistral {
      event.writeStaticString(",\"usage\":null")
    }
    event.writeStaticString("}\n\n")
  }

  mutating func openPart(_ index: Int, into event: inout ByteBuffer) {
    guard reply.parts[index].isCall else { return }
    writeChunk(into: &event) { data in
      data.writeStaticString("\"tool_calls\":[")
      writeCall(index, arguments: isCut(index) ? [] : reply.parts[index].text, isDelta: true, into: &data)
      data.writeStaticString("]")
    }
  }

  func isCut(_ index: Int) -> Bool {
    // Two of them send a call in one piece.
    !reply.parts[index].isCall || !(vendor == .mistral || vendor == .geminiChat)
  }

  mutating func writeDelta(_ text: ArraySlice<UInt8>, part index: Int, into event: inout ByteBuffer) {
    writeChunk(into: &event) { data in
      switch reply.parts[index].kind {
      case .text: data.writeStaticString("\"content\":")
      case .refusal: data.writeStaticString("\"refusal\":")
      case .thinking: data.writeString("\"\(reasoningMember)\":")
      case .call: data.writeString("\"tool_calls\":[{\"index\":\(callNumber(index)),\"function\":{\"arguments\":")
      }
      data.writeQuoted(text)
      if reply.parts[index].isCall { data.writeStaticString("}}]") }
    }
  }

  mutating func closePart(_ index: Int, into event: inout ByteBuffer) {}

  mutating func close(into event: inout ByteBuffer) {
    // Mistral says what was used with the last piece, asked or not.
    let isTogether = vendor == .mistral && reply.usage.isReported
    writeChunk(finish: finishReason, withUsage: isTogether, into: &event) {
      if isTogether { $0.writeStaticString("\"content\":\"\"") }
    }
    if wantsUsage, reply.usage.isReported, !isTogether {
      event.writeStaticString("data: ")
      event.writeString(streamOpening)
      event.writeStaticString(",\"choices\":[],\"usage\":")
      Self.writeUsage(reply.usage, withDetails: vendor != .mistral && vendor != .ollama, into: &event)
      event.writeStaticString("}\n\n")
    }
    event.writeStaticString("data: [DONE]\n\n")
  }

  mutating func writeFailure(status: Int, into event: inout ByteBuffer) {
    event.writeStaticString("data: ")
    VendorError.write(VendorError.scripted(status, vendor), vendor, number: 0, into: &event)
    event.writeStaticString("\n\n")
  }
}
