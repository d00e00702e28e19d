import Inference
import JSONText
import Testing

/// What requests ask for and what answers say of their service tier, in every dialect.
struct ServiceTierTests {
  private static func asked(_ members: String, _ route: InferenceRoute) throws -> ServiceTier {
    let content = route == .responses ? #""input":"x""# : #""messages":[{"role":"user","content":"x"}]"#
    return try withBytes(#"{"model":"m","max_tokens":5,\#(members)\#(content)}"#) { bytes in
      let scan = RequestScan()
      try scan.scan(bytes, route: route)
      return scan.tier
    }
  }

  @Test(
    arguments: [
      ("", ServiceTier.providers), (#""service_tier":null,"#, .providers), (#""service_tier":"auto","#, .providers),
      (#""service_tier":"default","#, .usual), (#""service_tier":"flex","#, .flex),
      (#""service_tier":"priority","#, .priority), (#""service_tier":"scale","#, .scale),
      (#""service_tier":"fast","#, .fast), (#""service_tier":"batch","#, .other), (#""service_tier":"Flex","#, .other),
    ] as [(String, ServiceTier)])
  func aRequestIsRead(members: String, tier: ServiceTier) throws {
    #expect(try Self.asked(members, .chat) == tier)
    #expect(try Self.asked(members, .responses) == tier)
    #expect(tier.needsPrice == (tier != .providers && tier != .usual))
  }

  @Test(
    arguments: [
      ("", ServiceTier.providers), (#""service_tier":"auto","#, .providers),
      (#""service_tier":"standard_only","#, .usual), (#""service_tier":"priority","#, .other),
    ] as [(String, ServiceTier)])
  func anAnthropicRequestIsRead(members: String, tier: ServiceTier) throws {
    #expect(try Self.asked(members, .messages) == tier)
  }

  /// Nothing of a request is left in the next one.
  @Test func aScanForgetsIt() throws {
    let scan = RequestScan()
    try withBytes(#"{"model":"m","service_tier":"flex","messages":[{"role":"user","content":"x"}]}"#) {
      try scan.scan($0, route: .chat)
    }
    #expect(scan.tier == .flex)
    try withBytes(#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#) { try scan.scan($0, route: .chat) }
    #expect(scan.tier == .providers)
  }

  private static let words: [(String, ServiceTier?)] = [
    (#""default""#, .usual), (#""standard""#, .usual), (#""on_demand""#, .usual), (#""flex""#, .flex),
    (#""priority""#, .priority), (#""scale""#, .scale), (#""fast""#, .fast), (#""batch""#, .other),
    (#""\u0066lex""#, .other), (#""auto""#, nil), ("null", nil), ("7", nil), ("\"\"", nil), ("{}", nil),
  ]

  private static func chat(_ tier: String) -> String {
    #"{"id":"c","object":"chat.completion","created":1,"model":"m","service_tier":\#(tier),"choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#
  }

  private static func messages(_ tier: String) -> String {
    #"{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"x"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1,"service_tier":\#(tier)}}"#
  }

  private static func responses(_ tier: String) -> String {
    #"{"id":"r","object":"response","created_at":1,"status":"completed","error":null,"model":"m","output":[],"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2},"service_tier":\#(tier)}"#
  }

  private static func plain(_ body: String, _ wire: ProviderWire, _ route: InferenceRoute) throws -> ServiceTier? {
    try withBytes(body) { bytes in
      let request = RequestScan()
      let content = route == .responses ? #""input":"x""# : #""messages":[{"role":"user","content":"x"}]"#
      try withBytes(#"{"model":"m","max_tokens":5,\#(content)}"#) { try request.scan($0, route: route) }
      let answer = PlainAnswer()
      let out = ByteArena()
      var rewriter = UnchangedText()
      _ = answer.read(
        bytes, from: wire, for: request, options: AnswerOptions(alias: "a"), rewriter: &rewriter, into: out)
      let usage = try #require(answer.usage)
      #expect(usage.inputTokens == 1 && !usage.isSuspect)
      return usage.tier
    }
  }

  @Test func aPlainAnswerSaysIt() throws {
    for (word, tier) in Self.words {
      for route in [InferenceRoute.chat, .responses, .messages] {
        #expect(try Self.plain(Self.chat(word), .chat, route) == tier, "\(word) \(route)")
        #expect(try Self.plain(Self.messages(word), .messages, route) == tier, "\(word) \(route)")
      }
      #expect(try Self.plain(Self.responses(word), .responses, .responses) == tier, "\(word)")
    }
  }

  private static func stream(_ text: String, _ wire: ProviderWire, _ route: InferenceRoute) -> (
    tier: ServiceTier?, usage: Usage?
  ) {
    var stream = AnswerStream(from: wire, to: route, AnswerOptions(alias: "a", answerID: Array("1".utf8)))
    var rewriter = UnchangedText()
    let out = ByteArena()
    withBytes(text) { stream.feed($0, rewriter: &rewriter, into: out) }
    stream.finish(rewriter: &rewriter, into: out)
    return (stream.tier, stream.usage)
  }

  @Test func aChatStreamSaysItBeforeItsUsage() {
    let content =
      #"data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","service_tier":"flex","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}"#
      + "\n\n"
    let usage =
      #"data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#
      + "\n\n"
    let cut = Self.stream(content, .chat, .chat)
    #expect(cut.tier == .flex && cut.usage == nil)
    #expect(Self.stream(content + usage, .chat, .chat).usage?.tier == .flex)
    let last = usage.replacing(#""choices":[]"#, with: #""service_tier":"default","choices":[]"#)
    #expect(Self.stream(content + last, .chat, .chat).usage?.tier == .usual, "the last word counts")
    for route in [InferenceRoute.responses, .messages] {
      #expect(Self.stream(content + last, .chat, route).tier == .usual)
      let cut = Self.stream(content, .chat, route)
      #expect(cut.tier == .flex && cut.usage == nil, "what was cut was served all the same")
      #expect(Self.stream(content + usage, .chat, route).usage?.tier == .flex)
    }
  }

  @Test func aMessagesStreamSaysItAtItsBeginning() {
    let start =
      #"event: message_start\#ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1,"service_tier":"priority"}}}"#
      + "\n\n"
    let delta =
      #"event: message_delta\#ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":5}}"#
      + "\n\n"
    for route in [InferenceRoute.messages, .chat, .responses] {
      #expect(Self.stream(start, .messages, route).tier == .priority)
      #expect(Self.stream(start + delta, .messages, route).usage?.tier == .priority)
    }
  }

  /// `response.created` repeats what was asked for; only the end says what it became.
  @Test func aResponsesStreamSaysItAtItsEnd() {
    func event(_ name: String, _ status: String, _ tier: String, _ usage: String) -> String {
      #"event: response.\#(name)\#ndata: {"type":"response.\#(name)","sequence_number":0,"response":{"id":"r","object":"response","created_at":1,"status":"\#(status)","error":null,"model":"m","output":[],"usage":\#(usage),"service_tier":"\#(tier)"}}"#
        + "\n\n"
    }
    let created = event("created", "in_progress", "auto", "null")
    let completed = event("completed", "completed", "flex", #"{"input_tokens":1,"output_tokens":1,"total_tokens":2}"#)
    #expect(Self.stream(created, .responses, .responses).tier == nil)
    #expect(Self.stream(created + completed, .responses, .responses).tier == .flex)
  }
}
