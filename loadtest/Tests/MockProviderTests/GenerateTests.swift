import Foundation
import Testing

@testable import MockProvider

/// Gemini's dialect.
@Suite struct GenerateTests {
  private static let key = "x-goog-api-key: k\r\n"
  private static let tools =
    #","tools":[{"functionDeclarations":[{"name":"weather","parametersJsonSchema":{"type":"object","additionalProperties":false}},{"name":"time"}]}]"#

  private static func body(_ text: String, extra: String = "") -> String {
    #"{"contents":[{"role":"user","parts":[{"text":\#(MockSession.quoted(text))}]}]\#(extra)}"#
  }

  private static func ask(
    _ session: MockSession, _ model: String, _ body: String, action: String = "generateContent",
    headers: String = Self.key
  ) throws -> (RawResponse, [String: Any]) {
    let response = try session.ask("/v1beta/models/\(model):\(action)", body, headers: headers)
    return (response, (try? MockSession.object(response.body)) ?? [:])
  }

  private static func chunks(_ response: RawResponse) throws -> [[String: Any]] {
    try response.body.components(separatedBy: "\r\n\r\n").filter { !$0.isEmpty }.map {
      guard $0.hasPrefix("data: ") else { throw RawClient.Failure(what: $0) }
      return try MockSession.object(String($0.dropFirst(6)))
    }
  }

  @Test(arguments: ["mock-echo", "mock-echo%3Bchunk=3", "mock-echo;chunk=3"]) func echoesWithExactUsage(model: String)
    throws
  {
    let session = try MockSession()
    let extra = #","systemInstruction":{"parts":[{"text":"be kind!"}]}"#
    let (_, object) = try Self.ask(session, model, Self.body("Grüße 😀", extra: extra))
    #expect(MockSession.text(object, "candidates.0.content.parts.0.text") == "Grüße 😀")
    #expect(MockSession.text(object, "candidates.0.finishReason") == "STOP")
    #expect(MockSession.int(object, "usageMetadata.promptTokenCount") == 5)
    #expect(MockSession.int(object, "usageMetadata.candidatesTokenCount") == 3)
    #expect(MockSession.int(object, "usageMetadata.totalTokenCount") == 8)
    #expect(session.server.report().billed == MockBill(requests: 1, promptTokens: 5, completionTokens: 3))
  }

  @Test func aStreamHasUsageInEveryChunkAndNoDone() throws {
    let session = try MockSession()
    let (response, _) = try Self.ask(
      session, "mock-echo;chunk=4", Self.body("0123456789"), action: "streamGenerateContent?alt=sse")
    let chunks = try Self.chunks(response)
    #expect(chunks.count == 4 && !response.body.contains("[DONE]"))
    #expect(chunks.compactMap { MockSession.text($0, "candidates.0.content.parts.0.text") }.joined() == "0123456789")
    #expect(chunks.map { MockSession.int($0, "usageMetadata.candidatesTokenCount") } == [1, 2, 3, 3])
    #expect(chunks.compactMap { MockSession.text($0, "candidates.0.finishReason") } == ["STOP"])
  }

  @Test func withoutEventsTheStreamIsOneArray() throws {
    let session = try MockSession()
    let (response, _) = try Self.ask(session, "mock-echo;chunk=2", Self.body("abcd"), action: "streamGenerateContent")
    let list = try JSONSerialization.jsonObject(with: Data(response.body.utf8)) as? [Any]
    #expect(list?.count == 3)
  }

  @Test(arguments: ["generateContent", "streamGenerateContent?alt=sse"])
  func aCallMustComeBackWithItsMark(action: String) throws {
    let session = try MockSession()
    let (response, plain) = try Self.ask(session, "mock-thinking", Self.body("Bern", extra: Self.tools), action: action)
    let first = action == "generateContent" ? plain : try Self.chunks(response)[0]
    let part = try #require(MockSession.value(first, "candidates.0.content.parts.0") as? [String: Any])
    let mark = try #require(part["thoughtSignature"] as? String)
    #expect(
      MockSession.text(part, "functionCall.name") == "weather"
        && MockSession.text(part, "functionCall.args.text") == "Bern")
    for (member, model, status) in [
      (#","thoughtSignature":"\#(mark)""#, "mock-thinking", 200), ("", "mock-thinking", 400), ("", "mock-echo", 200),
      (#","thoughtSignature":"bad""#, "mock-echo", 400),
    ] {
      let body =
        #"{"contents":[{"role":"user","parts":[{"text":"Bern"}]},{"role":"model","parts":[{"functionCall":{"name":"weather","args":{}}\#(member)}]},{"role":"user","parts":[{"functionResponse":{"name":"weather","response":{"output":"12 degrees"}}}]}]\#(Self.tools)}"#
      let (response, object) = try Self.ask(session, model, body)
      #expect(response.status == status, "\(member) \(model)")
      if status == 200, model == "mock-thinking" {
        #expect(MockSession.text(object, "candidates.0.content.parts.0.text") == "12 degrees")
      }
    }
  }

  @Test func parallelCallsAreWholeAndOnlyTheFirstIsMarked() throws {
    let session = try MockSession()
    let (response, _) = try Self.ask(
      session, "mock-thinking;calls=2", Self.body("x", extra: Self.tools), action: "streamGenerateContent?alt=sse")
    let calls = try Self.chunks(response).compactMap {
      MockSession.value($0, "candidates.0.content.parts.0") as? [String: Any]
    }
    .filter { $0["functionCall"] != nil }
    #expect(calls.map { MockSession.text($0, "functionCall.name") } == ["weather", "time"])
    #expect(calls.map { $0["thoughtSignature"] != nil } == [true, false])
  }

  @Test func thoughtsAreShownOnlyWhenAskedForAndAlwaysCounted() throws {
    let session = try MockSession()
    for (extra, parts) in [("", 1), (#","generationConfig":{"thinkingConfig":{"includeThoughts":true}}"#, 2)] {
      let (_, object) = try Self.ask(session, "mock-thinking", Self.body("why", extra: extra))
      #expect((MockSession.value(object, "candidates.0.content.parts") as? [Any])?.count == parts)
      #expect(MockSession.int(object, "usageMetadata.thoughtsTokenCount") == 4)
      #expect(MockSession.int(object, "usageMetadata.candidatesTokenCount") == 1)
      #expect(MockSession.int(object, "usageMetadata.totalTokenCount") == 6)
    }
  }

  @Test(arguments: ["generateContent", "streamGenerateContent?alt=sse"])
  func aBlockedPromptHasNoCandidates(action: String) throws {
    let session = try MockSession()
    let (response, plain) = try Self.ask(session, "mock-blocked", Self.body("x"), action: action)
    let object = action == "generateContent" ? plain : try #require(try Self.chunks(response).last)
    #expect(
      MockSession.text(object, "promptFeedback.blockReason") == "PROHIBITED_CONTENT" && object["candidates"] == nil)
    #expect(session.server.report().billed == MockBill(requests: 1, promptTokens: 1, completionTokens: 0))
  }

  @Test(arguments: [
    ("mock-refusal", "SAFETY"), ("mock-finish-RECITATION", "RECITATION"),
    ("mock-finish-MALFORMED_FUNCTION_CALL", "MALFORMED_FUNCTION_CALL"),
  ])
  func finishReasonsFollowTheScript(model: String, reason: String) throws {
    let session = try MockSession()
    #expect(MockSession.text(try Self.ask(session, model, Self.body("x")).1, "candidates.0.finishReason") == reason)
  }

  @Test(arguments: [
    (400, "INVALID_ARGUMENT"), (401, "UNAUTHENTICATED"), (429, "RESOURCE_EXHAUSTED"), (503, "UNAVAILABLE"),
  ])
  func errorsHaveGooglesShape(status: Int, name: String) throws {
    let session = try MockSession()
    let (response, object) = try Self.ask(session, "mock-error-\(status)", Self.body("x"))
    #expect(response.status == status && MockSession.int(object, "error.code") == status)
    #expect(MockSession.text(object, "error.status") == name)
  }

  @Test(arguments: ["", "authorization: Bearer k\r\n"]) func theKeyIsInItsHeader(headers: String) throws {
    let session = try MockSession()
    #expect(try Self.ask(session, "mock-echo", Self.body("x"), headers: headers).0.status == 403)
    #expect(
      try session.ask("/v1beta/models/mock-echo:generateContent?key=k", Self.body("x"), headers: headers).status == 403)
  }

  @Test(arguments: [
    #"{"messages":[{"role":"user","content":"x"}]}"#, #"{"contents":[]}"#,
    #"{"contents":[{"role":"assistant","parts":[{"text":"x"}]}]}"#, #"{"contents":[{"role":"user","parts":[]}]}"#,
    #"{"contents":[{"role":"user","parts":[{"type":"text","text":"x"}]}]}"#,
    #"{"contents":[{"role":"user","content":"x"}]}"#, #"{"contents":[{"parts":[{"thought":true}]}]}"#,
    #"{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"max_tokens":3}}"#,
    #"{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"stopSequences":["1","2","3","4","5","6"]}}"#,
    #"{"contents":[{"parts":[{"text":"x"}]}],"tools":[{"type":"function","function":{"name":"f"}}]}"#,
    #"{"contents":[{"parts":[{"text":"x"}]}],"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"object","additionalProperties":false}}]}]}"#,
    #"{"contents":[{"parts":[{"text":"x"}]}],"toolConfig":{"functionCallingConfig":{"mode":"AUTO","allowedFunctionNames":["f"]}}}"#,
    #"{"contents":[{"parts":[{"text":"x"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"g","response":{}}}]}]}"#,
    #"{"contents":[{"parts":[{"text":"x"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":"{}"}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}}]}]}"#,
    #"{"contents":[{"parts":[{"text":"x"}]},{"role":"model","parts":[{"functionCall":{"name":"f"}}]},{"role":"user","parts":[{"text":"y"}]}]}"#,
  ])
  func refusesWhatABadTranslationSends(body: String) throws {
    let session = try MockSession()
    let (response, object) = try Self.ask(session, "mock-echo", body)
    #expect(response.status == 400 && MockSession.text(object, "error.status") == "INVALID_ARGUMENT")
  }

  @Test func tokensAreCountedWithoutCharge() throws {
    let session = try MockSession()
    let (_, object) = try Self.ask(session, "mock-echo", Self.body("12345"), action: "countTokens")
    #expect(object["totalTokens"] as? Int == 2 && session.server.report().billed == MockBill())
  }
}
