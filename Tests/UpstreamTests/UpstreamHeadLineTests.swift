import Gateway
import Routing
import Testing

@testable import Upstream

@Suite("A provider's head")
struct UpstreamHeadLineTests {
  private func read(_ lines: String...) -> UpstreamHead { read(lines) }

  private func read(_ lines: [String]) -> UpstreamHead {
    var head = UpstreamHead()
    for line in lines { Array((line + "\r\n").utf8).withUnsafeBytes { UpstreamHeadLine.read($0, into: &head) } }
    return head
  }

  @Test(arguments: [
    ("HTTP/1.1 200 OK", 200), ("HTTP/1.0 404 Not Found", 404), ("http/1.1 503 x", 503), ("HTTP/2 200", 200),
    ("HTTP/2 429 ", 429), ("HTTP/1.1 999 ", 999), ("HTTP/1.1 100 Continue", 100), ("HTTP/3 200", 200),
    ("HTTP/1.1 20x OK", 0), ("HTTP/1.1  200 OK", 0), ("HTTP/1.1 2", 0), ("HTTP/1.1200OK", 0), ("HTTP/1.1 ", 0),
    ("HTTP/1.1 -20", 0), ("HTTP/", 0), ("", 0), ("XHTTP/1.1 200 OK", 0),
  ])
  func statusIsThreeDigitsOrNothing(line: String, status: Int) { #expect(read(line).status == status) }

  /// Also behind an interim answer. It decides whether the answer may be paused.
  @Test(arguments: [
    ("HTTP/2 200 ", true), ("http/2 503 ", true), ("HTTP/1.1 200 OK", false), ("HTTP/1.0 200 OK", false),
    ("HTTP/1.2 200 OK", false), ("HTTP/3 200 ", false), ("XHTTP/2 200 ", false),
  ])
  func aSharedConnectionIsSeen(line: String, isHTTP2: Bool) {
    #expect(read(line).isHTTP2 == isHTTP2)
    #expect(read("HTTP/1.1 100 Continue", line).isHTTP2 == isHTTP2)
  }

  @Test(
    arguments: [
      ("content-type: application/json", .json), ("Content-Type: Application/JSON; charset=utf-8", .json),
      ("CONTENT-TYPE:application/json", .json), ("content-type:\t text/event-stream ", .eventStream),
      ("content-type: text/event-stream;charset=utf-8", .eventStream), ("content-type: text/html", .other),
      ("content-type: application/problem+json", .other), ("content-type: application/jso", .other),
      ("content-type:", .other), ("content-type: ", .other), ("content-type", .other),
      ("content-type : application/json", .other), ("x-content-type: application/json", .other),
      ("content-type: audio/mpeg", .sound(.mpeg)), ("content-type: AUDIO/X-WAV; rate=1", .sound(.wav)),
      ("content-type: audio/mpegurl", .other), ("content-type: audio/mpe", .other), ("content-type: audio/", .other),
      ("content-type: application/octet-stream", .octets),
      ("content-type: application/octet-stream2", .other),
      ("content-types: application/json", .other), ("accept: application/json", .other),
    ] as [(String, UpstreamHead.ContentKind)])
  func kindFollowsTheContentType(line: String, kind: UpstreamHead.ContentKind) { #expect(read(line).kind == kind) }

  @Test(
    arguments: [
      (["x-ratelimit-remaining-requests: 0", "x-ratelimit-reset-requests: 2s"], 2_000),
      (["X-RateLimit-Remaining-Tokens:0", "X-RateLimit-Reset-Tokens:\t250ms "], 250),
      (["anthropic-ratelimit-tokens-remaining: 0", "anthropic-ratelimit-tokens-reset: 1970-01-01T00:00:07Z"], 7_000),
      (["x-ratelimit-remaining-requests: 9", "x-ratelimit-reset-requests: 2s"], nil),
      (["x-ratelimit-remaining-requests", "x-ratelimit-reset-requests: 2s"], nil),
      (["x-ratelimit-:", ":", "x-ratelimit-remaining-requests:"], nil),
    ] as [([String], Int64?)])
  func limitsAreRead(lines: [String], milliseconds: Int64?) {
    #expect(read(lines).rest.duration(status: 200, retryAfter: nil, wallMilliseconds: 0) == milliseconds)
  }

  @Test(arguments: [
    ("content-encoding: gzip", true), ("Content-Encoding: br", true), ("content-encoding:zstd", true),
    ("content-encoding: gzip, identity", true), ("content-encoding: identity", false),
    ("content-encoding: IDENTITY ", false), ("content-encoding:", false), ("content-encoding:   ", false),
    ("x-content-encoding: gzip", false), ("accept-encoding: gzip", false), ("transfer-encoding: chunked", false),
  ])
  func everyEncodingButIdentityIsSeen(line: String, isEncoded: Bool) { #expect(read(line).isEncoded == isEncoded) }

  /// A provider was asked for `identity`: anything else in the field, wherever it stands, is an encoding.
  @Test(arguments: [
    ["content-encoding: identity, gzip"], ["content-encoding: identityx"],
    ["content-encoding: gzip", "content-encoding: identity"], ["content-encoding: gzip", "content-encoding:"],
  ])
  func identityHidesNoOtherEncoding(lines: [String]) { #expect(read(lines).isEncoded) }

  @Test(
    arguments: [
      ("retry-after: 0", 0), ("Retry-After: 120", 120), ("retry-after:7 ", 7), ("retry-after: 1.5", 1),
      ("retry-after: 9999999", 9_999_999), ("retry-after-ms: 0", 0), ("retry-after-ms: 1", 1),
      ("retry-after-ms: 1000", 1), ("retry-after-ms: 1001", 2), ("retry-after-ms: 1500.5", 2),
      ("retry-after: Wed, 25 Nov 2026 12:00:00 GMT", nil), ("retry-after: -5", nil), ("retry-after: +5", nil),
      ("retry-after: x", nil), ("retry-after:", nil), ("retry-after", nil), ("x-retry-after: 5", nil),
      ("retry-after-s: 5", nil),
    ] as [(String, Int?)])
  func delayIsWholeSeconds(line: String, seconds: Int?) { #expect(read(line).retryAfterSeconds == seconds) }

  @Test(arguments: ["99999999", "9223372036854775808", String(repeating: "9", count: 5_000)])
  func endlessNumbersAreCutAndNeverTrap(digits: String) throws {
    #expect(try #require(read("retry-after: \(digits)").retryAfterSeconds) >= 1_000_000)
    #expect(try #require(read("retry-after-ms: \(digits)").retryAfterSeconds) >= 1_000)
  }

  /// As the SDKs read them.
  @Test(arguments: [["retry-after-ms: 1500", "retry-after: 30"], ["retry-after: 30", "retry-after-ms: 1500"]])
  func millisecondsBeatSecondsInAnyOrder(lines: [String]) { #expect(read(lines).retryAfterSeconds == 2) }

  @Test func anInterimHeadLeavesNothingBehind() {
    let head = read(
      "HTTP/1.1 103 Early Hints", "content-type: application/json", "retry-after: 5", "content-encoding: gzip", "",
      "HTTP/1.1 200 OK", "")
    var expected = UpstreamHead()
    expected.status = 200
    #expect(head == expected)
  }

  @Test func otherFieldsAreDropped() {
    var expected = UpstreamHead()
    expected.status = 200
    #expect(
      read(
        "HTTP/1.1 200 OK", "set-cookie: a=b", "location: https://evil.example/", "server: x", "x-ratelimit-limit: 5",
        "openai-organization: o", "") == expected)
  }

  @Test(arguments: [1, 2] as [UInt64])
  func randomLinesNeverTrap(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let words = [
      "HTTP/1.1", "HTTP/", " ", "200", "content-type", "content-encoding", "retry-after", "-ms", ":", "identity",
      "99999999",
      "application/json", "text/event-stream", "\r", "\n", "\t", "\u{0}", "é",
    ].map { Array($0.utf8) }
    var head = UpstreamHead()
    for _ in 0..<5_000 {
      var line: [UInt8] = []
      for _ in 0..<Int.random(in: 0...7, using: &random) {
        if Int.random(in: 0..<6, using: &random) == 0 {
          line.append(UInt8.random(in: 0...255, using: &random))
        } else {
          line += words.randomElement(using: &random) ?? []
        }
      }
      line.withUnsafeBytes { UpstreamHeadLine.read($0, into: &head) }
      guard (0...999).contains(head.status), (0...9_999_999).contains(head.retryAfterSeconds ?? 0) else {
        Issue.record("\(head) from \(line)")
        return
      }
    }
  }
}
