import Foundation
import Gateway
import Glibc
import JSONText
import Testing

@testable import Frontend

/// What a turn takes of large bodies and answers has a bound; whatever the bound, all of it comes, and others as well.
@Suite("The share of a turn", .serialized, .timeLimit(.minutes(2)))
struct TurnShareTests {
  private func with(_ limits: Limits, _ body: (FrontGate) throws -> Void) throws {
    let gate = try FrontGate(limits: limits)
    defer { gate.stop() }
    try body(gate)
    #expect(gate.holds { gate.pipeline.openExchanges == 0 })
  }

  private func chat(_ text: String) -> String {
    #"{"model":"chat","messages":[{"role":"user","content":"\#(text)"}]}"#
  }

  private func request(_ body: String, _ gate: FrontGate, isChunked: Bool = false) -> [UInt8] {
    let length = body.utf8.count
    return Array(
      ("POST /v1/chat/completions HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer \(gate.key)\r\n"
        + "Content-Type: application/json\r\n"
        + (isChunked
          ? "Transfer-Encoding: chunked\r\n\r\n\(String(length, radix: 16))\r\n\(body)\r\n0\r\n\r\n"
          : "Content-Length: \(length)\r\n\r\n\(body)"))
        .utf8)
  }

  /// Sends all of it, in pieces as the other side takes them, without keeping the loop from anything.
  private func send(_ bytes: [UInt8], _ descriptor: Int32) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(
          descriptor, UnsafeRawBufferPointer(rebasing: $0[sent...]).baseAddress, $0.count - sent, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }

  private func receive(_ descriptor: Int32, until ending: String) -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let wanted = Array(ending.utf8)
    while !bytes.suffix(wanted.count).elementsEqual(wanted) {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      guard count > 0 else { break }
      bytes += buffer[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test(arguments: [1, 4096, 1 << 20], [false, true])
  func largeBodiesComeWholeAndNextToEachOther(perTurn: Int, isChunked: Bool) throws {
    var limits = Limits()
    limits.turnReadBytes = perTurn
    limits.ownWorkBytes = 8 * 1024
    try with(limits) { gate in
      let clients = (0..<3).map { _ in gate.connect() }
      defer { for client in clients { close(client) } }
      let bodies = ["a", "b", "c"].map { chat(String(repeating: $0, count: 600_000)) }
      for (client, body) in zip(clients, bodies) { #expect(send(request(body, gate, isChunked: isChunked), client)) }
      try #require(gate.reached(3))
      let lengths = gate.on {
        gate.upstream.bodies.map { body in [97, 98, 99].map { letter in body.count { $0 == letter } } }
      }
      for index in 0..<3 { #expect(lengths.contains { $0[index] >= 600_000 }) }
      for index in 0..<3 { gate.answer(index, "gut") }
      for client in clients { #expect(receive(client, until: "}}").hasPrefix("HTTP/1.1 200")) }
    }
  }

  /// Whatever it is framed by, a large body stands in line.
  @Test(arguments: [false, true]) func largeBodiesStandInLine(isChunked: Bool) throws {
    var limits = Limits()
    limits.ownWorkBytes = 8 * 1024
    try with(limits) { gate in
      let client = gate.connect()
      defer { close(client) }
      let connection: @Sendable () -> Connection? = { gate.worker.connections.first as? Connection }
      let whole = request(chat(String(repeating: "a", count: 100_000)), gate, isChunked: isChunked)
      #expect(send(Array(whole[..<50_000]), client))
      #expect(gate.holds { connection()?.isSentMuch == true })
      #expect(send(Array(whole[50_000...]), client))
      try #require(gate.reached(1))
      #expect(gate.on { connection()?.isSentMuch == false })
      gate.answer(0, "gut")
      #expect(receive(client, until: "}}").hasPrefix("HTTP/1.1 200"))
    }
  }

  /// What lies in a connection is counted by nobody; what lies in the kernel is.
  @Test func whatCannotBeUsedYetIsLeftInTheKernel() throws {
    try with(Limits()) { gate in
      let client = gate.connect()
      defer { close(client) }
      #expect(send(request(chat("kurz"), gate), client))
      try #require(gate.reached(1))
      let health = Array("GET /livez HTTP/1.1\r\nHost: gate\r\n\r\n".utf8)
      let inbox: @Sendable () -> Int = { (gate.worker.connections.first as? Connection)?.inbox.count ?? 0 }
      #expect(send(health, client))
      #expect(gate.holds { inbox() == health.count })
      for _ in 0..<99 { #expect(send(health, client)) }
      #expect(gate.on(inbox) == health.count)
      gate.answer(0, "gut")
      var rest = receive(client, until: "}")
      #expect(rest.hasPrefix("HTTP/1.1 200"))
      while rest.components(separatedBy: "HTTP/1.1 200").count < 102 {
        let more = receive(client, until: "}")
        try #require(!more.isEmpty)
        rest += more
      }
      #expect(gate.on(inbox) == 0)
    }
  }

  /// Bodies that wait for their place in line when their client goes leave no trace.
  @Test func aClientThatGoesWhileItStandsInLineIsGone() throws {
    var limits = Limits()
    limits.turnReadBytes = 1
    limits.ownWorkBytes = 1024
    try with(limits) { gate in
      let clients = (0..<3).map { _ in gate.connect() }
      for client in clients {
        #expect(send(Array(request(chat(String(repeating: "x", count: 500_000)), gate).prefix(100_000)), client))
      }
      #expect(gate.holds { gate.pipeline.openExchanges == 3 })
      for client in clients { close(client) }
      #expect(gate.holds { gate.worker.connections.isEmpty && gate.pipeline.openExchanges == 0 })
    }
  }

  @Test(arguments: [1000, 100_000]) func aLargeAnswerGoesOutWhole(perTurn: Int) throws {
    var limits = Limits()
    limits.turnWriteBytes = perTurn
    try with(limits) { gate in
      let client = gate.connect()
      defer { close(client) }
      #expect(send(request(chat("kurz"), gate), client))
      try #require(gate.reached(1))
      gate.answer(0, String(repeating: "y", count: 2_000_000))
      let answer = receive(client, until: "}}")
      #expect(answer.utf8.count { $0 == 0x79 } >= 2_000_000)
    }
  }

  /// More requests than a turn takes on: the others are taken on by the next ones, without anything to wake the loop.
  @Test func whatATurnDoesNotTakeOnIsTakenOnByTheNext() throws {
    var limits = Limits()
    limits.turnBytes = 1
    try with(limits) { gate in
      let clients = (0..<20).map { _ in gate.connect() }
      defer { for client in clients { close(client) } }
      for client in clients { #expect(send(request(chat("kurz"), gate), client)) }
      try #require(gate.reached(20))
      for index in 0..<20 { gate.answer(index, "gut") }
      for client in clients { #expect(receive(client, until: "}}").hasPrefix("HTTP/1.1 200")) }
    }
  }
}
