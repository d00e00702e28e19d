import Testing

@testable import MockProvider

/// Service tiers that an answer names, and prompts that are too long for a model.
@Suite struct TierTests {
  private static func body(_ model: String, _ text: String = "x", extra: String = "") -> String {
    #"{"model":"\#(model)","max_tokens":100,"messages":[{"role":"user","content":\#(MockSession.quoted(text))}]\#(extra)}"#
  }
  private static let anthropic = "x-api-key: k\r\nanthropic-version: 2023-06-01\r\n"

  @Test func anAnswerNamesItsTier() throws {
    let session = try MockSession()
    for path in ["/v1/chat/completions", "/strict/v1/chat/completions"] {
      let plain = try MockSession.object(try session.ask(path, Self.body("mock-tier-flex")).body)
      #expect(MockSession.text(plain, "service_tier") == "flex")
      let stream = try session.ask(path, Self.body("mock-tier-priority", extra: #","stream":true"#)).body
      let events = MockSession.events(stream).filter { $0 != "[DONE]" }
      #expect(events.count > 1 && events.allSatisfy { $0.contains(#""service_tier":"priority""#) })
      let usual = try session.ask(path, Self.body("mock-echo")).body
      #expect(!usual.contains("service_tier"))
    }
    let claude = try MockSession.object(
      try session.ask("/v1/messages", Self.body("mock-tier-priority"), headers: Self.anthropic).body)
    #expect(MockSession.text(claude, "usage.service_tier") == "priority")
    let response = try MockSession.object(
      try session.ask("/v1/responses", #"{"model":"mock-tier-flex","input":"x"}"#).body)
    #expect(MockSession.text(response, "service_tier") == "flex")
  }

  /// Four bytes are a token.
  @Test(arguments: [
    ("/v1/chat/completions", "", "context_length_exceeded"),
    ("/strict/v1/chat/completions", "", "context_length_exceeded"),
    ("/vllm/v1/chat/completions", "", "maximum context length is 2"),
    ("/mistral/v1/chat/completions", "", "2 maximum context length"),
    ("/v1/messages", anthropic, "prompt is too long: 3 tokens > 2 maximum"),
  ])
  func aPromptThatIsTooLongIsRefusedInTheVendorsWords(path: String, headers: String, says: String) throws {
    let session = try MockSession()
    #expect(try session.ask(path, Self.body("mock-context-2", "12345678"), headers: headers).status == 200)
    let refused = try session.ask(path, Self.body("mock-context-2", "123456789"), headers: headers)
    #expect(refused.status == 400 && refused.body.contains(says), "\(refused.body)")
  }
}
