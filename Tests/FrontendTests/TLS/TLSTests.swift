import CTLS
import EventLoop
import Gateway
import Glibc
import JSONText
import Synchronization
import Testing

@testable import Frontend

/// A TLS listener's connections against OpenSSL's client over socket pairs; what is waited for is an event, never a time.
@Suite(.timeLimit(.minutes(2)))
struct TLSTests {
  private static func context(
    _ minimum: TLSContext.Version = .tls12, clients: SelfSignedPair? = nil
  ) throws -> TLSContext {
    let pair = try SelfSignedPair(names: ["DNS:localhost"], until: 3600)
    return try TLSContext(
      .init(chain: pair.certificate, key: pair.key, clientAuthorities: clients?.certificate), minimum: minimum)
  }

  /// Echoes.
  private static let echo: @Sendable (Speaker) -> Void = { speaker in
    speaker.write(speaker.inbox)
    speaker.inbox = []
  }

  private static func with(
    _ context: TLSContext, limits: Limits = Limits(), answer: @escaping @Sendable (Speaker) -> Void = echo,
    _ body: (TLSGate) async throws -> Void
  ) async throws {
    let gate = try await TLSGate(context, limits: limits, answer: answer)
    do { try await body(gate) } catch {
      await gate.stop()
      throw error
    }
    await gate.stop()
  }

  /// Numbers, so that bytes that are lost, doubled or swapped show.
  private static func pattern(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8 &+ $0 >> 16) }
  }

  // MARK: The handshake

  @Test(arguments: [1, 3, 100, Int.max], [TLS1_2_VERSION, TLS1_3_VERSION])
  func aHandshakeMayComeInPieces(step: Int, version: Int32) async throws {
    try await Self.with(try Self.context()) { gate in
      let peer = try TLSPeer(try await gate.connect(), newest: version)
      peer.step = step
      #expect(peer.shakeHands() && SSL_version(peer.ssl) == version)
      peer.write(Array("Grüezi".utf8))
      #expect(peer.read(count: 7) == Array("Grüezi".utf8))
      #expect(gate.front.number(of: .completed) == 1)
    }
  }

  @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
  func keysAreForgottenWithTheConnection(version: Int32) async throws {
    try await Self.with(try Self.context()) { gate in
      let peer = try TLSPeer(try await gate.connect(), newest: version)
      #expect(peer.shakeHands())
      let name = SSL_CIPHER_get_name(SSL_get_current_cipher(peer.ssl)).map { String(cString: $0) } ?? ""
      #expect(name.hasPrefix("TLS_") || name.hasPrefix("ECDHE-"), "\(name)")
    }
  }

  /// The first request comes in one piece with the handshake's end.
  @Test func bytesBehindTheHandshakeAreNotLost() async throws {
    try await Self.with(try Self.context()) { gate in
      let descriptor = try await gate.connect()
      let peer = try TLSPeer(descriptor)
      #expect(SSL_do_handshake(peer.ssl) == -1)
      peer.sendRaw(peer.nextBytes())
      // The server's flight is awaited, then the own end of the handshake and a request leave together.
      while SSL_do_handshake(peer.ssl) != 1 { try #require(peer.fill()) }
      let end = peer.nextBytes()
      var count = 0
      SSL_write_ex(peer.ssl, "hello", 5, &count)
      peer.sendRaw(end + peer.nextBytes())
      #expect(peer.read(count: 5) == Array("hello".utf8))
    }
  }

  @Test(arguments: [(TLSContext.Version.tls12, TLS1_1_VERSION), (.tls13, TLS1_2_VERSION)])
  func anOlderVersionIsRefused(minimum: TLSContext.Version, version: Int32) async throws {
    try await Self.with(try Self.context(minimum)) { gate in
      let peer = try TLSPeer(try await gate.connect(), newest: version)
      #expect(!peer.shakeHands())
      #expect(peer.receiveRaw().isEmpty)
      _ = try await gate.count()
      #expect(gate.front.number(of: .refused) == 1 && gate.front.number(of: .completed) == 0)
    }
  }

  @Test func theClientsListDecidesWhatIsSpoken() async throws {
    try await Self.with(try Self.context()) { gate in
      for names in [[], ["http/1.1"], ["h2", "http/1.1"], ["x", "http/1.1", "h2"]] {
        let peer = try TLSPeer(try await gate.connect(), names: names)
        #expect(peer.shakeHands())
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(peer.ssl, &name, &length)
        let chosen = String(decoding: UnsafeRawBufferPointer(start: name, count: Int(length)), as: UTF8.self)
        #expect(chosen == (names.isEmpty ? "" : names.contains("h2") ? "h2" : "http/1.1"), "our order decides")
      }
      let stranger = try TLSPeer(try await gate.connect(), names: ["h3", "spdy/1"])
      #expect(!stranger.shakeHands())
      let spoken = try await gate.loop.run { gate.spoken }
      #expect(spoken == [.http11, .http11, .http2, .http2])
    }
  }

  // MARK: Those that do not shake hands

  @Test func whoSpeaksPlainHTTPIsToldSo() async throws {
    try await Self.with(try Self.context()) { gate in
      for request in ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "POST /v1/chat/completions HTTP/1.1\r\n", "G"] {
        let peer = try TLSPeer(try await gate.connect())
        peer.sendRaw(Array(request.utf8))
        let answer = String(decoding: peer.receiveRaw(), as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.contains("\r\nconnection: close\r\n"))
        let body = answer.split(separator: "\r\n\r\n").last.map(String.init) ?? ""
        #expect(answer.contains("content-length: \(body.utf8.count)\r\n") && body.contains("https://"))
      }
      _ = try await gate.count()
      #expect(gate.front.number(of: .plain) == 3)
    }
  }

  @Test func garbageIsRefusedAndOthersAreServed() async throws {
    try await Self.with(try Self.context()) { gate in
      var generator = SeededGenerator(seed: 7)
      let hello = try { () throws -> [UInt8] in
        let peer = try TLSPeer(try Self.nowhere())
        #expect(SSL_do_handshake(peer.ssl) == -1)
        return peer.nextBytes()
      }()
      for round in 0..<400 {
        var bytes = round % 4 == 0 ? (0..<200).map { _ in UInt8.random(in: 0...255, using: &generator) } : hello
        for _ in 0...(round % 5) {
          bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
        let peer = try TLSPeer(try await gate.connect())
        peer.sendRaw(bytes)
        peer.endSending()
        _ = peer.receiveRaw()  // it ends: neither a trap nor a connection left open
      }
      let peer = try TLSPeer(try await gate.connect())
      #expect(peer.shakeHands())
      let count = try await gate.count()
      #expect(count == 1)
      let greetings = try await gate.greetings()
      #expect(greetings == 0)
    }
  }

  /// A socket that nobody reads.
  private static func nowhere() throws -> Int32 { socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0) }

  /// Each part of the client's flight, and then the end.
  @Test func aHandshakeThatBreaksOffLeavesNothing() async throws {
    try await Self.with(try Self.context()) { gate in
      let hello = try { () throws -> [UInt8] in
        let peer = try TLSPeer(try Self.nowhere())
        #expect(SSL_do_handshake(peer.ssl) == -1)
        return peer.nextBytes()
      }()
      for length in 0...hello.count {
        let peer = try TLSPeer(try await gate.connect())
        peer.sendRaw(Array(hello[..<length]))
        peer.endSending()
        _ = peer.receiveRaw()
      }
      let (count, greetings) = (try await gate.count(), try await gate.greetings())
      #expect(count == 0 && greetings == 0)
      #expect(gate.front.number(of: .completed) == 0)
    }
  }

  @Test func aHandshakeHasTheHeadsTime() async throws {
    var limits = Limits()
    limits.headMilliseconds = 500_000  // a busy machine may take seconds from one line to the next
    try await Self.with(try Self.context(), limits: limits) { gate in
      let peer = try TLSPeer(try await gate.connect())
      peer.sendRaw([0x16, 3, 1])
      try await gate.pass(milliseconds: 1_000)
      let before = try await gate.count()
      #expect(before == 1)
      try await gate.pass(milliseconds: 500_100)
      #expect(peer.receiveRaw().isEmpty)
      let after = try await gate.count()
      #expect(after == 0 && gate.front.number(of: .late) == 1)
    }
  }

  /// More greetings than a turn lets go on: those in line are not forgotten.
  @Test func aFloodOfHandshakesIsServedInTurns() async throws {
    try await Self.with(try Self.context()) { gate in
      var peers: [TLSPeer] = []
      for _ in 0..<60 { peers.append(try TLSPeer(try await gate.connect())) }
      for peer in peers {
        #expect(SSL_do_handshake(peer.ssl) == -1)
        peer.sendRaw(peer.nextBytes())
      }
      for peer in peers {
        #expect(peer.shakeHands())
        peer.write([42])
        #expect(peer.read(count: 1) == [42])
      }
      #expect(gate.front.number(of: .completed) == 60)
    }
  }

  // MARK: Bytes

  @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
  func aLargeAnswerReachesASlowReader(version: Int32) async throws {
    let answer = Self.pattern(6_000_011)
    try await Self.with(
      try Self.context(),
      answer: { speaker in
        // A head and a body in one call, as an answer goes out.
        answer.withUnsafeBytes {
          speaker.wire.write(
            UnsafeRawBufferPointer(rebasing: $0[..<300]), UnsafeRawBufferPointer(rebasing: $0[300...]))
        }
        speaker.inbox = []
      }
    ) { gate in
      let peer = try TLSPeer(try await gate.connect(), newest: version)
      #expect(peer.shakeHands())
      peer.write([1])
      #expect(peer.read(count: answer.count, most: 3_000) == answer)
    }
  }

  /// Sealing is the loop's work: others wait for it.
  @Test func aTurnSealsOnlySoMuchForOneClient() async throws {
    let answer = Self.pattern(3_000_000)
    var limits = Limits()
    limits.turnWriteBytes = 20_000
    let waiting = Mutex(0)
    try await Self.with(
      try Self.context(), limits: limits,
      answer: { speaker in
        speaker.write(answer)
        waiting.withLock { $0 = speaker.wire.heldBytes }
        speaker.inbox = []
      }
    ) { gate in
      let peer = try TLSPeer(try await gate.connect())
      #expect(peer.shakeHands())
      peer.write([1])
      #expect(peer.read(count: answer.count) == answer)
      #expect(waiting.withLock { $0 } > answer.count - 100_000, "the kernel would have taken more")
    }
  }

  /// Whatever was written when and how, it comes in its order.
  @Test func directAndWaitingBytesKeepTheirOrder() async throws {
    try await Self.with(
      try Self.context(),
      answer: { speaker in
        for number in 0..<200 {
          let bytes = [UInt8](repeating: UInt8(number), count: number * 37)
          if number % 3 == 0 { speaker.wire.pending.append(bytes) } else { speaker.write(bytes) }
        }
        speaker.inbox = []
      }
    ) { gate in
      let peer = try TLSPeer(try await gate.connect())
      #expect(peer.shakeHands())
      peer.write([1])
      let expected = (0..<200).flatMap { [UInt8](repeating: UInt8($0), count: $0 * 37) }
      #expect(peer.read(count: expected.count) == expected)
    }
  }

  /// A turn's bytes share their records.
  @Test func manySmallPiecesOfATurnAreOneRecord() async throws {
    try await Self.with(
      try Self.context(),
      answer: { speaker in
        for number in 0..<100 { speaker.wire.pending.append(UInt8(number)) }
        speaker.inbox = []
      }
    ) { gate in
      let peer = try TLSPeer(try await gate.connect())
      #expect(peer.shakeHands())
      peer.write([1])
      #expect(peer.read() == .bytes((0..<100).map { UInt8($0) }))
    }
  }

  @Test(arguments: [1, 100, 16_384, 40_000, 1_000_000])
  func aBodyGoesWhereItBelongs(length: Int) async throws {
    let body = Self.pattern(length)
    try await Self.with(
      try Self.context(),
      answer: { speaker in
        if speaker.inbox == [1] {
          speaker.inbox = []
          speaker.missingBodyBytes = length
        } else if speaker.missingBodyBytes == 0 {
          // All of it, and what stood behind it in the same record.
          let isWhole = speaker.body.bytes.elementsEqual(body)
          if speaker.inbox == [2] { speaker.write([isWhole ? 1 : 0]) }
        }
      }
    ) { gate in
      let peer = try TLSPeer(try await gate.connect())
      #expect(peer.shakeHands())
      peer.write([1])
      peer.write(body + [2])
      #expect(peer.read(count: 1) == [1])
    }
  }

  /// Its user wants no more for now, and gets what was received nevertheless; nothing is left where epoll cannot see it.
  @Test func whoPausesLosesNothing() async throws {
    let bytes = Self.pattern(500_000)
    try await Self.with(
      try Self.context(),
      answer: { speaker in
        let wire = speaker.wire
        wire.read(false)
        if speaker.inbox.count == bytes.count { speaker.write(speaker.inbox) }
        speaker.later { wire.read(true) }
      }
    ) { gate in
      let peer = try TLSPeer(try await gate.connect())
      #expect(peer.shakeHands())
      #expect(peer.write(bytes))
      #expect(peer.read(count: bytes.count) == bytes)
    }
  }

  // MARK: The end

  @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
  func theEndIsSaidByBothSides(version: Int32) async throws {
    try await Self.with(
      try Self.context(),
      answer: { speaker in
        speaker.write(speaker.inbox)
        if speaker.inbox == Array("close".utf8) { speaker.wire.closeOutput() }
        speaker.inbox = []
      }
    ) { gate in
      // The server ends: what was written comes whole, then its end.
      let first = try TLSPeer(try await gate.connect(), newest: version)
      #expect(first.shakeHands())
      first.write(Array("close".utf8))
      #expect(first.read(count: 5) == Array("close".utf8))
      #expect(first.read() == .goodbye)
      // It still listens, until the client ends, too.
      let open = try await gate.count()
      #expect(open == 1)
      first.sayGoodbye()
      #expect(first.receiveRaw().isEmpty)
      // The client ends: the server answers that, too.
      let second = try TLSPeer(try await gate.connect(), newest: version)
      #expect(second.shakeHands())
      second.write([7])
      #expect(second.read(count: 1) == [7])
      second.sayGoodbye()
      #expect(second.read() == .goodbye)
      #expect(second.receiveRaw().isEmpty)
      let left = try await gate.count()
      #expect(left == 0)
    }
  }

  /// A socket that is closed without a word is no end that anybody has said.
  @Test func aCutClientIsGone() async throws {
    try await Self.with(try Self.context()) { gate in
      let peer = try TLSPeer(try await gate.connect())
      #expect(peer.shakeHands())
      peer.write([7])
      #expect(peer.read(count: 1) == [7])
      peer.endSending()
      _ = peer.receiveRaw()
      let left = try await gate.count()
      #expect(left == 0)
    }
  }

  @Test func aChangedRecordEndsTheConnection() async throws {
    try await Self.with(try Self.context()) { gate in
      let peer = try TLSPeer(try await gate.connect())
      #expect(peer.shakeHands())
      var count = 0
      SSL_write_ex(peer.ssl, "hello", 5, &count)
      var record = peer.nextBytes()
      record[record.count - 1] ^= 1
      peer.sendRaw(record)
      #expect(peer.read() == .cut)
      let left = try await gate.count()
      #expect(left == 0)
    }
  }

  // MARK: After the handshake

  /// Some new keys are fine; each costs the server far more than its sender, so without end they are not.
  @Test func newKeysAreLimited() async throws {
    try await Self.with(try Self.context()) { gate in
      let peer = try TLSPeer(try await gate.connect())
      #expect(peer.shakeHands())
      for _ in 0..<10 {
        #expect(SSL_key_update(peer.ssl, SSL_KEY_UPDATE_REQUESTED) == 1)
        peer.write([7])
        #expect(peer.read(count: 1) == [7])
      }
      var end = TLSPeer.Read.bytes([])
      for _ in 0..<200 {
        guard SSL_key_update(peer.ssl, SSL_KEY_UPDATE_REQUESTED) == 1, peer.write([7]) else {
          end = .cut
          break
        }
        end = peer.read()
        guard case .bytes = end else { break }
      }
      #expect(end == .cut)
    }
  }

  @Test func newKeysAreNotAgreedOnInTLS12() async throws {
    try await Self.with(try Self.context()) { gate in
      let peer = try TLSPeer(try await gate.connect(), newest: TLS1_2_VERSION)
      #expect(peer.shakeHands())
      #expect(SSL_renegotiate(peer.ssl) == 1)
      _ = peer.shakeHands()
      #expect(peer.read() == .cut)
      #expect(gate.front.number(of: .completed) == 1)
    }
  }

  // MARK: Sessions, clients, other contexts

  @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
  func aSessionIsResumedWithinItsContextOnly(version: Int32) async throws {
    try await Self.with(try Self.context()) { gate in
      let first = try TLSPeer(try await gate.connect(), newest: version)
      #expect(first.shakeHands() && SSL_session_reused(first.ssl) == 0)
      first.write([7])
      #expect(first.read(count: 1) == [7])
      let session = try #require(SSL_get1_session(first.ssl))
      defer { SSL_SESSION_free(session) }
      let second = try TLSPeer(try await gate.connect(), newest: version, session: session)
      #expect(second.shakeHands() && SSL_session_reused(second.ssl) == 1)
      gate.front.swap(try Self.context())
      let third = try TLSPeer(try await gate.connect(), newest: version, session: session)
      #expect(third.shakeHands() && SSL_session_reused(third.ssl) == 0)
      // Those of before go on by their own context.
      for peer in [first, second] {
        peer.write([8])
        #expect(peer.read(count: 1) == [8])
      }
    }
  }

  @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
  func onlyKnownClientsGetIn(version: Int32) async throws {
    let known = try SelfSignedPair(names: ["DNS:client"], until: 3600)
    let stranger = try SelfSignedPair(names: ["DNS:client"], until: 3600)
    let expired = try SelfSignedPair(names: ["DNS:client"], from: -7200, until: -3600)
    try await Self.with(try Self.context(clients: known)) { gate in
      for pair in [nil, stranger, expired] {
        let peer = try TLSPeer(try await gate.connect(), newest: version, pair: pair)
        // In TLS 1.3 the client only learns of it when it reads.
        #expect(!peer.shakeHands() || peer.read() == .cut)
      }
      // A client may hear of it while the loop is still in the middle of it.
      _ = try await gate.count()
      let completed = gate.front.number(of: .completed)
      #expect(completed == 0 && gate.front.number(of: .refused) == 3)
      let peer = try TLSPeer(try await gate.connect(), newest: version, pair: known)
      #expect(peer.shakeHands())
      peer.write([7])
      #expect(peer.read(count: 1) == [7])
      // Whoever comes again shows it again.
      let session = try #require(SSL_get1_session(peer.ssl))
      defer { SSL_SESSION_free(session) }
      let again = try TLSPeer(try await gate.connect(), newest: version, pair: known, session: session)
      #expect(again.shakeHands() && SSL_session_reused(again.ssl) == 0)
    }
  }

  @Test func anExpiredAuthorityLetsNobodyIn() async throws {
    let expired = try SelfSignedPair(names: ["DNS:client"], from: -7200, until: -3600)
    try await Self.with(try Self.context(clients: expired)) { gate in
      let peer = try TLSPeer(try await gate.connect(), pair: expired)
      #expect(!peer.shakeHands() || peer.read() == .cut)
    }
  }
}
