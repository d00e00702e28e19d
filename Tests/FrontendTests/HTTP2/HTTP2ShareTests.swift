import Gateway
import Glibc
import Testing

@testable import Frontend

/// An HTTP/2 connection is many clients' where a proxy is in front: what one does on its own stream is no other's end.
@Suite("HTTP/2 connections that many share", .serialized, .timeLimit(.minutes(2)))
struct HTTP2ShareTests {
  private func with(
    _ limits: Limits = Limits(), isProxy: Bool = true, _ body: (FrontGate, HTTP2Peer) throws -> Void
  ) throws {
    let gate = try FrontGate(limits: limits, proxies: TrustedProxies(networks: [], trustsFiles: isProxy))
    defer { gate.stop() }
    try body(gate, HTTP2Peer(gate.connect()))
  }

  private static let chat = Array(#"{"model":"chat","messages":[{"role":"user","content":"hallo"}]}"#.utf8)

  /// The connection serves on.
  private func expectService(_ peer: HTTP2Peer, _ stream: UInt32) {
    peer.send(Frames.headers(stream, Frames.get("/livez"), endStream: true))
    #expect(peer.answer(stream).status == "200")
    #expect(peer.goAways.isEmpty)
  }

  // MARK: Faults

  @Test func malformedRequestsAreAnsweredAndNoMore() throws {
    try with { _, peer in
      for stream in stride(from: UInt32(1), to: 401, by: 2) {
        peer.send(Frames.headers(stream, Frames.get("/../x"), endStream: true))
        try #require(peer.answer(stream).status == "400")
      }
      expectService(peer, 401)
    }
  }

  /// More than the library's own limit would bear.
  @Test func requestsThatAreTakenBackEndThemselvesAlone() throws {
    try with { gate, peer in
      for number in 0..<1_500 {
        let stream = UInt32(2 * number + 1)
        peer.send(
          Frames.headers(stream, Frames.post(key: gate.key), endStream: false)
            + Frames.frame(Frames.reset, 0, stream, [0, 0, 0, 8]))
      }
      #expect(gate.holds { gate.pipeline.openExchanges == 0 })
      expectService(peer, 3_001)
    }
  }

  @Test func floodsOfTheConnectionItselfEndIt() throws {
    try with { _, peer in
      for _ in 0..<300 { peer.send(Frames.frame(Frames.ping, 0, 0, [UInt8](repeating: 0, count: 8))) }
      #expect(peer.ending() == 11)
    }
  }

  /// Sent before the proxy could know how many are taken; nothing was done for them.
  @Test func refusedStreamsAreNobodysFault() throws {
    var limits = Limits()
    limits.http2.streams = 4
    limits.http2.faults = 3
    try with(limits) { gate, peer in
      peer.acknowledges = false
      let streams = stride(from: UInt32(1), to: 41, by: 2)
      for stream in streams { peer.send(Frames.headers(stream, Frames.post(key: gate.key), endStream: false)) }
      #expect(peer.read { $0.answers[39]?.reset != nil })
      #expect(streams.allSatisfy { $0 < 9 || peer.answers[$0]?.reset == 7 })
      for stream in streams.prefix(4) { peer.send(Frames.frame(Frames.reset, 0, stream, [0, 0, 0, 8])) }
      expectService(peer, 41)
    }
  }

  @Test func refusedStreamsAreRequestsAllTheSame() throws {
    var limits = Limits()
    limits.http2.streams = 4
    limits.requestsPerConnection = 20
    try with(limits, isProxy: false) { gate, peer in
      peer.acknowledges = false
      for stream in stride(from: UInt32(1), to: 41, by: 2) {
        peer.send(Frames.headers(stream, Frames.post(key: gate.key), endStream: false))
      }
      #expect(peer.read { !$0.goAways.isEmpty })
      #expect(peer.goAways.first?.code == 0)
    }
  }

  // MARK: Uploads

  private static var narrow: Limits {
    var limits = Limits()
    limits.bodyBytes = 100_000
    limits.http2.streamWindowBytes = 10_000
    limits.http2.uploadBytes = 150_000
    return limits
  }

  private func hasRoom(_ peer: HTTP2Peer, _ stream: UInt32) -> Bool {
    peer.frames.contains { $0.type == Frames.windowUpdate && $0.stream == stream }
  }

  /// What a length is known of is counted by the pipeline: two that come slowly leave the others their turn.
  @Test func uploadsOfAKnownLengthDoNotWaitForEachOther() throws {
    try with(Self.narrow) { gate, peer in
      let length = ("content-length", "90000")
      for stream in [1, 3, 5, 7] as [UInt32] {
        peer.send(Frames.headers(stream, Frames.post(key: gate.key, [length]), endStream: false))
        peer.send(Frames.frame(Frames.data, 0, stream, [UInt8](repeating: 0x20, count: 8_000)))
      }
      #expect(peer.read { peer in [1, 3, 5, 7].allSatisfy { hasRoom(peer, $0) } })
    }
  }

  /// Like one large body, until one of them has come whole or was taken back.
  @Test(arguments: [false, true]) func bodiesThatAreLargeTogetherStandInLine(isTakenBack: Bool) throws {
    var limits = Limits()
    limits.ownWorkBytes = 8 * 1024
    try with(limits) { gate, peer in
      let state: @Sendable () -> (bytes: Int, isInLine: Bool)? = {
        (gate.worker.connections.first as? HTTP2Connection).map { ($0.uploadedBytes, $0.isSentMuch) }
      }
      let piece = [UInt8](repeating: 0x20, count: 5_000)
      peer.send(
        Frames.headers(1, Frames.post(key: gate.key), endStream: false) + Frames.frame(Frames.data, 0, 1, piece))
      #expect(gate.holds { state()?.bytes == 5_000 })
      #expect(gate.on { state()?.isInLine } == false)
      peer.send(
        Frames.headers(3, Frames.post(key: gate.key), endStream: false) + Frames.frame(Frames.data, 0, 3, piece))
      #expect(gate.holds { state()?.bytes == 10_000 })
      #expect(gate.on { state()?.isInLine } == true)
      peer.send(
        isTakenBack
          ? Frames.frame(Frames.reset, 0, 3, [0, 0, 0, 8])
          : Frames.frame(Frames.data, Frames.endStream, 3, Self.chat))
      #expect(gate.holds { state()?.bytes == 5_000 })
      #expect(gate.on { state()?.isInLine } == false)
    }
  }

  @Test func whoWaitsForRoomDoesNotWaitForEver() throws {
    var limits = Self.narrow
    limits.bodySilenceMilliseconds = 3_600_000  // only the end is looked at
    limits.bodyGraceMilliseconds = 3_600_000
    try with(limits) { gate, peer in
      for stream in [1, 3] as [UInt32] {
        peer.send(Frames.headers(stream, Frames.post(key: gate.key), endStream: false))
      }
      for stream in [3, 1] as [UInt32] {
        peer.send(Frames.frame(Frames.data, 0, stream, [UInt8](repeating: 0x20, count: 8_000)))
      }
      #expect(peer.read { hasRoom($0, 3) })
      gate.tick(after: 60_000)
      #expect(gate.openExchanges == 2 && !hasRoom(peer, 1))
      gate.tick(after: 73_000)
      #expect(peer.answer(1).status == "408")
    }
  }

  // MARK: Ends

  /// It comes as fast as it must, but reserves its memory for hours.
  @Test(arguments: [[("content-length", "1000000")], []]) func aBodyHasAnEnd(length: [(String, String)]) throws {
    var limits = Limits()
    limits.bodyBytes = 1_000_000
    limits.bodySilenceMilliseconds = 3_600_000  // only the end is looked at
    limits.bodyGraceMilliseconds = 3_600_000
    try with(limits) { gate, peer in
      peer.send(Frames.headers(1, Frames.post(key: gate.key, length), endStream: false))
      #expect(gate.holds { gate.pipeline.openExchanges == 1 })
      gate.tick(after: 120_000)
      #expect(gate.openExchanges == 1)
      gate.tick(after: 122_000)
      #expect(peer.answer(1).status == "408")
    }
  }

  /// The loop looks at its clock before it has read what came in time.
  @Test func aRequestThatHasComeIsAnsweredHoweverLateTheLoopIs() throws {
    try with { gate, peer in
      expectService(peer, 1)
      let (descriptor, bytes) = (peer.descriptor, Frames.headers(3, Frames.get("/livez"), endStream: true))
      gate.on {
        Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        for connection in gate.worker.connections { connection.tick(gate.worker.milliseconds + 61_000) }
      }
      #expect(peer.answer(3).status == "200")
      #expect(peer.goAways.isEmpty)
    }
  }

  @Test func theLastAnswersThatNobodyTakesHaveAnEnd() throws {
    var limits = Limits()
    limits.writeStallMilliseconds = 3_600_000  // only the end is looked at
    try with(limits) { gate, peer in
      peer.send(
        Frames.headers(1, Frames.post(key: gate.key), endStream: false)
          + Frames.frame(Frames.data, Frames.endStream, 1, Self.chat))
      try #require(gate.reached(1))
      gate.on { gate.worker.drain(until: .max, lingerMilliseconds: 0) {} }
      #expect(peer.read { !$0.goAways.isEmpty })
      gate.tick(after: 6_000)
      #expect(peer.read { $0.goAways.count == 2 })
      gate.tick(after: 600_000)  // what is in work is finished
      #expect(gate.on { gate.worker.connections.count } == 1)
      gate.answer(0, String(repeating: "y", count: 1 << 20))
      #expect(peer.read { ($0.answers[1]?.body.count ?? 0) == 65_535 })
      gate.tick(after: 620_000)
      #expect(gate.on { gate.worker.connections.count } == 1)
      gate.tick(after: 650_000)
      #expect(gate.on { gate.worker.connections.isEmpty })
    }
  }
}
