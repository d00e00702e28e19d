import Gateway
import JSONText
import Testing

@testable import Frontend

/// A request of HTTP/2 means what the same request means in HTTP/1.1, or it is refused.
@Suite("HTTP/2 heads for the parser of HTTP/1.1")
struct HeadLayoutTests {
  private func layOut(_ fields: [(String, String)]) -> (text: String, fault: HTTPFault?, goesOn: Bool) {
    layOut(fields.map { (Array($0.0.utf8), Array($0.1.utf8)) })
  }

  private func layOut(_ fields: [([UInt8], [UInt8])]) -> (text: String, fault: HTTPFault?, goesOn: Bool) {
    var layout = HeadLayout(in: ByteArena(capacity: 64), limits: Limits())
    var goesOn = true
    for (name, value) in fields where goesOn {
      goesOn = name.withUnsafeBytes { name in value.withUnsafeBytes { layout.add(name, $0) } }
    }
    let text = String(decoding: layout.finish(), as: UTF8.self)
    return (text, layout.fault, goesOn)
  }

  @Test func saysTheSameInTheOtherWords() {
    let (text, fault, _) = layOut(Frames.post("/v1/x?a=b", key: "k", [("x-a", "b\tc")]))
    #expect(fault == nil)
    #expect(
      text == "POST /v1/x?a=b HTTP/1.1\r\nhost: gate\r\nauthorization: Bearer k\r\ncontent-type: application/json\r\n"
        + "x-a: b\tc\r\n\r\n")
  }

  @Test func pseudoHeaderFieldsComeInAnyOrder() {
    let (text, fault, _) = layOut([(":path", "/"), (":authority", "a"), (":method", "GET"), (":scheme", "https")])
    #expect(fault == nil)
    #expect(text == "GET / HTTP/1.1\r\nhost: a\r\n\r\n")
  }

  @Test func longOnesMoveTheMemoryAndNothingElse() {
    let path = "/" + String(repeating: "a", count: 1_500)
    let value = String(repeating: "b", count: 8_000)
    let (text, fault, _) = layOut(Frames.get(path) + [("x-a", value), ("x-b", value)])
    #expect(fault == nil)
    #expect(text == "GET \(path) HTTP/1.1\r\nhost: gate\r\nx-a: \(value)\r\nx-b: \(value)\r\n\r\n")
  }

  static let faults: [(String, [(String, String)], HTTPFault)] = [
    ("a host that differs", Frames.get("/") + [("host", "other")], .duplicateField),
    ("a blank in the method", [(":method", "GET /x")], .malformedRequestLine),
    ("a line end in the path", [(":path", "/\r\nx: y")], .malformedTarget),
    ("a blank in the path", [(":path", "/ HTTP/1.1")], .malformedTarget),
    ("a line end in the authority", [(":authority", "a\r\nx: y")], .malformedHost),
    ("another scheme", [(":scheme", "ftp")], .unknownScheme),
    ("a line end in a value", [("x-a", "b\r\nx-c: d")], .malformedField),
    ("a line feed in a value", [("x-a", "b\nc")], .malformedField),
    ("NUL in a value", [("x-a", "b\0c")], .malformedField),
    ("a value beyond ASCII", [("x-a", "ä")], .malformedField),
    ("DEL in a value", [("x-a", "\u{7f}")], .malformedField),
    ("a line end in a name", [("x\r\n", "b")], .malformedField), ("a colon in a name", [("x:y", "b")], .malformedField),
    ("a blank in a name", [("x ", "b")], .malformedField), ("no name", [("", "b")], .malformedField),
    ("a capital", [("X-a", "b")], .malformedField),
    ("connection", [("connection", "close")], .malformedField),
    ("transfer-encoding", [("transfer-encoding", "chunked")], .malformedField),
    ("upgrade", [("upgrade", "h2c")], .malformedField), ("keep-alive", [("keep-alive", "5")], .malformedField),
    ("proxy-connection", [("proxy-connection", "close")], .malformedField),
    ("an unknown pseudo-header field", [(":foo", "b")], .malformedField),
    ("two paths", [(":path", "/"), (":path", "/")], .malformedField),
    ("a pseudo-header field behind others", [("x-a", "b"), (":path", "/")], .malformedField),
    ("too much", [("x-a", String(repeating: "a", count: 33_000))], .headTooLarge),
  ]

  @Test(arguments: faults)
  func refusesWhatCouldEndALineOrAWord(name: String, fields: [(String, String)], fault: HTTPFault) {
    #expect(layOut(fields).fault == fault)
  }

  @Test func theSameHostTwiceIsOne() {
    let (text, fault, _) = layOut(Frames.get("/") + [("host", "gate")])
    #expect(fault == nil)
    #expect(text == "GET / HTTP/1.1\r\nhost: gate\r\n\r\n")
  }

  @Test func aHostInTheAuthoritysPlaceStays() {
    let (text, fault, _) = layOut([(":method", "GET"), (":path", "/"), (":scheme", "http"), ("host", "a")])
    #expect(fault == nil)
    #expect(text == "GET / HTTP/1.1\r\nhost: a\r\n\r\n")
  }

  @Test func whatUnpacksToFarTooMuchEndsTheConnection() {
    let field = ("x-a", String(repeating: "a", count: 4_000))
    #expect(layOut(Array(repeating: field, count: 20)).goesOn)
    #expect(!layOut(Array(repeating: field, count: 40)).goesOn)
  }

  /// Whatever the bytes: one head, as long as what was laid out, with the names and values that were given.
  @Test func randomFieldsNeverBecomeTwoHeads() {
    var random = SeededGenerator(seed: 31)
    let words = [
      "host", "content-length", "5", "x", ":", " ", "\r\n", "\n", "\r", "/", "a", "\0", "é", "transfer-encoding",
    ]
    func bytes(_ random: inout SeededGenerator) -> [UInt8] {
      (0..<Int.random(in: 0...3, using: &random)).flatMap { _ in Array((words.randomElement(using: &random) ?? "").utf8)
      }
    }
    for _ in 0..<4_000 {
      var fields = Frames.get("/x").map { (Array($0.0.utf8), Array($0.1.utf8)) }
      for _ in 0..<Int.random(in: 0...4, using: &random) { fields.append((bytes(&random), bytes(&random))) }
      let (text, fault, _) = layOut(fields)
      guard fault == nil else { continue }
      let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
      // The request line, the host's, one for each field but the host that is said twice; two for the end.
      let hosts = fields.count { $0.0 == Array("host".utf8) }
      #expect(lines.count == 2 + fields.count - 4 - hosts + 2, "\(text.debugDescription)")
      #expect(!text.utf8.contains(0))
      guard case .accepted(_, _, let length) = parseHead(Array(text.utf8)) else { continue }
      #expect(length == text.utf8.count)
    }
  }
}
