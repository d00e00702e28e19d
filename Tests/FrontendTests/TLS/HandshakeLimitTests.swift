import Gateway
import Glibc
import Testing

@testable import Frontend

/// A handshake holds far more of our memory than of its client's: how many are open at a time has a bound.
@Suite("Handshakes that are not over", .serialized, .timeLimit(.minutes(2)))
struct HandshakeLimitTests {
  @Test func oneTooManyIsClosedAtOnceUntilAnotherOneIsOver() throws {
    var limits = Limits()
    limits.handshakes = 2
    limits.headMilliseconds = 500_000  // a busy machine may take seconds from one line to the next
    let pair = try SelfSignedPair(names: ["DNS:localhost"], until: 3600)
    let front = TLSFront(try TLSContext(.init(chain: pair.certificate, key: pair.key), minimum: .tls12))
    let gate = try FrontGate(limits: limits, tls: front)
    defer { gate.stop() }
    let peers = [try TLSPeer(gate.connect()), try TLSPeer(gate.connect())]
    let late = gate.connect()
    defer { close(late) }
    var byte: UInt8 = 0
    #expect(recv(late, &byte, 1, 0) == 0, "it ends")
    #expect(gate.on { gate.worker.connections.count } == 2)
    #expect(peers[0].shakeHands())
    #expect(gate.holds { front.number(of: .completed) == 1 })  // the client is done before the loop is
    let next = try TLSPeer(gate.connect())
    #expect(next.shakeHands() && peers[1].shakeHands())
  }
}
