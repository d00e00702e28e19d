import Gateway
import Testing

@testable import Frontend

@Suite("Request heads")
struct RequestHeadParserTests {
  static let all = HeadCase.framing + HeadCase.requestLine + HeadCase.fields

  @Test(arguments: all)
  func isReadOrRefusedAsTheThreatModelSays(_ head: HeadCase) {
    check(parseHead(head.bytes), head)
  }

  @Test(arguments: all)
  func meansTheSameWhereverTheNetworkCutsIt(_ head: HeadCase) {
    let whole = parseHead(head.bytes)
    for cut in cuts(of: head.bytes.count) {
      let split = parseHead(head.bytes, cuts: [cut])
      guard split.isSame(as: whole) else {
        Issue.record("cut at \(cut): \(split) instead of \(whole)")
        return
      }
    }
  }

  @Test(arguments: all)
  func meansTheSameByteByByte(_ head: HeadCase) {
    let split = parseHead(head.bytes, cuts: Array(0..<head.bytes.count))
    #expect(split.isSame(as: parseHead(head.bytes)))
  }

  @Test(arguments: all)
  func meansTheSameWithMoreBytesBehindIt(_ head: HeadCase) {
    let whole = parseHead(head.bytes)
    guard whole != .incomplete else { return }
    #expect(parseHead(head.bytes + Array("GET /next HTTP/1.1\r\nX: y\r\n\r\n".utf8)).isSame(as: whole))
  }

  @Test func isIncompleteUntilItsLastByte() {
    let bytes = Array(HeadCase.post("Content-Length: 5\r\n").utf8)
    for end in 0..<bytes.count { #expect(parseHead(Array(bytes[0..<end])) == .incomplete) }
  }

  @Test func lengthEndsBehindTheEmptyLine() {
    let head = Array(HeadCase.post("Content-Length: 5\r\n").utf8)
    guard case .accepted(_, _, let length) = parseHead(head + Array("\r\n\r\nhello".utf8)) else {
      Issue.record("refused")
      return
    }
    #expect(length == head.count)
  }

  @Test func oneParserReadsPipelinedRequestsOneByOne() {
    let requests = [HeadCase.get("A: b\r\n"), HeadCase.post("Content-Length: 0\r\n"), HeadCase.target("/livez")]
    let bytes = Array(requests.joined().utf8)
    var parser = RequestHeadParser()
    var position = 0
    for request in requests {
      bytes.withUnsafeBytes { all in
        let rest = UnsafeRawBufferPointer(rebasing: all[position...])
        // First a part of it, so that the parser remembers where it stopped searching.
        let part = UnsafeRawBufferPointer(rebasing: rest[0..<(request.utf8.count - 2)])
        guard case .incomplete = parser.parse(part, within: Limits()),
          case .complete(let head) = parser.parse(rest, within: Limits())
        else {
          Issue.record("not read: \(request)")
          return
        }
        #expect(head.length == request.utf8.count)
        position += head.length
      }
    }
    #expect(position == bytes.count)
  }

  @Test func limitsAreTheConfiguredOnes() {
    var limits = Limits()
    limits.targetBytes = 10
    limits.fieldCount = 2
    limits.bodyBytes = 5
    let long = Array(HeadCase.target("/v1/models/x").utf8)
    #expect(parseHead(long, limits: limits) == .refused(.targetTooLong))
    let short = "POST /v1 HTTP/1.1\r\n" + HeadCase.host
    #expect(parseHead(Array((short + "A: b\r\nC: d\r\n\r\n").utf8), limits: limits) == .refused(.tooManyFields))
    #expect(parseHead(Array((short + "Content-Length: 6\r\n\r\n").utf8), limits: limits) == .refused(.bodyTooLarge))
    guard case .accepted = parseHead(Array((short + "Content-Length: 5\r\n\r\n").utf8), limits: limits) else {
      Issue.record("the limits themselves are allowed")
      return
    }
  }

  /// The route table says 405 for methods that HTTP has; after one it has never heard of, nothing on the connection
  /// can be trusted to be a request.
  @Test(arguments: ["BREW", "get", "Post", "GETS", "PO", "X"])
  func connectionClosesAfterAnUnknownMethod(_ method: String) {
    switch parseHead(Array(HeadCase.line("\(method) /v1/models HTTP/1.1").utf8)) {
    case .refused(let fault): #expect(fault.status == 405)
    case .accepted(_, let facts, _): #expect(facts.contains(.keepsAlive(false)), "\(method) keeps the connection")
    case .incomplete: Issue.record("waits for more")
    }
  }

  /// RFC 9112, 9.3: `close` ends the connection whatever else is asked.
  @Test(arguments: ["Connection: close, keep-alive\r\n", "Connection: close\r\nConnection: keep-alive\r\n"])
  func closeWinsInHTTP10(_ fields: String) {
    check(parseHead(Array(HeadCase.old(fields).utf8)), HeadCase("", "", .accepted([.keepsAlive(false)])))
  }

  private func check(_ parsed: ParsedHead, _ head: HeadCase) {
    switch (head.outcome, parsed) {
    case (.refused(let expected), .refused(let fault)): #expect(fault == expected)
    case (.accepted(let expected), .accepted(_, let facts, _)):
      for fact in expected { #expect(facts.contains(fact), "\(fact) is not among \(facts)") }
    default: Issue.record("\(parsed) instead of \(head.outcome)")
    }
  }

  /// Every position of a short head; of a long one its ends and a sample.
  private func cuts(of count: Int) -> [Int] {
    guard count > 1024 else { return Array(0..<count) }
    return Array(0..<128) + Array(stride(from: 128, to: count - 64, by: 509)) + Array((count - 64)..<count)
  }
}
