import Testing

@testable import MockProvider

/// What other vendors do with OpenAI's dialect in their own way.
@Suite struct VendorTests {
  private static func body(_ model: String, _ text: String, extra: String = "") -> String {
    #"{"model":"\#(model)","messages":[{"role":"user","content":\#(MockSession.quoted(text))}]\#(extra)}"#
  }
  private static let tools =
    #","tools":[{"type":"function","function":{"name":"weather"}},{"type":"function","function":{"name":"time"}}]"#
  private static let azure = "api-key: k\r\n"

  private static func ask(
    _ session: MockSession, _ path: String, _ body: String, headers: String = ""
  ) throws -> (RawResponse, [String: Any]) {
    let response = try session.ask(path, body, headers: headers)
    return (response, (try? MockSession.object(response.body)) ?? [:])
  }

  private static func chunks(_ response: RawResponse) throws -> [[String: Any]] {
    try MockSession.events(response.body).filter { $0 != "[DONE]" }.map { try MockSession.object($0) }
  }

  @Test(arguments: ["/openai/v1/", "/mistral/v1/", "/vllm/v1/", "/ollama/v1/", "/v1beta/openai/", "/strict/v1/"])
  func everyVendorEchoesWithExactUsage(path: String) throws {
    let session = try MockSession()
    let headers = "api-key: k\r\nx-goog-api-key: k\r\n"
    let (_, object) = try Self.ask(
      session, path + "chat/completions", Self.body("mock-echo", "Grüße"), headers: headers)
    #expect(MockSession.text(object, "choices.0.message.content") == "Grüße")
    #expect(MockSession.int(object, "usage.total_tokens") == 4)
    let (response, _) = try Self.ask(
      session, path + "chat/completions", Self.body("mock-echo;chunk=2", "Grüße", extra: #","stream":true"#),
      headers: headers)
    #expect(
      try Self.chunks(response).compactMap { MockSession.text($0, "choices.0.delta.content") }.joined() == "Grüße")
    #expect(response.body.hasSuffix("data: [DONE]\n\n"))
    let (_, vectors) = try Self.ask(session, path + "embeddings", #"{"model":"m","input":"a"}"#, headers: headers)
    #expect((vectors["data"] as? [Any])?.count == 1)
    #expect(session.server.report().billed == MockBill(requests: 3, promptTokens: 5, completionTokens: 4))
  }

  // MARK: Azure

  @Test func azureHasDeploymentsFiltersAndAnEmptyFirstChoice() throws {
    let session = try MockSession()
    let path = "/openai/deployments/mock-echo/chat/completions"
    let body = #"{"messages":[{"role":"user","content":"x"}]}"#
    let (_, object) = try Self.ask(session, path + "?api-version=2024-10-21", body, headers: Self.azure)
    #expect(MockSession.text(object, "choices.0.message.content") == "x" && object["model"] as? String == "mock-echo")
    #expect(MockSession.value(object, "choices.0.content_filter_results.hate.filtered") as? Bool == false)
    #expect(try Self.ask(session, path, body, headers: Self.azure).0.status == 404)
    let (refused, error) = try Self.ask(session, path + "?api-version=2024-10-21", body)
    #expect(refused.status == 401 && MockSession.text(error, "error.code") == "401")
    let (response, _) = try Self.ask(
      session, "/openai/v1/chat/completions", Self.body("mock-echo", "x", extra: #","stream":true"#),
      headers: Self.azure)
    let chunks = try Self.chunks(response)
    #expect((chunks[0]["choices"] as? [Any])?.isEmpty == true && chunks[0]["prompt_filter_results"] is [Any])
    let vectors = try Self.ask(
      session, "/openai/deployments/m/embeddings?api-version=2024-10-21", #"{"input":"a"}"#, headers: Self.azure)
    #expect(vectors.0.status == 200)
  }

  @Test func azureAnswersABlockedPromptWithAnError() throws {
    let session = try MockSession()
    let (response, object) = try Self.ask(
      session, "/openai/v1/chat/completions", Self.body("mock-blocked", "x"), headers: Self.azure)
    #expect(response.status == 400 && MockSession.text(object, "error.code") == "content_filter")
    #expect(MockSession.text(object, "error.innererror.code") == "ResponsibleAIPolicyViolation")
    let (_, plain) = try Self.ask(session, "/v1/chat/completions", Self.body("mock-blocked", "x"))
    #expect(MockSession.text(plain, "choices.0.finish_reason") == "content_filter")
  }

  // MARK: Mistral

  @Test func mistralSaysUsageWithItsLastPieceAndRefusesTheUnknown() throws {
    let session = try MockSession()
    let path = "/mistral/v1/chat/completions"
    let (response, _) = try Self.ask(
      session, path, Self.body("mock-finish-model_length", "abc", extra: #","stream":true"#))
    let last = try #require(try Self.chunks(response).last)
    #expect(MockSession.text(last, "choices.0.finish_reason") == "model_length")
    #expect(MockSession.int(last, "usage.completion_tokens") == 1)
    let (refused, error) = try Self.ask(session, path, Self.body("mock-echo", "x", extra: #","seed":1"#))
    #expect(refused.status == 422 && error["object"] as? String == "error")
    #expect(MockSession.text(error, "message.detail.0.loc.1") == "seed")
    let (limited, flat) = try Self.ask(session, path, Self.body("mock-error-429", "x"))
    #expect(limited.status == 429 && flat["message"] is String && flat["error"] == nil)
  }

  @Test func mistralsCallIDsHaveNineCharacters() throws {
    let session = try MockSession()
    let path = "/mistral/v1/chat/completions"
    let (_, object) = try Self.ask(session, path, Self.body("mock-tools", "x", extra: Self.tools))
    let calls = MockSession.value(object, "choices.0.message.tool_calls") as? [[String: Any]] ?? []
    let ids = calls.compactMap { $0["id"] as? String }
    #expect(Set(ids).count == 2 && ids.allSatisfy { $0.count == 9 })
    for (id, status) in [(ids[0], 200), ("call_1", 400)] {
      let turns =
        #"{"role":"assistant","tool_calls":[{"id":"\#(id)","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"\#(id)","content":"r"}"#
      let body = #"{"model":"mock-echo","messages":[{"role":"user","content":"x"},\#(turns)]}"#
      #expect(try Self.ask(session, path, body).0.status == status)
    }
  }

  // MARK: vLLM, Ollama, Gemini

  @Test(arguments: [
    ("/v1/", "reasoning_content"), ("/vllm/v1/", "reasoning"), ("/ollama/v1/", "reasoning"),
    ("/mistral/v1/", "reasoning_content"),
  ])
  func reasoningGoesByEachVendorsName(path: String, member: String) throws {
    let session = try MockSession()
    let (_, object) = try Self.ask(session, path + "chat/completions", Self.body("mock-thinking", "why"))
    #expect(MockSession.text(object, "choices.0.message.\(member)") == "Considering: why")
    #expect(MockSession.int(object, "usage.completion_tokens") == 5)
    let (response, _) = try Self.ask(
      session, path + "chat/completions", Self.body("mock-thinking;chunk=3", "why", extra: #","stream":true"#))
    let chunks = try Self.chunks(response)
    #expect(chunks.compactMap { MockSession.text($0, "choices.0.delta.\(member)") }.joined() == "Considering: why")
    #expect(chunks.compactMap { MockSession.text($0, "choices.0.delta.content") }.joined() == "why")
  }

  @Test func vllmsErrorsHaveNumbersAndGooglesAreInAList() throws {
    let session = try MockSession()
    let (_, vllm) = try Self.ask(session, "/vllm/v1/chat/completions", Self.body("mock-error-400", "x"))
    #expect(MockSession.int(vllm, "error.code") == 400)
    let google = try session.ask(
      "/v1beta/openai/chat/completions", Self.body("mock-error-429", "x"), headers: "authorization: Bearer k\r\n")
    #expect(google.status == 429 && google.body.hasPrefix("[{\"error\":{\"code\":429"))
  }

  @Test func googlesCallsCarryAMarkThatMustComeBack() throws {
    let session = try MockSession()
    let path = "/v1beta/openai/chat/completions"
    let headers = "authorization: Bearer k\r\n"
    let (_, object) = try Self.ask(session, path, Self.body("mock-tools", "x", extra: Self.tools), headers: headers)
    let marks = (MockSession.value(object, "choices.0.message.tool_calls") as? [Any])?.map {
      MockSession.text($0, "extra_content.google.thought_signature")
    }
    let mark = try #require(marks?.first ?? nil)
    #expect(marks == [mark, nil])
    for (extra, status) in [(#","extra_content":{"google":{"thought_signature":"\#(mark)"}}"#, 200), ("", 400)] {
      let turns =
        #"{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"weather","arguments":"{}"}\#(extra)}]},{"role":"tool","tool_call_id":"a","content":"r"}"#
      let body = #"{"model":"mock-echo","messages":[{"role":"user","content":"x"},\#(turns)]}"#
      #expect(try Self.ask(session, path, body, headers: headers).0.status == status)
    }
  }

  // MARK: Chat in general

  @Test func chatHasRefusalsParallelCallsAndErrorsInTheStream() throws {
    let session = try MockSession()
    let path = "/v1/chat/completions"
    let (_, refusal) = try Self.ask(session, path, Self.body("mock-refusal", "x"))
    #expect(MockSession.text(refusal, "choices.0.message.refusal") == "I cannot help with: x")
    let (response, _) = try Self.ask(
      session, path, Self.body("mock-tools;chunk=4", "Anna", extra: Self.tools + #","stream":true"#))
    var arguments = ["", ""]
    var names: [String] = []
    for chunk in try Self.chunks(response) {
      guard let index = MockSession.int(chunk, "choices.0.delta.tool_calls.0.index") else { continue }
      arguments[index] += MockSession.text(chunk, "choices.0.delta.tool_calls.0.function.arguments") ?? ""
      if let name = MockSession.text(chunk, "choices.0.delta.tool_calls.0.function.name") { names.append(name) }
    }
    #expect(names == ["weather", "time"] && arguments == [#"{"text":"Anna"}"#, #"{"text":"Anna"}"#])
    let (failed, _) = try Self.ask(
      session, path, Self.body("mock-stream-error-500;chunk=1", "abc", extra: #","stream":true"#))
    #expect(
      MockSession.text(try Self.chunks(failed).last, "error.type") == "server_error" && !failed.body.contains("[DONE]"))
    let (cached, object) = try Self.ask(session, path, Self.body("mock-echo;cached=1", "12345"))
    #expect(cached.status == 200 && MockSession.int(object, "usage.prompt_tokens_details.cached_tokens") == 1)
    let body = Self.body("mock-body", "ä")
    #expect(MockSession.text(try Self.ask(session, path, body).1, "choices.0.message.content") == body)
  }

  @Test(arguments: [
    #""messages":[{"role":"user","content":"x"}],"system":"s""#,
    #""messages":[{"role":"user","content":"x"}],"stop":["1","2","3","4","5"]"#,
    #""messages":[{"role":"user","content":[{"type":"input_text","text":"x"}]}]"#,
    #""messages":[{"role":"model","content":"x"}]"#,
    #""messages":[{"role":"tool","tool_call_id":"a","content":"x"}]"#,
    #""messages":[{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":{}}}]}]"#,
    #""messages":[{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"user","content":"x"}]"#,
    #""messages":[{"role":"user","content":"x"}],"tools":[{"name":"f","input_schema":{}}]"#,
    #""messages":[{"role":"user","content":"x"}],"temperature":3"#,
  ])
  func theStrictPathRefusesWhatOpenAIRefuses(members: String) throws {
    let session = try MockSession()
    #expect(try Self.ask(session, "/strict/v1/chat/completions", #"{"model":"mock-echo",\#(members)}"#).0.status == 400)
  }

  @Test(arguments: [
    ("/v1/models", "", "data.0.object"), ("/v1/models", "anthropic-version: 2023-06-01\r\n", "data.0.display_name"),
    ("/v1beta/models", "", "models.0.name"), ("/mistral/v1/models", "", "data.0.id"),
  ])
  func modelsAreListedInEachShape(path: String, headers: String, member: String) throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send("GET \(path) HTTP/1.1\r\n\(headers)\r\n")
    #expect(MockSession.text(try MockSession.object(try client.response().body), member) != nil)
  }
}
