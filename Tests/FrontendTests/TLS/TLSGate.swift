import CNghttp2  // which the compiler takes for the home of `timeval`
import EventLoop
import Gateway
import Glibc
import JSONText
import Tenancy

@testable import Frontend

/// A loop that greets the clients of socket pairs by TLS; with whom hands were shaken a ``Speaker`` speaks.
final class TLSGate: GreetingHost, TurnEnd, @unchecked Sendable {
  let loop: EventLoop
  let front: TLSFront
  private let answer: @Sendable (Speaker) -> Void
  // On the loop only.
  private var room: WireRoom?
  private var line: GreetingLine?
  private var clients: [any ClientConnection] = []
  private(set) var spoken: [ApplicationProtocol] = []

  /// - Parameter answer: Called on the loop whenever a speaker has received something.
  init(_ context: TLSContext, limits: Limits = Limits(), answer: @escaping @Sendable (Speaker) -> Void) async throws {
    loop = try EventLoop(name: "tls-test")
    front = TLSFront(context)
    self.answer = answer
    let loop = loop
    try await loop.run {
      self.room = WireRoom(loop: loop, limits: limits)
      self.line = GreetingLine(loop: loop)
      loop.atEndOfTurns(self)
    }
  }

  /// Ends the loop and with it all connections.
  func stop() async {
    try? await loop.run { for client in self.clients { client.close() } }
    loop.stop()
  }

  func endTurn() -> Bool {
    room?.readLine()
    return room?.flushAll() ?? false
  }

  /// A new connection.
  /// - Returns: The client's end, which blocks.
  func connect() async throws -> Int32 {
    var ends: [Int32] = [0, 0]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else {
      throw EventLoopError.noDescriptor(errno)
    }
    let (ours, theirs) = (ends[0], ends[1])
    _ = fcntl(ours, F_SETFL, O_NONBLOCK)
    // Never waited for: a test that fails must end all the same.
    var patience = timeval(tv_sec: 30, tv_usec: 0)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(theirs, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
    }
    try await loop.run {
      guard let room = self.room, let line = self.line else { return }
      let greeting = Greeting(
        descriptor: ours, room: room, front: self.front, line: line, source: SourceAddress(nil), host: self)
      self.clients.append(greeting)
      greeting.start()
    }
    return theirs
  }

  /// Lets so many milliseconds go by for every connection.
  func pass(milliseconds: Int64) async throws {
    try await loop.run {
      for client in self.clients { client.tick(self.loop.now / 1_000_000 + milliseconds) }
    }
  }

  /// Connections that are open.
  func count() async throws -> Int { try await loop.run { self.clients.count } }

  func greetings() async throws -> Int { try await loop.run { self.line?.count ?? -1 } }

  func speak(_ name: ApplicationProtocol, over wire: ClientWire, insteadOf greeting: Greeting) {
    spoken.append(name)
    clients.removeAll { $0 === greeting }
    clients.append(Speaker(wire, loop, answer) { [weak self] gone in self?.clients.removeAll { $0 === gone } })
  }

  func remove(_ connection: any ClientConnection) { clients.removeAll { $0 === connection } }
}

/// Keeps what it receives and answers as its test wants.
final class Speaker: WireProtocol, ClientConnection {
  let wire: ClientWire
  var index = -1
  let source = SourceAddress(nil)
  private let loop: EventLoop
  private let answer: (Speaker) -> Void
  private let onGone: (Speaker) -> Void
  /// Received and not taken by the answer.
  var inbox: [UInt8] = []
  /// How much of a body is still expected; it goes into the arena by itself.
  var missingBodyBytes = 0
  let body = ByteArena()
  var bodyRoom: ByteArena? { body }
  let isSentMuch = false

  init(
    _ wire: ClientWire, _ loop: EventLoop, _ answer: @escaping (Speaker) -> Void, onGone: @escaping (Speaker) -> Void
  ) {
    self.wire = wire
    self.loop = loop
    self.answer = answer
    self.onGone = onGone
    wire.user = self
  }

  func bodyGrew(by count: Int) {
    missingBodyBytes -= count
    answer(self)
  }

  func received(_ bytes: UnsafeRawBufferPointer) {
    inbox += bytes
    answer(self)
  }

  func write(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { wire.write($0, UnsafeRawBufferPointer(start: nil, count: 0)) }
  }

  /// In a later turn.
  func later(_ work: @escaping () -> Void) { loop.schedule(at: loop.now + 1, work) }

  func progressed(by bytes: Int) {}
  func isGone() { onGone(self) }
  func tick(_ now: Int64) {}
  func drain(lingerMilliseconds: Int) {}
  func close() { wire.end() }
}
