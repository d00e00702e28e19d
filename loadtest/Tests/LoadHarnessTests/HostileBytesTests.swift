import NIOCore
import Testing

@testable import LoadHarness

/// Random pieces of HTTP and of event streams, the same on every run: nothing that a target sends may trap.
@Suite struct HostileBytesTests {
  private static let pieces = [
    "HTTP/1.1 200 OK\r\n", "HTTP/1.0 ", "999", "content-length: ", "Transfer-Encoding: chunked\r\n",
    "connection: close",
    "\r\n", "\n", "\r", "0", "f", "FFFFFFFFFFFFFFFF", "7fffffffffffffff", "99999999999999999999", ":", ";", " ",
    "data: ",
    "data:", "[DONE]", "{\"error\"", "\"finish_reason\":", "\"stop\"", "\u{0}", "abc", "100 Continue",
  ]

  @Test func responsesAndEventsInAnyOrder() {
    var state: UInt64 = 7
    func roll(_ sides: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(sides))
    }
    var heads = 0
    for _ in 0..<20_000 {
      var reader = ResponseReader()
      var pending = ByteBuffer()
      var events = EventStreamReader()
      if roll(2) == 0 { pending.writeString("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") }
      reading: for _ in 0...roll(12) {
        pending.writeString(Self.pieces[roll(Self.pieces.count)])
        Array(Self.pieces[roll(Self.pieces.count)].utf8).withUnsafeBytes { events.feed($0) }
        for _ in 0..<20 {
          switch reader.next(&pending) {
          case .needMore: continue reading
          case .malformed: break reading
          case .head: heads += 1
          case .body, .end: break
          }
        }
      }
      _ = reader.isCompleteAtClose()
    }
    #expect(heads > 5_000)
  }
}
