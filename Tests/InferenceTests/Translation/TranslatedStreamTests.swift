import Foundation
import Inference
import JSONText
import Testing

@Suite struct TranslatedStreamTests {
  /// What arrives, given what the wire can say.
  static func arriving(_ script: AnswerScript, _ wire: ProviderWire) -> AnswerScript {
    wire == .gemini ? script.withWholeCalls(ids: false) : script
  }

  @Test(arguments: 0..<answerPairs.count, 0..<AnswerScript.all.count)
  func everyPairIsExact(pair: Int, number: Int) {
    let (wire, route) = answerPairs[pair]
    let script = AnswerScript.all[number]
    let bytes = ProviderScript.stream(script, wire)
    let run = TranslatedRun(bytes, from: wire, to: route, rewriter: UnchangedText())
    #expect(run.out == ClientScript.stream(Self.arriving(script, wire), route, wire))
    let single = TranslatedRun(bytes, from: wire, to: route, cuts: Array(0..<bytes.count), rewriter: UnchangedText())
    #expect(single.out == run.out)
    #expect(run.stream.isComplete && run.stream.state == .done)
    #expect(run.stream.usage?.inputTokens == 100 && run.stream.usage?.outputTokens == 50)
    #expect(run.stream.usage?.cachedTokens == 30 && run.stream.usage?.isSuspect == false)
    let written = Self.arriving(script, wire).bits.flatMap { bit -> [String] in
      if case .tool(_, _, let pieces) = bit { return wire == .gemini && pieces.isEmpty ? ["{}"] : pieces }
      return ClientScript.pieces(bit)
    }
    #expect(run.stream.outputBytes == written.joined().utf8.count)
  }

  @Test(arguments: [InferenceRoute.responses, .messages])
  func aRefusalOfChatIsExact(route: InferenceRoute) {
    let run = TranslatedRun(
      ProviderScript.stream(.refusal, .chat), from: .chat, to: route, rewriter: UnchangedText())
    #expect(run.out == ClientScript.stream(.refusal, route, .chat))
  }

  private static let marked = AnswerScript(
    bits: [
      .thinking(["a [P", "_1]"]), .text(["Frau [P_1] [", "P_1", "]! [P_1"]),
      .tool(id: "c1", name: "f[P_1]", ["{\"[P_1]\":\"[P_", "1]\"}"]),
    ], end: .tools)

  private static func restored(_ wire: ProviderWire) -> AnswerScript {
    let quoted = "Ä \\\"x\\\""
    var script = AnswerScript(
      bits: [
        .thinking(["a \(MarkRestorer.original)"]),
        .text(["Frau \(MarkRestorer.original) \(MarkRestorer.original)! [P_1"]),
        .tool(id: "c1", name: "f\(quoted)", ["{\"\(quoted)\":\"\(quoted)\"}"]),
      ], end: .tools)
    if wire == .gemini { script = script.withWholeCalls(ids: false) }
    return script
  }

  @Test(arguments: 0..<answerPairs.count)
  func placeholdersComeBackHoweverTheyAreSplit(pair: Int) {
    let (wire, route) = answerPairs[pair]
    let bytes = ProviderScript.stream(Self.marked, wire)
    let whole = TranslatedRun(bytes, from: wire, to: route, rewriter: MarkRestorer())
    #expect(whole.stream.isComplete)
    #expect(
      TextsOfClient(whole.out, route) == TextsOfClient(ClientScript.stream(Self.restored(wire), route, wire), route))
    let single = TranslatedRun(bytes, from: wire, to: route, cuts: Array(0..<bytes.count), rewriter: MarkRestorer())
    #expect(single.out == whole.out)
    for cut in 0...bytes.count {
      let run = TranslatedRun(bytes, from: wire, to: route, cuts: [cut], rewriter: MarkRestorer())
      guard run.out != whole.out || !run.stream.isComplete || run.stream.outputBytes != whole.stream.outputBytes
      else { continue }
      Issue.record("cut at \(cut)")
      return
    }
  }

  @Test(arguments: 0..<answerPairs.count)
  func aCutStreamIsNeverComplete(pair: Int) {
    let (wire, route) = answerPairs[pair]
    let bytes = ProviderScript.stream(.tool, wire)
    let whole = TranslatedRun(bytes, from: wire, to: route, rewriter: UnchangedText())
    // Behind this, what is missing is only the blank line, or (Converse) the usage behind the reason of the end.
    let last: Int
    switch wire {
    case .converse:
      last =
        bytes.count
        - ProviderScript.frame("metadata", "{\"usage\":\(ProviderScript.converseUsage),\"metrics\":{\"latencyMs\":1}}")
        .count
    case .gemini: last = bytes.count - 4
    default: last = bytes.count - 2
    }
    for length in stride(from: 0, to: last, by: 7) {
      let run = TranslatedRun(Array(bytes[..<length]), from: wire, to: route, rewriter: UnchangedText())
      #expect(!run.stream.isComplete && run.failure == nil, "\(length)")
      #expect(whole.out.hasPrefix(run.out), "\(length)")
      var stream = run.stream
      let out = ByteArena()
      stream.appendEnd(to: out)
      #expect(out.count == 0)
    }
  }

  @Test func aPiecePerEventOfTheProvider() {
    // A stream stays a stream: each piece goes out with the bytes that bring it.
    let script = AnswerScript.text
    for (wire, route) in answerPairs {
      var stream = TranslatedStream(from: wire, to: route, TranslatedRun.options)
      var rewriter = UnchangedText()
      let out = ByteArena()
      let bytes = ProviderScript.stream(script, wire)
      let target = wire == .converse ? Array("}".utf8) : Array("\n".utf8)
      var seen = false
      for (place, byte) in bytes.enumerated() {
        withBytes([byte]) { stream.feed($0, rewriter: &rewriter, into: out) }
        if !seen, out.text.contains("Hel") {
          seen = true
          #expect(!String(decoding: bytes[..<place], as: UTF8.self).contains("lo \\\"x"))
        }
      }
      #expect(seen && target.count == 1)
    }
  }

  @Test func whatAStreamKeepsIsBound() {
    var stream = TranslatedStream(from: .chat, to: .responses, TranslatedRun.options)
    var rewriter = UnchangedText()
    let out = ByteArena()
    let chunk = Array(ProviderScript.chatChunk("{\"content\":\"\(String(repeating: "x", count: 1_000_000))\"}").utf8)
    for round in 1...9 {
      withBytes(chunk) { stream.feed($0, rewriter: &rewriter, into: out) }
      out.reset()
      #expect((stream.state == .open) == (round < 9))
    }
    #expect(stream.outputBytes == 9_000_000)
  }

  @Test(arguments: [InferenceRoute.chat, .responses, .messages])
  func keepAlivesAreTheDialects(route: InferenceRoute) {
    var stream = TranslatedStream(from: .gemini, to: route, TranslatedRun.options)
    let out = ByteArena()
    stream.appendKeepAlive(to: out)
    #expect(out.text == (route == .messages ? ClientScript.ping : ": keepalive\n\n"))
  }

  @Test func usageIsNotForWhoDidNotAsk() {
    var options = TranslatedRun.options
    options.includeUsage = false
    let run = TranslatedRun(
      ProviderScript.stream(.text, .messages), from: .messages, to: .chat, rewriter: UnchangedText(), options: options)
    #expect(!run.out.contains("usage") && run.out.hasSuffix("\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"))
    #expect(run.stream.usage?.inputTokens == 100)
  }

  @Test func withoutUsageTheClientIsToldOurCount() {
    let stream =
      ProviderScript.chatChunk("{\"content\":\"123456789\"}") + ProviderScript.chatChunk("{}", finish: "\"stop\"")
    let run = TranslatedRun(
      Array((stream + "data: [DONE]\n\n").utf8), from: .chat, to: .messages, rewriter: UnchangedText())
    #expect(run.stream.usage == nil && run.stream.outputBytes == 9)
    #expect(
      run.out.contains(
        "\"usage\":{\"input_tokens\":11,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,\"output_tokens\":3,"
      ))
  }

  @Test(arguments: 0..<answerPairs.count)
  func aRuleOnOutputEndsTheStream(pair: Int) {
    let (wire, route) = answerPairs[pair]
    var restorer = MarkRestorer()
    restorer.isBlocking = true
    let script = AnswerScript(bits: [.text(["ok", "x forbidden", "late"])])
    let run = TranslatedRun(ProviderScript.stream(script, wire), from: wire, to: route, rewriter: restorer)
    #expect(run.failure == .contentPolicyViolation && !run.stream.isComplete)
    #expect(run.out.contains("\"ok\"") && !run.out.contains("forbidden") && !run.out.contains("late"))
    #expect(run.stream.outputBytes == 13)
  }

  @Test func whatIsNotTranslatedFails() {
    let run = TranslatedRun(Array("data: {}\n\n".utf8), from: .responses, to: .chat, rewriter: UnchangedText())
    #expect(run.failure == .upstreamError && run.out.isEmpty)
    let other = TranslatedRun(Array("data: {}\n\n".utf8), from: .chat, to: .embeddings, rewriter: UnchangedText())
    #expect(other.failure == .upstreamError)
  }

  @Test(arguments: [InferenceRoute.chat, .responses, .messages])
  func errorsHaveTheDialectsForm(route: InferenceRoute) {
    let wire = route == .messages ? ProviderWire.chat : .messages
    var run = TranslatedRun(
      Array(ProviderScript.stream(.text, wire).prefix(900)), from: wire, to: route, rewriter: UnchangedText())
    let before = run.out
    let out = ByteArena()
    run.stream.appendError(Refusal(.upstreamCut, message: "It \"broke\" off."), requestID: "req_1", to: out)
    switch route {
    case .chat:
      #expect(
        out.text
          == "data: {\"error\":{\"message\":\"It \\\"broke\\\" off. (request req_1)\",\"type\":\"server_error\",\"param\":null,\"code\":\"upstream_cut\"}}\n\n"
      )
    case .messages:
      #expect(
        out.text
          == "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"It \\\"broke\\\" off. (request req_1)\"},\"request_id\":\"req_1\"}\n\n"
      )
    default:
      let number = before.components(separatedBy: "\n\n").count - 1
      let message = "It \\\"broke\\\" off. (request req_1)"
      let failed = ClientScript.response("failed", .text, [], usage: "null")
        .replacing("\"error\":null", with: "\"error\":{\"code\":\"server_error\",\"message\":\"\(message)\"}")
      #expect(
        out.text
          == "event: error\ndata: {\"type\":\"error\",\"code\":\"upstream_cut\",\"message\":\"\(message)\",\"param\":null,\"sequence_number\":\(number)}\n\n"
          + "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":\(failed),\"sequence_number\":\(number + 1)}\n\n"
      )
    }
  }
}

/// The texts of a client's stream, joined, as its SDK would see them.
struct TextsOfClient: Equatable {
  var texts: [String: String] = [:]
  var done: [String] = []
  var reasons: [String] = []

  init(_ out: String, _ route: InferenceRoute) {
    for event in out.components(separatedBy: "\n\n") {
      guard let line = event.components(separatedBy: "\n").first(where: { $0.hasPrefix("data: {") }),
        let object = try? JSONSerialization.jsonObject(with: Data(line.dropFirst(6).utf8)) as? [String: Any]
      else { continue }
      switch route {
      case .chat: chat(object)
      case .messages: messages(object)
      default: responses(object)
      }
    }
  }

  private mutating func add(_ name: String, _ text: Any?) {
    if let text = text as? String { texts[name, default: ""] += text }
  }

  private mutating func chat(_ object: [String: Any]) {
    for choice in object["choices"] as? [[String: Any]] ?? [] {
      if let reason = choice["finish_reason"] as? String { reasons.append(reason) }
      let delta = choice["delta"] as? [String: Any] ?? [:]
      for name in ["content", "refusal", "reasoning", "reasoning_content"] { add(name, delta[name]) }
      for call in delta["tool_calls"] as? [[String: Any]] ?? [] {
        let index = call["index"] as? Int ?? -1
        let function = call["function"] as? [String: Any] ?? [:]
        add("name\(index)", function["name"])
        add("arguments\(index)", function["arguments"])
      }
    }
  }

  private mutating func messages(_ object: [String: Any]) {
    let index = object["index"] as? Int ?? -1
    let block = object["content_block"] as? [String: Any] ?? [:]
    add("name\(index)", block["name"])
    let delta = object["delta"] as? [String: Any] ?? [:]
    for name in ["text", "thinking", "partial_json", "signature"] { add("\(name)\(index)", delta[name]) }
    if let reason = delta["stop_reason"] as? String { reasons.append(reason) }
  }

  private mutating func responses(_ object: [String: Any]) {
    let index = object["output_index"] as? Int ?? -1
    add("delta\(index)", object["delta"])
    for name in ["text", "arguments", "refusal"] {
      guard let text = object[name] as? String else { continue }
      done.append("\(index) \(text)")
      if texts["delta\(index)"] != text { reasons.append("done differs from deltas") }
    }
    guard let response = object["response"] as? [String: Any], let items = response["output"] as? [[String: Any]]
    else { return }
    for item in items {
      for name in ["name", "arguments", "call_id"] { done.append(item[name] as? String ?? "") }
      for part in (item["content"] ?? item["summary"]) as? [[String: Any]] ?? [] {
        done.append(part["text"] as? String ?? "")
      }
    }
  }
}
