import NIOCore
import Testing

@testable import MockProvider

/// OpenAI's routes beside chat: each has an answer, and usage where the real one has it.
@Suite struct FurtherTests {
  private static func ask(_ session: MockSession, _ path: String, _ body: String) throws -> (RawResponse, [String: Any])
  {
    let response = try session.ask(path, body)
    return (response, (try? MockSession.object(response.body)) ?? [:])
  }

  @Test(arguments: [(#""a""#, 1), (#"["a","b"]"#, 2), (#"[{"type":"text","text":"a"},{"type":"text","text":"b"}]"#, 1)])
  func moderationsAnswerEachInputAndAreFree(input: String, results: Int) throws {
    let session = try MockSession()
    for (model, isFlagged) in [("mock-echo", false), ("mock-refusal", true)] {
      let (_, object) = try Self.ask(session, "/v1/moderations", #"{"model":"\#(model)","input":\#(input)}"#)
      #expect((object["results"] as? [Any])?.count == results)
      #expect(MockSession.value(object, "results.0.flagged") as? Bool == isFlagged)
      #expect(MockSession.value(object, "results.0.categories.hate") as? Bool == isFlagged)
    }
    #expect(session.server.report().billed == MockBill())
  }

  @Test func speechIsBinaryAndHoldsItsText() throws {
    let session = try MockSession()
    let client = try session.client()
    try client.send(MockSession.post("/v1/audio/speech", #"{"model":"mock-echo","voice":"a","input":"Grüße"}"#))
    let head = RawResponse(head: try client.take(through: "\r\n\r\n"))
    #expect(head.headers["content-type"] == "audio/mpeg")
    let bytes = try client.takeBytes(count: Int(head.headers["content-length"] ?? "") ?? 0)
    #expect(bytes == [0xFF, 0xFB, 0x00, 0x80] + Array("Grüße".utf8) + [0x00, 0xC3, 0x28, 0xFF])
    #expect(session.server.report().billed == MockBill(requests: 1, promptTokens: 2, completionTokens: 0))
  }

  @Test func imagesAreCountedEach() throws {
    let session = try MockSession()
    let (_, object) = try Self.ask(session, "/v1/images/generations", #"{"model":"mock-echo","prompt":"a mill","n":2}"#)
    #expect((object["data"] as? [Any])?.count == 2 && MockSession.text(object, "data.0.revised_prompt") == "a mill")
    #expect(MockSession.text(object, "data.1.b64_json") == "cGljdHVyZSAx")
    #expect(
      MockSession.int(object, "usage.output_tokens") == 544 && MockSession.int(object, "usage.total_tokens") == 546)
    #expect(session.server.report().billed == MockBill(requests: 1, promptTokens: 2, completionTokens: 544))
  }

  @Test func rerankOrdersByWordsAndKeepsTheOrderOfEquals() throws {
    let session = try MockSession()
    let body =
      #"{"model":"mock-echo","query":"town wall","documents":["a","the town wall",{"text":"a wall"},"b"],"top_n":3,"return_documents":true}"#
    let (_, object) = try Self.ask(session, "/v1/rerank", body)
    let results = object["results"] as? [[String: Any]] ?? []
    #expect(results.map { $0["index"] as? Int } == [1, 2, 0])
    #expect(results.map { $0["relevance_score"] as? Double } == [1, 0.5, 0])
    #expect(MockSession.text(object, "results.1.document.text") == "a wall")
    #expect(MockSession.int(object, "usage.total_tokens") == 8)
  }

  private static func form(_ fields: [(String, String)], boundary: String = "b-1") -> String {
    fields.map { "--\(boundary)\r\nContent-Disposition: form-data; \($0.0)\r\n\r\n\($0.1)\r\n" }.joined()
      + "--\(boundary)--\r\n"
  }

  private static let audio = (
    "name=\"file\"; filename=\"call of Anna.wav\"\r\nContent-Type: audio/wav", "RIFF\r\n--no\r\n"
  )

  @Test(arguments: [
    ([("name=\"model\"", "mock-echo"), audio], "The mock heard 12 bytes of call of Anna.wav.", 3),
    ([audio, ("name=\"model\"", "mock-echo"), ("name=\"prompt\"", "Grüße")], "Grüße", 5),
  ])
  func aTranscriptionReadsItsForm(fields: [(String, String)], text: String, tokens: Int) throws {
    let session = try MockSession()
    let headers = "Content-Type: multipart/form-data; boundary=\"b-1\"\r\n"
    let response = try session.ask("/v1/audio/transcriptions", Self.form(fields), headers: headers)
    let object = try MockSession.object(response.body)
    #expect(object["text"] as? String == text && MockSession.int(object, "usage.input_tokens") == tokens)
    #expect(session.server.report().billed.promptTokens == tokens)
    let plain = try session.ask(
      "/v1/audio/transcriptions", Self.form(fields + [("name=\"response_format\"", "text")]), headers: headers)
    #expect(plain.body == text && plain.headers["content-type"] == "text/plain; charset=utf-8")
    // It knows one language, so its translations are the same.
    let english = try session.ask("/v1/audio/translations", Self.form(fields), headers: headers)
    #expect(try MockSession.object(english.body)["text"] as? String == text)
  }

  @Test(arguments: [
    ("multipart/form-data; boundary=b-1", "no form"), ("application/json", "{}"), ("multipart/form-data", "--b-1--"),
    ("multipart/form-data; boundary=b-1", "--b-1\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm"),
    ("multipart/form-data; boundary=b-1", form([("name=\"model\"", "m")])),
    ("multipart/form-data; boundary=b-1", form([audio])),
  ])
  func aBrokenFormIsRefused(type: String, body: String) throws {
    let session = try MockSession()
    #expect(try session.ask("/v1/audio/transcriptions", body, headers: "Content-Type: \(type)\r\n").status == 400)
  }

  @Test(arguments: [
    ("/v1/moderations", #"{"model":"m"}"#), ("/v1/moderations", #"{"input":[1]}"#),
    ("/v1/audio/speech", #"{"model":"m","input":"x"}"#),
    ("/v1/images/generations", #"{"prompt":"x","n":11}"#), ("/v1/rerank", #"{"model":"m","query":"q","documents":[]}"#),
  ])
  func refusesWhatIsIncomplete(path: String, body: String) throws {
    let session = try MockSession()
    #expect(try session.ask(path, body).status == 400)
  }

  @Test(arguments: ["/v1/moderations", "/v1/rerank", "/v1/images/generations"]) func faultsComeHereToo(path: String)
    throws
  {
    let session = try MockSession()
    let rest = #""input":"x","prompt":"x","query":"q","documents":["d"]}"#
    #expect(try session.ask(path, #"{"model":"mock-error-503",\#(rest)"#).status == 503)
    let client = try session.client()
    try client.send(MockSession.post(path, #"{"model":"mock-cut",\#(rest)"#))
    let (text, _) = client.receiveToEnd()
    #expect(
      text.hasPrefix("HTTP/1.1 200") && (try? MockSession.object(String(text.split(separator: "\r\n\r\n")[1]))) == nil)
  }
}
