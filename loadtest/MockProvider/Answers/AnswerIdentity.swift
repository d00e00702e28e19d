import NIOCore

/// The members that every object of one answer shares: id, time and model.
struct AnswerIdentity {
  /// Fixed, so that the same request has the same answer.
  static let created = 1_750_000_000

  let number: UInt64
  /// The model's name as it came: raw JSON text without its quotes.
  let rawModel: ByteBuffer

  /// Writes `{"id":…,"object":OBJECT,"created":…,"model":…` and leaves the object open.
  func open(_ object: StaticString, into buffer: inout ByteBuffer) {
    buffer.writeStaticString("{\"id\":\"chatcmpl-mock")
    writeNumber(into: &buffer)
    buffer.writeStaticString("\",\"object\":\"")
    buffer.writeStaticString(object)
    buffer.writeStaticString("\",\"created\":")
    buffer.writeString(String(Self.created))
    buffer.writeStaticString(",\"model\":\"")
    buffer.writeImmutableBuffer(rawModel)
    buffer.writeStaticString("\"")
  }

  /// Sixteen hexadecimal digits.
  func writeNumber(into buffer: inout ByteBuffer) {
    var shift: UInt64 = 64
    while shift > 0 {
      shift -= 4
      buffer.writeHexDigit(UInt8(truncatingIfNeeded: number >> shift))
    }
  }

  static func writeUsage(_ usage: MockUsage, lie: Script.UsageLie? = nil, into buffer: inout ByteBuffer) {
    if let value = lie?.text {
      buffer.writeString("{\"prompt_tokens\":\(value),\"completion_tokens\":\(value),\"total_tokens\":\(value)}")
      return
    }
    buffer.writeStaticString("{\"prompt_tokens\":")
    buffer.writeString(String(usage.promptTokens))
    buffer.writeStaticString(",\"completion_tokens\":")
    buffer.writeString(String(usage.completionTokens))
    buffer.writeStaticString(",\"total_tokens\":")
    buffer.writeString(String(usage.promptTokens + usage.completionTokens))
    buffer.writeStaticString("}")
  }
}
