import Inference
import JSONText

/// Writes a script as a client must get it, byte for byte: alias `alias`, answer id `ID`, created 9, estimate 11.
enum ClientScript {
  struct Figures {
    var written = 10
    var reasoning = 20
    /// A thinking block's proof, where it can travel.
    var signature = ""
  }

  static func figures(_ wire: ProviderWire) -> Figures {
    switch wire {
    case .gemini: Figures(written: 0)
    case .converse: Figures(reasoning: 0, signature: "c2ln")
    default: Figures()
    }
  }

  static func stream(_ script: AnswerScript, _ route: InferenceRoute, _ wire: ProviderWire) -> String {
    switch route {
    case .chat: chat(script, figures(wire))
    case .messages: messages(script, figures(wire))
    default: responses(script, figures(wire))
    }
  }

  static func plain(_ script: AnswerScript, _ route: InferenceRoute, _ wire: ProviderWire) -> String {
    switch route {
    case .chat: plainChat(script, figures(wire))
    case .messages: plainMessages(script, figures(wire))
    default:
      response(
        script.end == .length || script.end == .filtered ? "incomplete" : "completed", script, items(script),
        usage: responsesUsage(figures(wire)))
    }
  }

  // MARK: Chat

  static func chatUsage(_ figures: Figures) -> String {
    "{\"prompt_tokens\":100,\"completion_tokens\":50,\"total_tokens\":150,\"prompt_tokens_details\":{\"cached_tokens\":30,\"cache_write_tokens\":\(figures.written)},\"completion_tokens_details\":{\"reasoning_tokens\":\(figures.reasoning)}}"
  }

  static func chunk(_ delta: String, finish: String = "null") -> String {
    "data: {\"id\":\"chatcmpl_ID\",\"object\":\"chat.completion.chunk\",\"created\":9,\"model\":\"alias\",\"choices\":[{\"index\":0,\"delta\":\(delta),\"finish_reason\":\(finish)}],\"usage\":null}\n\n"
  }

  static func chat(_ script: AnswerScript, _ figures: Figures) -> String {
    var out = chunk("{\"role\":\"assistant\",\"content\":\"\"}")
    var calls = 0
    for bit in script.bits {
      switch bit {
      case .text(let pieces): for piece in pieces { out += chunk("{\"content\":\"\(escaped(piece))\"}") }
      case .refusal(let pieces): for piece in pieces { out += chunk("{\"refusal\":\"\(escaped(piece))\"}") }
      case .thinking(let pieces):
        for piece in pieces {
          out += chunk("{\"reasoning\":\"\(escaped(piece))\",\"reasoning_content\":\"\(escaped(piece))\"}")
        }
      case .tool(let id, let name, let pieces):
        out += chunk(
          "{\"tool_calls\":[{\"index\":\(calls),\"id\":\"\(id)\",\"type\":\"function\",\"function\":{\"name\":\"\(name)\",\"arguments\":\"\"}}]}"
        )
        for piece in pieces.isEmpty ? ["{}"] : pieces {
          out += chunk("{\"tool_calls\":[{\"index\":\(calls),\"function\":{\"arguments\":\"\(escaped(piece))\"}}]}")
        }
        calls += 1
      }
    }
    out += chunk("{}", finish: ProviderScript.chatEnd(script.end))
    return out
      + "data: {\"id\":\"chatcmpl_ID\",\"object\":\"chat.completion.chunk\",\"created\":9,\"model\":\"alias\",\"choices\":[],\"usage\":\(chatUsage(figures))}\n\n"
      + "data: [DONE]\n\n"
  }

  static func plainChat(_ script: AnswerScript, _ figures: Figures) -> String {
    var (content, thinking, refusal) = ("", "", "")
    var calls: [String] = []
    for bit in script.bits {
      switch bit {
      case .text(let pieces): content += escaped(pieces.joined())
      case .thinking(let pieces): thinking += escaped(pieces.joined())
      case .refusal(let pieces): refusal += escaped(pieces.joined())
      case .tool(let id, let name, let pieces):
        calls.append(
          "{\"id\":\"\(id)\",\"type\":\"function\",\"function\":{\"name\":\"\(name)\",\"arguments\":\"\(escaped(pieces.isEmpty ? "{}" : pieces.joined()))\"}}"
        )
      }
    }
    var message = "\"content\":" + (content.isEmpty && !(calls.isEmpty && refusal.isEmpty) ? "null" : "\"\(content)\"")
    message += ",\"refusal\":" + (refusal.isEmpty ? "null" : "\"\(refusal)\"")
    if !thinking.isEmpty { message += ",\"reasoning\":\"\(thinking)\",\"reasoning_content\":\"\(thinking)\"" }
    if !calls.isEmpty { message += ",\"tool_calls\":[\(calls.joined(separator: ","))]" }
    return
      "{\"id\":\"chatcmpl_ID\",\"object\":\"chat.completion\",\"created\":9,\"model\":\"alias\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\(message)},\"logprobs\":null,\"finish_reason\":\(ProviderScript.chatEnd(script.end))}],\"usage\":\(chatUsage(figures))}"
  }

  // MARK: Anthropic

  static let ping = "event: ping\ndata: {\"type\":\"ping\"}\n\n"

  static func messagesEnd(_ script: AnswerScript, _ figures: Figures) -> (stop: String, usage: String) {
    var reason = ProviderScript.anthropicEnd(script.end)
    for case .refusal in script.bits { reason = "refusal" }
    let details =
      reason == "refusal" ? ",\"stop_details\":{\"type\":\"refusal\",\"category\":null,\"explanation\":null}" : ""
    return (
      "\"stop_reason\":\"\(reason)\",\"stop_sequence\":null\(details)",
      "{\"input_tokens\":\(70 - figures.written),\"cache_creation_input_tokens\":\(figures.written),\"cache_read_input_tokens\":30,\"output_tokens\":50,\"output_tokens_details\":{\"thinking_tokens\":\(figures.reasoning)}}"
    )
  }

  static func messages(_ script: AnswerScript, _ figures: Figures) -> String {
    let event = ProviderScript.event
    var out =
      event(
        "message_start",
        ",\"message\":{\"id\":\"msg_ID\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"alias\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":11,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,\"output_tokens\":1}}"
      ) + ping
    for (index, bit) in script.bits.enumerated() {
      let start = { (block: String) in
        event("content_block_start", ",\"index\":\(index),\"content_block\":\(block)")
      }
      let delta = { (delta: String) in event("content_block_delta", ",\"index\":\(index),\"delta\":\(delta)") }
      switch bit {
      case .text(let pieces), .refusal(let pieces):
        out += start("{\"type\":\"text\",\"text\":\"\"}")
        for piece in pieces { out += delta("{\"type\":\"text_delta\",\"text\":\"\(escaped(piece))\"}") }
      case .thinking(let pieces):
        out += start("{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}")
        for piece in pieces { out += delta("{\"type\":\"thinking_delta\",\"thinking\":\"\(escaped(piece))\"}") }
        if !figures.signature.isEmpty {
          out += delta("{\"type\":\"signature_delta\",\"signature\":\"\(figures.signature)\"}")
        }
      case .tool(let id, let name, let pieces):
        out += start("{\"type\":\"tool_use\",\"id\":\"\(id)\",\"name\":\"\(name)\",\"input\":{}}")
        for piece in pieces.isEmpty ? ["{}"] : pieces {
          out += delta("{\"type\":\"input_json_delta\",\"partial_json\":\"\(escaped(piece))\"}")
        }
      }
      out += event("content_block_stop", ",\"index\":\(index)")
    }
    let end = messagesEnd(script, figures)
    out += event("message_delta", ",\"delta\":{\(end.stop)},\"usage\":\(end.usage)")
    return out + event("message_stop", "")
  }

  static func plainMessages(_ script: AnswerScript, _ figures: Figures) -> String {
    let blocks = script.bits.map { bit in
      switch bit {
      case .text(let pieces), .refusal(let pieces): "{\"type\":\"text\",\"text\":\"\(escaped(pieces.joined()))\"}"
      case .thinking(let pieces):
        "{\"type\":\"thinking\",\"thinking\":\"\(escaped(pieces.joined()))\",\"signature\":\"\(figures.signature)\"}"
      case .tool(let id, let name, let pieces):
        "{\"type\":\"tool_use\",\"id\":\"\(id)\",\"name\":\"\(name)\",\"input\":\(pieces.isEmpty ? "{}" : pieces.joined())}"
      }
    }
    let end = messagesEnd(script, figures)
    return
      "{\"id\":\"msg_ID\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"alias\",\"content\":[\(blocks.joined(separator: ","))],\(end.stop),\"usage\":\(end.usage)}"
  }

  // MARK: Responses

  static func responsesUsage(_ figures: Figures) -> String {
    "{\"input_tokens\":100,\"input_tokens_details\":{\"cached_tokens\":30,\"cache_write_tokens\":\(figures.written)},\"output_tokens\":50,\"output_tokens_details\":{\"reasoning_tokens\":\(figures.reasoning)},\"total_tokens\":150}"
  }

  static func response(_ status: String, _ script: AnswerScript, _ items: [String], usage: String) -> String {
    let details =
      status != "incomplete"
      ? "null" : script.end == .length ? "{\"reason\":\"max_output_tokens\"}" : "{\"reason\":\"content_filter\"}"
    return
      "{\"id\":\"resp_ID\",\"object\":\"response\",\"created_at\":9,\"status\":\"\(status)\",\"error\":null,\"incomplete_details\":\(details),\"model\":\"alias\",\"temperature\":0.5,\"tools\":[{\"type\":\"function\",\"name\":\"f\"}],\"output\":[\(items.joined(separator: ","))],\"usage\":\(usage)}"
  }

  static func part(_ bit: AnswerScript.Bit, _ text: String) -> String {
    switch bit {
    case .thinking: "{\"type\":\"summary_text\",\"text\":\"\(text)\"}"
    case .refusal: "{\"type\":\"refusal\",\"refusal\":\"\(text)\"}"
    default: "{\"type\":\"output_text\",\"text\":\"\(text)\",\"annotations\":[],\"logprobs\":[]}"
    }
  }

  static func item(_ bit: AnswerScript.Bit, _ index: Int, status: String, text: String?) -> String {
    switch bit {
    case .tool(let id, let name, _):
      "{\"id\":\"fc_ID_\(index)\",\"type\":\"function_call\",\"status\":\"\(status)\",\"call_id\":\"\(id)\",\"name\":\"\(name)\",\"arguments\":\"\(text ?? "")\"}"
    case .thinking:
      "{\"id\":\"rs_ID_\(index)\",\"type\":\"reasoning\",\"status\":\"\(status)\",\"summary\":[\(text.map { part(bit, $0) } ?? "")]}"
    default:
      "{\"id\":\"msg_ID_\(index)\",\"type\":\"message\",\"status\":\"\(status)\",\"role\":\"assistant\",\"content\":[\(text.map { part(bit, $0) } ?? "")]}"
    }
  }

  static func pieces(_ bit: AnswerScript.Bit) -> [String] {
    switch bit {
    case .text(let pieces), .thinking(let pieces), .refusal(let pieces): pieces
    case .tool(_, _, let pieces): pieces.isEmpty ? ["{}"] : pieces
    }
  }

  static func status(_ script: AnswerScript, _ index: Int) -> String {
    index == script.bits.count - 1 && (script.end == .length || script.end == .filtered) ? "incomplete" : "completed"
  }

  static func items(_ script: AnswerScript) -> [String] {
    script.bits.enumerated().map { index, bit in
      item(bit, index, status: status(script, index), text: escaped(pieces(bit).joined()))
    }
  }

  static func responses(_ script: AnswerScript, _ figures: Figures) -> String {
    var out = ""
    var number = 0
    func event(_ type: String, _ rest: String) {
      out += "event: response.\(type)\ndata: {\"type\":\"response.\(type)\"\(rest),\"sequence_number\":\(number)}\n\n"
      number += 1
    }
    event("created", ",\"response\":" + response("in_progress", script, [], usage: "null"))
    event("in_progress", ",\"response\":" + response("in_progress", script, [], usage: "null"))
    for (index, bit) in script.bits.enumerated() {
      event(
        "output_item.added", ",\"output_index\":\(index),\"item\":" + item(bit, index, status: "in_progress", text: nil)
      )
      let text = escaped(pieces(bit).joined())
      switch bit {
      case .text, .refusal:
        let place = ",\"item_id\":\"msg_ID_\(index)\",\"output_index\":\(index),\"content_index\":0"
        var (name, member, logprobs) = ("output_text", "text", ",\"logprobs\":[]")
        if case .refusal = bit { (name, member, logprobs) = ("refusal", "refusal", "") }
        event("content_part.added", place + ",\"part\":" + part(bit, ""))
        for piece in pieces(bit) { event("\(name).delta", place + ",\"delta\":\"\(escaped(piece))\"\(logprobs)") }
        event("\(name).done", place + ",\"\(member)\":\"\(text)\"\(logprobs)")
        event("content_part.done", place + ",\"part\":" + part(bit, text))
      case .thinking:
        let place = ",\"item_id\":\"rs_ID_\(index)\",\"output_index\":\(index),\"summary_index\":0"
        event("reasoning_summary_part.added", place + ",\"part\":" + part(bit, ""))
        for piece in pieces(bit) { event("reasoning_summary_text.delta", place + ",\"delta\":\"\(escaped(piece))\"") }
        event("reasoning_summary_text.done", place + ",\"text\":\"\(text)\"")
        event("reasoning_summary_part.done", place + ",\"part\":" + part(bit, text))
      case .tool(_, let name, _):
        let place = ",\"item_id\":\"fc_ID_\(index)\",\"output_index\":\(index)"
        for piece in pieces(bit) { event("function_call_arguments.delta", place + ",\"delta\":\"\(escaped(piece))\"") }
        event("function_call_arguments.done", place + ",\"name\":\"\(name)\",\"arguments\":\"\(text)\"")
      }
      event(
        "output_item.done",
        ",\"output_index\":\(index),\"item\":" + item(bit, index, status: status(script, index), text: text))
    }
    let status = script.end == .length || script.end == .filtered ? "incomplete" : "completed"
    event(status, ",\"response\":" + response(status, script, items(script), usage: responsesUsage(figures)))
    return out
  }
}
