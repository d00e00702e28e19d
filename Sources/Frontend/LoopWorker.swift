import EventLoop
import Gateway
import JSONText

/// What one event loop has: its pipeline, its connections and the buffers they share.
final class LoopWorker: TurnEnd, GreetingHost {
  let loop: EventLoop
  let pipeline: RequestPipeline
  let limits: Limits
  /// What the connections' wires share.
  let room: WireRoom
  private let hosts: Set<String>
  private let proxies: TrustedProxies
  private let count: ConnectionCount
  private let tls: TLSFront?
  private let greetings: GreetingLine
  private(set) var connections: [any ClientConnection] = []
  private var isDraining = false
  private var lingerMilliseconds = 0
  /// Milliseconds of the loop's clock: deadlines are seconds, clocks cost.
  var milliseconds: Int64 { loop.now / 1_000_000 }

  /// An answer's head on its way to the kernel.
  let headBuffer = ByteArena(capacity: 1024)
  private var toResume: [Connection] = []
  private var resuming: [Connection] = []
  private var toWrite: [HTTP2Connection] = []
  private var writing: [HTTP2Connection] = []
  private var turn: UInt64 = 0
  private var lag: LoopLag
  private var measuredTurn: UInt64 = 0
  private var onNoConnections: (@Sendable () -> Void)?
  private var onNoExchanges: (@Sendable () -> Void)?

  /// On `loop`.
  /// - Parameter tls: Nil for connections without TLS.
  init(
    loop: EventLoop, pipeline: RequestPipeline, limits: Limits, hosts: Set<String>,
    proxies: TrustedProxies = TrustedProxies(), count: ConnectionCount, tls: TLSFront? = nil
  ) {
    self.loop = loop
    self.pipeline = pipeline
    self.limits = limits
    self.hosts = hosts
    self.proxies = proxies
    self.count = count
    self.tls = tls
    lag = LoopLag(limits)
    room = WireRoom(loop: loop, limits: limits)
    greetings = GreetingLine(loop: loop)
    pipeline.hasTurns = true
    loop.atEndOfTurns(self)
    // The loop keeps what ends its turns. A weak reference would make every count of this object a slow one.
    loop.repeated(everyMilliseconds: 1000) { [unowned self] in tick() }
  }

  // MARK: Turns

  func resumeAtEndOfTurn(_ connection: Connection) { toResume.append(connection) }

  /// All that a turn has brought for an HTTP/2 connection becomes frames at its end, and goes out in one call.
  func writeAtEndOfTurn(_ connection: HTTP2Connection) { toWrite.append(connection) }

  func endTurn() -> Bool {
    measureLag()
    if turn != loop.turn {
      turn = loop.turn
      pipeline.turnBegan()
      room.readLine()
    }
    var goesOn = pipeline.turnEnded()
    if pipeline.hasWaiting { loop.stayAwake() }
    if !toResume.isEmpty {
      swap(&toResume, &resuming)
      for connection in resuming { connection.processInbox() }
      resuming.removeAll(keepingCapacity: true)
      goesOn = true
    }
    if !toWrite.isEmpty {
      swap(&toWrite, &writing)
      for connection in writing { connection.writeFrames() }
      writing.removeAll(keepingCapacity: true)
      goesOn = true
    }
    if room.flushAll() { goesOn = true }
    if isDraining { tellOfTheEnd() }
    return goesOn
  }

  /// Once a turn, as soon as somebody asks.
  private func measureLag() {
    guard measuredTurn != loop.turn else { return }
    measuredTurn = loop.turn
    let turn = loop.lastTurn
    lag.note(turn)
    pipeline.isLate = lag.isLate(at: loop.now)
    pipeline.counters.turned(nanoseconds: turn.upperBound - turn.lowerBound, isLate: pipeline.isLate)
  }

  // MARK: Connections

  /// Takes over a connected socket, which is in the ``ConnectionCount`` already.
  func adopt(_ descriptor: Int32, from source: SourceAddress) {
    if let tls {
      let greeting = Greeting(
        descriptor: descriptor, room: room, front: tls, line: greetings, source: source, host: self)
      guard keep(greeting), greetings.count <= limits.handshakes else {
        if greetings.count > limits.handshakes { pipeline.counters.fired(.handshakes) }
        return greeting.close()
      }
      greeting.start()
    } else {
      let connection = OpeningConnection(descriptor: descriptor, worker: self, source: source)
      if keep(connection) { connection.start() } else { connection.close() }
    }
  }

  /// Puts a new connection into the table.
  /// - Returns: False if it comes too late, and is to be closed.
  private func keep(_ connection: any ClientConnection) -> Bool {
    connection.index = connections.count
    connections.append(connection)
    return !isDraining
  }

  func remove(_ connection: any ClientConnection) {
    let index = connection.index
    guard index >= 0, index < connections.count, connections[index] === connection else { return }
    connections[index] = connections[connections.count - 1]
    connections[index].index = index
    connections.removeLast()
    connection.index = -1
    count.left(connection.source)
  }

  /// The same client goes on under another protocol.
  func replace(_ old: any ClientConnection, by new: any ClientConnection) {
    let index = old.index
    guard index >= 0, index < connections.count, connections[index] === old else { return }
    connections[index] = new
    new.index = index
    old.index = -1
  }

  /// Where a protocol is made once both sides have agreed on one.
  func speak(_ name: ApplicationProtocol, over wire: ClientWire, insteadOf greeting: Greeting) {
    switch name {
    case .http2:
      // Without memory for it there is nobody who could say so.
      guard let connection = HTTP2Connection(wire: wire, worker: self, source: greeting.source) else {
        return wire.end()
      }
      take(connection, insteadOf: greeting)
    case .http11: take(Connection(wire: wire, worker: self, source: greeting.source), insteadOf: greeting)
    }
  }

  private func take(_ connection: any ClientConnection, insteadOf greeting: Greeting) {
    replace(greeting, by: connection)
    if isDraining { connection.drain(lingerMilliseconds: lingerMilliseconds) }
  }

  private func tick() {
    let now = milliseconds
    // Closing removes from the table by swapping: a copy is walked.
    for connection in connections { connection.tick(now) }
    pipeline.tick()
  }

  /// Whether a connection carries the requests of many clients, so that one's ways are not all the others'.
  func isProxy(_ source: SourceAddress) -> Bool { proxies.holds(source.network) }

  // MARK: The end

  /// Takes nothing new and lets what is in work finish.
  /// - Parameters:
  ///   - lingerMilliseconds: For so long idle connections stay: their clients may be sending just now, and are told with
  ///     the next answer that the connection ends. Without it they are closed at once.
  ///   - done: Called once, when no connection is left or `deadline` of the loop's clock has come.
  func drain(until deadline: Int64, lingerMilliseconds: Int, _ done: @escaping @Sendable () -> Void) {
    isDraining = true
    self.lingerMilliseconds = lingerMilliseconds
    onNoConnections = done
    for connection in connections { connection.drain(lingerMilliseconds: lingerMilliseconds) }
    loop.schedule(at: deadline) { [unowned self] in tellOfNoConnections() }
    tellOfTheEnd()
  }

  /// Ends what is still in work with an error that its client can see.
  /// - Parameter done: Called once, when all of it is settled and recorded or `deadline` has come.
  func endAll(until deadline: Int64, _ done: @escaping @Sendable () -> Void) {
    onNoExchanges = done
    pipeline.endAll()
    loop.schedule(at: deadline) { [unowned self] in tellOfNoExchanges() }
    tellOfTheEnd()
  }

  func closeAll() { for connection in connections { connection.close() } }

  private func tellOfTheEnd() {
    if connections.isEmpty { tellOfNoConnections() }
    if pipeline.openExchanges == 0 { tellOfNoExchanges() }
  }

  private func tellOfNoConnections() {
    onNoConnections?()
    onNoConnections = nil
  }

  private func tellOfNoExchanges() {
    onNoExchanges?()
    onNoExchanges = nil
  }

  // MARK: A request's head

  /// Hands the head's fields to the exchange and takes it through routing and authentication.
  /// - Parameters:
  ///   - place: The connection's among its tenant's.
  ///   - isProxy: The connection is a proxy's.
  func begin(
    _ exchange: Exchange, _ head: RequestHead, _ bytes: UnsafeRawBufferPointer, place: inout TenantPlace?,
    isProxy: Bool
  ) -> RequestPipeline.Beginning {
    measureLag()
    if !hosts.isEmpty, let host = head.host, !hosts.contains(hostName(bytes[host])) {
      pipeline.refuse(exchange, status: 400, message: "This host name is not served here.")
      return .answered
    }
    if head.isForwarded, !proxies.isEmpty, proxies.holds(exchange.address) {
      guard let client = proxies.client(in: bytes) else {
        pipeline.refuse(exchange, status: 400, message: "The proxy's X-Forwarded-For holds what is no address.")
        return .answered
      }
      exchange.address = client
    }
    exchange.method =
      switch head.method {
      case .get: .get
      case .head: .head
      case .post: .post
      case .delete: .delete
      case .other: .other
      }
    if let range = head.contentType { exchange.takeContentType(bytes[range]) }
    exchange.hasContentEncoding =
      head.contentEncoding.map { !Octet.matches(bytes, $0, "identity") && !$0.isEmpty } ?? false
    take(head.subject, bytes, into: exchange.subjectField)
    take(head.clientRequestID, bytes, into: exchange.clientRequestID)
    take(head.anthropicVersion, bytes, into: exchange.anthropicVersion)
    for (index, range) in head.anthropicBetas.enumerated() {
      if index > 0 { exchange.anthropicBetas.append(",") }
      take(range, bytes, into: exchange.anthropicBetas)
    }
    exchange.isStrict = head.translation.map { Octet.matches(bytes, $0, "strict") } ?? false
    let isOne = takeCredential(exchange, head, bytes)
    return pipeline.begin(
      exchange, path: UnsafeRawBufferPointer(rebasing: bytes[head.path]), credentialsDiffer: !isOne, place: &place,
      isShared: isProxy)
  }

  private func take(_ range: Range<Int>?, _ bytes: UnsafeRawBufferPointer, into arena: ByteArena) {
    if let range { arena.append(UnsafeRawBufferPointer(rebasing: bytes[range])) }
  }

  /// `Authorization: Bearer`, `x-api-key` and `api-key` are the same thing. False if two of them differ.
  private func takeCredential(_ exchange: Exchange, _ head: RequestHead, _ bytes: UnsafeRawBufferPointer) -> Bool {
    take(bearer(head.authorization, bytes), bytes, asCredentialOf: exchange)
      && take(head.xAPIKey, bytes, asCredentialOf: exchange) && take(head.apiKey, bytes, asCredentialOf: exchange)
  }

  /// - Returns: False if the exchange has another one already.
  private func take(_ range: Range<Int>?, _ bytes: UnsafeRawBufferPointer, asCredentialOf exchange: Exchange) -> Bool {
    guard let range else { return true }
    let value = UnsafeRawBufferPointer(rebasing: bytes[range])
    guard exchange.credential.count == 0 else { return exchange.credential.bytes.elementsEqual(value) }
    exchange.credential.append(value)
    return true
  }

  private func bearer(_ range: Range<Int>?, _ bytes: UnsafeRawBufferPointer) -> Range<Int>? {
    guard let range, range.count > 7,
      Octet.matches(bytes, range.lowerBound..<(range.lowerBound + 7), "bearer ")
    else { return nil }
    return Octet.trimmed(bytes, (range.lowerBound + 7)..<range.upperBound)
  }

  private func hostName(_ field: Slice<UnsafeRawBufferPointer>) -> String {
    let text = String(decoding: field, as: UTF8.self).lowercased()
    if text.hasPrefix("[") { return String(text.prefix { $0 != "]" }) + "]" }
    return String(text.prefix { $0 != ":" })
  }
}
