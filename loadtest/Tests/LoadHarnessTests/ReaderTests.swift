import NIOCore
import Testing

@testable import LoadHarness

@Suite struct EventStreamReaderTests {
  private static func read(_ text: String, cutAt cuts: [Int]) -> EventStreamReader {
    let bytes = Array(text.utf8)
    var reader = EventStreamReader()
    var start = 0
    for end in cuts + [bytes.count] {
      bytes[start..<end].withUnsafeBytes { reader.feed($0) }
      start = end
    }
    return reader
  }

  private static let lines = [
    #"data: {"choices":[{"delta":{"content":"\"finish_reason\":\"no\" f"},"finish_reason":null}]}"#, "", ": keepalive",
    "",
    "event: x", #"data:{"choices":[{"delta":{},"finish_reason": "stop"}]}"#, "", "data: [DONE]", "", "",
  ]

  @Test(arguments: ["\n", "\r\n", "\r"])
  func aStreamIsCompleteAtEverySplit(lineEnd: String) {
    let text = Self.lines.joined(separator: lineEnd)
    for cut in 0...text.utf8.count {
      let reader = Self.read(text, cutAt: [cut])
      #expect(reader.events == 3 && reader.isComplete && reader.comments == 1, "cut at \(cut)")
    }
    #expect(Self.read(text, cutAt: Array(1..<text.utf8.count)).isComplete)
  }

  @Test func everyShorterStreamIsIncomplete() {
    let text = "data: {\"finish_reason\":\"stop\"}\n\ndata: [DONE]\n\n"
    let bytes = Array(text.utf8)
    for length in 0..<bytes.count {
      var reader = EventStreamReader()
      bytes[..<length].withUnsafeBytes { reader.feed($0) }
      #expect(!reader.isComplete, "prefix of \(length)")
    }
  }

  @Test(arguments: [
    "data: [DONE]\n\n", "data: {\"finish_reason\":\"stop\"}\n\n",
    "data: {\"finish_reason\":null}\n\ndata: [DONE]\n\n",
    "data: {\"content\":\"\\\"finish_reason\\\":\\\"stop\\\"\"}\n\ndata: [DONE]\n\n",
    "data: {\"error\":{\"message\":\"x\"}}\n\ndata: {\"finish_reason\":\"stop\"}\n\ndata: [DONE]\n\n",
    "data: {\"finish_reason\":\"stop\"}\n\ndata: [DONE]\n\ndata: more\n\n",
    "data: {\"finish_reason\":\"stop\"}\n\ndata: [DONE]x\n\n",
  ])
  func whatIsNoProperEndIsIncomplete(text: String) {
    #expect(!Self.read(text, cutAt: []).isComplete)
  }

  @Test func anEventWithoutEndIsBounded() {
    var reader = EventStreamReader()
    let piece = [UInt8](repeating: 0x61, count: 65_536)
    for _ in 0..<64 { piece.withUnsafeBytes { reader.feed($0) } }
    #expect(reader.isBroken)
  }
}

@Suite struct ResponseReaderTests {
  private enum Seen: Equatable { case status(Int), body(String), end(Bool), malformed }

  private static func read(_ text: String, cutAt cuts: [Int]) -> (seen: [Seen], endsAtClose: Bool) {
    let bytes = Array(text.utf8)
    var reader = ResponseReader()
    var pending = ByteBuffer()
    var seen: [Seen] = []
    var start = 0
    for end in cuts + [bytes.count] {
      pending.writeBytes(bytes[start..<end])
      start = end
      reading: while true {
        switch reader.next(&pending) {
        case .needMore: break reading
        case .head(let status): seen.append(.status(status))
        case .body(let part):
          if case .body(let before)? = seen.last {
            seen[seen.count - 1] = .body(before + String(buffer: part))
          } else {
            seen.append(.body(String(buffer: part)))
          }
        case .end(let keepsAlive): seen.append(.end(keepsAlive))
        case .malformed: return (seen + [.malformed], false)
        }
      }
    }
    return (seen, reader.isCompleteAtClose())
  }

  @Test func responsesComeOutAtEverySplit() {
    let wire =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none"
      + "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\ntw\r\n0001;a\r\no\r\n0\r\nT: 1\r\n\r\n"
      + "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 429 X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    let wanted: [Seen] = [
      .status(200), .body("one"), .end(true), .status(200), .body("two"), .end(true), .status(204), .end(true),
      .status(429), .end(false),
    ]
    for cut in 0...wire.utf8.count {
      #expect(Self.read(wire, cutAt: [cut]).seen == wanted, "cut at \(cut)")
    }
    #expect(Self.read(wire, cutAt: Array(1..<wire.utf8.count)).seen == wanted)
  }

  @Test(arguments: [
    "\u{1}\u{2} this is no HTTP\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/1.1 200 OK\nA: b\n\n",
    "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "garbage without any end",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n",
  ])
  func whatIsNoHTTPIsMalformed(text: String) { #expect(Self.read(text, cutAt: []).seen.last == .malformed) }

  @Test func aBodyWithoutLengthEndsWithTheConnection() {
    let result = Self.read("HTTP/1.0 200 OK\r\n\r\nabc", cutAt: [])
    #expect(result.seen == [.status(200), .body("abc")] && result.endsAtClose)
    #expect(!Self.read("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", cutAt: []).endsAtClose)
  }
}

@Suite struct ProcessUsageTests {
  @Test func aNameWithBracketsDoesNotShiftTheFields() throws {
    let line = "7 (a) b (c)) S 1 7 7 0 -1 4194304 9 0 0 0 11 22 33 44 20 0 5 0 99 1000 256 18446744073709551615\n"
    let stat = try #require(ProcessUsage.Stat(line))
    #expect(stat.parent == 1 && stat.ownTicks == 33 && stat.waitedTicks == 77 && stat.residentPages == 256)
    #expect(ProcessUsage.Stat("7 (a) S 1") == nil && ProcessUsage.Stat("") == nil)
  }

  @Test func aProcessThatIsNotThereIsAnError() {
    #expect { _ = try ProcessUsage.read(.max) } throws: { ($0 as? LoadError)?.code == .noProcess }
  }
}

@Suite struct RequestBodyTests {
  @Test(arguments: [0, 1, 1_024, 2_048, 100_000]) func thePromptHasItsSize(bytes: Int) {
    var body = RequestBody()
    body.promptBytes = bytes
    #expect(body.prompt().utf8.count == bytes)
    #expect(body.prompt().contains("IBAN") == (bytes > 200))
    body.hasPersonalData = false
    #expect(!body.prompt().contains("@"))
  }

  @Test func theTemplateIsFilledAndTheRestStays() {
    var body = RequestBody()
    body.template = "{{model}}|{{stream}}|{{other}}|{{prompt}}|{{"
    body.model = "m{{prompt}}"
    body.promptBytes = 3
    body.hasPersonalData = false
    #expect(String(decoding: body.bytes(isStream: true), as: UTF8.self) == "m{{prompt}}|true|{{other}}|Ple|{{")
  }
}
