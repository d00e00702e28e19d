import Glibc
import Testing

@testable import Frontend
@testable import Gateway

/// How many connections bring keys of one tenant.
@Suite("Connections of a tenant", .serialized, .timeLimit(.minutes(2)))
struct TenantPlaceTests {
  private func with(isProxy: Bool = false, _ body: (FrontGate) throws -> Void) throws {
    var limits = Limits()
    limits.connectionsPerTenant = 2
    let gate = try FrontGate(limits: limits, proxies: TrustedProxies(networks: [], trustsFiles: isProxy))
    defer { gate.stop() }
    try body(gate)
    #expect(gate.holds { gate.pipeline.openExchanges == 0 })
  }

  /// Bodies of no chat: refused with 400, after the place was taken.
  private func ask(_ gate: FrontGate, _ client: Int32) -> String {
    let request =
      "POST /v1/chat/completions HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer \(gate.key)\r\n"
      + "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"
    send(client, request, request.utf8.count, Int32(MSG_NOSIGNAL))
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(client, &buffer, buffer.count, 0)
    return String(decoding: buffer[..<max(0, count)], as: UTF8.self)
  }

  @Test func oneTooManyIsRefusedUntilAnotherOneIsGone() throws {
    try with { gate in
      let clients = (0..<3).map { _ in gate.connect() }
      for _ in 0..<3 {
        for client in clients[..<2] { #expect(ask(gate, client).hasPrefix("HTTP/1.1 400")) }
      }
      let refused = ask(gate, clients[2])
      #expect(refused.hasPrefix("HTTP/1.1 429") && refused.contains("2 connections open"), "\(refused)")
      var byte: UInt8 = 0
      #expect(recv(clients[2], &byte, 1, 0) == 0, "it ends")
      #expect(gate.on { gate.pipeline.services.bodies.reading.refusedPlaces } == 1)
      close(clients[0])
      close(clients[2])
      #expect(gate.holds { gate.worker.connections.count == 1 })
      let next = gate.connect()
      #expect(ask(gate, next).hasPrefix("HTTP/1.1 400"))
      close(next)
      close(clients[1])
    }
  }

  @Test func whatIsAnsweredByItsHeadTakesAPlace() throws {
    try with { gate in
      let clients = (0..<3).map { _ in gate.connect() }
      let request = "GET /v1/models HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer \(gate.key)\r\n\r\n"
      for (number, client) in clients.enumerated() {
        send(client, request, request.utf8.count, Int32(MSG_NOSIGNAL))
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(client, &buffer, buffer.count, 0)
        let answer = String(decoding: buffer[..<max(0, count)], as: UTF8.self)
        #expect(answer.hasPrefix(number < 2 ? "HTTP/1.1 200" : "HTTP/1.1 429"))
      }
      for client in clients { close(client) }
    }
  }

  @Test func aProxysConnectionsAreManyTenants() throws {
    try with(isProxy: true) { gate in
      let clients = (0..<4).map { _ in gate.connect() }
      for client in clients { #expect(ask(gate, client).hasPrefix("HTTP/1.1 400")) }
      for client in clients { close(client) }
    }
  }

  @Test func overHTTP2TheConnectionCountsOnce() throws {
    try with { gate in
      let peers = (0..<3).map { _ in HTTP2Peer(gate.connect()) }
      for (number, peer) in peers.enumerated() {
        for stream in number < 2 ? [UInt32(1), 3, 5] : [1] {
          peer.send(
            Frames.headers(stream, Frames.post(key: gate.key), endStream: false)
              + Frames.frame(Frames.data, 1, stream, Array("[]".utf8)))
          #expect(peer.answer(stream).status == (number < 2 ? "400" : "429"))
        }
      }
    }
  }
}
