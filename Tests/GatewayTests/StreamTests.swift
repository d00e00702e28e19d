import Inference
import Testing

@testable import Gateway

/// What a client reads of a stream does not depend on how the network cut it.
struct StreamTests {
  /// A stream that holds a placeholder cut over three events, an umlaut, an escape, a tool call and its usage.
  private static func wire(_ placeholder: String) -> String {
    let middle = placeholder.index(placeholder.startIndex, offsetBy: 5)
    let late = placeholder.index(placeholder.endIndex, offsetBy: -2)
    let arguments =
      #"{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"mail","arguments":"{\"to\":\"\#(placeholder[..<late])"}}]}"#
    let rest = #"{"tool_calls":[{"index":0,"function":{"arguments":"\#(placeholder[late...])\"}"}}]}"#
    return Specimens.event(#"{"role":"assistant","content":""}"#) + ": comment\n\n"
      + Specimens.content("Grüße\\n\\u00fcber \(placeholder[..<middle])")
      + Specimens.content("\(placeholder[middle..<late])")
      + Specimens.content("\(placeholder[late...]) und [EMAIL_x] 🦊")
      + Specimens.event(arguments) + Specimens.event(rest) + Specimens.event("{}", finish: #""stop""#)
      + Specimens.usageEvent + Specimens.done
  }

  /// Runs one stream with the wire cut at these places, up to the client's last byte.
  private static func run(_ gate: TestGate, usage: Bool, cuts: [Int]) throws -> [UInt8] {
    let more = usage ? #""stream_options":{"include_usage":true},"# : ""
    let client = gate.send(gate.chat(Specimens.chat(stream: true, more: more)))
    let sent = try #require(gate.upstream.sent.last)
    let placeholder = try #require(sent.text.firstMatch(of: /\[EMAIL_[0-9a-z]{8}\]/)).output
    let bytes = Array(wire(String(placeholder)).utf8)
    gate.head(200, .eventStream)
    var from = 0
    for cut in cuts + [bytes.count] {
      gate.piece(bytes[from..<cut])
      from = cut
    }
    gate.end(.complete)
    guard gate.confirm(until: { client.isOver }), client.hasEnded else {
      Issue.record("cut at \(cuts.first ?? 0): \(client.text)")
      return []
    }
    return client.bytes
  }

  private static var length: Int { wire("[EMAIL_abcdefgh]").utf8.count }

  @Test(arguments: [false, true]) func everyCutGivesTheSameBytes(usage: Bool) throws {
    let gate = try TestGate()
    let whole = try Self.run(gate, usage: usage, cuts: [])
    let text = String(decoding: whole, as: UTF8.self)
    #expect(text.contains(Specimens.mail) && !text.contains("first-model"))
    #expect(text.contains("[EMAIL_x]"), "what was not issued is not restored")
    #expect(text.contains("\"usage\":{") == usage)
    #expect(text.hasSuffix(Specimens.done))
    // The texts of all events put together hold the original once in content and once in the tool's arguments.
    #expect(Self.assembled(text).components(Specimens.mail) == 2)
    let bytes = try Self.run(gate, usage: usage, cuts: Array(1..<Self.length))
    #expect(Self.assembled(String(decoding: bytes, as: UTF8.self)) == Self.assembled(text), "byte by byte")
    #expect(bytes == whole)
    for cut in 1..<Self.length {
      let split = try Self.run(gate, usage: usage, cuts: [cut])
      guard split == whole else {
        Issue.record("cut at \(cut): \(String(decoding: split, as: UTF8.self))")
        return
      }
    }
  }

  /// What streams are read, restored and written with is one set for all of a loop's: nothing of one gets to another,
  /// wherever the network cuts both.
  @Test func streamsInTurnGiveWhatEachGivesAlone() throws {
    let gate = try TestGate()
    let people = [Specimens.mail, ["berta.beispiel", "example.org"].joined(separator: "@")]
    let clients = people.map { gate.send(gate.chat(Specimens.chat("Schreib an \($0).", stream: true))) }
    let exchanges = gate.upstream.sent.suffix(2).map(\.exchange)
    let wires = try gate.upstream.sent.suffix(2).map { sent in
      let placeholder = try #require(sent.text.firstMatch(of: /\[EMAIL_[0-9a-z]{8}\]/)).output
      return Array(Self.wire(String(placeholder)).utf8)
    }
    var head = UpstreamHead()
    (head.status, head.kind, head.hasTakenRequest) = (200, .eventStream, true)
    for exchange in exchanges { gate.pipeline.upstream(exchange, answered: head) }
    for step in stride(from: 0, to: wires.map(\.count).max() ?? 0, by: 7) {
      for (exchange, wire) in zip(exchanges, wires) where step < wire.count {
        wire[step..<min(step + 7, wire.count)].withUnsafeBytes { gate.pipeline.upstream(exchange, sent: $0) }
      }
    }
    for exchange in exchanges { gate.pipeline.upstream(exchange, ended: .complete) }
    gate.turnLedger()
    for (index, client) in clients.enumerated() {
      gate.finish(client)
      #expect(client.hasEnded && client.hasDone)
      #expect(Self.assembled(client.text).components(people[index]) == 2)
      #expect(client.text.components(people[1 - index]) == 0)
    }
  }

  /// All pieces of text in the order in which they came.
  private static func assembled(_ stream: String) -> String {
    var out = ""
    for line in stream.split(separator: "\n") {
      for match in line.matches(of: /"(?:content|arguments)":"((?:[^"\\]|\\.)*)"/) { out += match.output.1 }
    }
    return out
  }

  @Test func whatIsHeldBackGoesOutWhenTheStreamBreaks() throws {
    let gate = try TestGate()
    let client = gate.send(gate.chat(Specimens.chat(stream: true)))
    let sent = try #require(gate.upstream.sent.last)
    let placeholder = try #require(sent.text.firstMatch(of: /\[EMAIL_[0-9a-z]{8}\]/)).output
    gate.head(200, .eventStream)
    gate.piece(Specimens.content("An \(placeholder.dropLast(3))"))
    gate.end(.cut)
    gate.finish(client)
    #expect(client.wasAborted && !client.hasDone)
    #expect(!client.text.contains(Specimens.mail), "half a placeholder is none")
  }

  @Test func anothersPlaceholderIsNotRestored() throws {
    let gate = try TestGate()
    let first = gate.send(gate.chat(Specimens.chat()))
    let placeholder = try #require(gate.upstream.sent.last?.text.firstMatch(of: /\[EMAIL_[0-9a-z]{8}\]/)).output
    gate.answer(200, Specimens.plain())
    gate.finish(first)
    // The same exchange object serves a request that issues nothing.
    let second = gate.send(gate.chat(Specimens.chat("Nichts davon.")))
    gate.answer(200, Specimens.plain("An \(placeholder)"))
    gate.finish(second)
    #expect(second.text.contains(placeholder) && !second.text.contains(Specimens.mail))
  }

  @Test func aSlowClientPausesTheProvider() throws {
    let gate = try TestGate()
    let client = gate.send(gate.chat(Specimens.chat(stream: true)))
    let exchange = try #require(gate.upstream.sent.last).exchange
    gate.head(200, .eventStream)
    client.heldBytes = 65_536
    gate.piece(Specimens.content("a"))
    #expect(gate.upstream.paused == 0)
    client.heldBytes = 65_537
    gate.piece(Specimens.content("b"))
    gate.piece(Specimens.content("c"))
    #expect(gate.upstream.paused == 1)
    client.heldBytes = 16_384
    gate.pipeline.clientProgress(exchange)
    #expect(gate.upstream.resumed == 0)
    client.heldBytes = 16_383
    gate.pipeline.clientProgress(exchange)
    gate.pipeline.clientProgress(exchange)
    #expect(gate.upstream.resumed == 1)
  }

  @Test func silenceIsFilledWithComments() throws {
    let gate = try TestGate()
    let client = gate.send(gate.chat(Specimens.chat(stream: true)))
    gate.clock.advance(milliseconds: 30_000)
    gate.pipeline.tick()
    #expect(client.answers == 0)
    gate.clock.advance(milliseconds: 1)
    gate.pipeline.tick()
    #expect(client.answers == 1 && client.status == 200 && client.bytes.isEmpty)
    gate.clock.advance(milliseconds: 15_001)
    gate.pipeline.tick()
    #expect(client.text == ": keepalive\n\n")
    // What fails from here on travels in the stream.
    gate.answer(500, Specimens.refused)
    gate.finish(client)
    #expect(client.answers == 1 && client.wasAborted && client.errorCode == "upstream_error")
  }

  @Test func aStreamLargerThanAllowedIsCut() throws {
    var setup = GateSetup()
    setup.limits.streamBytes = 2_000
    let gate = try TestGate(setup)
    let client = gate.send(gate.chat(Specimens.chat(stream: true)))
    gate.head(200, .eventStream)
    for _ in 0..<20 where !client.isOver { gate.piece(Specimens.content("abcd")) }
    gate.finish(client)
    #expect(client.wasAborted && gate.upstream.cancelled == 1 && !client.hasDone)
    #expect(try gate.books().unbalanced == 0)
  }

  @Test func aStreamThatIsAnsweredPlainlyIsAFault() throws {
    let gate = try TestGate()
    let client = gate.send(gate.chat(Specimens.chat(stream: true)))
    gate.head(200, .json)
    gate.finish(client)
    #expect(client.status == 502 && gate.upstream.cancelled == 1)
    #expect(try gate.books().open == 0)
  }

  @Test func anEncodedAnswerIsAFault() throws {
    let gate = try TestGate()
    let client = gate.send(gate.chat(Specimens.chat()))
    let exchange = try #require(gate.upstream.sent.last).exchange
    var head = UpstreamHead()
    head.status = 200
    head.isEncoded = true
    gate.pipeline.upstream(exchange, answered: head)
    gate.finish(client)
    #expect(client.status == 502)
  }
}

extension String {
  /// How often a text stands in this one.
  fileprivate func components(_ part: String) -> Int {
    split(separator: part, omittingEmptySubsequences: false).count - 1
  }
}
