import NIOCore

/// One request with everything that its answer needs.
struct Turn {
  enum Content {
    /// Chat in OpenAI's form, on the cheap path.
    case chat(Answer, AnswerIdentity, wantsUsage: Bool)
    case reply(any ReplyForm)
    case whole(WholeAnswer)
  }

  let script: Script
  let content: Content
  let number: UInt64
  let isStream: Bool
  let keepsAlive: Bool
  let isHTTP10: Bool

  var vendor: Vendor {
    switch content {
    case .chat: .openAI
    case .reply(let form): form.vendor
    case .whole(let answer): answer.vendor
    }
  }

  /// What the whole answer is charged for; nil if it is not charged by tokens.
  var charge: MockUsage? {
    switch content {
    case .chat(let answer, _, _): answer.usage
    case .reply(let form): form.reply.usage.charge
    case .whole(let answer): answer.charge
    }
  }

  /// The content type of the stream, or of the body if it has no other than JSON.
  var type: StaticString {
    switch content {
    case .chat: isStream ? "text/event-stream; charset=utf-8" : "application/json"
    case .reply(let form): isStream ? form.streamType : "application/json"
    case .whole(let answer): answer.type
    }
  }

  /// The whole answer as one body.
  func plainBody() -> ByteBuffer {
    var body = ByteBuffer()
    switch content {
    case .chat(let answer, let identity, _):
      PlainAnswer.write(answer, identity, reportsUsage: script.reportsUsage, lie: script.usageLie, into: &body)
    case .reply(let form): form.writePlain(into: &body)
    case .whole(let answer): body = answer.body
    }
    return body
  }
}
