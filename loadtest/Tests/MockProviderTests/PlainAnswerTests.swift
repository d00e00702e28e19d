import Testing

@testable import MockProvider

@Suite struct PlainAnswerTests {
  @Test(arguments: ["Guten Tag", "Grüße \"x\" \\ \n\t 😀", "", "[IBAN_1a2b3c4d] and {\"json\":1}"])
  func echoAnswersTheExactTextWithExactUsage(text: String) throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-echo", text))
    let object = try MockSession.object(try client.response().body)
    let message = MockSession.choice(object)["message"] as? [String: Any]
    #expect(message?["content"] as? String == text)
    let tokens = (text.utf8.count + 3) / 4
    #expect(MockSession.usage(object) == MockUsage(promptTokens: tokens, completionTokens: tokens))
    #expect(object["model"] as? String == "mock-echo")
  }

  @Test func fastAnswersOneKilobyteAndCountsThePrompt() throws {
    let session = try MockSession()
    let client = try session.client()
    for length in [0, 1, 4, 5, 40_000] {
      try client.send(MockSession.chat("mock-fast", String(repeating: "p", count: length)))
      let object = try MockSession.object(try client.response().body)
      let message = MockSession.choice(object)["message"] as? [String: Any]
      #expect((message?["content"] as? String)?.utf8.count == 1_024)
      #expect(
        MockSession.usage(object) == MockUsage(promptTokens: (length + 3) / 4, completionTokens: 256))
    }
    #expect(session.server.report().billed.requests == 5)
  }

  @Test(arguments: ["mock-fast", "mock-fast;size=1024", "mock-fast;wait=1"], [0, 1, 255, 256, 257])
  func tokenLimitCutsTheAnswer(model: String, limit: Int) throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat(model, "hi", extra: #","max_completion_tokens":\#(limit)"#))
    let object = try MockSession.object(try client.response().body)
    #expect(MockSession.usage(object)?.completionTokens == min(limit, 256))
    #expect(MockSession.choice(object)["finish_reason"] as? String == (limit < 256 ? "length" : "stop"))
    #expect(session.server.report().billed.completionTokens == min(limit, 256))
  }

  @Test func tokenLimitNeverCutsAScalar() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-echo", "abc😀def", extra: #","max_tokens":1"#))
    let object = try MockSession.object(try client.response().body)
    #expect((MockSession.choice(object)["message"] as? [String: Any])?["content"] as? String == "abc")
  }

  @Test func toolPutsTheTextIntoAJSONStringOfArguments() throws {
    let session = try MockSession()
    let client = try session.client()
    let tools = #","tools":[{"type":"function","function":{"name":"weather","parameters":{"name":"no"}}}]"#
    try client.send(MockSession.chat("mock-tool", "Anna \"A\" \\ ä", extra: tools))
    let choice = MockSession.choice(try MockSession.object(try client.response().body))
    let message = choice["message"] as? [String: Any]
    let call = (message?["tool_calls"] as? [[String: Any]])?.first?["function"] as? [String: Any]
    let arguments = try MockSession.object(call?["arguments"] as? String ?? "")
    #expect(arguments["text"] as? String == "Anna \"A\" \\ ä")
    #expect(call?["name"] as? String == "weather" && choice["finish_reason"] as? String == "tool_calls")
  }

  @Test func noUsageAnswersWithoutUsage() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-no-usage", "x"))
    #expect(try MockSession.object(try client.response().body)["usage"] == nil)
    try client.send(
      MockSession.chat("mock-no-usage", "x", extra: #","stream":true,"stream_options":{"include_usage":true}"#))
    #expect(!(try client.response().body.contains("\"usage\"")))
    #expect(session.server.report().billed.requests == 2)
  }

  @Test func splitWritesEveryByteOnItsOwnAndAddsUp() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-echo;split=1", "Grüße 😀") + MockSession.chat("mock-echo", "next"))
    let object = try MockSession.object(try client.response().body)
    #expect((MockSession.choice(object)["message"] as? [String: Any])?["content"] as? String == "Grüße 😀")
    #expect(try client.response().body.contains("next"))
  }

  @Test func embeddingsSayTheSameAsFloatsAndAsBase64() throws {
    let session = try MockSession()
    let client = try session.client()
    func vectors(_ format: String) throws -> ([[String: Any]], Int?) {
      let body = #"{"model":"m","input":["aä","b"],"dimensions":5\#(format)}"#
      try client.send(MockSession.post("/v1/embeddings", body))
      let object = try MockSession.object(try client.response().body)
      return (object["data"] as? [[String: Any]] ?? [], (object["usage"] as? [String: Int])?["prompt_tokens"])
    }
    let (floats, tokens) = try vectors("")
    let (coded, _) = try vectors(#","encoding_format":"base64""#)
    #expect(tokens == 1 && floats.count == 2 && coded.count == 2)
    for (plain, code) in zip(floats, coded) {
      let wanted = (plain["embedding"] as? [Double] ?? []).map { Float($0) }
      #expect(wanted.count == 5)
      #expect(Base64Reading.floats(code["embedding"] as? String ?? "") == wanted)
    }
    #expect(floats.first?["embedding"] as? [Double] != floats.last?["embedding"] as? [Double])
  }

  @Test(arguments: [("[1,2,3]", 3, 1), ("[[1,2],[3]]", 3, 2), (#""four""#, 1, 1), (#"["a","bcdef"]"#, 2, 2)])
  func embeddingInputsAreCounted(input: String, tokens: Int, vectors: Int) throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.post("/embeddings", #"{"input":\#(input),"model":"m"}"#))
    let object = try MockSession.object(try client.response().body)
    #expect((object["usage"] as? [String: Int])?["prompt_tokens"] == tokens)
    #expect((object["data"] as? [Any])?.count == vectors)
    #expect(session.server.report().billed.promptTokens == tokens)
  }
}
