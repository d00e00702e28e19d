import Testing

@testable import MockProvider

/// OpenAI's legacy completions.
@Suite struct CompletionsTests {
  private static func ask(_ session: MockSession, _ members: String) throws -> (RawResponse, [String: Any]) {
    let response = try session.ask("/v1/completions", #"{"model":"mock-echo;chunk=4",\#(members)}"#)
    return (response, (try? MockSession.object(response.body)) ?? [:])
  }

  @Test(arguments: [
    (#""prompt":"Grüße""#, ["Grüße"], 2, 2), (#""prompt":["one","three"]"#, ["one", "three"], 2, 3),
    (#""prompt":[1,2,3]"#, ["1 2 3"], 3, 2), (#""prompt":"abcd","n":2"#, ["abcd", "abcd"], 1, 2),
    (#""prompt":"abcd","n":1,"best_of":3"#, ["abcd"], 1, 3), (#""prompt":"abcd","echo":true"#, ["abcdabcd"], 1, 1),
    (#""prompt":"abcdefgh","max_tokens":1"#, ["abcd"], 2, 1), (#""prompt":"ab END","stop":" END""#, ["ab"], 2, 1),
  ])
  func choicesAndUsageAreExact(members: String, texts: [String], prompt: Int, completion: Int) throws {
    let session = try MockSession()
    let (_, object) = try Self.ask(session, members)
    let choices = object["choices"] as? [[String: Any]] ?? []
    #expect(
      choices.map { $0["text"] as? String } == texts && choices.map { $0["index"] as? Int } == texts.indices.map { $0 })
    #expect(MockSession.int(object, "usage.prompt_tokens") == prompt)
    #expect(MockSession.int(object, "usage.completion_tokens") == completion)
    #expect(session.server.report().billed == MockBill(requests: 1, promptTokens: prompt, completionTokens: completion))
  }

  @Test func aStreamEndsWithUsageAndDone() throws {
    let session = try MockSession()
    let (response, _) = try Self.ask(
      session, #""prompt":["abcdef","xyz"],"stream":true,"stream_options":{"include_usage":true}"#)
    let events = MockSession.events(response.body)
    let objects = try events.dropLast().map { try MockSession.object($0) }
    var texts = ["", ""]
    for object in objects {
      texts[MockSession.int(object, "choices.0.index") ?? 0] += MockSession.text(object, "choices.0.text") ?? ""
    }
    #expect(texts == ["abcdef", "xyz"] && events.last == "[DONE]")
    #expect(objects.compactMap { MockSession.text($0, "choices.0.finish_reason") } == ["stop", "stop"])
    #expect(MockSession.int(objects.last, "usage.completion_tokens") == 3)
    #expect(MockSession.value(objects.last, "choices.0") == nil)
  }

  @Test(arguments: [
    #""messages":[]"#, #""prompt":[]"#, #""prompt":[{}]"#, #""prompt":"x","n":0"#, #""prompt":"x","n":3,"best_of":2"#,
    #""prompt":"x","best_of":2,"n":1,"stream":true"#, #""prompt":"x","max_tokens":-1"#,
  ])
  func refusesWhatIsNoCompletion(members: String) throws {
    let session = try MockSession()
    #expect(try Self.ask(session, members).0.status == 400 && session.server.report().billed == MockBill())
  }
}
