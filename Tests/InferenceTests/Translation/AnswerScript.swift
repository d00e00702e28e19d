import Inference
import JSONText

/// What a model says, in no dialect: the tests write it as each provider would send it and as each client must get it.
struct AnswerScript {
  enum Bit {
    case text([String])
    case thinking([String])
    case refusal([String])
    /// Arguments are JSON in pieces; none means that the call has none.
    case tool(id: String, name: String, [String])
  }

  enum End { case stop, length, tools, filtered }

  var bits: [Bit]
  var end = End.stop

  static let text = AnswerScript(bits: [.text(["Hel", "lo \"x\"\n", "ü\u{1F600}"])])
  static let tool = AnswerScript(
    bits: [.text(["See."]), .tool(id: "c1", name: "find", ["{\"q\":", "\"a\\n\\\"b\\\"\"", ",\"n\":[1,{}]}"])],
    end: .tools)
  static let tools = AnswerScript(
    bits: [
      .tool(id: "c1", name: "find", ["{\"q\":\"a\"}"]), .tool(id: "c2", name: "find", ["{\"q\":", "\"b\"}"]),
      .tool(id: "c3", name: "now", []),
    ], end: .tools)
  static let thinking = AnswerScript(
    bits: [.thinking(["Let ", "me \"see\""]), .text(["42"]), .tool(id: "c1", name: "f", ["{}"])], end: .tools)
  static let length = AnswerScript(bits: [.text(["cut o"])], end: .length)
  static let filtered = AnswerScript(bits: [.text(["no"])], end: .filtered)
  static let empty = AnswerScript(bits: [])
  /// Only chat has a form for it.
  static let refusal = AnswerScript(bits: [.refusal(["I can", "not."])])
  static let all = [text, tool, tools, thinking, length, filtered, empty]

  /// As a wire brings it whose tool calls come whole and without names of their own.
  func withWholeCalls(ids: Bool) -> AnswerScript {
    var copy = self
    var count = 0
    copy.bits = bits.map { bit in
      guard case .tool(let id, let name, let pieces) = bit else { return bit }
      defer { count += 1 }
      return .tool(id: ids ? id : "call_ID_\(count)", name: name, pieces.isEmpty ? [] : [pieces.joined()])
    }
    return copy
  }

  /// Every text as one piece, as in a plain answer.
  var joined: AnswerScript {
    var copy = self
    copy.bits = bits.map { bit in
      switch bit {
      case .text(let pieces): .text([pieces.joined()])
      case .thinking(let pieces): .thinking([pieces.joined()])
      case .refusal(let pieces): .refusal([pieces.joined()])
      case .tool(let id, let name, let pieces): .tool(id: id, name: name, pieces.isEmpty ? [] : [pieces.joined()])
      }
    }
    return copy
  }
}

/// The content of a JSON string.
func escaped(_ text: String, depth: UInt8 = 1) -> String {
  let out = ByteArena()
  JSONEscape.append(text, depth: depth, to: out)
  return out.text
}

/// Writes a script as a provider sends it. Usage: 100 in all, of which 30 read from a cache and (but for Gemini) 10 written
/// to one; 50 out, of which 20 thought where the provider tells.
enum ProviderScript {
  static let wires: [ProviderWire] = [.chat, .messages, .gemini, .converse]

  static func stream(_ script: AnswerScript, _ wire: ProviderWire) -> [UInt8] {
    switch wire {
    case .chat: Array(chat(script).utf8)
    case .messages: Array(messages(script).utf8)
    case .gemini: Array(gemini(script).utf8)
    case .converse: converse(script)
    default: []
    }
  }

  static func plain(_ script: AnswerScript, _ wire: ProviderWire) -> String {
    switch wire {
    case .chat: plainChat(script)
    case .messages: plainMessages(script)
    case .gemini:
      geminiChunk(script.bits.map(geminiParts).filter { !$0.isEmpty }.joined(separator: ","), end: script.end)
    case .converse: plainConverse(script)
    default: ""
    }
  }

  // MARK: Chat

  static let chatUsage =
    "{\"prompt_tokens\":100,\"completion_tokens\":50,\"total_tokens\":150,\"prompt_tokens_details\":{\"cached_tokens\":30,\"cache_write_tokens\":10},\"completion_tokens_details\":{\"reasoning_tokens\":20}}"

  static func chatChunk(_ delta: String, finish: String = "null") -> String {
    "data: {\"id\":\"up-1\",\"object\":\"chat.completion.chunk\",\"created\":7,\"model\":\"real\",\"choices\":[{\"index\":0,\"delta\":\(delta),\"finish_reason\":\(finish)}]}\n\n"
  }

  static func chatEnd(_ end: AnswerScript.End) -> String {
    switch end {
    case .stop: "\"stop\""
    case .length: "\"length\""
    case .tools: "\"tool_calls\""
    case .filtered: "\"content_filter\""
    }
  }

  static func chat(_ script: AnswerScript) -> String {
    var out = chatChunk("{\"role\":\"assistant\",\"content\":\"\"}")
    var calls = 0
    for bit in script.bits {
      switch bit {
      case .text(let pieces): for piece in pieces { out += chatChunk("{\"content\":\"\(escaped(piece))\"}") }
      case .thinking(let pieces):
        // As vLLM and its relatives do in their time of change: both names, one text.
        for piece in pieces {
          out += chatChunk("{\"reasoning_content\":\"\(escaped(piece))\",\"reasoning\":\"\(escaped(piece))\"}")
        }
      case .refusal(let pieces): for piece in pieces { out += chatChunk("{\"refusal\":\"\(escaped(piece))\"}") }
      case .tool(let id, let name, let pieces):
        out += chatChunk(
          "{\"tool_calls\":[{\"index\":\(calls),\"id\":\"\(id)\",\"type\":\"function\",\"function\":{\"name\":\"\(name)\",\"arguments\":\"\"}}]}"
        )
        for piece in pieces {
          out += chatChunk("{\"tool_calls\":[{\"index\":\(calls),\"function\":{\"arguments\":\"\(escaped(piece))\"}}]}")
        }
        calls += 1
      }
    }
    out += chatChunk("{}", finish: chatEnd(script.end))
    return out + "data: {\"id\":\"up-1\",\"choices\":[],\"usage\":\(chatUsage)}\n\ndata: [DONE]\n\n"
  }

  static func plainChat(_ script: AnswerScript) -> String {
    var (content, thinking, refusal, calls): (String?, String?, String?, [String]) = (nil, nil, nil, [])
    for bit in script.bits {
      switch bit {
      case .text(let pieces): content = (content ?? "") + pieces.joined()
      case .thinking(let pieces): thinking = (thinking ?? "") + pieces.joined()
      case .refusal(let pieces): refusal = (refusal ?? "") + pieces.joined()
      case .tool(let id, let name, let pieces):
        calls.append(
          "{\"id\":\"\(id)\",\"type\":\"function\",\"function\":{\"name\":\"\(name)\",\"arguments\":\"\(escaped(pieces.joined()))\"}}"
        )
      }
    }
    let quoted = { (text: String?) in text.map { "\"\(escaped($0))\"" } ?? "null" }
    return
      "{\"id\":\"up-1\",\"object\":\"chat.completion\",\"created\":7,\"model\":\"real\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\(quoted(content)),\"refusal\":\(quoted(refusal)),\"tool_calls\":[\(calls.joined(separator: ","))],\"reasoning\":\(quoted(thinking))},\"finish_reason\":\(chatEnd(script.end))}],\"usage\":\(chatUsage)}"
  }

  // MARK: Anthropic

  static func event(_ type: String, _ rest: String) -> String {
    "event: \(type)\ndata: {\"type\":\"\(type)\"\(rest)}\n\n"
  }

  static func anthropicEnd(_ end: AnswerScript.End) -> String {
    switch end {
    case .stop: "end_turn"
    case .length: "max_tokens"
    case .tools: "tool_use"
    case .filtered: "refusal"
    }
  }

  static func messages(_ script: AnswerScript) -> String {
    var out =
      event(
        "message_start",
        ",\"message\":{\"id\":\"up\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[],\"model\":\"real\",\"stop_reason\":null,\"usage\":{\"input_tokens\":60,\"cache_read_input_tokens\":30,\"cache_creation_input_tokens\":10,\"output_tokens\":3}}"
      ) + event("ping", "")
    for (index, bit) in script.bits.enumerated() {
      let start = { (block: String) in
        event("content_block_start", ",\"index\":\(index),\"content_block\":\(block)")
      }
      let delta = { (delta: String) in event("content_block_delta", ",\"index\":\(index),\"delta\":\(delta)") }
      switch bit {
      case .text(let pieces):
        out += start("{\"type\":\"text\",\"text\":\"\"}")
        for piece in pieces { out += delta("{\"type\":\"text_delta\",\"text\":\"\(escaped(piece))\"}") }
      case .thinking(let pieces):
        out += start("{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}")
        for piece in pieces { out += delta("{\"type\":\"thinking_delta\",\"thinking\":\"\(escaped(piece))\"}") }
        out += delta("{\"type\":\"signature_delta\",\"signature\":\"c2ln\"}")
      case .refusal: break
      case .tool(let id, let name, let pieces):
        out += start("{\"type\":\"tool_use\",\"id\":\"\(id)\",\"name\":\"\(name)\",\"input\":{}}")
        for piece in [""] + pieces {
          out += delta("{\"type\":\"input_json_delta\",\"partial_json\":\"\(escaped(piece))\"}")
        }
      }
      out += event("content_block_stop", ",\"index\":\(index)")
    }
    out += event(
      "message_delta",
      ",\"delta\":{\"stop_reason\":\"\(anthropicEnd(script.end))\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":50,\"output_tokens_details\":{\"thinking_tokens\":20}}"
    )
    return out + event("message_stop", "")
  }

  static func plainMessages(_ script: AnswerScript) -> String {
    let blocks = script.bits.map { bit in
      switch bit {
      case .text(let pieces): "{\"type\":\"text\",\"text\":\"\(escaped(pieces.joined()))\",\"citations\":null}"
      case .thinking(let pieces):
        "{\"type\":\"thinking\",\"thinking\":\"\(escaped(pieces.joined()))\",\"signature\":\"c2ln\"}"
      case .refusal: ""
      case .tool(let id, let name, let pieces):
        "{\"type\":\"tool_use\",\"id\":\"\(id)\",\"name\":\"\(name)\",\"input\":\(pieces.isEmpty ? "{}" : pieces.joined())}"
      }
    }
    return
      "{\"id\":\"up\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[\(blocks.joined(separator: ","))],\"model\":\"real\",\"stop_reason\":\"\(anthropicEnd(script.end))\",\"stop_sequence\":null,\"usage\":{\"input_tokens\":60,\"cache_read_input_tokens\":30,\"cache_creation_input_tokens\":10,\"output_tokens\":50,\"output_tokens_details\":{\"thinking_tokens\":20}}}"
  }

  // MARK: Gemini

  static func geminiParts(_ bit: AnswerScript.Bit) -> String {
    switch bit {
    case .text(let pieces): pieces.map { "{\"text\":\"\(escaped($0))\"}" }.joined(separator: ",")
    case .thinking(let pieces):
      pieces.map { "{\"text\":\"\(escaped($0))\",\"thought\":true}" }.joined(separator: ",")
    case .refusal: ""
    case .tool(_, let name, let pieces):
      "{\"functionCall\":{\"name\":\"\(name)\",\"args\":\(pieces.isEmpty ? "{}" : pieces.joined())}}"
    }
  }

  static func geminiChunk(_ parts: String, end: AnswerScript.End? = nil) -> String {
    let reason =
      switch end {
      case nil: ""
      case .stop, .tools: ",\"finishReason\":\"STOP\""
      case .length: ",\"finishReason\":\"MAX_TOKENS\""
      case .filtered: ",\"finishReason\":\"SAFETY\""
      }
    return
      "{\"candidates\":[{\"content\":{\"parts\":[\(parts)],\"role\":\"model\"}\(reason),\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":100,\"cachedContentTokenCount\":30,\"candidatesTokenCount\":\(end == nil ? 1 : 30),\"thoughtsTokenCount\":20,\"totalTokenCount\":150},\"modelVersion\":\"real\",\"responseId\":\"r\"}"
  }

  static func gemini(_ script: AnswerScript) -> String {
    var out = ""
    for bit in script.bits {
      switch bit {
      case .text(let pieces):
        for piece in pieces { out += "data: \(geminiChunk(geminiParts(.text([piece]))))\r\n\r\n" }
      case .thinking(let pieces):
        for piece in pieces { out += "data: \(geminiChunk(geminiParts(.thinking([piece]))))\r\n\r\n" }
      default: out += "data: \(geminiChunk(geminiParts(bit)))\r\n\r\n"
      }
    }
    return out + "data: \(geminiChunk("{\"text\":\"\"}", end: script.end))\r\n\r\n"
  }

  // MARK: Converse

  static func converseEnd(_ end: AnswerScript.End) -> String {
    switch end {
    case .stop: "end_turn"
    case .length: "max_tokens"
    case .tools: "tool_use"
    case .filtered: "content_filtered"
    }
  }

  static let converseUsage =
    "{\"inputTokens\":60,\"outputTokens\":50,\"totalTokens\":150,\"cacheReadInputTokens\":30,\"cacheWriteInputTokens\":10}"

  static func converse(_ script: AnswerScript) -> [UInt8] {
    var out = frame("messageStart", "{\"role\":\"assistant\",\"p\":\"abcd\"}")
    for (index, bit) in script.bits.enumerated() {
      let delta = { (delta: String) in
        frame("contentBlockDelta", "{\"contentBlockIndex\":\(index),\"delta\":\(delta),\"p\":\"ab\"}")
      }
      switch bit {
      case .text(let pieces): for piece in pieces { out += delta("{\"text\":\"\(escaped(piece))\"}") }
      case .thinking(let pieces):
        for piece in pieces { out += delta("{\"reasoningContent\":{\"text\":\"\(escaped(piece))\"}}") }
        out += delta("{\"reasoningContent\":{\"signature\":\"c2ln\"}}")
      case .refusal: break
      case .tool(let id, let name, let pieces):
        out += frame(
          "contentBlockStart",
          "{\"start\":{\"toolUse\":{\"toolUseId\":\"\(id)\",\"name\":\"\(name)\"}},\"contentBlockIndex\":\(index)}")
        for piece in pieces { out += delta("{\"toolUse\":{\"input\":\"\(escaped(piece))\"}}") }
      }
      out += frame("contentBlockStop", "{\"contentBlockIndex\":\(index)}")
    }
    out += frame("messageStop", "{\"stopReason\":\"\(converseEnd(script.end))\"}")
    return out + frame("metadata", "{\"usage\":\(converseUsage),\"metrics\":{\"latencyMs\":1}}")
  }

  static func plainConverse(_ script: AnswerScript) -> String {
    let blocks = script.bits.map { bit in
      switch bit {
      case .text(let pieces): "{\"text\":\"\(escaped(pieces.joined()))\"}"
      case .thinking(let pieces):
        "{\"reasoningContent\":{\"reasoningText\":{\"signature\":\"c2ln\",\"text\":\"\(escaped(pieces.joined()))\"}}}"
      case .refusal: ""
      case .tool(let id, let name, let pieces):
        "{\"toolUse\":{\"toolUseId\":\"\(id)\",\"name\":\"\(name)\",\"input\":\(pieces.isEmpty ? "{}" : pieces.joined())}}"
      }
    }
    return
      "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[\(blocks.joined(separator: ","))]}},\"stopReason\":\"\(converseEnd(script.end))\",\"usage\":\(converseUsage),\"metrics\":{\"latencyMs\":1}}"
  }

  /// A message of an AWS event stream.
  static func frame(_ event: String, _ payload: String, type: String = "event") -> [UInt8] {
    var headers: [UInt8] = []
    for (name, value) in [(":\(type)-type", event), (":content-type", "application/json"), (":message-type", type)] {
      headers += [UInt8(name.utf8.count)] + Array(name.utf8) + [7, 0, UInt8(value.utf8.count)] + Array(value.utf8)
    }
    return frame(headers: headers, payload: Array(payload.utf8))
  }

  static func frame(headers: [UInt8], payload: [UInt8]) -> [UInt8] {
    var bytes = word(UInt32(16 + headers.count + payload.count)) + word(UInt32(headers.count))
    bytes += word(checksum(bytes))
    bytes += headers + payload
    return bytes + word(checksum(bytes))
  }

  private static func word(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

  /// Bit by bit, unlike the one that is tested.
  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    var value: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      value ^= UInt32(byte)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }
    return ~value
  }
}
