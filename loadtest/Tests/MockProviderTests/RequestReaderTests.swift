import NIOCore
import Testing

@testable import MockProvider

@Suite struct RequestReaderTests {
  /// What comes out when `bytes` arrive in pieces that end at `cuts`.
  private static func bodies(_ bytes: [UInt8], cutAt cuts: [Int]) -> (bodies: [String], isMalformed: Bool) {
    var reader = RequestReader()
    var pending = ByteBuffer()
    var bodies: [String] = []
    var start = 0
    for end in cuts + [bytes.count] {
      pending.writeBytes(bytes[start..<end])
      start = end
      reading: while true {
        switch reader.next(&pending) {
        case .needMore: break reading
        case .sendContinue: continue
        case .malformed: return (bodies, true)
        case .request(_, _, let body): bodies.append(String(buffer: body))
        }
      }
    }
    return (bodies, false)
  }

  private static let wire = Array(
    ("POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\none"
      + "POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\ntw\r\n1\r\no\r\n0\r\nTrailer: 1\r\n\r\n"
      + "GET /c HTTP/1.1\r\n\r\n").utf8)

  @Test func pipelinedRequestsComeOutAtEverySplit() {
    for cut in 0...Self.wire.count {
      let result = Self.bodies(Self.wire, cutAt: [cut])
      #expect(result.bodies == ["one", "two", ""] && !result.isMalformed, "cut at \(cut)")
    }
    let single = Self.bodies(Self.wire, cutAt: Array(1..<Self.wire.count))
    #expect(single.bodies == ["one", "two", ""])
  }

  @Test(arguments: [
    "POST / HTTP/1.1\nContent-Length: 0\n\n", "\r\n\r\n", "POST /\r\n\r\n", "POST / HTTP/2.0\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "POST / HTTP/1.1\r\nno colon\r\n\r\n",
    "POST / HTTP/1.1\r\n: x\r\n\r\n", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n",
  ])
  func brokenFramingIsRefused(text: String) {
    #expect(Self.bodies(Array(text.utf8), cutAt: []).isMalformed)
  }

  @Test func anEndlessHeadIsRefused() {
    let head = "GET / HTTP/1.1\r\n" + String(repeating: "a: b\r\n", count: 20_000)
    #expect(Self.bodies(Array(head.utf8), cutAt: []).isMalformed)
  }

  @Test func aBodyOnDemandIsAskedForOnce() {
    var reader = RequestReader()
    var pending = ByteBuffer(string: "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    guard case .sendContinue = reader.next(&pending), case .needMore = reader.next(&pending) else {
      Issue.record("no 100 Continue")
      return
    }
    pending.writeString("ok")
    guard case .request(_, _, let body) = reader.next(&pending) else {
      Issue.record("no request")
      return
    }
    #expect(String(buffer: body) == "ok")
  }

  @Test(arguments: [
    ("HTTP/1.1", "", true), ("HTTP/1.1", "Connection: Close\r\n", false), ("HTTP/1.0", "", false),
    ("HTTP/1.0", "connection: keep-alive\r\n", true),
  ])
  func keepsTheConnectionAsAsked(version: String, field: String, keepsAlive: Bool) {
    var reader = RequestReader()
    var pending = ByteBuffer(string: "GET / \(version)\r\n\(field)\r\n")
    guard case .request(let head, _, _) = reader.next(&pending) else {
      Issue.record("no request")
      return
    }
    #expect(head.keepsAlive == keepsAlive)
  }
}
