import Testing

@testable import MockProvider

/// OpenAI's Responses dialect.
@Suite struct ResponsesTests {
  private static let tools =
    #","tools":[{"type":"function","name":"weather","parameters":{}},{"type":"function","name":"time","parameters":{}}]"#

  private static func body(_ model: String, _ text: String, extra: String = "") -> String {
    #"{"model":"\#(model)","input":\#(MockSession.quoted(text))\#(extra)}"#
  }

  private static func ask(_ session: MockSession, _ body: String) throws -> (RawResponse, [String: Any]) {
    let response = try session.ask("/v1/responses", body)
    return (response, (try? MockSession.object(response.body)) ?? [:])
  }

  /// The events of a stream, after a check of what holds for every one of them.
  private static func events(_ session: MockSession, _ body: String) throws -> [(name: String, data: [String: Any])] {
    let response = try ask(session, body).0
    let events = try MockSession.named(response.body)
    #expect(events.map { MockSession.int($0.data, "sequence_number") } == events.indices.map { $0 })
    #expect(events.allSatisfy { $0.name == $0.data["type"] as? String } && !response.body.contains("[DONE]"))
    return events
  }

  @Test(arguments: ["Guten Tag", "Grüße \"x\" \\ \n 😀"]) func echoesWithExactUsage(text: String) throws {
    let session = try MockSession()
    let (_, object) = try Self.ask(session, Self.body("mock-echo", text, extra: #","instructions":"be kind!""#))
    #expect(MockSession.text(object, "output.0.content.0.text") == text && object["status"] as? String == "completed")
    #expect(MockSession.int(object, "usage.input_tokens") == (text.utf8.count + 8 + 3) / 4)
    #expect(MockSession.int(object, "usage.output_tokens") == (text.utf8.count + 3) / 4)
    #expect(MockSession.int(object, "usage.input_tokens_details.cached_tokens") == 0)
  }

  @Test func aStreamOfTextHasItsEventsInOrder() throws {
    let session = try MockSession()
    let events = try Self.events(session, Self.body("mock-echo;chunk=4", "abcdefg", extra: #","stream":true"#))
    #expect(
      events.map { $0.name.replacing("response.", with: "") } == [
        "created", "in_progress", "output_item.added", "content_part.added", "output_text.delta", "output_text.delta",
        "output_text.done", "content_part.done", "output_item.done", "completed",
      ])
    #expect(events.compactMap { $0.data["delta"] as? String }.joined() == "abcdefg")
    #expect(events[4].data["logprobs"] is [Any])
    #expect(MockSession.text(events[9].data, "response.output.0.content.0.text") == "abcdefg")
    #expect(MockSession.int(events[9].data, "response.usage.output_tokens") == 2)
    #expect(MockSession.value(events[0].data, "response.usage") as? Int == nil)
  }

  @Test func parallelCallsComeInPieces() throws {
    let session = try MockSession()
    let events = try Self.events(
      session, Self.body("mock-tools;chunk=5", "Anna \"A\"", extra: Self.tools + #","stream":true"#))
    var arguments = ["", ""]
    for event in events where event.name == "response.function_call_arguments.delta" {
      arguments[MockSession.int(event.data, "output_index") ?? 0] += event.data["delta"] as? String ?? ""
    }
    let output = try #require(MockSession.value(events.last?.data, "response.output") as? [[String: Any]])
    #expect(output.map { $0["arguments"] as? String } == arguments)
    #expect(output.map { $0["name"] as? String } == ["weather", "time"])
    #expect(Set(output.compactMap { $0["call_id"] as? String }).count == 2)
    for text in arguments { #expect(try MockSession.object(text)["text"] as? String == "Anna \"A\"") }
  }

  @Test func sealedReasoningComesBackOnlyUnaltered() throws {
    let session = try MockSession()
    let include = #","store":false,"include":["reasoning.encrypted_content"]"#
    let (_, object) = try Self.ask(session, Self.body("mock-thinking", "why", extra: include))
    #expect(MockSession.text(object, "output.0.summary.0.text") == "Considering: why")
    #expect(MockSession.int(object, "usage.output_tokens_details.reasoning_tokens") == 4)
    #expect(MockSession.int(object, "usage.output_tokens") == 5)
    let sealed = try #require(MockSession.text(object, "output.0.encrypted_content"))
    let bare = try Self.ask(session, Self.body("mock-thinking", "why")).1
    #expect(MockSession.text(bare, "output.0.encrypted_content") == nil)
    for (member, status) in [
      (#","encrypted_content":"\#(sealed)""#, 200), (#","encrypted_content":"\#(sealed)x""#, 400), ("", 404),
    ] {
      let items =
        #"[{"role":"user","content":"a"},{"type":"reasoning","id":"rs_1","summary":[]\#(member)},{"role":"user","content":"b"}]"#
      #expect(try Self.ask(session, #"{"model":"mock-echo","store":false,"input":\#(items)}"#).0.status == status)
    }
    let events = try Self.events(session, Self.body("mock-thinking", "why", extra: include + #","stream":true"#))
    #expect(events.contains { $0.name == "response.reasoning_summary_text.delta" })
  }

  @Test(
    arguments: [
      ("mock-refusal", "completed", nil), ("mock-failed", "failed", nil),
      ("mock-blocked", "incomplete", "content_filter"),
      ("mock-fast", "incomplete", "max_output_tokens"), ("mock-finish-steered", "incomplete", "steered"),
    ] as [(String, String, String?)])
  func statusesFollowTheScript(model: String, status: String, reason: String?) throws {
    let session = try MockSession()
    let limit = #","max_output_tokens":16"#
    let (_, object) = try Self.ask(session, Self.body(model, "x", extra: limit))
    #expect(object["status"] as? String == status)
    #expect(MockSession.text(object, "incomplete_details.reason") == reason)
    #expect((object["error"] is [String: Any]) == (status == "failed"))
    let events = try Self.events(session, Self.body(model, "x", extra: limit + #","stream":true"#))
    #expect(events.last?.name == "response.\(status)")
    #expect(events.contains { $0.name == "response.refusal.done" } == (model == "mock-refusal"))
  }

  @Test func anErrorInTheStreamIsFlat() throws {
    let session = try MockSession()
    let events = try Self.events(session, Self.body("mock-stream-error-500;chunk=1", "abc", extra: #","stream":true"#))
    #expect(events.last?.name == "error" && events.last?.data["code"] as? String == "server_error")
    #expect(events.last?.data["message"] is String)
    #expect(events.filter { $0.name == "response.output_text.delta" }.count == 1)
  }

  @Test func aResultIsAnswered() throws {
    let session = try MockSession()
    let items =
      #"[{"role":"user","content":[{"type":"input_text","text":"a"}]},{"type":"function_call","id":"fc_1","call_id":"c","name":"weather","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"12 degrees"}]"#
    let (_, object) = try Self.ask(session, #"{"model":"mock-tool-once","input":\#(items)\#(Self.tools)}"#)
    #expect(MockSession.text(object, "output.0.content.0.text") == "12 degrees")
  }

  /// What the real API refuses, with the parameter it names.
  @Test(arguments: [
    (#""messages":[{"role":"user","content":"x"}]"#, "messages"), (#""input":"x","max_tokens":20"#, "max_tokens"),
    (#""input":"x","max_output_tokens":5"#, "max_output_tokens"), (#""input":"x","stop":["a"]"#, "stop"),
    (#""input":"x","response_format":{"type":"json_object"}"#, "response_format"), (#""model":"m""#, "input"),
    (#""input":"x","previous_response_id":"resp_1""#, "previous_response_id"),
    (#""input":"x","stream_options":{"include_usage":true}"#, "stream_options.include_usage"),
    (#""input":"x","tools":[{"type":"function","function":{"name":"f"}}]"#, "tools[0].name"),
    (#""input":"x","tool_choice":{"type":"function","function":{"name":"f"}}"#, "tool_choice"),
    (#""input":[{"role":"user","content":[{"type":"text","text":"x"}]}]"#, "input[0].content[0]"),
    (#""input":[{"role":"assistant","content":[{"type":"input_text","text":"x"}]}]"#, "input[0].content[0]"),
    (#""input":[{"role":"tool","content":"x"}]"#, "input[0].role"),
    (#""input":[{"role":"assistant","content":"x","tool_calls":[]}]"#, "input[0].tool_calls"),
    (#""input":[{"type":"function_call","id":"call_1","call_id":"c","name":"f","arguments":"{}"}]"#, "input[0].id"),
    (#""input":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]"#, "input"),
    (#""input":[{"type":"function_call_output","call_id":"c","output":"x"}]"#, "input"),
  ])
  func refusesTheShapesOfOthers(members: String, param: String) throws {
    let session = try MockSession()
    let (response, object) = try Self.ask(session, #"{"model":"mock-echo",\#(members)}"#)
    #expect(response.status == 400 && MockSession.text(object, "error.param") == param)
    #expect(session.server.report().billed == MockBill())
  }

  @Test func itemsThatNobodyKnowsPass() throws {
    let session = try MockSession()
    let items = #"[{"type":"additional_tools","tools":[]},{"role":"user","content":"x"}]"#
    #expect(try Self.ask(session, #"{"model":"mock-echo","input":\#(items),"new_member":1}"#).0.status == 200)
  }
}
