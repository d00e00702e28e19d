import Inference
import JSONText

/// Each chunk of a streamed answer, one event in each: passed on to a client of the same dialect, or translated.
enum StreamCosts {
  private static let routes: [InferenceRoute] = [.chat, .responses, .messages]

  static func print(where isWanted: (String) -> Bool) {
    var table = CostTable("streams from", "to", "µs per chunk", "on top of passing")
    for wire in SampleStream.wires {
      var passing: Double?
      let chunks = SampleStream.chunks(of: wire)
      for route in routes.filter({ $0.ownWire == wire }) + routes.filter({ $0.ownWire != wire }) {
        let row = "streams \(wire.rawValue) \(route.rawValue)"
        guard wire != .responses || route == .responses else { continue }
        guard
          isWanted(row)
            || route.ownWire == wire && routes.contains(where: { isWanted("streams \(wire.rawValue) \($0.rawValue)") })
        else { continue }
        let out = ByteArena()
        let cost = Stopwatch.nanoseconds { run(chunks, wire, route, out) } / Double(chunks.count)
        if route.ownWire == wire { passing = cost }
        guard isWanted(row) else { continue }
        table.add(
          wire.rawValue, route.ownWire == wire ? "itself" : route.rawValue, (cost / 1000).rounded(to: 2),
          passing.map { ((cost - $0) / 1000).rounded(to: 2) } ?? "–")
      }
    }
    table.print()
  }

  private static func run(_ chunks: [[UInt8]], _ wire: ProviderWire, _ route: InferenceRoute, _ out: ByteArena) {
    var stream = AnswerStream(
      from: wire, to: route, AnswerOptions(alias: "alias", includeUsage: true, answerID: Array("0123456789".utf8)))
    var rewriter = UnchangedText()
    for chunk in chunks {
      out.reset()
      chunk.withUnsafeBytes { stream.feed($0, rewriter: &rewriter, into: out) }
    }
    stream.finish(rewriter: &rewriter, into: out)
    guard stream.isComplete else { fatalError("\(wire.rawValue) to \(route.rawValue) is not complete") }
  }
}

/// A streamed answer of a few hundred words, one in each event.
enum SampleStream {
  static let wires: [ProviderWire] = [.chat, .responses, .messages, .gemini, .converse]
  private static let words = [
    " The", " contract", " counts", ", as", " long", " as", " nobody", " \\\"agrees\\\"", ".\\n",
  ]

  static func chunks(of wire: ProviderWire) -> [[UInt8]] {
    let texts = (0..<400).map { words[$0 % words.count] }
    switch wire {
    case .responses: return responses(texts)
    case .messages: return messages(texts)
    case .gemini: return gemini(texts)
    case .converse: return converse(texts)
    default: return chat(texts)
    }
  }

  private static func chat(_ texts: [String]) -> [[UInt8]] {
    let chunk = { (delta: String, finish: String) in
      "data: {\"id\":\"chatcmpl-A1b2C3d4E5f6\",\"object\":\"chat.completion.chunk\",\"created\":1764444444,\"model\":\"alias\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\",\"choices\":[{\"index\":0,\"delta\":\(delta),\"logprobs\":null,\"finish_reason\":\(finish)}],\"usage\":null}\n\n"
    }
    let events =
      [chunk("{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}", "null")]
      + texts.map { chunk("{\"content\":\"\($0)\"}", "null") } + [chunk("{}", "\"stop\""), "data: [DONE]\n\n"]
    return events.map { Array($0.utf8) }
  }

  private static func responses(_ texts: [String]) -> [[UInt8]] {
    var number = 0
    let event = { (type: String, rest: String) in
      defer { number += 1 }
      return "event: \(type)\ndata: {\"type\":\"\(type)\",\"sequence_number\":\(number)\(rest)}\n\n"
    }
    let response = { (status: String) in
      ",\"response\":{\"id\":\"resp_1\",\"object\":\"response\",\"created_at\":1764444444,\"status\":\"\(status)\",\"model\":\"alias\",\"output\":[]}"
    }
    let place = ",\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0"
    var events = [event("response.created", response("in_progress"))]
    for text in texts {
      events.append(event("response.output_text.delta", place + ",\"delta\":\"\(text)\",\"logprobs\":[]"))
    }
    events.append(event("response.completed", response("completed")))
    return events.map { Array($0.utf8) }
  }

  private static func messages(_ texts: [String]) -> [[UInt8]] {
    let event = { (type: String, rest: String) in "event: \(type)\ndata: {\"type\":\"\(type)\"\(rest)}\n\n" }
    var events = [
      event(
        "message_start",
        ",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"alias\",\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":60,\"output_tokens\":1}}"
      ), event("content_block_start", ",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}"),
    ]
    for text in texts {
      events.append(
        event("content_block_delta", ",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"\(text)\"}"))
    }
    events.append(event("content_block_stop", ",\"index\":0"))
    events.append(
      event("message_delta", ",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":400}"))
    events.append(event("message_stop", ""))
    return events.map { Array($0.utf8) }
  }

  private static func gemini(_ texts: [String]) -> [[UInt8]] {
    let chunk = { (text: String, finish: String) in
      "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"\(text)\"}],\"role\": \"model\"}\(finish),\"index\": 0}],\"usageMetadata\": {\"promptTokenCount\": 60,\"candidatesTokenCount\": 4,\"totalTokenCount\": 64},\"modelVersion\": \"gemini-3\",\"responseId\": \"r1\"}\r\n\r\n"
    }
    let events = texts.map { chunk($0, "") } + [chunk("", ",\"finishReason\": \"STOP\"")]
    return events.map { Array($0.utf8) }
  }

  private static func converse(_ texts: [String]) -> [[UInt8]] {
    var events = [frame("messageStart", "{\"role\":\"assistant\",\"p\":\"abcd\"}")]
    for text in texts {
      events.append(
        frame("contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"\(text)\"},\"p\":\"abcdefghij\"}"))
    }
    events.append(frame("contentBlockStop", "{\"contentBlockIndex\":0}"))
    events.append(frame("messageStop", "{\"stopReason\":\"end_turn\"}"))
    events.append(
      frame("metadata", "{\"usage\":{\"inputTokens\":60,\"outputTokens\":400,\"totalTokens\":460}}"))
    return events
  }

  /// A message of an AWS event stream.
  private static func frame(_ event: String, _ payload: String) -> [UInt8] {
    var headers: [UInt8] = []
    for (name, value) in [
      (":event-type", event), (":content-type", "application/json"), (":message-type", "event"),
    ] {
      headers += [UInt8(name.utf8.count)] + Array(name.utf8) + [7, 0, UInt8(value.utf8.count)] + Array(value.utf8)
    }
    var bytes = word(UInt32(16 + headers.count + payload.utf8.count)) + word(UInt32(headers.count))
    bytes += word(checksum(bytes))
    bytes += headers + Array(payload.utf8)
    return bytes + word(checksum(bytes))
  }

  private static func word(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    var value: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      value ^= UInt32(byte)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }
    return ~value
  }
}
