import Testing

@testable import MockProvider

/// Anthropic's Messages dialect.
@Suite struct MessagesTests {
  private static let headers = "x-api-key: k\r\nanthropic-version: 2023-06-01\r\n"
  private static let tools =
    #","tools":[{"name":"weather","input_schema":{"type":"object"}},{"name":"time","input_schema":{"type":"object"}}]"#

  private static func body(_ model: String, _ text: String, extra: String = "") -> String {
    #"{"model":"\#(model)","max_tokens":4096,"messages":[{"role":"user","content":\#(MockSession.quoted(text))}]\#(extra)}"#
  }

  private static func ask(
    _ session: MockSession, _ body: String, headers: String = Self.headers, path: String = "/v1/messages"
  ) throws -> (RawResponse, [String: Any]) {
    let response = try session.ask(path, body, headers: headers)
    return (response, (try? MockSession.object(response.body)) ?? [:])
  }

  @Test(arguments: ["Guten Tag", "Grüße \"x\" \\ \n 😀"], ["/v1/messages", "/v1/messages?beta=true", "/messages"])
  func echoesWithExactUsage(text: String, path: String) throws {
    let session = try MockSession()
    let (response, object) = try Self.ask(
      session, Self.body("mock-echo", text, extra: #","system":"be kind!""#), path: path)
    let tokens = (text.utf8.count + 3) / 4
    #expect(MockSession.text(object, "content.0.text") == text && MockSession.text(object, "stop_reason") == "end_turn")
    #expect(MockSession.int(object, "usage.input_tokens") == (text.utf8.count + 8 + 3) / 4)
    #expect(MockSession.int(object, "usage.output_tokens") == tokens)
    #expect(response.headers["request-id"]?.hasPrefix("req_mock") == true && response.headers["x-request-id"] == nil)
    #expect(session.server.report().billed.completionTokens == tokens)
  }

  @Test func aStreamHasNamedEventsInOrder() throws {
    let session = try MockSession()
    let (response, _) = try Self.ask(session, Self.body("mock-echo;chunk=3", "abcdefg", extra: #","stream":true"#))
    let events = try MockSession.named(response.body)
    #expect(
      events.map(\.name) == [
        "message_start", "ping", "content_block_start", "content_block_delta", "content_block_delta",
        "content_block_delta", "content_block_stop", "message_delta", "message_stop",
      ])
    #expect(events.allSatisfy { $0.name == $0.data["type"] as? String })
    #expect(events.compactMap { MockSession.text($0.data, "delta.text") }.joined() == "abcdefg")
    #expect(MockSession.int(events[0].data, "message.usage.output_tokens") == 1)
    #expect(MockSession.int(events[7].data, "usage.output_tokens") == 2)
    #expect(MockSession.text(events[7].data, "delta.stop_reason") == "end_turn")
  }

  @Test func parallelCallsKeepTheirIndexes() throws {
    let session = try MockSession()
    let (_, plain) = try Self.ask(session, Self.body("mock-tools", "Anna \"A\"", extra: Self.tools))
    #expect(
      MockSession.text(plain, "content.0.name") == "weather" && MockSession.text(plain, "content.1.name") == "time")
    #expect(MockSession.text(plain, "content.1.input.text") == "Anna \"A\"")
    #expect(MockSession.text(plain, "stop_reason") == "tool_use")
    let (response, _) = try Self.ask(
      session, Self.body("mock-tools;chunk=4", "Anna \"A\"", extra: Self.tools + #","stream":true"#))
    var arguments = ["", ""]
    for event in try MockSession.named(response.body) {
      if let piece = MockSession.text(event.data, "delta.partial_json"), let index = event.data["index"] as? Int {
        arguments[index] += piece
      }
    }
    for text in arguments { #expect(try MockSession.object(text)["text"] as? String == "Anna \"A\"") }
  }

  @Test func thinkingIsSignedAndComesBackOnlyUnaltered() throws {
    let session = try MockSession()
    let (_, object) = try Self.ask(session, Self.body("mock-thinking", "why"))
    let thinking = try #require(MockSession.text(object, "content.0.thinking"))
    let signature = try #require(MockSession.text(object, "content.0.signature"))
    #expect(thinking == "Considering: why" && MockSession.int(object, "usage.output_tokens") == 5)
    #expect(MockSession.int(object, "usage.output_tokens_details.thinking_tokens") == 4)
    let (stream, _) = try Self.ask(session, Self.body("mock-thinking", "why", extra: #","stream":true"#))
    let signatures = try MockSession.named(stream.body).compactMap { MockSession.text($0.data, "delta.signature") }
    #expect(signatures == [signature])
    for (text, status) in [(thinking, 200), (thinking + ".", 400)] {
      let turns =
        #"{"role":"assistant","content":[{"type":"thinking","thinking":\#(MockSession.quoted(text)),"signature":"\#(signature)"},{"type":"text","text":"b"}]},{"role":"user","content":"c"}"#
      let body = #"{"model":"mock-echo","max_tokens":9,"messages":[{"role":"user","content":"a"},\#(turns)]}"#
      #expect(try Self.ask(session, body).0.status == status)
    }
  }

  @Test(arguments: [
    ("mock-refusal", "refusal"), ("mock-blocked", "refusal"), ("mock-finish-pause_turn", "pause_turn"),
    ("mock-echo", "end_turn"),
  ])
  func stopReasonsFollowTheScript(model: String, reason: String) throws {
    let session = try MockSession()
    let (_, object) = try Self.ask(session, Self.body(model, "x"))
    #expect(object["stop_reason"] as? String == reason)
    #expect((object["stop_details"] is [String: Any]) == (reason == "refusal"))
  }

  @Test func limitsAndStopSequencesCut() throws {
    let session = try MockSession()
    let short = #"{"model":"mock-echo","max_tokens":2,"messages":[{"role":"user","content":"0123456789"}]}"#
    let (_, object) = try Self.ask(session, short)
    #expect(
      MockSession.text(object, "content.0.text") == "01234567" && object["stop_reason"] as? String == "max_tokens")
    let (_, stopped) = try Self.ask(
      session, Self.body("mock-echo", "one END two", extra: #","stop_sequences":["END"]"#))
    #expect(MockSession.text(stopped, "content.0.text") == "one " && stopped["stop_sequence"] as? String == "END")
  }

  @Test func cachedTokensAreOutsideTheInput() throws {
    let session = try MockSession()
    let (_, object) = try Self.ask(
      session, Self.body("mock-echo;cached=5;cache-write=3;cache-write-1h=1", String(repeating: "x", count: 80)))
    #expect(MockSession.int(object, "usage.input_tokens") == 11)
    #expect(MockSession.int(object, "usage.cache_read_input_tokens") == 5)
    #expect(MockSession.int(object, "usage.cache_creation_input_tokens") == 4)
    #expect(MockSession.int(object, "usage.cache_creation.ephemeral_1h_input_tokens") == 1)
    #expect(session.server.report().billed.promptTokens == 20)
  }

  @Test func tokensAreCountedWithoutCharge() throws {
    let session = try MockSession()
    let body = #"{"model":"mock-echo","messages":[{"role":"user","content":"12345"}]}"#
    let (_, object) = try Self.ask(session, body, path: "/v1/messages/count_tokens")
    #expect(object["input_tokens"] as? Int == 2 && session.server.report().billed == MockBill())
  }

  @Test(arguments: [
    (400, "invalid_request_error"), (401, "authentication_error"), (403, "permission_error"),
    (413, "request_too_large"),
    (429, "rate_limit_error"), (500, "api_error"), (504, "timeout_error"), (529, "overloaded_error"),
  ])
  func errorsHaveAnthropicsShape(status: Int, type: String) throws {
    let session = try MockSession()
    let (response, object) = try Self.ask(session, Self.body("mock-error-\(status)", "x"))
    #expect(response.status == status && object["type"] as? String == "error")
    #expect(MockSession.text(object, "error.type") == type && object["request_id"] is String)
    #expect(MockSession.text(object, "error.message")?.contains(ErrorAnswer.keyFragment) == (status == 401))
  }

  @Test func anErrorInTheStreamIsAnEventAndTheEnd() throws {
    let session = try MockSession()
    let (response, _) = try Self.ask(
      session, Self.body("mock-stream-error;chunk=4;after=1", "12345678", extra: #","stream":true"#))
    let events = try MockSession.named(response.body)
    #expect(events.last?.name == "error" && MockSession.text(events.last?.data, "error.type") == "overloaded_error")
    #expect(events.compactMap { MockSession.text($0.data, "delta.text") } == ["1234"])
    #expect(session.server.report().billed == MockBill(requests: 1, promptTokens: 2, completionTokens: 1))
  }

  @Test func aCutStreamHasNoEnd() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(
      MockSession.post(
        "/v1/messages", Self.body("mock-cut;chunk=2;after=2", "abcdefgh", extra: #","stream":true"#),
        headers: Self.headers))
    let (text, end) = client.receiveToEnd()
    #expect(end == .end && text.contains("\"cd\"") && !text.contains("\"ef\"") && !text.contains("message_stop"))
    #expect(session.server.report().billed.completionTokens == 1)
  }

  @Test(arguments: [
    ("", 401), ("x-api-key: k\r\n", 400), ("anthropic-version: 2023-06-01\r\n", 401),
    ("authorization: Bearer k\r\nanthropic-version: 2026-10-21\r\n", 200),
    ("x-api-key: k\r\nanthropic-version: 2024-01-01\r\n", 400),
  ])
  func needsAKeyAndAVersion(headers: String, status: Int) throws {
    let session = try MockSession()
    #expect(try Self.ask(session, Self.body("mock-echo", "x"), headers: headers).0.status == status)
  }

  @Test(arguments: ["temperature", "top_p", "top_k"]) func theNewVersionRefusesSampling(name: String) throws {
    let session = try MockSession()
    let body = Self.body("mock-echo", "x", extra: #","\#(name)":1"#)
    #expect(try Self.ask(session, body).0.status == 200)
    let new = "x-api-key: k\r\nanthropic-version: 2026-10-21\r\n"
    #expect(try Self.ask(session, body, headers: new).0.status == 400)
  }

  /// Members beside `model` and `max_tokens`, or all of them, that the real API refuses.
  @Test(arguments: [
    #""messages":[{"role":"system","content":"x"}]"#, #""messages":[{"role":"assistant","content":"x"}]"#,
    #""messages":[]"#, #""messages":[{"role":"user","content":""}]"#,
    #""messages":[{"role":"user","content":"x"}],"temperature":1.7"#,
    #""messages":[{"role":"user","content":"x"}],"n":1"#, #""messages":[{"role":"user","content":"x"}],"stop":["a"]"#,
    #""messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]"#,
    #""messages":[{"role":"user","content":[{"type":"text","text":""}]}]"#,
    #""messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f"}}]"#,
    #""messages":[{"role":"user","content":"x"}],"tools":[{"name":"f"}]"#,
    #""messages":[{"role":"user","content":"x"}],"tool_choice":"auto""#,
    #""messages":[{"role":"user","content":"x"}],"metadata":{"tenant":"t"}"#,
    #""messages":[{"role":"user","content":"x","name":"n"}]"#,
    #""messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":"no result"}]"#,
    #""messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":"{}"}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a"}]}]"#,
    #""messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":[{"type":"text","text":"t"},{"type":"tool_result","tool_use_id":"a","content":"r"}]}]"#,
    #""messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"r"}]}]"#,
  ])
  func refusesWhatABadTranslationSends(members: String) throws {
    let session = try MockSession()
    let (response, object) = try Self.ask(session, #"{"model":"mock-echo","max_tokens":9,\#(members)}"#)
    #expect(response.status == 400 && MockSession.text(object, "error.type") == "invalid_request_error")
    #expect(session.server.report().billed == MockBill())
  }

  @Test func aMissingLimitIsRefusedAndAResultIsAnswered() throws {
    let session = try MockSession()
    let body = #"{"model":"mock-echo","messages":[{"role":"user","content":"x"}]}"#
    #expect(try Self.ask(session, body).0.status == 400)
    let turns =
      #"{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"42 degrees"},{"type":"text","text":"well?"}]}"#
    let conversation =
      #"{"model":"mock-tool-once","max_tokens":99,"messages":[{"role":"user","content":"x"},\#(turns)]\#(Self.tools)}"#
    let (_, object) = try Self.ask(session, conversation)
    #expect(MockSession.text(object, "content.0.text") == "42 degrees")
  }

  @Test func theBodyCanComeBackAsText() throws {
    let session = try MockSession()
    let body = Self.body("mock-body", "ä", extra: #","new_member":{"a":1}"#)
    #expect(MockSession.text(try Self.ask(session, body).1, "content.0.text") == body)
  }
}
