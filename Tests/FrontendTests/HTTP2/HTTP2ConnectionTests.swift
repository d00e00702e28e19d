import Foundation
import Gateway
import Glibc
import Testing

@testable import Frontend

/// One connection over a socket pair, frames written by hand, before a real pipeline.
@Suite("HTTP/2 connections", .serialized)
struct HTTP2ConnectionTests {
  private func with(_ limits: Limits = Limits(), _ body: (FrontGate, HTTP2Peer) throws -> Void) throws {
    let gate = try FrontGate(limits: limits)
    defer { gate.stop() }
    try body(gate, HTTP2Peer(gate.connect()))
    #expect(gate.holds { gate.worker.connections.isEmpty || gate.pipeline.openExchanges == 0 })
  }

  private static let chat = Array(#"{"model":"chat","messages":[{"role":"user","content":"hallo"}]}"#.utf8)
  private static let streamed = Array(
    #"{"model":"chat","stream":true,"messages":[{"role":"user","content":"hallo"}]}"#.utf8)

  private func request(_ stream: UInt32, _ gate: FrontGate, _ body: [UInt8] = chat) -> [UInt8] {
    Frames.headers(stream, Frames.post(key: gate.key), endStream: false)
      + Frames.frame(Frames.data, Frames.endStream, stream, body)
  }

  // MARK: Requests and answers

  @Test func answersARequest() throws {
    try with { gate, peer in
      peer.send(request(1, gate))
      try #require(gate.reached(1))
      gate.answer(0, "Grüezi")
      let answer = peer.answer(1)
      #expect(answer.status == "200")
      #expect(answer.fields["content-type"] == "application/json")
      #expect(answer.fields["content-length"] == String(answer.body.count))
      #expect(answer.fields["x-request-id"]?.isEmpty == false)
      #expect(answer.fields["connection"] == nil)
      #expect(answer.text.contains("Grüezi"))
      #expect(answer.isOver && answer.reset == nil)
    }
  }

  @Test(arguments: [1, 2, 5, 64])
  func comesInPiecesOfAnySize(step: Int) throws {
    let gate = try FrontGate()
    defer { gate.stop() }
    let peer = HTTP2Peer(gate.connect(), greets: false)
    let bytes =
      Frames.preface + Frames.frame(Frames.settings) + Frames.headers(1, Frames.get("/livez"), endStream: true)
    for start in stride(from: 0, to: bytes.count, by: step) {
      peer.send(Array(bytes[start..<min(start + step, bytes.count)]))
    }
    #expect(peer.answer(1).status == "200")
  }

  @Test func answersComeAsTheyAreReady() throws {
    try with { gate, peer in
      peer.send(request(1, gate) + request(3, gate) + request(5, gate))
      try #require(gate.reached(3))
      for (index, stream) in [(1, 3), (2, 5), (0, 1)] as [(Int, UInt32)] {
        gate.answer(index, "antwort-\(stream)")
        #expect(peer.answer(stream).text.contains("antwort-\(stream)"))
      }
    }
  }

  @Test func streamsComeAsDataAndEnd() throws {
    try with { gate, peer in
      peer.send(request(1, gate, Self.streamed))
      try #require(gate.reached(1))
      gate.beginStream(0)
      gate.piece(0, "eins")
      #expect(peer.read { $0.answers[1]?.text.contains("eins") ?? false })
      #expect(peer.answers[1]?.fields["content-type"] == "text/event-stream")
      #expect(peer.answers[1]?.isOver == false)
      gate.end(0, .complete)
      let answer = peer.answer(1)
      #expect(answer.isOver && answer.reset == nil)
      #expect(answer.text.hasSuffix("data: [DONE]\n\n"))
    }
  }

  @Test func aCutStreamIsResetBehindItsErrorAndNoOtherIs() throws {
    try with { gate, peer in
      peer.send(request(1, gate, Self.streamed) + request(3, gate))
      try #require(gate.reached(2))
      gate.beginStream(0)
      gate.piece(0, "eins")
      gate.end(0, .cut)
      let cut = peer.answer(1)
      #expect(cut.text.contains("eins") && cut.text.contains("\"error\""))
      #expect(!cut.isOver)
      #expect(cut.reset == 2)
      gate.answer(1, "ganz")
      #expect(peer.answer(3).text.contains("ganz"))
    }
  }

  @Test func headHasTheLengthAndNoBody() throws {
    try with { _, peer in
      var fields = Frames.get("/livez")
      fields[0].1 = "HEAD"
      peer.send(Frames.headers(1, fields, endStream: true))
      let answer = peer.answer(1)
      #expect(answer.isOver && answer.body.isEmpty)
      #expect((Int(answer.fields["content-length"] ?? "") ?? 0) > 0)
    }
  }

  @Test func onlyHostsThatAreServed() throws {
    let gate = try FrontGate(hosts: ["gate"])
    defer { gate.stop() }
    let peer = HTTP2Peer(gate.connect())
    for (stream, host, status) in [(1, "gate:8080", "200"), (3, "other", "400")] as [(UInt32, String, String)] {
      var fields = Frames.get("/livez")
      fields[3].1 = host
      peer.send(Frames.headers(stream, fields, endStream: true))
      #expect(peer.answer(stream).status == status)
    }
  }

  @Test func anEarlyAnswerEndsWhatIsNotWanted() throws {
    try with { _, peer in
      peer.send(Frames.headers(1, Frames.post(key: nil), endStream: false))
      #expect(peer.read { $0.answers[1]?.reset != nil })
      #expect(peer.answers[1]?.status == "401")
      #expect(peer.answers[1]?.isOver == true)
      #expect(peer.answers[1]?.reset == 0)
      // What was on its way is dropped, and the connection goes on.
      peer.send(Frames.frame(Frames.data, Frames.endStream, 1, Self.chat))
      peer.send(Frames.headers(3, Frames.get("/livez"), endStream: true))
      #expect(peer.answer(3).status == "200")
    }
  }

  @Test func continueIsSaidBeforeTheBody() throws {
    try with { gate, peer in
      peer.send(Frames.headers(1, Frames.post(key: gate.key, [("expect", "100-continue")]), endStream: false))
      #expect(peer.read { $0.answers[1]?.status == "100" })
      peer.send(Frames.frame(Frames.data, Frames.endStream, 1, Self.chat))
      try #require(gate.reached(1))
      gate.answer(0, "ja")
      #expect(peer.answer(1).status == "200")
    }
  }

  @Test func trailersAreDroppedUnlessTheyChangeTheMessage() throws {
    try with { gate, peer in
      for (stream, name) in [(1, "x-sum"), (3, "authorization")] as [(UInt32, String)] {
        peer.send(Frames.headers(stream, Frames.post(key: gate.key), endStream: false))
        peer.send(Frames.frame(Frames.data, 0, stream, Self.chat))
        peer.send(Frames.headers(stream, [(name, "x")], endStream: true))
      }
      try #require(gate.reached(1))
      gate.answer(0, "ja")
      #expect(peer.answer(1).status == "200")
      #expect(peer.answer(3).status == "400")
      #expect(gate.on { gate.upstream.sent.count } == 1)
    }
  }

  // MARK: Clients that leave

  @Test func aResetEndsItsRequestAlone() throws {
    try with { gate, peer in
      peer.send(Frames.headers(1, Frames.post(key: gate.key), endStream: false) + request(3, gate))
      try #require(gate.reached(1))
      #expect(gate.openExchanges == 2)
      peer.send(Frames.frame(Frames.reset, 0, 1, [0, 0, 0, 8]))
      #expect(gate.holds { gate.pipeline.openExchanges == 1 })
      gate.answer(0, "ganz")
      #expect(peer.answer(3).text.contains("ganz"))
    }
  }

  @Test func theEndOfAConnectionIsToldToEveryExchange() throws {
    let gate = try FrontGate()
    defer { gate.stop() }
    var peer: HTTP2Peer? = HTTP2Peer(gate.connect())
    for stream in stride(from: UInt32(1), to: 41, by: 2) {
      peer?.send(Frames.headers(stream, Frames.post(key: gate.key), endStream: false))
    }
    #expect(gate.holds { gate.pipeline.openExchanges == 20 })
    peer = nil
    #expect(gate.holds { gate.pipeline.openExchanges == 0 && gate.worker.connections.isEmpty })
  }

  // MARK: Bodies

  @Test func bodiesBeyondTheWindowAreAskedFor() throws {
    try with { gate, peer in
      let text = String(repeating: "lang ", count: 60_000)
      let body = Array(#"{"model":"chat","messages":[{"role":"user","content":"\#(text)"}]}"#.utf8)
      peer.send(
        Frames.headers(1, Frames.post(key: gate.key, [("content-length", String(body.count))]), endStream: false))
      send(body, on: 1, peer, ends: true)
      try #require(gate.reached(1))
      #expect(gate.on { gate.upstream.bodies[0].count } >= text.utf8.count)
      gate.answer(0, "ja")
      #expect(peer.answer(1).status == "200")
    }
  }

  /// Sends as the stream's window allows.
  private func send(_ body: [UInt8], on stream: UInt32, _ peer: HTTP2Peer, ends: Bool, window first: Int = 65_535) {
    var sent = 0
    func window() -> Int {
      peer.frames.filter { $0.type == Frames.windowUpdate && $0.stream == stream }
        .reduce(first) { $0 + $1.payload.reduce(0) { $0 << 8 | Int($1) } }
    }
    while sent < body.count {
      guard peer.read(until: { _ in window() > sent }) else { return }
      let count = min(16_384, body.count - sent, window() - sent)
      let isLast = ends && sent + count == body.count
      peer.send(Frames.frame(Frames.data, isLast ? Frames.endStream : 0, stream, Array(body[sent..<(sent + count)])))
      sent += count
    }
  }

  @Test func aBodyThatGrowsBeyondTheLimitIs413() throws {
    var limits = Limits()
    limits.bodyBytes = 100_000
    try with(limits) { gate, peer in
      peer.send(Frames.headers(1, Frames.post(key: gate.key), endStream: false))
      send([UInt8](repeating: 0x20, count: 120_000), on: 1, peer, ends: false)
      let answer = peer.answer(1)
      #expect(answer.status == "413")
      #expect(answer.text.contains("request_too_large"))
      peer.send(Frames.headers(3, Frames.post(key: gate.key, [("content-length", "100001")]), endStream: false))
      #expect(peer.answer(3).status == "413")
    }
  }

  /// Whose head is refused is told in the words of the path that it names, as far as it was read.
  @Test(arguments: [("/v1/messages", true), ("/v1/chat/completions", false)])
  func aRefusedHeadIsAnsweredInItsDialect(path: String, isAnthropic: Bool) throws {
    try with { gate, peer in
      let head = Frames.post(path, key: gate.key, [("content-length", "8388609")])
      peer.send(Frames.headers(1, head, endStream: false))
      let answer = peer.answer(1)
      #expect(answer.status == "413" && answer.text.contains("8 MiB"))
      #expect(answer.text.hasPrefix(#"{"type":"error""#) == isAnthropic, "\(answer.text)")
      // A body that a GET must not have, and two hosts.
      peer.send(Frames.headers(3, Frames.get(path), endStream: false))
      peer.send(Frames.headers(5, Frames.get(path) + [("host", "other")], endStream: true))
      for stream in [3, 5] as [UInt32] {
        let answer = peer.answer(stream)
        #expect(answer.status == "400")
        #expect(answer.text.hasPrefix(#"{"type":"error""#) == isAnthropic, "\(answer.text)")
      }
    }
  }

  @Test func largeBodiesWaitForEachOther() throws {
    var limits = Limits()
    limits.bodyBytes = 100_000
    limits.http2.streamWindowBytes = 10_000
    limits.http2.uploadBytes = 150_000
    try with(limits) { gate, peer in
      let body = Self.chat + [UInt8](repeating: 0x20, count: 90_000 - Self.chat.count)
      for stream in [1, 3] as [UInt32] {
        peer.send(Frames.headers(stream, Frames.post(key: gate.key), endStream: false))
        peer.send(Frames.frame(Frames.data, 0, stream, Array(body[..<8_000])))
      }
      // The first is let in; the second waits, and is not blamed for it.
      #expect(peer.read { $0.frames.contains { $0.type == Frames.windowUpdate && $0.stream == 1 } })
      #expect(gate.openExchanges == 2)
      gate.tick(after: 4_000)
      #expect(!peer.frames.contains { $0.type == Frames.windowUpdate && $0.stream == 3 })
      sendRest(body, on: 1, peer)
      try #require(gate.reached(1))
      #expect(peer.read { $0.frames.contains { $0.type == Frames.windowUpdate && $0.stream == 3 } })
      sendRest(body, on: 3, peer)
      try #require(gate.reached(2))
      gate.answer(0, "eins")
      gate.answer(1, "zwei")
      #expect(peer.answer(1).text.contains("eins"))
      #expect(peer.answer(3).text.contains("zwei"))
    }
  }

  private func sendRest(_ body: [UInt8], on stream: UInt32, _ peer: HTTP2Peer) {
    send(Array(body[8_000...]), on: stream, peer, ends: true, window: 2_000)
  }

  @Test func slowBodiesAre408AndOthersGoOn() throws {
    try with { gate, peer in
      peer.send(Frames.headers(1, Frames.post(key: gate.key), endStream: false) + request(3, gate))
      try #require(gate.reached(1))
      gate.tick(after: 4_900)
      #expect(gate.openExchanges == 2)
      gate.tick(after: 6_000)
      let answer = peer.answer(1)
      #expect(answer.status == "408")
      gate.answer(0, "ganz")
      #expect(peer.answer(3).text.contains("ganz"))
    }
  }

  // MARK: Back-pressure

  @Test func aSlowStreamPausesItsProviderAlone() throws {
    try with { gate, peer in
      // The client's windows: 64 KiB of the first stream, which it never opens again, and all of the connection.
      peer.send(Frames.frame(Frames.windowUpdate, 0, 0, Frames.number(0x7000_0000)))
      peer.send(request(1, gate, Self.streamed) + request(3, gate, Self.streamed))
      try #require(gate.reached(2))
      gate.beginStream(0)
      gate.beginStream(1)
      let text = String(repeating: "x", count: 4_000)
      for _ in 0..<60 { gate.piece(0, text) }
      #expect(gate.on { gate.upstream.paused } == 1)
      gate.piece(1, "weiter")
      #expect(peer.read { $0.answers[3]?.text.contains("weiter") ?? false })
      #expect(gate.on { gate.upstream.paused } == 1)
      // The window opens: the provider goes on.
      peer.send(Frames.frame(Frames.windowUpdate, 0, 1, Frames.number(1_000_000)))
      #expect(gate.holds { gate.upstream.resumed == 1 })
      gate.end(0, .complete)
      gate.end(1, .complete)
      #expect(peer.answer(1).isOver)
      #expect(peer.answers[1]?.text.components(separatedBy: text).count == 61)
      #expect(peer.answer(3).isOver)
    }
  }

  @Test func aStreamThatIsNotReadIsResetAloneAndItsRequestEnds() throws {
    try with { gate, peer in
      peer.send(Frames.frame(Frames.windowUpdate, 0, 0, Frames.number(0x7000_0000)))
      peer.send(request(1, gate, Self.streamed))
      try #require(gate.reached(1))
      gate.beginStream(0)
      let text = String(repeating: "x", count: 4_000)
      for _ in 0..<40 { gate.piece(0, text) }
      #expect(peer.read { ($0.answers[1]?.body.count ?? 0) == 65_535 })
      gate.tick(after: 31_000)
      let answer = peer.answer(1)
      #expect(answer.reset == 8)
      #expect(!answer.isOver)
      peer.send(Frames.headers(3, Frames.get("/livez"), endStream: true))
      #expect(peer.answer(3).status == "200")
      gate.end(0, .complete)
      #expect(gate.holds { gate.pipeline.openExchanges == 0 })
    }
  }

  /// Its windows are wide open, but it takes nothing from its socket: no stream of its own is to blame.
  @Test func aClientThatTakesNothingIsLeft() throws {
    var limits = Limits()
    limits.writeStallMilliseconds = 500_000  // a busy machine may take seconds from one line to the next
    try with(limits) { gate, peer in
      peer.send(Frames.frame(Frames.settings, 0, 0, [0, 4] + Frames.number(0x7FFF_FFFF)))
      peer.send(Frames.frame(Frames.windowUpdate, 0, 0, Frames.number(0x7000_0000)))
      peer.send(request(1, gate))
      try #require(gate.reached(1))
      gate.answer(0, String(repeating: "y", count: 2 << 20))
      #expect(gate.holds { gate.pipeline.openExchanges == 0 })
      gate.tick(after: 400_000)
      #expect(gate.on { gate.worker.connections.count } == 1)
      gate.tick(after: 500_100)
      #expect(gate.on { gate.worker.connections.isEmpty })
    }
  }

  /// Nothing is held, but the end itself does not get out: the library asks for nothing while the window is shut.
  @Test func aStreamWhoseEndAloneWaitsForItsClientIsReset() throws {
    try with { gate, peer in
      peer.send(request(1, gate, Self.streamed))
      try #require(gate.reached(1))
      gate.beginStream(0)
      gate.piece(0, "eins")
      #expect(peer.read { $0.answers[1]?.text.contains("eins") ?? false })
      let window = UInt32(peer.answers[1]?.body.count ?? 0)
      peer.send(
        Frames.frame(Frames.settings, 0, 0, [0, 4] + Frames.number(window)) + request(3, gate, Self.streamed))
      try #require(gate.reached(2))
      gate.beginStream(1)
      gate.piece(1, "eins")
      #expect(peer.read { ($0.answers[3]?.body.count ?? 0) == Int(window) })
      gate.tick(after: 31_000)
      #expect(peer.answers[3]?.reset == nil, "its provider is silent, and nobody waits for the client")
      gate.on { gate.upstream.sent[1].client?.end() }
      gate.tick(after: 29_000)
      gate.tick(after: 31_000)
      #expect(peer.answer(3).reset == 8)
      peer.send(Frames.frame(Frames.windowUpdate, 0, 1, Frames.number(1_000_000)))
      gate.end(0, .complete)
      gate.end(1, .complete)
      #expect(peer.answer(1).isOver)
    }
  }

  // MARK: What a client may cost

  @Test func rapidResetsEndTheConnection() throws {
    try with { gate, peer in
      for number in 0..<150 {
        let stream = UInt32(2 * number + 1)
        peer.send(
          Frames.headers(stream, Frames.post(key: gate.key), endStream: false)
            + Frames.frame(Frames.reset, 0, stream, [0, 0, 0, 8]))
      }
      #expect(peer.ending() == 11)
      #expect(gate.holds { gate.pipeline.openExchanges == 0 })
      let counted = gate.on {
        var reading = LoopCounters.Reading()
        gate.pipeline.counters.add(to: &reading)
        return reading.calmed
      }
      #expect(counted == 1)
    }
  }

  @Test func resetsThatTheClientProvokesCountAsItsOwn() throws {
    try with { gate, peer in
      for number in 0..<150 {
        let stream = UInt32(2 * number + 1)
        peer.send(
          Frames.headers(stream, Frames.post(key: gate.key), endStream: false)
            + Frames.frame(Frames.windowUpdate, 0, stream, Frames.number(0x7FFF_FFFF)))
      }
      #expect(peer.ending() == 11)
      #expect(gate.holds { gate.pipeline.openExchanges == 0 })
    }
  }

  @Test func malformedRequestsEndTheConnectionAtSomeTime() throws {
    try with { _, peer in
      peer.send(Frames.headers(1, Frames.get("/../x"), endStream: true))
      #expect(peer.answer(1).status == "400")
      for stream in stride(from: UInt32(3), to: 301, by: 2) where !peer.isClosed {
        peer.send(Frames.headers(stream, Frames.get("/../x"), endStream: true))
        _ = peer.answer(stream)
      }
      #expect(peer.ending() == 11)
    }
  }

  @Test(arguments: FrameMeterTests.idle.filter { $0.name == "PING" || $0.name == "SETTINGS" || $0.name == "PRIORITY" })
  func floodsEndTheConnection(name: String, frame: [UInt8]) throws {
    try with { gate, peer in
      peer.send(Frames.headers(1, Frames.post(key: gate.key), endStream: false))
      for _ in 0..<300 { peer.send(frame) }
      #expect(peer.ending() == 11)
      #expect(gate.holds { gate.pipeline.openExchanges == 0 })
    }
  }

  @Test func moreStreamsThanAllowedAreNotTaken() throws {
    var limits = Limits()
    limits.http2.streams = 4
    try with(limits) { gate, peer in
      #expect(peer.read { $0.frames.contains { $0.type == Frames.settings } })
      for stream in [1, 3, 5, 7, 9] as [UInt32] {
        peer.send(Frames.headers(stream, Frames.post(key: gate.key), endStream: false))
      }
      // Its settings are acknowledged: this client knows better.
      #expect(peer.ending() == 1)
      #expect(gate.holds { gate.pipeline.openExchanges == 0 })
    }
  }

  // MARK: Deadlines and the end

  @Test func aClientThatDoesNotGreetIsLeft() throws {
    let gate = try FrontGate()
    defer { gate.stop() }
    let peer = HTTP2Peer(gate.connect(), greets: false)
    peer.acknowledges = false
    peer.send(Frames.preface)
    #expect(peer.read { $0.frames.contains { $0.type == Frames.settings } })
    gate.tick(after: 11_000)
    #expect(peer.ending() == 4)
  }

  @Test func halfAPrefaceIsLeftAlone() throws {
    let gate = try FrontGate()
    defer { gate.stop() }
    let peer = HTTP2Peer(gate.connect(), greets: false)
    peer.send(Array(Frames.preface[..<10]))
    gate.tick(after: 9_000)
    #expect(gate.on { gate.worker.connections.count } == 1)
    gate.tick(after: 11_000)
    #expect(peer.ending() == nil)
    #expect(peer.isClosed)
  }

  @Test func aHeadThatDoesNotEndIsLeft() throws {
    try with { gate, peer in
      peer.send(Frames.frame(Frames.headers, 0, 1, Frames.block(Frames.get("/livez"))))
      peer.send(Frames.frame(Frames.ping, 0, 0, [UInt8](repeating: 0, count: 8)))
      gate.tick(after: 11_000)
      #expect(peer.ending() != nil)
    }
  }

  @Test func idleConnectionsEndInPeace() throws {
    try with { gate, peer in
      peer.send(Frames.headers(1, Frames.get("/livez"), endStream: true))
      #expect(peer.answer(1).status == "200")
      gate.tick(after: 59_000)
      #expect(gate.on { gate.worker.connections.count } == 1)
      gate.tick(after: 61_000)
      #expect(peer.read { !$0.goAways.isEmpty })
      #expect(peer.goAways.first?.last == 0x7FFF_FFFF)
      pong(peer)
      #expect(peer.ending() == 0)
      #expect(peer.goAways.last?.last == 1)
    }
  }

  /// Answers the PING that comes with the news of the end.
  private func pong(_ peer: HTTP2Peer) {
    #expect(peer.read { $0.frames.contains { $0.type == Frames.ping } })
    let payload = peer.frames.last { $0.type == Frames.ping }?.payload ?? []
    peer.send(Frames.frame(Frames.ping, Frames.acknowledges, 0, payload))
  }

  @Test func aDrainLosesNoRequest() throws {
    try with { gate, peer in
      peer.send(request(1, gate))
      try #require(gate.reached(1))
      gate.on { gate.worker.drain(until: .max, lingerMilliseconds: 0) {} }
      #expect(peer.read { !$0.goAways.isEmpty })
      // On its way before the client knew: served.
      peer.send(request(3, gate))
      try #require(gate.reached(2))
      pong(peer)
      #expect(peer.read { $0.goAways.count == 2 })
      #expect(peer.goAways.last?.last == 3)
      // Sent although it knew: not taken, and not answered.
      peer.send(request(5, gate))
      gate.answer(0, "eins")
      gate.answer(1, "zwei")
      #expect(peer.answer(1).text.contains("eins"))
      #expect(peer.answer(3).text.contains("zwei"))
      #expect(peer.ending() == 0)
      #expect(peer.answers[5] == nil)
      #expect(gate.on { gate.upstream.sent.count } == 2)
    }
  }

  @Test func aDrainDoesNotWaitForAPong() throws {
    try with { gate, peer in
      peer.send(Frames.headers(1, Frames.get("/livez"), endStream: true))
      #expect(peer.answer(1).status == "200")
      gate.on { gate.worker.drain(until: .max, lingerMilliseconds: 0) {} }
      gate.tick(after: 1_500)
      #expect(peer.ending() == 0)
      #expect(peer.goAways.count == 2)
    }
  }

  @Test func soManyRequestsAndNoMore() throws {
    var limits = Limits()
    limits.requestsPerConnection = 3
    try with(limits) { _, peer in
      for stream in [1, 3, 5] as [UInt32] { peer.send(Frames.headers(stream, Frames.get("/livez"), endStream: true)) }
      #expect(peer.answer(5).status == "200")
      pong(peer)
      #expect(peer.ending() == 0)
      #expect(peer.goAways.last?.last == 5)
    }
  }

  @Test func http1GoesOnAsItWas() throws {
    let gate = try FrontGate()
    defer { gate.stop() }
    let peer = HTTP2Peer(gate.connect(), greets: false)
    // The first byte is the preface's, the second is not.
    peer.send(Array("P".utf8))
    peer.send(Array("OST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".utf8))
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = recv(peer.descriptor, &buffer, buffer.count, 0)
    #expect(String(decoding: buffer[..<max(0, count)], as: UTF8.self).hasPrefix("HTTP/1.1 405 "))
  }
}
