import NIOCore

/// What is said in answer to one chat request, before it takes the form of one body or of a stream.
struct Answer {
  /// The text, or for a tool call its arguments.
  let text: [UInt8]
  /// The function that is called; nil for a text.
  let toolName: [UInt8]?
  /// `stop`, `length` or `tool_calls`.
  let finishReason: StaticString
  let usage: MockUsage

  /// - Parameters:
  ///   - userText: The last user message's text, without a directive.
  ///   - bytes: The body that `scan` was made of.
  init(_ script: Script, _ scan: ChatScan, userText: [UInt8], _ bytes: UnsafeRawBufferPointer) {
    var text: [UInt8]
    var toolName: [UInt8]?
    switch script.kind {
    case .fixed: text = Self.fixedText(size: max(script.size, script.deltaCount ?? 0))
    case .endless: text = Self.fixedText(size: max(1, script.size))
    case .tool:
      text = Array("{\"text\":\"".utf8)
      text += JSONStringText.encoded(userText)
      text += Array("\"}".utf8)
      var name: [UInt8] = []
      if let range = scan.toolName { JSONStringText.decode(bytes, range, into: &name) }
      toolName = name.isEmpty ? Array("lookup".utf8) : name
    case .body: text = Array(bytes)
    default: text = userText
    }
    var isCutShort = false
    if let limit = scan.tokenLimit, text.count / 4 >= limit, text.count > limit * 4 {
      text = Array(text[..<Self.scalarBoundary(in: text, atMost: limit * 4)])
      isCutShort = true
    }
    self.text = text
    self.toolName = toolName
    finishReason = isCutShort ? "length" : toolName == nil ? "stop" : "tool_calls"
    usage = MockUsage(
      promptTokens: MockUsage.tokens(inBytes: scan.contentBytes),
      completionTokens: MockUsage.tokens(inBytes: text.count))
  }

  /// The fixed text: words of ASCII that hold nothing personal, cut to `size` bytes.
  static func fixedText(size: Int) -> [UInt8] {
    let words = Array("The gate is open and the road runs on past the mill to the old town wall. ".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(size)
    while text.count < size { text.append(contentsOf: words.prefix(size - text.count)) }
    return text
  }

  /// The last position at or before `limit` that does not cut a scalar.
  static func scalarBoundary(in text: [UInt8], atMost limit: Int) -> Int {
    var position = min(max(0, limit), text.count)
    while position > 0, position < text.count, text[position] & 0xC0 == 0x80 { position -= 1 }
    return position
  }
}
