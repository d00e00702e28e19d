import NIOCore
import Testing

@testable import MockProvider

/// Mutated input, the same on every run: nothing that a peer sends may trap. A trap ends the test process.
@Suite struct HostileBytesTests {
  /// SplitMix64.
  private struct Dice {
    var state: UInt64
    mutating func roll(_ sides: Int) -> Int {
      state &+= 0x9e37_79b9_7f4a_7c15
      var value = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
      value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
      return Int((value ^ (value >> 31)) % UInt64(max(1, sides)))
    }
  }

  private static let edges: [UInt8] = [
    0, 0x0A, 0x0D, 0x20, 0x22, 0x3A, 0x5B, 0x5C, 0x5D, 0x75, 0x7B, 0x7D, 0x7F, 0x80, 0xFF,
  ]

  /// Calls `visit` with `count` mutations of `seed`, each with up to `edits` changed, removed, doubled or cut off bytes.
  static func mutate(_ seed: String, count: Int, edits: Int = 4, _ visit: ([UInt8]) -> Void) {
    var dice = Dice(state: UInt64(seed.utf8.count))
    for _ in 0..<count {
      var bytes = Array(seed.utf8)
      for _ in 0...dice.roll(edits) where !bytes.isEmpty {
        let at = dice.roll(bytes.count)
        switch dice.roll(5) {
        case 0: bytes[at] = UInt8(dice.roll(256))
        case 1: bytes[at] = edges[dice.roll(edges.count)]
        case 2: bytes.remove(at: at)
        case 3: bytes.insert(contentsOf: bytes[at...].prefix(dice.roll(20)), at: at)
        default: bytes.removeLast(bytes.count - at)
        }
      }
      visit(bytes)
    }
  }

  @Test func chatRequests() {
    let seed =
      #"{"model":"mock-tool;chunk=2","messages":[{"role":"user","content":"[[mock size=3]]a\ud83d\ude00\"b"},"#
      + #"{"role":"user","content":[{"type":"text","text":"x\u00e4"}]}],"max_tokens":12,"stream":true,"#
      + #""tools":[{"function":{"name":"f"}}],"stream_options":{"include_usage":true}}"#
    var read = 0
    Self.mutate(seed, count: 20_000) { bytes in
      bytes.withUnsafeBytes { buffer in
        guard let scan = ChatScan(buffer) else { return }
        read += 1
        var script = Script(model: scan.model.map { String(decoding: buffer[$0], as: UTF8.self) } ?? "")
        var text = scan.decodedUserText(buffer)
        if let directive = Directive(text) {
          script.apply(settings: directive.settings)
          text = directive.text
        }
        let answer = Answer(script, scan, userText: text, buffer)
        var stream = AnswerStream(
          answer, AnswerIdentity(number: 1, rawModel: ByteBuffer()), script, wantsUsage: scan.wantsUsage,
          isChunked: true)
        var output = ByteBuffer()
        for _ in 0..<100 where stream.next(into: &output) != .finished {}
      }
    }
    // Most mutations of values are still requests; if hardly any were, nothing above would have been tried.
    #expect(read > 2_000)
  }

  @Test func embeddingRequests() {
    var read = 0
    Self.mutate(#"{"model":"m","input":["a\u00e4",[1,2],3],"dimensions":7,"encoding_format":"base64"}"#, count: 10_000)
    {
      guard let answer = $0.withUnsafeBytes({ EmbeddingsAnswer($0) }) else { return }
      read += 1
      var body = ByteBuffer()
      answer.write(rawModel: ByteBuffer(), Script(model: "m"), into: &body)
    }
    #expect(read > 1_000)
  }

  @Test func requestsInHTTP() {
    let seed =
      "POST /v1/x?last=3 HTTP/1.1\r\nContent-Length: 4\r\nX-Mock: a=b\r\n\r\nbody"
      + "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    var read = 0
    Self.mutate(seed, count: 20_000) { bytes in
      var reader = RequestReader()
      var pending = ByteBuffer(bytes: bytes)
      for _ in 0..<10 {
        switch reader.next(&pending) {
        case .needMore, .malformed: return
        case .sendContinue: continue
        case .request(let head, let headBytes, let body):
          read += 1
          headBytes.withUnsafeReadableBytes {
            _ = Route(head, $0)
            _ = Route.last(head, $0)
          }
          _ = JournalEntryText.request(head: headBytes, body: body)
        }
      }
    }
    #expect(read > 2_000)
  }
}
