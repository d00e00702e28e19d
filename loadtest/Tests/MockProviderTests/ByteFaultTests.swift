import Testing

@testable import MockProvider

/// Faults in the bytes and in the time of an answer.
@Suite struct ByteFaultTests {
  private static let stream = #","stream":true"#

  @Test(arguments: ["", stream]) func aResetComesAfterItsBytes(extra: String) throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-reset-at;at=500", "x", extra: extra))
    let (text, end) = client.receiveToEnd()
    #expect(end == .reset && text.utf8.count == 500 && text.hasPrefix("HTTP/1.1 200"))
  }

  @Test func anAnswerThatIsShorterThanItsResetIsWhole() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-reset-at;at=999999", "x"))
    #expect(try client.response().status == 200)
    try client.send(MockSession.chat("mock-echo", "y"))
    #expect(try client.response().status == 200)
  }

  @Test func garbageInTheMiddleLeavesTheRestOfThePlainAnswer() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-garbage-middle", "a text that is long enough"))
    let (status, body) = try Self.whole(client)
    #expect(status.hasPrefix("HTTP/1.1 200") && (try? MockSession.object(body)) == nil)
    #expect(body.hasPrefix("{\"id\"") && body.hasSuffix("}"))
  }

  /// Reads an answer whose body may be no UTF-8: up to the end of its JSON.
  private static func whole(_ client: RawClient) throws -> (head: String, body: String) {
    let text = try client.take(through: "\"fp_mock\"}")
    let parts = text.split(separator: "\r\n\r\n", maxSplits: 1)
    return (String(parts.first ?? ""), String(parts.last ?? ""))
  }

  @Test func garbageInTheMiddleOfAStreamIsNoChunk() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-garbage-middle;chunk=2", "abcdef", extra: Self.stream))
    let text = try client.take(through: "[DONE]")
    #expect(text.contains("neither chunk nor event") && text.contains("\"ab\"") && text.contains("\"cd\""))
  }

  @Test func anEndlessStreamIsCutByItsBounds() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-endless;chunks=50;delay=0", "x", extra: Self.stream))
    let (text, end) = client.receiveToEnd()
    #expect(end == .end && !text.contains("[DONE]") && text.ranges(of: "\"content\":\"").count == 51)
  }

  @Test(arguments: [
    ("mock-endless", 3_000), ("mock-endless;seconds=2;delay=100", 20), ("mock-endless;delay=0;seconds=9", 9_000),
    ("mock-endless;delay=0;seconds=999999", Script.endlessLimit), ("mock-endless;chunks=7", 7),
  ])
  func anEndlessStreamIsBoundedInTimeAndCount(model: String, deltas: Int) {
    #expect(Script(model: model).endlessDeltas == deltas)
  }

  @Test func aHugeLineIsOneEvent() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-huge-line;size=300000", "x", extra: Self.stream))
    let events = MockSession.events(try client.response().body)
    #expect(events.contains { $0.utf8.count > 300_000 } && events.last == "[DONE]" && events.count == 4)
  }

  @Test(arguments: ["", stream]) func aSlowHeadComesByteByByte(extra: String) throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-slow-head;delay=1", "x", extra: extra))
    _ = try client.take(through: "HTT")
    #expect(client.receive(waits: false) != .end)
    _ = try client.take(through: extra.isEmpty ? "\"fp_mock\"}" : "[DONE]")
  }

  @Test(arguments: ["", stream]) func aLateBodyFollowsItsHead(extra: String) throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-late-body;delay=200", "x", extra: extra))
    let head = try client.take(through: "\r\n\r\n")
    #expect(head.hasPrefix("HTTP/1.1 200") && !head.contains("fp_mock"))
    _ = try client.take(through: extra.isEmpty ? "\"fp_mock\"}" : "[DONE]")
  }

  @Test(arguments: [
    ("mock-usage-zero", "\"prompt_tokens\":0,"), ("mock-usage-huge", "\"prompt_tokens\":99999999999999999999,"),
    ("mock-usage-negative", "\"prompt_tokens\":-7,"), ("mock-usage-text", "\"prompt_tokens\":\"many\","),
  ])
  func usageCanLieAndTheBillDoesNot(model: String, text: String) throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat(model, "abcdefgh"))
    #expect(try client.response().body.contains(text))
    let asked = Self.stream + #","stream_options":{"include_usage":true}"#
    try client.send(MockSession.chat(model, "abcdefgh", extra: asked))
    #expect(try client.response().body.contains(text))
    #expect(session.server.report().billed == MockBill(requests: 2, promptTokens: 4, completionTokens: 4))
  }
}
