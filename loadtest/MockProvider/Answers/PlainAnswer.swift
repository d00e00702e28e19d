import NIOCore

/// A chat answer as one JSON body.
enum PlainAnswer {
  static func write(
    _ answer: Answer, _ identity: AnswerIdentity, reportsUsage: Bool, lie: Script.UsageLie? = nil,
    into body: inout ByteBuffer
  ) {
    identity.open("chat.completion", into: &body)
    body.writeStaticString(",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":")
    if let name = answer.toolName {
      body.writeStaticString("null,\"refusal\":null,\"tool_calls\":[{\"id\":\"call_mock")
      identity.writeNumber(into: &body)
      body.writeStaticString("\",\"type\":\"function\",\"function\":{\"name\":\"")
      JSONStringText.encode(name[...], into: &body)
      body.writeStaticString("\",\"arguments\":\"")
      JSONStringText.encode(answer.text[...], into: &body)
      body.writeStaticString("\"}}]")
    } else {
      body.writeStaticString("\"")
      JSONStringText.encode(answer.text[...], into: &body)
      body.writeStaticString("\",\"refusal\":null")
    }
    body.writeStaticString("},\"logprobs\":null,\"finish_reason\":\"")
    body.writeStaticString(answer.finishReason)
    body.writeStaticString("\"}]")
    if reportsUsage {
      body.writeStaticString(",\"usage\":")
      AnswerIdentity.writeUsage(answer.usage, lie: lie, into: &body)
    }
    body.writeStaticString(",\"system_fingerprint\":\"fp_mock\"}")
  }
}
