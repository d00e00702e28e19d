import NIOCore

/// A reply as a legacy completion: each part is a choice.
struct CompletionsForm: ReplyForm {
  let reply: Reply
  let vendor: Vendor
  private let identity: ReplyIdentity
  private let wantsUsage: Bool

  init(_ reply: Reply, _ identity: ReplyIdentity, _ vendor: Vendor, wantsUsage: Bool) {
    self.reply = reply
    self.identity = identity
    self.vendor = vendor
    self.wantsUsage = wantsUsage && reply.usage.isReported
  }

  func writePlain(into body: inout ByteBuffer) {
    writeHead(into: &body)
    for index in reply.parts.indices {
      if index > 0 { body.writeStaticString(",") }
      writeChoice(index, reply.parts[index].text[...], finish: finishReason, into: &body)
    }
    body.writeStaticString("]")
    if reply.usage.isReported {
      body.writeStaticString(",\"usage\":")
      ChatForm.writeUsage(reply.usage, into: &body)
    }
    body.writeStaticString("}")
  }

  private func writeHead(into body: inout ByteBuffer) {
    body.writeString("{\"id\":\"cmpl-mock\(identity.number)\",\"object\":\"text_completion\",")
    body.writeString("\"created\":\(AnswerIdentity.created),\"model\":")
    body.writeQuoted(identity.model)
    body.writeStaticString(",\"system_fingerprint\":\"fp_mock\",\"choices\":[")
  }

  private func writeChoice(
    _ index: Int, _ text: ArraySlice<UInt8>, finish: String?, into body: inout ByteBuffer
  ) {
    body.writeStaticString("{\"text\":")
    body.writeQuoted(text)
    body.writeString(",\"index\":\(index),\"logprobs\":null,\"finish_reason\":")
    if let finish { body.writeQuoted(finish) } else { body.writeStaticString("null") }
    body.writeStaticString("}")
  }

  private var finishReason: String {
    switch reply.end {
    case .length: "length"
    case .blocked: "content_filter"
    case .word(let word): word
    default: "stop"
    }
  }

  // MARK: Stream

  private func writeChunk(into event: inout ByteBuffer, _ fill: (inout ByteBuffer) -> Void) {
    event.writeEvent(nil) { data in
      writeHead(into: &data)
      fill(&data)
    }
  }

  mutating func open(into event: inout ByteBuffer) {}
  mutating func openPart(_ index: Int, into event: inout ByteBuffer) {}

  mutating func writeDelta(_ text: ArraySlice<UInt8>, part index: Int, into event: inout ByteBuffer) {
    writeChunk(into: &event) { data in
      writeChoice(index, text, finish: nil, into: &data)
      data.writeStaticString(wantsUsage ? "],\"usage\":null}" : "]}")
    }
  }

  mutating func closePart(_ index: Int, into event: inout ByteBuffer) {
    writeChunk(into: &event) { data in
      writeChoice(index, [], finish: finishReason, into: &data)
      data.writeStaticString(wantsUsage ? "],\"usage\":null}" : "]}")
    }
  }

  mutating func close(into event: inout ByteBuffer) {
    if wantsUsage {
      writeChunk(into: &event) { data in
        data.writeStaticString("],\"usage\":")
        ChatForm.writeUsage(reply.usage, into: &data)
        data.writeStaticString("}")
      }
    }
    event.writeStaticString("data: [DONE]\n\n")
  }

  mutating func writeFailure(status: Int, into event: inout ByteBuffer) {
    event.writeEvent(nil) { VendorError.write(VendorError.scripted(status, vendor), vendor, number: 0, into: &$0) }
  }
}
