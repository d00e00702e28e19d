import NIOCore

/// The whole fixed answer, head and body, for one model name: a request costs one copy and three patched numbers.
///
/// The holes have fixed widths (JSON allows spaces before a number), so the length never changes.
struct PreparedAnswer {
  private static let digits = 10

  /// The completion tokens of the fixed text.
  static let completionTokens = 256

  /// The model's raw name that this was made for.
  let rawModel: [UInt8]
  private let template: ByteBuffer
  private let numberAt: Int
  private let promptAt: Int
  private let totalAt: Int

  init(rawModel: ByteBuffer) {
    self.rawModel = Array(rawModel.readableBytesView)
    var body = ByteBuffer()
    let identity = AnswerIdentity(number: 0, rawModel: rawModel)
    identity.open("chat.completion", into: &body)
    body.writeStaticString(",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"")
    body.writeBytes(Answer.fixedText(size: 1_024))
    body.writeStaticString("\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}],")
    body.writeStaticString("\"usage\":{\"completion_tokens\":256,\"prompt_tokens\":")
    let prompt = body.writerIndex
    body.writeRepeatingByte(0x20, count: Self.digits)
    body.writeStaticString(",\"total_tokens\":")
    let total = body.writerIndex
    body.writeRepeatingByte(0x20, count: Self.digits)
    body.writeStaticString("},\"system_fingerprint\":\"fp_mock\"}")

    var whole = ByteBuffer()
    whole.writeStaticString("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ")
    whole.writeString(String(body.readableBytes))
    whole.writeStaticString("\r\n\r\n")
    let start = whole.writerIndex
    whole.writeBuffer(&body)
    template = whole
    numberAt = start + "{\"id\":\"chatcmpl-mock".utf8.count
    promptAt = start + prompt
    totalAt = start + total
  }

  func write(number: UInt64, promptTokens: Int, into buffer: inout ByteBuffer) {
    let start = buffer.writerIndex
    buffer.writeImmutableBuffer(template)
    for index in 0..<16 {
      let digit = UInt8(truncatingIfNeeded: number >> UInt64(60 - index * 4)) & 15
      buffer.setInteger(digit < 10 ? 0x30 + digit : 0x57 + digit, at: start + numberAt + index)
    }
    Self.patch(promptTokens, at: start + promptAt, in: &buffer)
    Self.patch(promptTokens + Self.completionTokens, at: start + totalAt, in: &buffer)
  }

  private static func patch(_ value: Int, at index: Int, in buffer: inout ByteBuffer) {
    var rest = value
    var position = index + digits - 1
    repeat {
      buffer.setInteger(0x30 + UInt8(truncatingIfNeeded: rest % 10), at: position)
      rest /= 10
      position -= 1
    } while rest > 0 && position >= index
  }
}
