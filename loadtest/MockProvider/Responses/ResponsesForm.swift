import NIOCore

/// A reply in OpenAI's Responses dialect; each event has a name and a number without gaps.
struct ResponsesForm: ReplyForm {
  let reply: Reply
  let vendor: Vendor
  private let identity: ReplyIdentity
  private let isStored: Bool
  private let isSealed: Bool
  private let isPadded: Bool
  private var sequence = 0

  init(_ reply: Reply, _ identity: ReplyIdentity, _ vendor: Vendor, _ prompt: Prompt, _ json: JSONValue) {
    self.reply = reply
    self.identity = identity
    self.vendor = vendor
    isStored = json["store"]?.flag ?? true
    isSealed = prompt.wantsOpaqueReasoning
    isPadded = json["stream_options"]?["include_obfuscation"]?.flag ?? true
  }

  private enum Status: String { case inProgress = "in_progress", completed, incomplete, failed }

  private var status: Status {
    switch reply.end {
    case .failed: .failed
    case .length, .blocked: .incomplete
    case .word(let word): word == "max_messages" || word == "steered" ? .incomplete : .completed
    default: .completed
    }
  }

  private var incompleteReason: String? {
    switch reply.end {
    case .length: "max_output_tokens"
    case .blocked: "content_filter"
    case .word(let word) where status == .incomplete: word
    default: nil
    }
  }

  func writePlain(into body: inout ByteBuffer) { writeResponse(status, into: &body) }

  private func writeResponse(_ status: Status, into body: inout ByteBuffer) {
    let isOver = status != .inProgress
    body.writeString("{\"id\":\"resp_mock\(identity.number)\",\"object\":\"response\"")
    body.writeString(",\"created_at\":\(AnswerIdentity.created),\"status\":\"\(status.rawValue)\"")
    body.writeStaticString(",\"background\":false,\"error\":")
    body.writeStaticString(
      status == .failed ? "{\"code\":\"server_error\",\"message\":\"The mock was asked to fail.\"}" : "null")
    body.writeStaticString(",\"incomplete_details\":")
    if isOver, let incompleteReason {
      body.writeString("{\"reason\":\"\(incompleteReason)\"}")
    } else {
      body.writeStaticString("null")
    }
    body.writeStaticString(",\"instructions\":null,\"max_output_tokens\":null,\"metadata\":{},\"model\":")
    body.writeQuoted(identity.model)
    body.writeStaticString(",\"output\":[")
    if isOver {
      for index in reply.parts.indices {
        if index > 0 { body.writeStaticString(",") }
        writeItem(index, isDone: true, into: &body)
      }
    }
    body.writeStaticString(
      "],\"parallel_tool_calls\":true,\"previous_response_id\":null,\"reasoning\":{\"effort\":null,")
    body.writeString(
      "\"summary\":null},\"store\":\(isStored),\"temperature\":1.0,\"text\":{\"format\":{\"type\":\"text\"}},")
    // What is only asked for is no tier yet.
    if let tier = reply.tier { body.writeString("\"service_tier\":\"\(isOver ? tier : "auto")\",") }
    body.writeStaticString("\"tool_choice\":\"auto\",\"tools\":[],\"top_p\":1.0,\"truncation\":\"disabled\",\"usage\":")
    if isOver, reply.usage.isReported { writeUsage(into: &body) } else { body.writeStaticString("null") }
    body.writeStaticString("}")
  }

  private func writeUsage(into body: inout ByteBuffer) {
    let usage = reply.usage
    body.writeString("{\"input_tokens\":\(usage.say(usage.prompt)),\"input_tokens_details\":{\"cached_tokens\":")
    body.writeString("\(usage.say(usage.cached)),\"cache_write_tokens\":")
    body.writeString(
      "\(usage.say(usage.cacheWrite + usage.cacheWriteLong))},\"output_tokens\":\(usage.say(usage.output))")
    body.writeString(",\"output_tokens_details\":{\"reasoning_tokens\":\(usage.say(usage.reasoning))}")
    body.writeString(",\"total_tokens\":\(usage.say(usage.prompt + usage.output))}")
  }

  /// The id of the item at `index`.
  private func itemID(_ index: Int) -> String {
    switch reply.parts[index].kind {
    case .text, .refusal: "msg_mock\(identity.number)_\(index)"
    case .thinking: "rs_mock\(identity.number)_\(index)"
    case .call: "fc_mock\(identity.number)_\(index)"
    }
  }

  private func writeItem(_ index: Int, isDone: Bool, into body: inout ByteBuffer) {
    let part = reply.parts[index]
    body.writeString("{\"id\":\"\(itemID(index))\",\"type\":\"")
    let status = isDone ? reply.end == .length ? "incomplete" : "completed" : "in_progress"
    switch part.kind {
    case .text, .refusal:
      body.writeString("message\",\"status\":\"\(status)\",\"role\":\"assistant\",\"content\":[")
      if isDone { writeContent(index, part.text, into: &body) }
      body.writeStaticString("]")
    case .thinking:
      body.writeStaticString("reasoning\",\"summary\":[")
      if isDone { writeContent(index, part.text, into: &body) }
      body.writeStaticString("]")
      if isSealed { body.writeString(",\"encrypted_content\":\"\(OpaqueMark.sealed(part.text))\"") }
    case .call(let name):
      body.writeString("function_call\",\"status\":\"\(status)\",\"call_id\":\"")
      body.writeString(identity.call(reply.parts[..<index].count { $0.isCall }, "call_"))
      body.writeStaticString("\",\"name\":")
      body.writeQuoted(name)
      body.writeStaticString(",\"arguments\":")
      body.writeQuoted(isDone ? part.text : [])
    }
    body.writeStaticString("}")
  }

  /// The one content part of an item.
  private func writeContent(_ index: Int, _ text: [UInt8], into body: inout ByteBuffer) {
    switch reply.parts[index].kind {
    case .thinking: body.writeStaticString("{\"type\":\"summary_text\",\"text\":")
    case .refusal: body.writeStaticString("{\"type\":\"refusal\",\"refusal\":")
    default: body.writeStaticString("{\"type\":\"output_text\",\"annotations\":[],\"logprobs\":[],\"text\":")
    }
    body.writeQuoted(text)
    body.writeStaticString("}")
  }

  // MARK: Stream

  private mutating func write(_ type: String, into event: inout ByteBuffer, _ fill: (inout ByteBuffer) -> Void) {
    let number = sequence
    sequence += 1
    event.writeEvent(type) { data in
      data.writeString("{\"type\":\"\(type)\",\"sequence_number\":\(number)")
      fill(&data)
      data.writeStaticString("}")
    }
  }

  /// An event about an item, with the place of its one part.
  private mutating func writePart(
    _ type: String, _ index: Int, into event: inout ByteBuffer, _ fill: (inout ByteBuffer) -> Void
  ) {
    let place: StaticString =
      switch reply.parts[index].kind {
      case .call: ""
      case .thinking: ",\"summary_index\":0"
      case .text, .refusal: ",\"content_index\":0"
      }
    let item = itemID(index)
    write("response.\(type)", into: &event) { data in
      data.writeString(",\"item_id\":\"\(item)\",\"output_index\":\(index)")
      data.writeStaticString(place)
      fill(&data)
    }
  }

  mutating func open(into event: inout ByteBuffer) {
    for type in ["response.created", "response.in_progress"] {
      write(type, into: &event) { [self] data in
        data.writeStaticString(",\"response\":")
        writeResponse(.inProgress, into: &data)
      }
    }
  }

  mutating func openPart(_ index: Int, into event: inout ByteBuffer) {
    write("response.output_item.added", into: &event) { [self] data in
      data.writeString(",\"output_index\":\(index),\"item\":")
      writeItem(index, isDone: false, into: &data)
    }
    guard !reply.parts[index].isCall else { return }
    writePart(contentName(index) + ".added", index, into: &event) { [self] data in
      data.writeStaticString(",\"part\":")
      writeContent(index, [], into: &data)
    }
  }

  private func contentName(_ index: Int) -> String {
    reply.parts[index].kind == .thinking ? "reasoning_summary_part" : "content_part"
  }

  private func textName(_ index: Int) -> String {
    switch reply.parts[index].kind {
    case .text: "output_text"
    case .refusal: "refusal"
    case .thinking: "reasoning_summary_text"
    case .call: "function_call_arguments"
    }
  }

  mutating func writeDelta(_ text: ArraySlice<UInt8>, part index: Int, into event: inout ByteBuffer) {
    let isText = reply.parts[index].kind == .text
    let isPadded = isPadded
    writePart(textName(index) + ".delta", index, into: &event) { data in
      data.writeStaticString(",\"delta\":")
      data.writeQuoted(text)
      if isText { data.writeStaticString(",\"logprobs\":[]") }
      if isPadded { data.writeStaticString(",\"obfuscation\":\"mock\"") }
    }
  }

  mutating func closePart(_ index: Int, into event: inout ByteBuffer) {
    let part = reply.parts[index]
    writePart(textName(index) + ".done", index, into: &event) { data in
      switch part.kind {
      case .text: data.writeStaticString(",\"logprobs\":[],\"text\":")
      case .refusal: data.writeStaticString(",\"refusal\":")
      case .thinking: data.writeStaticString(",\"text\":")
      case .call: data.writeStaticString(",\"arguments\":")
      }
      data.writeQuoted(part.text)
    }
    if !part.isCall {
      writePart(contentName(index) + ".done", index, into: &event) { [self] data in
        data.writeStaticString(",\"part\":")
        writeContent(index, part.text, into: &data)
      }
    }
    write("response.output_item.done", into: &event) { [self] data in
      data.writeString(",\"output_index\":\(index),\"item\":")
      writeItem(index, isDone: true, into: &data)
    }
  }

  mutating func close(into event: inout ByteBuffer) {
    let status = status
    write("response.\(status.rawValue)", into: &event) { [self] data in
      data.writeStaticString(",\"response\":")
      writeResponse(status, into: &data)
    }
  }

  mutating func writeFailure(status: Int, into event: inout ByteBuffer) {
    write("error", into: &event) { data in
      data.writeStaticString(",\"code\":")
      data.writeQuoted(status == 429 ? "rate_limit_exceeded" : "server_error")
      data.writeStaticString(",\"message\":")
      data.writeQuoted(ErrorAnswer.message(of: status))
      data.writeStaticString(",\"param\":null")
    }
  }

  func writeBroken(into event: inout ByteBuffer) {
    event.writeEvent("response.output_text.delta") {
      $0.writeStaticString("{\"type\":\"response.output_text.delta\",\"delta\":\"brok")
    }
  }
}
