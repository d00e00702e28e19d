import Foundation
import Testing

@testable import MockProvider

/// Bedrock's Converse dialect, its binary stream and its signatures.
@Suite struct ConverseTests {
  private static let tools =
    #","toolConfig":{"tools":[{"toolSpec":{"name":"weather","inputSchema":{"json":{"type":"object"}}}},{"toolSpec":{"name":"time","inputSchema":{"json":{}}}}]}"#
  private static let key = "authorization: Bearer k\r\n"

  private static func body(_ text: String, extra: String = "") -> String {
    #"{"messages":[{"role":"user","content":[{"text":\#(MockSession.quoted(text))}]}]\#(extra)}"#
  }

  private static func ask(
    _ session: MockSession, _ model: String, _ body: String, headers: String = Self.key
  ) throws -> (RawResponse, [String: Any]) {
    let response = try session.ask("/model/\(model)/converse", body, headers: headers)
    return (response, (try? MockSession.object(response.body)) ?? [:])
  }

  private struct Message {
    var headers: [String: String] = [:]
    var payload: [String: Any] = [:]
    var isWhole = false
  }

  /// The messages of a stream, read by a reader of its own.
  private static func stream(_ session: MockSession, _ model: String, _ body: String) throws -> [Message] {
    let client = try session.client()
    try client.send(MockSession.post("/model/\(model)/converse-stream", body, headers: key))
    let head = RawResponse(head: try client.take(through: "\r\n\r\n"))
    #expect(head.headers["content-type"] == "application/vnd.amazon.eventstream")
    var bytes: [UInt8] = []
    while true {
      guard let size = Int(try client.take(through: "\r\n").dropLast(), radix: 16) else { break }
      bytes += try client.takeBytes(count: size)
      _ = try client.takeBytes(count: 2)
      if size == 0 { break }
    }
    var messages: [Message] = []
    while !bytes.isEmpty {
      let total = number(bytes[0..<4])
      let headerBytes = number(bytes[4..<8])
      var message = Message()
      message.isWhole =
        CRC32.checksum(bytes[0..<8]) == UInt32(number(bytes[8..<12]))
        && CRC32.checksum(bytes[0..<(total - 4)]) == UInt32(number(bytes[(total - 4)..<total]))
      var at = 12
      while at < 12 + headerBytes {
        let nameEnd = at + 1 + Int(bytes[at])
        #expect(bytes[nameEnd] == 7)
        let valueEnd = nameEnd + 3 + number(bytes[(nameEnd + 1)..<(nameEnd + 3)])
        message.headers[String(decoding: bytes[(at + 1)..<nameEnd], as: UTF8.self)] =
          String(decoding: bytes[(nameEnd + 3)..<valueEnd], as: UTF8.self)
        at = valueEnd
      }
      message.payload = try MockSession.object(String(decoding: bytes[at..<(total - 4)], as: UTF8.self))
      messages.append(message)
      bytes.removeFirst(total)
    }
    return messages
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

  @Test(arguments: ["mock-echo", "mock-echo%3Bchunk%3D2"]) func echoesWithExactUsage(model: String) throws {
    let session = try MockSession()
    let (response, object) = try Self.ask(
      session, model, Self.body("Grüße", extra: #","system":[{"text":"be kind!"}]"#))
    #expect(
      MockSession.text(object, "output.message.content.0.text") == "Grüße"
        && object["stopReason"] as? String == "end_turn")
    #expect(MockSession.int(object, "usage.inputTokens") == 4 && MockSession.int(object, "usage.outputTokens") == 2)
    #expect(response.headers["x-amzn-requestid"] != nil)
    #expect(session.server.report().billed == MockBill(requests: 1, promptTokens: 4, completionTokens: 2))
  }

  @Test func aStreamIsBinaryMessagesInOrder() throws {
    let session = try MockSession()
    let messages = try Self.stream(session, "mock-echo;chunk=4", Self.body("0123456789"))
    #expect(messages.allSatisfy { $0.isWhole && $0.headers[":message-type"] == "event" })
    #expect(
      messages.map { $0.headers[":event-type"] } == [
        "messageStart", "contentBlockDelta", "contentBlockDelta", "contentBlockDelta", "contentBlockStop",
        "messageStop",
        "metadata",
      ])
    #expect(messages.compactMap { MockSession.text($0.payload, "delta.text") }.joined() == "0123456789")
    #expect(MockSession.int(messages.last?.payload, "usage.totalTokens") == 6)
  }

  @Test func callsAndThinkingHaveBlocksOfTheirOwn() throws {
    let session = try MockSession()
    let messages = try Self.stream(session, "mock-thinking;calls=2;chunk=5", Self.body("why", extra: Self.tools))
    let starts = messages.filter { $0.headers[":event-type"] == "contentBlockStart" }
    #expect(starts.map { MockSession.text($0.payload, "start.toolUse.name") } == ["weather", "time"])
    let input = messages.filter { MockSession.int($0.payload, "contentBlockIndex") == 1 }
      .compactMap { MockSession.text($0.payload, "delta.toolUse.input") }.joined()
    #expect(input == #"{"text":"why"}"#)
    #expect(messages.contains { MockSession.text($0.payload, "delta.reasoningContent.signature") != nil })
    let (_, plain) = try Self.ask(session, "mock-tools", Self.body("why", extra: Self.tools))
    #expect(
      MockSession.text(plain, "output.message.content.1.toolUse.input.text") == "why"
        && plain["stopReason"] as? String == "tool_use")
  }

  @Test func errorsAreExceptions() throws {
    let session = try MockSession()
    let (response, object) = try Self.ask(session, "mock-error-429", Self.body("x"))
    #expect(
      response.status == 429 && response.headers["x-amzn-errortype"] == "ThrottlingException"
        && object["message"] is String)
    let last = try Self.stream(session, "mock-stream-error-429;chunk=1", Self.body("abc")).last
    #expect(last?.headers[":message-type"] == "exception" && last?.headers[":exception-type"] == "throttlingException")
    let broken = try Self.stream(session, "mock-garbage-body;chunk=1", Self.body("abc"))
    #expect(broken.count { !$0.isWhole } == 1)
  }

  @Test(arguments: [
    #"{"messages":[{"role":"user","content":"x"}]}"#,
    #"{"messages":[{"role":"user","content":[{"type":"text","text":"x"}]}]}"#,
    #"{"messages":[{"role":"system","content":[{"text":"x"}]}]}"#,
    #"{"messages":[{"role":"user","content":[{"text":""}]}]}"#,
    #"{"messages":[{"role":"user","content":[{"text":"x"}]},{"role":"user","content":[{"text":"y"}]}]}"#,
    #"{"messages":[{"role":"user","content":[{"text":"x"}]},{"role":"assistant","content":[{"text":"y"}]}]}"#,
    #"{"messages":[{"role":"user","content":[{"text":"x"}]}],"max_tokens":3}"#,
    #"{"messages":[{"role":"user","content":[{"text":"x"}]}],"inferenceConfig":{"temperature":1.5}}"#,
    #"{"messages":[{"role":"user","content":[{"text":"x"}]}],"toolConfig":{"tools":[]}}"#,
    #"{"messages":[{"role":"user","content":[{"text":"x"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"a","name":"f","input":{}}}]},{"role":"user","content":[{"text":"y"}]}]}"#,
  ])
  func refusesWhatABadTranslationSends(body: String) throws {
    let session = try MockSession()
    let (response, _) = try Self.ask(session, "mock-echo", body)
    #expect(response.status == 400 && response.headers["x-amzn-errortype"] == "ValidationException")
  }

  // MARK: Signatures

  /// Examples of FIPS 180-4, case 2 of RFC 4231, and the check value of this CRC.
  @Test func digestsAndChecksumsHaveTheirKnownValues() {
    #expect(
      SHA256Digest.hex(SHA256Digest.digest(Array("abc".utf8)))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      SHA256Digest.hex(SHA256Digest.digest(Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8)))
        == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    #expect(
      SHA256Digest.hex(SHA256Digest.hmac(Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8)))
        == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    #expect(CRC32.checksum("123456789".utf8) == 0xCBF4_3926)
  }

  /// Signed by botocore 1.43 with this key, for this body, date and path.
  private static let signedHeaders =
    "Content-Type: application/json\r\nX-Amz-Date: 20261129T120000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261129/eu-central-1/bedrock/aws4_request, "
    + "SignedHeaders=content-type;host;x-amz-date, Signature="
    + "702df9ceaedbe1a2c250315452193bbe6dd3fe00ae74d8086a8a5a38a7e0407d\r\n"

  @Test(arguments: [(0, 200), (1, 403), (2, 403), (3, 403), (4, 403)]) func aSignatureBelongsToItsRequest(
    change: Int, status: Int
  ) throws {
    let session = try MockSession(
      amazonKey: AmazonKey(id: "AKIDEXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))
    var fields = Self.signedHeaders
    var body = Self.body("Grüße")
    var path = "/model/mock-echo%3Bchunk%3D2/converse"
    switch change {
    case 1: body = Self.body("Grösse")
    case 2: path = "/model/mock-echo%3Bchunk%3D3/converse"
    case 3: fields = fields.replacing("T120000Z\r\n", with: "T120001Z\r\n")
    case 4: fields = Self.key
    default: break
    }
    let request =
      "POST \(path) HTTP/1.1\r\nHost: bedrock-runtime.eu-central-1.amazonaws.com\r\n\(fields)Content-Length: "
      + "\(body.utf8.count)\r\n\r\n\(body)"
    let client = try session.client()
    try client.send(request)
    #expect(try client.response().status == status)
  }
}
