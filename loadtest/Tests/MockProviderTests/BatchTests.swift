import Foundation
import Testing

@testable import MockProvider

/// Files and batches as the real provider has them: what is taken, and what comes of it.
@Suite struct BatchTests {
  private static func line(_ name: String, _ text: String, model: String = "mock-echo", more: String = "") -> String {
    #"{"custom_id":"\#(name)","method":"POST","url":"/v1/chat/completions","body":{"model":"\#(model)","messages":[{"role":"user","content":"\#(text)"}]}\#(more)}"#
  }

  private static func ask(
    _ session: MockSession, _ method: String, _ path: String, _ body: String = "", _ head: String = ""
  )
    throws -> [String: Any]
  {
    let client = try session.client()
    try client.send(
      "\(method) \(path) HTTP/1.1\r\nHost: mock\r\n\(head)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    let response = RawResponse(head: try client.take(through: "\r\n\r\n"))
    let bytes = try client.takeBytes(count: Int(response.headers["content-length"] ?? "") ?? 0)
    let text = String(decoding: bytes, as: UTF8.self)
    var object = (try? MockSession.object(text)) ?? [:]
    object["text"] = text
    return object
  }

  private static func upload(_ session: MockSession, _ lines: [String], purpose: String = "batch") throws -> [String:
    Any]
  {
    let form =
      "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\n\(purpose)\r\n"
      + "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\n\r\n"
      + lines.joined(separator: "\n") + "\r\n--b--\r\n"
    return try ask(
      session, "POST", "/v1/files", form, "Content-Type: multipart/form-data; boundary=b\r\n")
  }

  private static func create(_ session: MockSession, _ file: String, endpoint: String = "/v1/chat/completions") throws
    -> [String: Any]
  {
    try ask(
      session, "POST", "/v1/batches",
      #"{"input_file_id":"\#(file)","endpoint":"\#(endpoint)","completion_window":"24h"}"#)
  }

  private static func batch(_ session: MockSession, _ lines: [String]) throws -> String {
    let file = try #require(MockSession.text(try upload(session, lines), "id"))
    return try #require(MockSession.text(try create(session, file), "id"))
  }

  private static func content(_ session: MockSession, _ batch: [String: Any], _ member: String) throws -> String {
    let id = try #require(MockSession.text(batch, member))
    let found = try ask(session, "GET", "/v1/files/\(id)/content")
    return found["text"] as? String ?? String(describing: found)
  }

  @Test func linesAreAnsweredAfterSoManyLooks() throws {
    let session = try MockSession()
    let id = try Self.batch(
      session, [Self.line("a", "eins", model: "mock-echo;looks=2"), Self.line("b", "zwei", model: "mock-echo;looks=2")])
    #expect(MockSession.text(try Self.ask(session, "GET", "/v1/batches/\(id)"), "status") == "in_progress")
    #expect(session.server.report().billed == MockBill())
    let batch = try Self.ask(session, "GET", "/v1/batches/\(id)")
    #expect(MockSession.text(batch, "status") == "completed" && MockSession.int(batch, "request_counts.completed") == 2)
    #expect(MockSession.int(batch, "usage.total_tokens") == 4)
    #expect(session.server.report().billed == MockBill(requests: 2, promptTokens: 2, completionTokens: 2))
    let output = try Self.content(session, batch, "output_file_id")
    #expect(output.contains("eins") && output.contains("zwei") && output.split(separator: "\n").count == 2)
    _ = try Self.ask(session, "GET", "/v1/batches/\(id)")
    #expect(session.server.report().billed.requests == 2)
  }

  @Test func someLinesFailAndTimeRunsOut() throws {
    let session = try MockSession()
    let failed = try Self.ask(
      session, "GET", "/v1/batches/\(try Self.batch(session, [Self.line("a", "x", model: "mock-error-400")]))")
    #expect(MockSession.int(failed, "request_counts.failed") == 1 && failed["output_file_id"] is NSNull)
    #expect(try Self.content(session, failed, "error_file_id").contains(#""custom_id":"a""#))
    let model = "mock-echo;expires=1"
    let late = try Self.ask(
      session, "GET",
      "/v1/batches/\(try Self.batch(session, [Self.line("a", "x", model: model), Self.line("b", "y", model: model)]))")
    #expect(MockSession.text(late, "status") == "expired")
    #expect(try Self.content(session, late, "error_file_id").contains("batch_expired"))
  }

  @Test(arguments: [
    [Self.line("a", "x"), Self.line("a", "y")], [Self.line("a", "x"), Self.line("b", "y", model: "mock-fast")],
    ["{}"], [Self.line("a", "x", more: #","extra":1"#)], ["text"],
  ])
  func aWrongInputFails(lines: [String]) throws {
    let session = try MockSession()
    let batch = try Self.ask(session, "GET", "/v1/batches/\(try Self.batch(session, lines))")
    #expect(MockSession.text(batch, "status") == "failed" && MockSession.int(batch, "errors.data.0.line") ?? 0 > 0)
    #expect(session.server.report().billed == MockBill())
  }

  @Test func whatIsNotTakenIsRefused() throws {
    let session = try MockSession()
    #expect(MockSession.text(try Self.upload(session, ["{}"], purpose: "none"), "error.param") == "purpose")
    #expect(MockSession.text(try Self.create(session, "file-none"), "error.type") == "invalid_request_error")
    let other = try #require(MockSession.text(try Self.upload(session, ["{}"], purpose: "assistants"), "id"))
    #expect(MockSession.text(try Self.create(session, other), "error.param") == "input_file_id")
    #expect(try Self.ask(session, "GET", "/v1/batches/none")["error"] != nil)
    #expect(try Self.ask(session, "DELETE", "/v1/files/none")["error"] != nil)
    #expect(try Self.ask(session, "DELETE", "/v1/files/\(other)")["deleted"] as? Bool == true)
    #expect(try Self.ask(session, "GET", "/v1/files/\(other)")["error"] != nil)
  }

  @Test func aCancelledBatchDoesNothing() throws {
    let session = try MockSession()
    let id = try Self.batch(session, [Self.line("a", "x")])
    #expect(MockSession.text(try Self.ask(session, "POST", "/v1/batches/\(id)/cancel"), "status") == "cancelling")
    #expect(MockSession.text(try Self.ask(session, "GET", "/v1/batches/\(id)"), "status") == "cancelled")
    #expect(try Self.ask(session, "POST", "/v1/batches/\(id)/cancel")["error"] != nil)
    #expect(session.server.report().billed == MockBill())
    session.server.reset()
    #expect(try Self.ask(session, "GET", "/v1/batches/\(id)")["error"] != nil)
  }
}
