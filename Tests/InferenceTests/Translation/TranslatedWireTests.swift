import Foundation
import Inference
import JSONText
import Testing

/// What each provider's stream may look like beside the usual, and what must end it.
@Suite struct TranslatedWireTests {
  private func texts(_ run: TranslatedRun, _ route: InferenceRoute) -> TextsOfClient { TextsOfClient(run.out, route) }

  private func chat(_ deltas: [String], finish: String? = "\"stop\"", route: InferenceRoute = .messages)
    -> TranslatedRun
  {
    var stream = deltas.map { ProviderScript.chatChunk($0) }.joined()
    if let finish { stream += ProviderScript.chatChunk("{}", finish: finish) + "data: [DONE]\n\n" }
    return TranslatedRun(Array(stream.utf8), from: .chat, to: route, rewriter: UnchangedText())
  }

  private static func call(_ index: Int, id: String? = nil, name: String? = nil, _ arguments: String) -> String {
    let id = id.map { ",\"id\":\"\($0)\"" } ?? ""
    let name = name.map { "\"name\":\"\($0)\"," } ?? ""
    return "{\"tool_calls\":[{\"function\":{\(name)\"arguments\":\"\(escaped(arguments))\"},\"index\":\(index)\(id)}]}"
  }

  @Test func emptyAndForeignChunksOfChatSayNothing() {
    let stream =
      "data: {\"choices\":[],\"prompt_filter_results\":[{\"x\":\"y\"}],\"id\":\"\"}\n\n: comment\n\ndata: {\"new\":1}\n\n"
      + ProviderScript.chatChunk("{\"role\":\"assistant\",\"content\":null,\"tool_calls\":null}")
      + "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"other\"},\"finish_reason\":\"stop\"},{\"delta\":{\"content\":\"a\"},\"index\":0}],\"obfuscation\":\"xxxx\"}\n\n"
      + ProviderScript.chatChunk("{\"content\":\"b\",\"new\":{\"content\":\"x\"}}")
      + "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":8,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n"
    let run = TranslatedRun(Array(stream.utf8), from: .chat, to: .messages, rewriter: UnchangedText())
    #expect(run.stream.isComplete && run.stream.usage?.inputTokens == 8)
    #expect(texts(run, .messages).texts == ["text0": "ab"] && texts(run, .messages).reasons == ["end_turn"])
  }

  @Test func mistralsPartsAreTextAndThinking() {
    let run = chat([
      "{\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":\"t1\"},{\"type\":\"text\",\"text\":\"t2\"}]}]}",
      "{\"content\":[{\"type\":\"text\",\"text\":\"a\"}]}",
    ])
    #expect(texts(run, .messages).texts == ["thinking0": "t1t2", "text1": "a"])
  }

  @Test func thinkingComesBeforeTextOfTheSameChunk() {
    let run = chat(["{\"content\":\"a\",\"reasoning\":\"t\"}"])
    #expect(texts(run, .messages).texts == ["thinking0": "t", "text1": "a"])
  }

  @Test func callsOfOneIndexAreToldApartByTheirIds() {
    // Gemini's compatible route counts every call as 0; others repeat id and name in each fragment.
    let run = chat(
      [
        Self.call(0, id: "a", name: "f", "{}"), Self.call(0, id: "b", name: "g", "{\"x\":"),
        Self.call(0, id: "b", name: "g", "1}"), Self.call(1, id: "", name: "h", "{}"),
      ], finish: "\"tool_calls\"")
    #expect(
      texts(run, .messages).texts == [
        "name0": "f", "partial_json0": "{}", "name1": "g", "partial_json1": "{\"x\":1}", "name2": "h",
        "partial_json2": "{}",
      ])
    #expect(run.out.contains("\"id\":\"call_ID_2\""))
  }

  @Test func argumentsAsAnObjectAndTheOldFunctionCall() {
    let run = chat(
      [
        "{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":{\"a\":\"\\\"\"}}}]}",
        "{\"function_call\":{\"name\":\"g\",\"arguments\":\"{\"}}", "{\"function_call\":{\"arguments\":\"}\"}}",
      ], finish: "\"function_call\"")
    #expect(
      texts(run, .messages).texts == [
        "name0": "f", "partial_json0": "{\"a\":\"\\\"\"}", "name1": "g", "partial_json1": "{}",
      ])
    #expect(texts(run, .messages).reasons == ["tool_use"])
  }

  private static let broken: [[String]] = [
    // A fragment without its beginning, one without a name, and one for a call that is over.
    [call(0, "{}")], [call(0, id: "a", "{}")],
    [call(0, id: "a", name: "f", "{"), call(1, id: "b", name: "g", "{}"), call(0, "}")],
    [call(0, id: "a", name: "f", "{"), "{\"content\":\"x\"}", call(0, "}")],
  ]

  @Test(arguments: 0..<broken.count, [InferenceRoute.responses, .messages])
  func argumentsAreNeverLost(number: Int, route: InferenceRoute) {
    let run = chat(Self.broken[number], finish: "\"tool_calls\"", route: route)
    #expect(run.failure == .upstreamError && !run.stream.isComplete)
  }

  @Test func partsAreBound() {
    let calls = (0..<1_100).map { "{\"index\":\($0),\"id\":\"\($0)\",\"function\":{\"name\":\"f\"}}" }
    let run = chat(["{\"tool_calls\":[\(calls.joined(separator: ","))]}"])
    #expect(run.failure == .upstreamError)
    var events = ""
    for index in 0..<1_100 {
      events += ProviderScript.event(
        "content_block_start", ",\"index\":\(index),\"content_block\":{\"type\":\"text\",\"text\":\"a\"}")
      events += ProviderScript.event("content_block_stop", ",\"index\":\(index)")
    }
    #expect(
      TranslatedRun(Array(events.utf8), from: .messages, to: .chat, rewriter: UnchangedText()).failure == .upstreamError
    )
    let open = events.components(separatedBy: "\n\n").filter { $0.contains("start") }.joined(separator: "\n\n") + "\n\n"
    #expect(
      TranslatedRun(Array(open.utf8), from: .messages, to: .chat, rewriter: UnchangedText()).failure == .upstreamError)
  }

  // MARK: Errors

  private static let errors: [(ProviderWire, String, Refusal.Code)] = [
    (.chat, "{\"error\":{\"message\":\"boom\",\"code\":429}}", .upstreamRateLimited),
    (.chat, "{\"object\":\"error\",\"message\":\"boom\"}", .upstreamError),
    (.chat, "{\"choices\":[{\"delta\":{},\"finish_reason\":\"error\"}]}", .upstreamError),
    (.chat, "{nope}", .upstreamError), (.chat, "[]", .upstreamError),
    (.messages, "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"boom\"}}", .upstreamError),
    (
      .messages, "{\"type\":\"error\",\"error\":{\"message\":\"boom\",\"type\":\"rate_limit_error\"}}",
      .upstreamRateLimited
    ),
    (.messages, "{\"error\":{\"type\":\"authentication_error\"},\"type\":\"error\"}", .upstreamAuth),
    (.messages, "{\"type\":\"error\",\"error\":{\"type\":\"billing_error\"}}", .upstreamQuota),
    (.messages, "{\"type\":\"error\",\"error\":{\"type\":\"timeout_error\"}}", .upstreamTimeout),
    (.messages, "{\"type\":\"error\",\"error\":\"boom\"}", .upstreamError),
    (.messages, "{\"type\":\"error\",\"message\":\"boom\"}", .upstreamError),
    (.messages, "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tired\"}}", .upstreamError),
    (.messages, "[]", .upstreamError),
    (
      .gemini, "{\"error\":{\"code\":429,\"message\":\"boom\",\"status\":\"RESOURCE_EXHAUSTED\"}}", .upstreamRateLimited
    ),
    (.gemini, "[{\"error\":{\"code\":503,\"message\":\"boom\"}}]", .upstreamError),
    (.gemini, "{\"error\":{\"code\":400,\"status\":\"API_KEY_INVALID\"}}", .upstreamAuth),
    (.gemini, "{\"candidates\":[{\"finishReason\":\"OTHER\"}]}", .upstreamError),
    (.gemini, "\"x\"", .upstreamError),
  ]

  @Test(arguments: 0..<errors.count)
  func anErrorEndsTheStream(number: Int) {
    let (wire, event, code) = Self.errors[number]
    let head =
      switch wire {
      case .messages:
        ProviderScript.event("content_block_start", ",\"content_block\":{\"type\":\"text\",\"text\":\"a\"}")
      case .gemini: "data: \(ProviderScript.geminiChunk("{\"text\":\"a\"}"))\r\n\r\n"
      default: ProviderScript.chatChunk("{\"content\":\"a\"}")
      }
    let bytes = Array("\(head)data: \(event)\n\n\(head)".utf8)
    for route in [InferenceRoute.chat, .responses, .messages] where route.ownWire != .some(wire) {
      let run = TranslatedRun(bytes, from: wire, to: route, rewriter: UnchangedText())
      #expect(run.failure == code && !run.stream.isComplete && !run.out.contains("boom"))
      #expect(run.out.components(separatedBy: "\"a\"").count == 2)
    }
  }

  @Test func eventsOfAnthropicThatNobodyKnowsAreSkipped() {
    let stream =
      ProviderScript.event("message_start", ",\"message\":{\"content\":[]}")
      + ProviderScript.event("message_start", ",\"message\":{\"content\":[]}")
      + ProviderScript.event("new_event", ",\"x\":{}")
      + "data: {}\n\ndata: {\"type\":7}\n\nevent: ping\ndata:\n\n"
      + ProviderScript.event(
        "content_block_start",
        ",\"index\":0,\"content_block\":{\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":\"web_search\",\"input\":{}}"
      )
      + ProviderScript.event(
        "content_block_delta", ",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}")
      + ProviderScript.event("content_block_stop", ",\"index\":0")
      + ProviderScript.event(
        "content_block_delta", ",\"index\":9,\"delta\":{\"type\":\"text_delta\",\"text\":\"\"}")
      + ProviderScript.event(
        "content_block_start",
        ",\"index\":1,\"content_block\":{\"type\":\"tool_use\",\"id\":\"c\",\"name\":\"f\",\"input\":{\"a\":1}}")
      + ProviderScript.event(
        "content_block_delta", ",\"index\":1,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}")
      + ProviderScript.event("content_block_stop", ",\"index\":1")
      + ProviderScript.event("content_block_start", ",\"index\":2,\"content_block\":{\"type\":\"text\",\"text\":\"a\"}")
      + ProviderScript.event(
        "content_block_delta",
        ",\"index\":2,\"delta\":{\"type\":\"citations_delta\",\"citation\":{\"cited_text\":\"x\"}}")
      + ProviderScript.event("content_block_stop", ",\"index\":2")
      + ProviderScript.event("message_delta", ",\"delta\":{\"stop_reason\":\"end_turn\"}")
      + ProviderScript.event("message_stop", "")
    let run = TranslatedRun(Array(stream.utf8), from: .messages, to: .chat, rewriter: UnchangedText())
    #expect(run.stream.isComplete)
    let found = texts(run, .chat)
    #expect(found.texts == ["content": "a", "name0": "f", "arguments0": "{\"a\":1}"])
    #expect(found.reasons == ["tool_calls"] && run.out.components(separatedBy: "\"role\"").count == 2)
  }

  /// Of a block that never began, and of one that is over.
  @Test(arguments: [1, 0], ["\"text\":\"b\"", "\"partial_json\":\"{}\"", "\"thinking\":\"t\""])
  func aPieceOfAnthropicWithoutItsBlockEndsTheStream(index: Int, piece: String) {
    let stream =
      ProviderScript.event("message_start", ",\"message\":{\"content\":[]}")
      + ProviderScript.event("content_block_start", ",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"a\"}")
      + ProviderScript.event("content_block_stop", ",\"index\":0")
      + ProviderScript.event("content_block_delta", ",\"index\":\(index),\"delta\":{\(piece)}")
      + ProviderScript.event("message_delta", ",\"delta\":{\"stop_reason\":\"end_turn\"}")
      + ProviderScript.event("message_stop", "")
    for route in [InferenceRoute.chat, .responses] {
      let run = TranslatedRun(Array(stream.utf8), from: .messages, to: route, rewriter: UnchangedText())
      #expect(run.failure == .upstreamError && !run.stream.isComplete)
    }
  }

  @Test func theLastUsageOfGeminiCounts() {
    let stream =
      "data: {\"usageMetadata\":{\"promptTokenCount\":1}}\n\ndata: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":9,\"candidatesTokenCount\":4}}\n\n"
      // Old versions named the reason in every chunk.
      + "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"b\"}]},\"finishReason\":\"MAX_TOKENS\"}],\"usageMetadata\":{\"promptTokenCount\":9,\"candidatesTokenCount\":5,\"thoughtsTokenCount\":2}}"
    let run = TranslatedRun(Array(stream.utf8), from: .gemini, to: .messages, rewriter: UnchangedText())
    #expect(run.stream.isComplete && run.stream.usage?.outputTokens == 7 && run.stream.usage?.reasoningTokens == 2)
    #expect(texts(run, .messages).texts == ["text0": "ab"] && texts(run, .messages).reasons == ["max_tokens"])
  }

  // MARK: Binary events

  private static let start = ProviderScript.frame("messageStart", "{\"role\":\"assistant\"}")
  private static let stop = ProviderScript.frame("messageStop", "{\"stopReason\":\"end_turn\"}")

  private func converse(_ bytes: [UInt8]) -> TranslatedRun {
    TranslatedRun(bytes, from: .converse, to: .chat, rewriter: UnchangedText())
  }

  @Test func aBinaryStreamOfOthersIsRead() {
    // Packed with the checksums of zlib; botocore reads it as three events.
    let hex =
      "000000760000005296d5fade0b3a6576656e742d7479706507000c6d65737361676553746172740d3a636f6e74656e74"
      + "2d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b22"
      + "726f6c65223a22617373697374616e74227d6fa8c5990000009400000057b4ab9aee0b3a6576656e742d747970650700"
      + "11636f6e74656e74426c6f636b44656c74610d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a"
      + "736f6e0d3a6d6573736167652d747970650700056576656e747b22636f6e74656e74426c6f636b496e646578223a302c"
      + "2264656c7461223a7b2274657874223a226869227d7dde5569530000007a00000051ca2c46650b3a6576656e742d7479"
      + "706507000b6d65737361676553746f700d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f"
      + "6e0d3a6d6573736167652d747970650700056576656e747b2273746f70526561736f6e223a22656e645f7475726e227d"
      + "5fbf09fc"
    let digits = Array(hex)
    let bytes = stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...($0 + 1)]), radix: 16) ?? 0 }
    let run = converse(bytes)
    #expect(run.stream.isComplete && texts(run, .chat).texts == ["content": "hi"])
  }

  @Test(arguments: [
    ("throttlingException", Refusal.Code.upstreamRateLimited), ("validationException", .invalidValue),
    ("accessDeniedException", .upstreamAuth), ("modelTimeoutException", .upstreamTimeout),
    ("internalServerException", .upstreamError), ("modelStreamErrorException", .upstreamError), ("new", .upstreamError),
  ])
  func exceptionsEndTheStream(name: String, code: Refusal.Code) {
    let run = converse(
      Self.start + ProviderScript.frame(name, "{\"message\":\"boom\"}", type: "exception") + Self.stop)
    #expect(run.failure == code && !run.stream.isComplete)
    #expect(converse(Self.start + ProviderScript.frame(name, "boom", type: "error")).failure != nil)
  }

  @Test func everyFlippedBitIsSeen() {
    let good = Self.start + ProviderScript.frame("contentBlockDelta", "{\"delta\":{\"text\":\"a\"}}") + Self.stop
    #expect(converse(good).stream.isComplete && converse(good).out.contains("\"content\":\"a\""))
    for place in 0..<good.count * 8 {
      var bytes = good
      bytes[place / 8] ^= 1 << UInt8(place % 8)
      let run = converse(bytes)
      #expect(run.failure == .upstreamError && !run.stream.isComplete, "\(place)")
    }
  }

  @Test func framesThatLieAboutTheirLengthsAreRefused() {
    func framed(_ total: UInt32, _ headers: UInt32, _ rest: Int) -> [UInt8] {
      // A prelude with a right checksum: taken from a frame that has these lengths.
      var prelude: [UInt8] = []
      for word in [total, headers] { prelude += withUnsafeBytes(of: word.bigEndian) { Array($0) } }
      return prelude + Self.checksum(prelude) + [UInt8](repeating: 0, count: rest)
    }
    #expect(converse(framed(1 << 20 + 1, 0, 8)).failure == .upstreamError)
    #expect(converse(framed(.max, .max, 8)).failure == .upstreamError)
    #expect(converse(framed(15, 0, 8)).failure == .upstreamError)
    #expect(converse(framed(0, 0, 8)).failure == .upstreamError)
    #expect(converse(framed(40, 25, 40)).failure == .upstreamError)
    let open = converse(framed(1 << 20, 24, 100))
    #expect(open.failure == nil && !open.stream.isComplete)
    for headers in [
      [5], [0], [1, 0x61], [1, 0x61, 7, 0], [1, 0x61, 7, 0, 9, 0x61], [1, 0x61, 6, 255, 255], [1, 0x61, 10],
      [1, 0x61, 5, 1], [1, 0x61, 9], [255, 1, 2, 3],
    ] as [[UInt8]] {
      #expect(converse(ProviderScript.frame(headers: headers, payload: [])).failure == .upstreamError, "\(headers)")
    }
    // Headers of every type are passed over.
    var headers: [UInt8] = []
    for (type, size) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 4), (5, 8), (8, 8), (9, 16)] {
      headers += [1, 0x61, UInt8(type)] + [UInt8](repeating: 7, count: size)
    }
    headers += [1, 0x61, 6, 0, 2, 1, 2, 1, 0x62, 7, 0, 1, 0x63]
    #expect(converse(ProviderScript.frame(headers: headers, payload: [1]) + Self.start + Self.stop).stream.isComplete)
  }

  private static func checksum(_ bytes: [UInt8]) -> [UInt8] {
    // The last word of a frame is the checksum of what stands before it.
    var value: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      value ^= UInt32(byte)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }
    return withUnsafeBytes(of: (~value).bigEndian) { Array($0) }
  }

  @Test func aConverseStreamIsWholeWithoutItsUsage() {
    let run = converse(Self.start + Self.stop)
    #expect(run.stream.isComplete && run.stream.usage == nil)
    #expect(!converse(Self.start + Self.stop + Array(Self.start.prefix(9))).stream.isComplete)
    #expect(!converse(Self.start + ProviderScript.frame("metadata", "{}") + Self.stop).stream.isComplete)
    #expect(converse(Self.start + ProviderScript.frame("newEvent", "nope") + Self.stop).stream.isComplete)
    #expect(converse(Self.start + ProviderScript.frame("messageStop", "nope")).failure == .upstreamError)
  }

  // MARK: Noise

  @Test(arguments: 0..<answerPairs.count)
  func hostileStreamsNeverTrap(pair: Int) {
    let (wire, route) = answerPairs[pair]
    var random = SeededGenerator(seed: UInt64(pair) + 77)
    let script = AnswerScript(
      bits: [.thinking(["a[P_1]"]), .text(["b [P_", "1]"]), .tool(id: "c", name: "f", ["{\"a\":", "1}"])], end: .tools)
    let seed = ProviderScript.stream(script, wire)
    for _ in 0..<600 {
      var bytes = random.mutate(seed, most: 5)
      if wire == .converse, Bool.random(using: &random) { bytes = Self.mutatedFrames(script, &random) }
      let cuts = (0..<3).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
      var run = TranslatedRun(bytes, from: wire, to: route, cuts: cuts, rewriter: MarkRestorer())
      let out = ByteArena()
      run.stream.appendError(Refusal(.upstreamCut, message: "x"), requestID: "r", to: out)
      // Whatever comes in, whole events of JSON go out.
      for event in (run.out + out.text).components(separatedBy: "\n\n").dropLast() {
        guard let line = event.components(separatedBy: "\n").last, line.hasPrefix("data: ") else {
          Issue.record("\(event)")
          continue
        }
        if line == "data: [DONE]" { continue }
        let isJSON = withBytes(String(line.dropFirst(6))) { (try? JSONCursor.validate($0, limits: .answer)) != nil }
        #expect(isJSON, "\(event)")
      }
    }
  }

  /// Frames whose checksums are right and whose payloads are not.
  private static func mutatedFrames(_ script: AnswerScript, _ random: inout SeededGenerator) -> [UInt8] {
    var bytes: [UInt8] = []
    for payload in [
      "{\"contentBlockIndex\":0,\"start\":{\"toolUse\":{\"toolUseId\":\"i\",\"name\":\"f\"}}}",
      "{\"contentBlockIndex\":0,\"delta\":{\"toolUse\":{\"input\":\"{}\"}}}", "{\"contentBlockIndex\":0}",
      "{\"stopReason\":\"end_turn\"}", "{\"usage\":{\"inputTokens\":3}}",
    ] {
      let names = [
        "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata", "messageStart",
      ]
      let name = names.randomElement(using: &random) ?? ""
      let mutated = random.mutate(Array(payload.utf8), most: 2)
      bytes += ProviderScript.frame(name, String(decoding: mutated, as: UTF8.self))
    }
    return bytes
  }

  @Test(arguments: 0..<answerPairs.count)
  func hostileAnswersNeverTrap(pair: Int) {
    let (wire, route) = answerPairs[pair]
    var random = SeededGenerator(seed: UInt64(pair) + 99)
    let script = AnswerScript(
      bits: [.thinking(["a[P_1]"]), .text(["b [P_1]"]), .tool(id: "c", name: "f", ["{\"a\":\"[P_1]\"}"])], end: .tools)
    let seed = Array(ProviderScript.plain(script, wire).utf8)
    for _ in 0..<800 {
      let bytes = random.mutate(seed, most: 4)
      let plain = TranslatedPlain(
        String(decoding: bytes, as: UTF8.self), from: wire, to: route, rewriter: MarkRestorer())
      guard plain.outcome == .written else {
        #expect(plain.out.isEmpty)
        continue
      }
      let isJSON = withBytes(plain.out) { (try? JSONCursor.validate($0, limits: .answer)) != nil }
      #expect(isJSON, "\(plain.out)")
    }
  }
}
