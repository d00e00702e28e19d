import Testing

@testable import Frontend

@Suite("Chunked bodies")
struct ChunkedDecoderTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let wire: String
    let outcome: ChunkedDecoder.Outcome
    let data: String

    init(_ wire: String, _ outcome: ChunkedDecoder.Outcome, _ data: String = "") {
      self.wire = wire
      self.outcome = outcome
      self.data = data
    }

    var testDescription: String { String(wire.debugDescription.prefix(60)) }
  }

  private static let malformed = ChunkedDecoder.Outcome.failed(.malformedChunk)

  static let cases: [Case] = [
    // Whole bodies
    Case("0\r\n\r\n", .complete),
    Case("5\r\nhello\r\n0\r\n\r\n", .complete, "hello"),
    Case("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", .complete, "hello world"),
    Case("1\r\n\r\r\n1\r\n\n\r\n0\r\n\r\n", .complete, "\r\n"),
    Case("7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n", .complete, "0\r\n\r\n\r\n"),
    Case("A\r\n0123456789\r\n0\r\n\r\n", .complete, "0123456789"),
    Case("a\r\n0123456789\r\n0\r\n\r\n", .complete, "0123456789"),
    Case("0000000A\r\n0123456789\r\n00000000\r\n\r\n", .complete, "0123456789"),
    // Sizes
    Case("\r\n\r\n", malformed),
    Case("0x5\r\nhello\r\n", malformed),
    Case("+5\r\nhello\r\n", malformed),
    Case("-5\r\nhello\r\n", malformed),
    Case(" 5\r\nhello\r\n", malformed),
    Case("5 \r\nhello\r\n", malformed),
    Case("5\t\r\nhello\r\n", malformed),
    Case("g\r\n", malformed),
    Case("5,5\r\n", malformed),
    Case("5_0\r\n", malformed),
    Case("000000005\r\nhello\r\n", malformed),
    Case("FFFFFFFF\r\n", .failed(.bodyTooLarge)),
    Case("FFFFFFFFFFFFFFFF\r\n", .failed(.bodyTooLarge)),
    Case("8000000000000000\r\n", .failed(.bodyTooLarge)),
    Case("10000000000000005\r\nhello\r\n", .failed(.bodyTooLarge)),
    Case("５\r\n", malformed),
    // Line ends
    Case("5\nhello\r\n", malformed),
    Case("5\rhello\r\n", malformed),
    Case("5\r\r\nhello\r\n", malformed),
    Case("5\r\nhello\n", malformed, "hello"),
    Case("5\r\nhello\r0", malformed, "hello"),
    Case("5\r\nhello0\r\n\r\n", malformed, "hello"),
    Case("5\r\nhello!\r\n", malformed, "hello"),
    Case("5\r\nhello\r\n0\n\n", malformed, "hello"),
    Case("5\r\nhello\r\n0\r\n\n", malformed, "hello"),
    Case("5\r\nhello\r\n0\r\n\rX", malformed, "hello"),
    Case("4\r\nhello\r\n", malformed, "hell"),
    // Extensions
    Case("5;a\r\nhello\r\n0\r\n\r\n", .complete, "hello"),
    Case("5;a=b;c=\"d e\"\r\nhello\r\n0;last\r\n\r\n", .complete, "hello"),
    Case("5;\ta\r\nhello\r\n0\r\n\r\n", .complete, "hello"),
    Case("5 ;a\r\nhello\r\n", malformed),
    Case("5;a\nb\r\nhello\r\n", malformed),
    Case("5;a\rb\r\nhello\r\n", malformed),
    Case("5;a\u{0}\r\nhello\r\n", malformed),
    Case("5;é\r\nhello\r\n", malformed),
    Case("5;\u{7F}\r\nhello\r\n", malformed),
    Case("5;\(String(repeating: "a", count: 255))\r\nhello\r\n0\r\n\r\n", .complete, "hello"),
    Case("5;\(String(repeating: "a", count: 257))\r\nhello\r\n", malformed),
    // Trailers
    Case("0\r\nX-Sum: 1\r\n\r\n", .complete),
    Case("2\r\nok\r\n0\r\nA: b\r\nC:\td\r\nE:\r\n\r\n", .complete, "ok"),
    Case("0\r\nA: b\n\r\n", malformed),
    Case("0\r\nA: b\rc\r\n\r\n", malformed),
    Case("0\r\nA: \u{0}\r\n\r\n", malformed),
    Case("0\r\nA: \u{1B}\r\n\r\n", malformed),
    Case("0\r\nA: é\r\n\r\n", malformed),
    // Not the end yet
    Case("", .incomplete),
    Case("5\r\nhel", .incomplete, "hel"),
    Case("5\r\nhello\r\n", .incomplete, "hello"),
    Case("5\r\nhello\r\n0\r\n", .incomplete, "hello"),
    Case("5\r\nhello\r\n0\r\nA: b\r\n", .incomplete, "hello"),
    Case("0\r\n\r", .incomplete),
  ]

  @Test(arguments: cases)
  func isReadOrRefused(_ body: Case) {
    let read = ChunkedBody(body.wire)
    #expect(read.outcome == body.outcome)
    #expect(read.data == Array(body.data.utf8))
    if body.outcome == .complete { #expect(read.used == body.wire.utf8.count) }
  }

  @Test(arguments: cases)
  func meansTheSameWhereverTheNetworkCutsIt(_ body: Case) {
    let bytes = Array(body.wire.utf8)
    let whole = ChunkedBody(bytes)
    for first in 0...bytes.count {
      #expect(ChunkedBody(bytes, cuts: [first]) == whole, "cut at \(first)")
      guard bytes.count < 64 else { continue }
      for second in first...bytes.count where ChunkedBody(bytes, cuts: [first, second]) != whole {
        Issue.record("cut at \(first) and \(second)")
      }
    }
    #expect(ChunkedBody(bytes, cuts: Array(0..<bytes.count)) == whole)
  }

  @Test func leavesTheNextRequestAlone() {
    let body = "3\r\nabc\r\n0\r\n\r\n"
    let read = ChunkedBody(body + "GET / HTTP/1.1\r\n")
    #expect(read.outcome == .complete)
    #expect(read.used == body.utf8.count)
  }

  @Test(arguments: [(99, true), (100, true), (101, false)])
  func oneChunkEndsAtTheLimit(size: Int, fits: Bool) {
    let data = String(repeating: "a", count: size)
    let read = ChunkedBody("\(String(size, radix: 16))\r\n\(data)\r\n0\r\n\r\n", maximumBytes: 100)
    #expect(read.outcome == (fits ? .complete : .failed(.bodyTooLarge)))
    #expect(read.data.count == (fits ? size : 0))
  }

  @Test(arguments: [(99, true), (100, true), (101, false)])
  func manyChunksEndAtTheLimit(count: Int, fits: Bool) {
    let read = ChunkedBody(String(repeating: "1\r\na\r\n", count: count) + "0\r\n\r\n", maximumBytes: 100)
    #expect(read.outcome == (fits ? .complete : .failed(.bodyTooLarge)))
    #expect(read.data.count == min(count, 100))
  }

  @Test func noSizeIsBelievedBeforeItsDataFits() {
    let read = ChunkedBody("32\r\n" + String(repeating: "a", count: 50) + "\r\n33\r\n", maximumBytes: 100)
    #expect(read.outcome == .failed(.bodyTooLarge))
    #expect(read.data.count == 50)
  }

  @Test(arguments: [(10, true), (11, false)])
  func trailersEndAtTheirLimit(bytes: Int, fits: Bool) {
    let trailer = "A: " + String(repeating: "b", count: bytes - 3)
    let read = ChunkedBody("0\r\n\(trailer)\r\n\r\n", maximumTrailerBytes: 10)
    #expect(read.outcome == (fits ? .complete : .failed(.headTooLarge)))
  }

  @Test func trailersCountTogether() {
    let read = ChunkedBody(
      "0\r\n" + String(repeating: "A: \(String(repeating: "b", count: 95))\r\n", count: 84) + "\r\n")
    #expect(read.outcome == .failed(.headTooLarge))
  }

  @Test func manyShortTrailersAreRefusedLikeManyFields() {
    let read = ChunkedBody("0\r\n" + String(repeating: "A: b\r\n", count: 101) + "\r\n")
    guard case .failed(let fault) = read.outcome else {
      Issue.record("\(read.outcome)")
      return
    }
    #expect(fault.status == 431)
  }

  /// A trailer that frames, and one that is no field, is what a second parser would stumble over.
  @Test(arguments: [
    "Content-Length: 5", "content-length:0", "Transfer-Encoding: chunked", "Host: evil.example", "no colon",
    ": no name",
    "A : space before the colon", " folded", "\tfolded", "A(b): separator",
  ])
  func trailersThatAreNoneAreRefused(_ line: String) {
    let read = ChunkedBody("0\r\nA: b\r\n\(line)\r\n\r\n")
    if case .failed(let fault) = read.outcome {
      #expect([400, 431].contains(fault.status))
    } else {
      Issue.record("\(read.outcome): \(line)")
    }
  }
}
