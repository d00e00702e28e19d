import Gateway
import Testing

@testable import Frontend

/// Whatever a client sends: no trap, and every exchange is given back.
@Suite("HTTP/2 from random frames", .serialized)
struct HTTP2FuzzTests {
  private static let body = Array(#"{"model":"chat","messages":[{"role":"user","content":"hallo"}]}"#.utf8)

  private static func piece(_ key: String, _ next: inout UInt32, _ random: inout SeededGenerator) -> [UInt8] {
    let stream = UInt32(Int.random(in: 0...12, using: &random))
    let number = Frames.number(UInt32.random(in: 0...UInt32.max, using: &random))
    switch Int.random(in: 0..<14, using: &random) {
    case 0, 1, 2:
      defer { next += 2 }
      let ends = Bool.random(using: &random)
      return Frames.headers(next, Frames.post(key: key), endStream: false)
        + (ends ? Frames.frame(Frames.data, Frames.endStream, next, body) : [])
    case 3: return Frames.frame(Frames.data, UInt8.random(in: 0...15, using: &random), stream, body)
    case 4: return Frames.headers(stream | 1, Frames.get("/v1/models"), endStream: Bool.random(using: &random))
    case 5: return Frames.frame(Frames.reset, 0, stream, Array(number))
    case 6: return Frames.frame(Frames.windowUpdate, 0, stream, Array(number))
    case 7: return Frames.frame(Frames.settings, 0, 0, [0, UInt8.random(in: 0...9, using: &random)] + number)
    case 8: return Frames.frame(Frames.ping, UInt8.random(in: 0...1, using: &random), 0, number + number)
    case 9: return Frames.frame(Frames.priority, 0, stream, number + [1])
    case 10: return Frames.frame(Frames.headers, 0, stream | 1, Frames.block(Frames.post(key: key)))
    case 11: return Frames.frame(Frames.continuation, UInt8.random(in: 0...7, using: &random), stream, Array(number))
    case 12: return Frames.frame(Frames.goAway, 0, 0, number + number)
    default:
      let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      return Frames.frame(
        UInt8.random(in: 0...16, using: &random), UInt8.random(in: 0...255, using: &random), stream, bytes)
    }
  }

  private static func damage(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
    guard !bytes.isEmpty else { return }
    let index = Int.random(in: 0..<bytes.count, using: &random)
    switch Int.random(in: 0..<3, using: &random) {
    case 0: bytes[index] ^= UInt8(1) << UInt8.random(in: 0...7, using: &random)
    case 1: bytes.remove(at: index)
    default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
    }
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func framesInAnyOrder(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let gate = try FrontGate()
    defer { gate.stop() }
    var answered = 0
    for round in 0..<150 {
      var bytes = Frames.preface + Frames.frame(Frames.settings)
      var next: UInt32 = 1
      for _ in 0..<Int.random(in: 1...20, using: &random) { bytes += Self.piece(gate.key, &next, &random) }
      if round % 3 == 0 {
        var rest = Array(bytes[24...])
        for _ in 0..<3 { Self.damage(&rest, &random) }
        bytes = Array(bytes[..<24]) + rest
      }
      let peer = HTTP2Peer(gate.connect(), greets: false)
      peer.send(bytes)
      // Whatever has reached the provider is answered, to whoever is still there.
      let sent = gate.on { gate.upstream.sent.count }
      if round % 2 == 0 { while answered < sent { gate.answer(answered, "ja"); answered += 1 } }
      gate.tick(after: Int64(round % 4) * 10_000)
    }
    gate.on { gate.worker.closeAll() }
    #expect(gate.holds { gate.worker.connections.isEmpty })
    let sent = gate.on { gate.upstream.sent.count }
    #expect(sent > 0)
    while answered < sent {
      gate.answer(answered, "ja")
      answered += 1
    }
    #expect(gate.holds { gate.pipeline.openExchanges == 0 }, "seed \(seed) leaves exchanges behind")
  }
}
