import Testing

@testable import MockProvider

@Suite struct StreamAnswerTests {
  private static let stream = #","stream":true"#
  private static let withUsage = #","stream":true,"stream_options":{"include_usage":true}"#

  @Test(arguments: [
    "mock-echo", "mock-echo;chunk=1", "mock-echo;chunk=3;delay=1", "mock-echo;chunks=4", "mock-echo;chunk=5;split=1",
    "mock-echo;split=3;delay=1",
  ])
  func aStreamIsWholeHoweverItIsCut(model: String) throws {
    let session = try MockSession()
    let client = try session.client()
    let text = "Grüße 😀 [NAME_0a1b2c3d] \"q\"\n"
    try client.send(MockSession.chat(model, text, extra: Self.withUsage))
    let response = try client.response()
    let reading = try MockSession.reading(response.body)
    #expect(reading.text == text && reading.finish == ["stop"])
    let tokens = (text.utf8.count + 3) / 4
    #expect(reading.usage == MockUsage(promptTokens: tokens, completionTokens: tokens))
    #expect(MockSession.events(response.body).last == "[DONE]")
    #expect(response.headers["content-type"]?.hasPrefix("text/event-stream") == true)
  }

  @Test func usageComesOnlyWhenItIsAskedFor() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-echo", "x", extra: Self.stream))
    #expect(!(try client.response().body.contains("usage")))
    try client.send(MockSession.chat("mock-echo", "x", extra: Self.withUsage))
    let events = MockSession.events(try client.response().body)
    let nulls = events.filter { $0.contains(#""usage":null"#) }
    let last = events.filter { $0.contains(#""choices":[],"usage":{"#) }
    #expect(nulls.count == events.count - 2 && last.count == 1)
  }

  @Test func aStreamBeginsWithTheRoleAndSharesItsIdentity() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-echo;chunk=1", "abc", extra: Self.stream))
    let objects = try MockSession.events(try client.response().body).dropLast().map { try MockSession.object($0) }
    #expect((MockSession.choice(objects[0])["delta"] as? [String: String]) == ["role": "assistant", "content": ""])
    #expect(Set(objects.map { $0["id"] as? String }).count == 1)
    #expect((MockSession.choice(objects[objects.count - 1])["delta"] as? [String: String]) == [:])
    #expect(objects.count == 5)
  }

  @Test func aToolCallComesInFragments() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-tool;chunk=3", "Anna \"A\"", extra: Self.withUsage))
    let reading = try MockSession.reading(try client.response().body)
    #expect(try MockSession.object(reading.arguments)["text"] as? String == "Anna \"A\"")
    #expect(reading.finish == ["tool_calls"] && reading.text == "")
    #expect(reading.usage?.completionTokens == (reading.arguments.utf8.count + 3) / 4)
  }

  @Test func tokenLimitEndsAStreamWithLength() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-fast", "x", extra: Self.withUsage + #","max_tokens":5"#))
    let reading = try MockSession.reading(try client.response().body)
    #expect(reading.finish == ["length"] && reading.text.utf8.count == 20 && reading.usage?.completionTokens == 5)
  }

  @Test func fixedStreamsHaveTheChunksAskedFor() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-stream:chunks=50,size=600", "x", extra: Self.stream))
    let events = MockSession.events(try client.response().body)
    #expect(events.count == 50 + 3)
    #expect(try MockSession.reading(events.map { "data: \($0)\n\n" }.joined()).text.utf8.count == 600)
  }

  @Test func aLargeStreamWithoutDelaysArrivesWhole() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-fast;size=2000000;chunk=500", "x", extra: Self.withUsage))
    #expect(try MockSession.reading(try client.response().body).text.utf8.count == 2_000_000)
    #expect(session.server.report().billed.completionTokens == 500_000)
  }

  @Test func manyPipelinedStreamsAreAnsweredInOrder() throws {
    let session = try MockSession()
    let client = try session.client()
    let wire = (0..<200).map { MockSession.chat("mock-echo", "n\($0)", extra: Self.stream) }.joined()
    try client.send(wire)
    for number in 0..<200 {
      #expect(try MockSession.reading(try client.response().body).text == "n\(number)")
    }
  }

  @Test func anOldClientGetsAStreamThatEndsWithTheConnection() throws {
    let session = try MockSession()
    let client = try session.client()
    let request = MockSession.chat("mock-echo", "old", extra: Self.stream)
    try client.send(request.replacing("HTTP/1.1", with: "HTTP/1.0"))
    let (text, end) = client.receiveToEnd()
    #expect(end == .end && !text.contains("chunked") && text.hasSuffix("data: [DONE]\n\n"))
  }
}
