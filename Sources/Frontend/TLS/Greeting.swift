import EventLoop
import Gateway
import JSONText

/// Who has greetings and takes over what comes of them.
protocol GreetingHost: AnyObject {
  /// The handshake is over. From now on `wire` opens and seals by itself; its user is whoever speaks `name`.
  func speak(_ name: ApplicationProtocol, over wire: ClientWire, insteadOf greeting: Greeting)
  func remove(_ connection: any ClientConnection)
}

/// A new connection of a TLS listener until its handshake is over.
///
/// Its wire carries the handshake as plain bytes; the protocol that was agreed on gets the wire with the TLS on it.
final class Greeting: WireProtocol, ClientConnection {
  private let room: WireRoom
  private let front: TLSFront
  private let line: GreetingLine
  private unowned let host: any GreetingHost
  private var wire: ClientWire?
  private var stream: TLSStream?
  private var isRefused = false
  private var isInLine = false
  /// What came while it stood in line.
  private let inbox = ByteArena(capacity: 1024)
  private var began: Int64
  /// Until when one who has said nothing may stay while the process stops.
  private var quietUntil: Int64?
  var index = -1
  let source: SourceAddress

  private static let mostInLine = 64 * 1024

  /// - Parameter descriptor: A connected socket that does not block; the wire closes it.
  init(
    descriptor: Int32, room: WireRoom, front: TLSFront, line: GreetingLine, source: SourceAddress,
    host: any GreetingHost
  ) {
    self.room = room
    self.front = front
    self.line = line
    self.source = source
    self.host = host
    began = room.loop.now / 1_000_000
    wire = ClientWire(descriptor: descriptor, room: room, user: self)
    line.came()
  }

  func start() { wire?.start() }

  // MARK: The wire's calls

  var missingBodyBytes: Int { 0 }
  var bodyRoom: ByteArena? { nil }
  var isSentMuch: Bool { isRefused }
  func bodyGrew(by count: Int) {}
  func progressed(by bytes: Int) {}

  func received(_ bytes: UnsafeRawBufferPointer) {
    guard !isRefused else { return }  // read, and forgotten, so that the refusal is not lost by a reset
    guard !isInLine, line.admits(self) else {
      isInLine = true
      inbox.append(bytes)
      if inbox.count >= Self.mostInLine { wire?.read(false) }
      return
    }
    goOn(bytes)
  }

  /// Its turn in the line has come.
  func proceed() {
    isInLine = false
    guard let wire else { return }
    goOn(inbox.bytes)
    inbox.reset(keeping: 0)
    wire.read(true)
  }

  func isGone() {
    leave()
    host.remove(self)
  }

  private func leave() {
    if wire != nil { line.left() }
    wire = nil
    stream = nil
  }

  // MARK: The handshake

  private func goOn(_ bytes: UnsafeRawBufferPointer) {
    guard let wire, let first = bytes.first else { return }
    if stream == nil {
      // A TLS record of a handshake begins with 22, a method with a letter.
      if UInt8(ascii: "A")...UInt8(ascii: "Z") ~= first { return refusePlainHTTP(wire) }
      stream = TLSStream(front.context, room: room)
    }
    guard let stream else { return wire.end() }
    let step = stream.shakeHands(bytes)
    if room.records.count > 0 {
      wire.write(room.records.bytes, UnsafeRawBufferPointer(start: nil, count: 0))
      room.records.reset()
    }
    switch step {
    case .wantsMore: break
    case .failed: refuse(wire, .refused)
    case .established:
      front.count(.completed)
      leave()
      wire.secure(by: stream)
      host.speak(stream.negotiated, over: wire, insteadOf: self)
      // The client's first request may have come with the end of its handshake.
      wire.openWhatIsFed()
    }
  }

  /// Lets the client read why: closing at once could reset the connection before it does.
  private func refuse(_ wire: ClientWire, _ outcome: TLSFront.Outcome) {
    front.count(outcome)
    isRefused = true
    began = room.loop.now / 1_000_000
    wire.closeOutput()
  }

  private func refusePlainHTTP(_ wire: ClientWire) {
    let body: StaticString = """
      {"error":{"message":"This port speaks HTTPS only: write https:// in the base URL.",\
      "type":"invalid_request_error","param":null,"code":"https_required"}}
      """
    let answer = wire.pending
    answer.append("HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n")
    answer.append(utf8: "content-length: \(body.utf8CodeUnitCount)\r\n\r\n")
    answer.append(body)
    refuse(wire, .plain)
  }

  // MARK: Time

  func tick(_ now: Int64) {
    let waited = now &- began
    if isRefused {
      if waited > 5_000 { close() }
    } else if waited > Int64(room.limits.headMilliseconds) {
      front.count(.late)
      close()
    } else if let quietUntil, stream == nil, !isInLine, now >= quietUntil, wire?.hasUnread != true {
      close()
    }
  }

  func drain(lingerMilliseconds: Int) {
    // Handshakes have a deadline of their own; the client then hears of the end from who speaks its protocol. Who has
    // said nothing yet is idle.
    if lingerMilliseconds == 0 { return close() }
    quietUntil = room.loop.now / 1_000_000 + Int64(lingerMilliseconds)
  }

  func close() { wire?.end() }
}
