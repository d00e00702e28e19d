import Inference
import JSONText
import Testing

@Suite struct ServerSentEventTests {
  private struct Event: Equatable {
    var data: String
    var isVerbatim: Bool
  }

  private struct NamedEvent: Equatable {
    var name: String
    var data: String
    var verbatim: String?
  }

  /// Feeds the stream cut at the given places.
  private func events(_ stream: [UInt8], cuts: [Int], atEnd: Bool = false) throws -> [Event] {
    var reader = ServerSentEventReader()
    var events: [Event] = []
    func take() throws {
      while try reader.next() {
        if let verbatim = reader.verbatim { #expect(verbatim.text == "data: \(reader.data.text)\n\n") }
        #expect(reader.isJoined == reader.data.contains(0x0A))
        events.append(Event(data: reader.data.text, isVerbatim: reader.verbatim != nil))
      }
    }
    var start = 0
    for cut in cuts + [stream.count] {
      try withBytes(Array(stream[start..<cut])) { chunk in
        reader.open(chunk)
        try take()
      }
      start = cut
    }
    if atEnd {
      reader.openEnd()
      try take()
    }
    return events
  }

  private static let streams: [(String, [(String, Bool)])] = [
    ("data: a\n\ndata: b\n\n", [("a", true), ("b", true)]),
    ("data: a\r\n\r\ndata: b\r\n\r\n", [("a", false), ("b", false)]),
    ("data: a\r\rdata: b\r\r", [("a", false), ("b", false)]),
    ("data: a\n\r\ndata: b\r\n\ndata: c\n\r", [("a", false), ("b", false), ("c", false)]),
    ("data:a\n\ndata:  b\n\ndata\n\n", [("a", false), (" b", true), ("", false)]),
    ("data: a\ndata: b\ndata:\ndata: c\n\n", [("a\nb\n\nc", false)]),
    ("data: a\r\ndata: b\r\n\r\ndata: c\rdata: d\r\rdata: e\n\n", [("a\nb", false), ("c\nd", false), ("e", true)]),
    (": ping\n\ndata: a\n\n: x\ndata: b\n\ndata: c\n: y\n\n", [("a", true), ("b", true), ("c", false)]),
    ("event: m\nid: 7\nretry: 10\ndata: a\n\n", [("a", true)]), ("data: a\nid: 7\n\n", [("a", false)]),
    ("id: 1\n\nevent: x\n\n\n\n\ndata: a\n\n", [("a", true)]), ("datax: a\n\nDATA: a\n\n data: a\n\n", []),
    ("\u{FEFF}data: a\n\ndata: b\n\n", [("a", true), ("b", true)]), ("\u{FEFF}: c\n\u{FEFF}data: b\n\n", []),
    ("data: Zürich 😀 日本\n\ndata: {\"x\":\"é\"}\n\n", [("Zürich 😀 日本", true), ("{\"x\":\"é\"}", true)]),
    ("data: a\n\ndata: cut", [("a", true)]), ("data: a\n", []), ("\n\n\n", []), ("", []),
    ("data: a: b: c\n\ndata: [DONE]\n\n", [("a: b: c", true), ("[DONE]", true)]),
  ]

  @Test(arguments: 0..<streams.count)
  func isTheSameHoweverItIsSplit(number: Int) throws {
    let (stream, expected) = Self.streams[number]
    let bytes = Array(stream.utf8)
    let wanted = expected.map { Event(data: $0.0, isVerbatim: $0.1) }
    #expect(try events(bytes, cuts: []) == wanted)
    #expect(try events(bytes, cuts: Array(0..<bytes.count)) == wanted)
    for first in 0...bytes.count {
      #expect(try events(bytes, cuts: [first]) == wanted)
      for second in first...bytes.count { #expect(try events(bytes, cuts: [first, second]) == wanted) }
    }
  }

  private func namedEvents(_ stream: [UInt8], cuts: [Int]) throws -> [NamedEvent] {
    var reader = ServerSentEventReader()
    var events: [NamedEvent] = []
    var start = 0
    for cut in cuts + [stream.count] {
      try withBytes(Array(stream[start..<cut])) { chunk in
        reader.open(chunk)
        while try reader.next() {
          events.append(
            NamedEvent(name: reader.name.text, data: reader.data.text, verbatim: reader.verbatimNamed?.text))
        }
      }
      start = cut
    }
    return events
  }

  private static let namedStreams: [(String, [(String, String, Bool)])] = [
    ("event: m\ndata: a\n\nevent: n\ndata: b\n\n", [("m", "a", true), ("n", "b", true)]),
    ("event: m\ndata: a\n\ndata: b\n\n", [("m", "a", true), ("", "b", false)]),
    ("event: m\r\ndata: a\r\n\r\n", [("m", "a", false)]), ("event: m\rdata: a\n\n", [("m", "a", false)]),
    ("event: m\ndata: a\r\n\n", [("m", "a", false)]), ("event:m\ndata: a\n\n", [("m", "a", false)]),
    ("event: m\ndata:a\n\n", [("m", "a", false)]), ("event:  m\ndata: a\n\n", [(" m", "a", true)]),
    ("event\ndata: a\n\n", [("", "a", false)]), ("event:\ndata: a\n\n", [("", "a", false)]),
    ("event: m\nevent: n\ndata: a\n\n", [("n", "a", false)]), ("data: a\nevent: m\n\n", [("m", "a", false)]),
    ("event: m\nid: 7\ndata: a\n\n", [("m", "a", false)]), ("id: 7\nevent: m\ndata: a\n\n", [("m", "a", true)]),
    (": c\n\nevent: m\n: c\ndata: a\n\n", [("m", "a", false)]), ("event: m\ndata: a\n: c\n\n", [("m", "a", false)]),
    ("event: m\n\ndata: a\n\n", [("", "a", false)]), ("event: m\ndata: a\ndata: b\n\n", [("m", "a\nb", false)]),
    ("\u{FEFF}event: m\ndata: a\n\n", [("m", "a", true)]), ("eventx: m\nEvent: m\ndata: a\n\n", [("", "a", false)]),
    ("event: grüezi\ndata: ü\n\n\n\nevent: x\n", [("grüezi", "ü", true)]),
  ]

  @Test(arguments: 0..<namedStreams.count)
  func namesComeWithTheirEventsHoweverTheyAreSplit(number: Int) throws {
    let (stream, expected) = Self.namedStreams[number]
    let bytes = Array(stream.utf8)
    let wanted = expected.map {
      NamedEvent(name: $0.0, data: $0.1, verbatim: $0.2 ? "event: \($0.0)\ndata: \($0.1)\n\n" : nil)
    }
    #expect(try namedEvents(bytes, cuts: []) == wanted)
    #expect(try namedEvents(bytes, cuts: Array(0..<bytes.count)) == wanted)
    for first in 0...bytes.count {
      for second in first...bytes.count { #expect(try namedEvents(bytes, cuts: [first, second]) == wanted) }
    }
  }

  @Test(arguments: ["data: [DONE]", "data: [DONE]\n", "data: [DONE]\r", "data: [DONE]\r\n"])
  func theEndCompletesTheLastEvent(stream: String) throws {
    let bytes = Array(stream.utf8)
    for cut in 0...bytes.count {
      #expect(try events(bytes, cuts: [cut]).isEmpty)
      #expect(try events(bytes, cuts: [cut], atEnd: true).map(\.data) == ["[DONE]"])
    }
  }

  @Test func anEventIsBound() throws {
    let largest = ServerSentEventReader.largestEvent
    let fitting = Array("data: ".utf8) + [UInt8](repeating: 0x61, count: largest - 7) + Array("\n\n".utf8)
    #expect(try events(fitting, cuts: [1000, 70_000]).count == 1)
    let tooLarge = Array("data: ".utf8) + [UInt8](repeating: 0x61, count: largest) + Array("\n\n".utf8)
    #expect(throws: InferenceError.self) { try events(tooLarge, cuts: [5, 70_000]) }
    let endless = [UInt8](repeating: 0x61, count: largest + 2)
    #expect(throws: InferenceError.self) { try events(endless, cuts: []) }
    let lines = Array(String(repeating: "data: 12345678\n", count: largest / 15 + 2).utf8)
    #expect(throws: InferenceError.self) { try events(lines, cuts: [100_000, 500_000]) }
    let named = Array(("event: x\n" + String(repeating: ": comment\n", count: largest / 10 + 2)).utf8)
    #expect(throws: InferenceError.self) { try events(named, cuts: [100_000, 500_000]) }
  }

  @Test func commentsWithoutEndHoldNothing() throws {
    var reader = ServerSentEventReader()
    let chunk = Array(String(repeating: ": keepalive\n", count: 1000).utf8)
    for _ in 0..<200 {
      try withBytes(chunk) { bytes in
        reader.open(bytes)
        let hasEvent = try reader.next()
        #expect(!hasEvent)
      }
      #expect(reader.heldBytes == 0)
    }
  }
}
