import Gateway
import Glibc
import JSONText
import Testing

@testable import Frontend

/// When a connection that speaks HTTP/1 ends, and how.
@Suite("The end of connections", .serialized, .timeLimit(.minutes(2)))
struct ConnectionEndTests {
  private func with(_ limits: Limits = Limits(), _ body: (FrontGate) throws -> Void) throws {
    let gate = try FrontGate(limits: limits)
    defer { gate.stop() }
    try body(gate)
    #expect(gate.holds { gate.pipeline.openExchanges == 0 })
  }

  private static let health = "GET /livez HTTP/1.1\r\nHost: gate\r\n\r\n"

  private func chat(_ gate: FrontGate, _ fields: String = "", version: String = "1.1", stream: Bool = false) -> String {
    let body = #"{"model":"chat","stream":\#(stream),"messages":[{"role":"user","content":"hallo"}]}"#
    return "POST /v1/chat/completions HTTP/\(version)\r\nHost: gate\r\nAuthorization: Bearer \(gate.key)\r\n\(fields)"
      + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  private func receive(_ descriptor: Int32) -> String {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    return String(decoding: buffer[..<max(0, count)], as: UTF8.self)
  }

  /// Whatever comes, to the connection's end; 0 for an orderly one, else what is wrong with it.
  private func ending(_ descriptor: Int32) -> Int32 {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count <= 0 { return count == 0 ? 0 : errno }
    }
  }

  /// Whether something of an answer has come; takes nothing, and waits for nothing.
  private func isAnswered(_ descriptor: Int32) -> Bool {
    var byte: UInt8 = 0
    return recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) > 0
  }

  // MARK: Heads

  /// The first of a connection, and the next ones.
  @Test(arguments: [0, 1]) func aHeadThatIsNotCompleteInTimeEndsItsConnection(before: Int) throws {
    var limits = Limits()
    limits.headMilliseconds = 500_000  // a busy machine may take seconds from one line to the next
    try with(limits) { gate in
      let client = gate.connect()
      defer { close(client) }
      for _ in 0..<before {
        send(client, Self.health, Self.health.utf8.count, 0)
        #expect(receive(client).hasPrefix("HTTP/1.1 200"))
      }
      let part = "GET /livez HTTP/1.1\r\nHost: ga"
      send(client, part, part.utf8.count, 0)
      #expect(gate.holds { (gate.worker.connections.first as? Connection)?.inbox.count == part.utf8.count })
      gate.tick(after: 400_000)
      #expect(!isAnswered(client))
      #expect(gate.on { gate.worker.connections.count } == 1)
      gate.tick(after: 500_100)
      #expect(receive(client).hasPrefix("HTTP/1.1 408"))
      #expect(ending(client) == 0)
      gate.tick(after: 6_000)  // whether the client closes or not
      #expect(gate.on { gate.worker.connections.isEmpty })
    }
  }

  /// Whose head is refused is told in the words of the path that it names, as far as it was read.
  @Test(arguments: [
    ("POST /v1/messages HTTP/1.1\r\nHost: gate\r\nContent-Length: 8388609\r\n\r\n", "413", true),
    ("POST /v1/messages?beta=true HTTP/1.1\r\nContent-Length: 2\r\n\r\n", "400", true),
    ("POST /v1/chat/completions HTTP/1.1\r\nHost: gate\r\nContent-Length: 8388609\r\n\r\n", "413", false),
    ("POST /v1/messages//x HTTP/1.1\r\nHost: gate\r\n\r\n", "400", false),
    ("TRACE /v1/messages HTTP/1.1\r\nHost: gate\r\n\r\n", "405", true),
    ("nothing\r\n\r\n", "400", false),
  ])
  func aRefusedHeadIsAnsweredInItsDialect(head: String, status: String, isAnthropic: Bool) throws {
    try with { gate in
      let client = gate.connect()
      defer { close(client) }
      send(client, head, head.utf8.count, 0)
      let answer = receive(client)
      #expect(answer.hasPrefix("HTTP/1.1 \(status)"))
      #expect(answer.contains("\r\n\r\n" + #"{"type":"error""#) == isAnthropic, "\(answer)")
    }
  }

  // MARK: Idle

  /// Which HTTP it speaks is not known: its time is that of an idle connection, not of a head.
  @Test func whoNeverSaysAnythingIsLeft() throws {
    var limits = Limits()
    limits.idleMilliseconds = 500_000  // a busy machine may take seconds from one line to the next
    try with(limits) { gate in
      let client = gate.connect()
      defer { close(client) }
      gate.tick(after: 400_000)
      #expect(gate.on { gate.worker.connections.count } == 1)
      gate.tick(after: 500_100)
      #expect(gate.on { gate.worker.connections.isEmpty })
      #expect(ending(client) == 0)
    }
  }

  /// Sends a request in the turn in which `happens` comes before it is read.
  /// - Parameter before: Requests that were answered on the connection already.
  private func answersWhatHasCome(
    before: Int, _ happens: @escaping @Sendable (FrontGate) -> Void, after: (FrontGate) -> Void = { _ in }
  ) throws {
    try with { gate in
      let client = gate.connect()
      defer { close(client) }
      for _ in 0..<before {
        send(client, Self.health, Self.health.utf8.count, 0)
        #expect(receive(client).hasPrefix("HTTP/1.1 200"))
      }
      gate.on {
        send(client, Self.health, Self.health.utf8.count, 0)
        happens(gate)
      }
      #expect(receive(client).hasPrefix("HTTP/1.1 200"))
      after(gate)
      #expect(ending(client) == 0)
    }
  }

  /// The loop looks at its clock before it has read what came in time.
  @Test(arguments: [0, 1]) func aRequestThatHasComeIsAnsweredHoweverLateTheLoopIs(before: Int) throws {
    try answersWhatHasCome(before: before) { gate in
      for connection in gate.worker.connections { connection.tick(gate.worker.milliseconds + 61_000) }
    } after: { gate in
      gate.tick(after: 61_000)
    }
  }

  @Test(arguments: [0, 1]) func aRequestThatHasComeIsAnsweredByWhoDrains(before: Int) throws {
    try answersWhatHasCome(before: before) { $0.worker.drain(until: .max, lingerMilliseconds: 0) {} }
  }

  // MARK: Bodies and answers

  /// It comes as fast as it must, but reserves its memory for hours.
  @Test(arguments: ["Content-Length: 1000000", "Transfer-Encoding: chunked"])
  func aBodyHasAnEnd(framing: String) throws {
    var limits = Limits()
    limits.bodyBytes = 1_000_000
    limits.bodySilenceMilliseconds = 3_600_000  // only the end is looked at
    limits.bodyGraceMilliseconds = 3_600_000
    try with(limits) { gate in
      let client = gate.connect()
      defer { close(client) }
      let head =
        "POST /v1/chat/completions HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer \(gate.key)\r\n"
        + "Content-Type: application/json\r\n\(framing)\r\n\r\n"
      send(client, head, head.utf8.count, 0)
      #expect(gate.holds { gate.pipeline.openExchanges == 1 })
      gate.tick(after: 120_000)
      #expect(gate.openExchanges == 1)
      gate.tick(after: 122_000)
      #expect(receive(client).hasPrefix("HTTP/1.1 408"))
    }
  }

  /// The connection would be kept alive, so its pace is all that ends it.
  @Test func whoTakesNothingOfALargeAnswerIsLeft() throws {
    var limits = Limits()
    limits.writeStallMilliseconds = 500_000  // a busy machine may take seconds from one line to the next
    try with(limits) { gate in
      let client = gate.connect()
      defer { close(client) }
      let request = chat(gate)
      send(client, request, request.utf8.count, 0)
      try #require(gate.reached(1))
      gate.answer(0, String(repeating: "y", count: 2 << 20))
      #expect(gate.holds { ((gate.worker.connections.first as? Connection)?.heldBytes ?? 0) > 0 })
      gate.tick(after: 400_000)
      #expect(gate.on { gate.worker.connections.count } == 1)
      gate.tick(after: 500_100)
      #expect(gate.on { gate.worker.connections.isEmpty })
    }
  }

  @Test func soManyRequestsAndNoMore() throws {
    var limits = Limits()
    limits.requestsPerConnection = 3
    try with(limits) { gate in
      let client = gate.connect()
      defer { close(client) }
      for number in 1...3 {
        send(client, Self.health, Self.health.utf8.count, 0)
        let answer = receive(client)
        #expect(answer.hasPrefix("HTTP/1.1 200"))
        #expect(answer.contains("\r\nconnection: close\r\n") == (number == 3))
      }
      #expect(ending(client) == 0)
    }
  }

  @Test func aLastAnswerThatNobodyTakesHasAnEnd() throws {
    var limits = Limits()
    limits.writeStallMilliseconds = 3_600_000  // only the end is looked at
    try with(limits) { gate in
      let client = gate.connect()
      defer { close(client) }
      let request = chat(gate, "Connection: close\r\n")
      send(client, request, request.utf8.count, 0)
      try #require(gate.reached(1))
      gate.answer(0, String(repeating: "y", count: 2 << 20))
      #expect(gate.holds { gate.pipeline.openExchanges == 0 })
      gate.tick(after: 30_000)  // a second for each 16 KiB that wait comes to it
      #expect(gate.on { gate.worker.connections.count } == 1)
      gate.tick(after: 160_000)
      #expect(gate.on { gate.worker.connections.isEmpty })
    }
  }

  // MARK: Cut answers

  /// Nothing in sound says that it is cut.
  @Test(arguments: [("1.0", ECONNRESET), ("1.1", 0)]) func cutSoundDoesNotLookWhole(version: String, end: Int32) throws
  {
    try with { gate in
      let client = try gate.connectByTCP()
      defer { close(client) }
      let request = chat(gate, version: version)
      send(client, request, request.utf8.count, 0)
      try #require(gate.reached(1))
      gate.on {
        guard let connection = gate.worker.connections.first as? Connection else { return }
        connection.begin(
          ResponseHead(status: 200, kind: .sound(.wav)), fields: UnsafeRawBufferPointer(start: nil, count: 0))
        Array("RIFF".utf8).withUnsafeBytes { connection.send($0) }
      }
      #expect(receive(client).contains("RIFF"))
      gate.on { (gate.worker.connections.first as? Connection)?.abort() }
      #expect(ending(client) == end)
      gate.end(0, .cut)
    }
  }

  @Test(arguments: ["1.0", "1.1"]) func aCutStreamSaysSo(version: String) throws {
    try with { gate in
      let client = try gate.connectByTCP()
      defer { close(client) }
      let request = chat(gate, version: version, stream: true)
      send(client, request, request.utf8.count, 0)
      try #require(gate.reached(1))
      gate.beginStream(0)
      gate.piece(0, "eins")
      var answer = ""
      while !answer.contains("eins") {
        let more = receive(client)
        try #require(!more.isEmpty)
        answer += more
      }
      gate.end(0, .cut)
      while !answer.contains("upstream_cut") {
        let more = receive(client)
        try #require(!more.isEmpty)
        answer += more
      }
      #expect(ending(client) == 0 && !answer.contains("[DONE]"))
    }
  }
}
