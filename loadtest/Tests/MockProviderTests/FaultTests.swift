import Foundation
import Testing

@testable import MockProvider

@Suite struct FaultTests {
  private static let stream = #","stream":true"#

  @Test(arguments: [400, 401, 403, 429, 500, 503, 529])
  func errorsHaveOpenAIsShapeAndKeepTheConnection(status: Int) throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-error-\(status);retry-after=7", "x"))
    let response = try client.response()
    let error = try MockSession.object(response.body)["error"] as? [String: Any]
    #expect(response.status == status && error?["message"] is String && error?["type"] is String)
    #expect(response.headers["retry-after"] == (status == 429 || status == 503 ? "7" : nil))
    #expect((error?["message"] as? String)?.contains(ErrorAnswer.keyFragment) == (status == 401))
    try client.send(MockSession.chat("mock-echo", "after"))
    #expect(try client.response().status == 200)
    #expect(session.server.report().billed.requests == 1)
  }

  @Test func errorsEndAfterTheGivenTimes() throws {
    let session = try MockSession()
    let client = try session.client()
    var statuses: [Int] = []
    for _ in 0..<4 {
      try client.send(MockSession.chat("mock-error-500;times=2", "x"))
      statuses.append(try client.response().status)
    }
    #expect(statuses == [500, 500, 200, 200])
  }

  @Test func aCutStreamHasNoEnd() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-cut-stream;chunk=2;after=2", "abcdefgh", extra: Self.stream))
    let (text, end) = client.receiveToEnd()
    #expect(end == .end && text.contains("\"ab\"") && text.contains("\"cd\"") && !text.contains("\"ef\""))
    #expect(!text.contains("[DONE]") && !text.hasSuffix("0\r\n\r\n"))
    #expect(session.server.report().billed == MockBill(requests: 1, promptTokens: 2, completionTokens: 1))
  }

  @Test func aCutComesAlsoWhenTheTextIsTooShortForIt() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-cut-stream;after=99", "short", extra: Self.stream))
    let (text, _) = client.receiveToEnd()
    #expect(text.contains("short") && !text.contains("[DONE]"))
  }

  @Test func aCutPlainAnswerIsShorterThanItSaysAndIsCharged() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-cut-plain", "abcdefgh"))
    let (text, _) = client.receiveToEnd()
    let parts = text.split(separator: "\r\n\r\n", maxSplits: 1)
    let length = Int(RawResponse(head: String(parts[0])).headers["content-length"] ?? "") ?? 0
    #expect(parts.count == 2 && length > 0 && parts[1].utf8.count == length / 2)
    #expect(session.server.report().billed == MockBill(requests: 1, promptTokens: 2, completionTokens: 2))
  }

  @Test func aResetComesBeforeAnyByte() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-reset", "x"))
    let (text, end) = client.receiveToEnd()
    #expect(text == "" && end == .reset)
    #expect(session.server.report().billed == MockBill())
  }

  @Test func aResetInAStreamComesAfterItsDeltas() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-reset;chunk=1;after=2;delay=1", "abcdef", extra: Self.stream))
    let (_, end) = client.receiveToEnd()
    #expect(end == .reset)
    #expect(session.server.report().billed == MockBill(requests: 1, promptTokens: 2, completionTokens: 1))
  }

  @Test func garbageIsNoHTTPAndEndsTheConnection() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-garbage", "x"))
    let (text, _) = client.receiveToEnd()
    #expect(!text.isEmpty && !text.hasPrefix("HTTP/"))
  }

  @Test func garbageInTheBodyIsGoodHTTPWithBrokenJSON() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-garbage-body", "a text that is long enough"))
    let response = try client.response()
    #expect(response.status == 200 && (try? MockSession.object(response.body)) == nil)
    try client.send(MockSession.chat("mock-garbage-body;chunk=4", "a text that is long", extra: Self.stream))
    let events = MockSession.events(try client.response().body)
    #expect(events.filter { $0 != "[DONE]" && (try? MockSession.object($0)) == nil }.count == 1)
  }

  /// Embeddings have the faults of all others.
  @Test(arguments: [
    ("mock-reset", ""), ("mock-reset-at;at=60", "HTTP/1.1 200"), ("mock-garbage", "\u{1}\u{2}"),
    ("mock-cut", "HTTP/1.1 200"), ("mock-error-503", "HTTP/1.1 503"), ("mock-garbage-body", "HTTP/1.1 200"),
    ("mock-usage-negative", "HTTP/1.1 200"),
  ])
  func embeddingsMayFail(model: String, beginning: String) throws {
    let session = try MockSession()
    let client = try session.client()
    let body = #"{"model":"\#(model)","input":"a"}"#
    try client.send(MockSession.post("/v1/embeddings", body, headers: "Connection: close\r\n"))
    let (text, end) = client.receiveToEnd()
    #expect(text.hasPrefix(beginning) && (end == .reset) == model.hasPrefix("mock-reset"))
    let parts = text.components(separatedBy: "\r\n\r\n")
    let answer = parts.count > 1 ? try? MockSession.object(parts[1]) : nil
    #expect((answer == nil) == !["mock-error-503", "mock-usage-negative"].contains(model))
    if model == "mock-usage-negative" { #expect((answer?["usage"] as? [String: Int])?["prompt_tokens"] == -7) }
  }

  @Test func aHangAnswersNothingAndHoldsTheConnection() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-hang", "x") + MockSession.chat("mock-echo", "y"))
    // A second connection that was answered shows that the first had its turn.
    let other = try session.client()
    try other.send(MockSession.chat("mock-echo", "z"))
    #expect(try other.response().status == 200)
    #expect(client.receive(waits: false) == .nothing)
    #expect(session.server.report().billed.requests == 1)
  }

  @Test func aHangInAStreamSendsItsDeltasFirst() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.chat("mock-hang;chunk=1;after=2", "abc", extra: Self.stream))
    _ = try client.take(through: "\"b\"")
    #expect(client.receive(waits: false) != .end)
  }

  @Test(arguments: [#"{"model":"mock-echo","messages":[{"role":"user","content":"a"}],}"#, "no json", "{}"])
  func aBrokenBodyIsRefusedAndNotCharged(body: String) throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.post("/v1/chat/completions", body))
    #expect(try client.response().status == 400)
    #expect(session.server.report().billed == MockBill() && session.server.report().received == 1)
  }
}
