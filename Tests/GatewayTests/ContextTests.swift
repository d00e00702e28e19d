import Inference
import Quotas
import Routing
import Testing

@testable import Gateway

/// A prompt that is too long for one model goes to one with a larger context, before the first byte.
struct ContextTests {
  private static func gate(_ contexts: [Int64?], _ change: (inout GateSetup) -> Void = { _ in }) throws -> TestGate {
    var setup = GateSetup()
    setup.redacts = false
    setup.candidates = zip(["first", "second", "third", "fourth"], contexts).map { name, context in
      GateSetup.Candidate(provider: name, context: context)
    }
    change(&setup)
    return try TestGate(setup)
  }

  private static func providers(_ gate: TestGate) -> [String] { gate.upstream.sent.map(\.target.provider) }
  private static let tooLong =
    #"{"error":{"message":"Your input exceeds the context window of this model.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#

  private static func embeddings(_ gate: TestGate, _ input: String) -> TestGate.Call {
    TestGate.Call(
      path: "/v1/embeddings", key: gate.key, body: Array(#"{"model":"chat","input":\#(input)}"#.utf8))
  }

  // MARK: What is certain before anything is sent

  @Test func oneThatSurelyCannotIsPassedOver() throws {
    let gate = try Self.gate([100, 10_000])
    gate.send(gate.chat(Specimens.chat(String(repeating: "wort ", count: 170))))
    #expect(Self.providers(gate) == ["second"], "850 bytes are more than 100 tokens")
    gate.send(gate.chat(Specimens.chat("kurz")))
    #expect(Self.providers(gate) == ["second", "first"])
  }

  @Test func whereNobodyCanNothingIsSent() throws {
    let gate = try Self.gate([100, 80])
    let client = gate.send(gate.chat(Specimens.chat(String(repeating: "wort ", count: 170))))
    #expect(client.status == 400 && client.errorCode == "context_length_exceeded" && Self.providers(gate).isEmpty)
    #expect(client.text.contains("100 tokens") && !client.text.contains("first"))
    #expect(try gate.books().open == 0)
  }

  @Test func tokensAreCountedAsTheyAre() throws {
    let gate = try Self.gate([3, 4])
    gate.send(Self.embeddings(gate, "[1,2,3,4]"))
    #expect(Self.providers(gate) == ["second"])
  }

  /// A context is that of one text, not of all that are sent together.
  @Test func manyShortTextsAreNoLongOne() throws {
    let gate = try Self.gate([100])
    let text = "\"" + String(repeating: "x", count: 200) + "\""
    gate.send(Self.embeddings(gate, "[" + Array(repeating: text, count: 50).joined(separator: ",") + "]"))
    #expect(Self.providers(gate) == ["first"])
    let long = "\"" + String(repeating: "x", count: 2_000) + "\""
    #expect(gate.send(Self.embeddings(gate, long)).errorCode == "context_length_exceeded")
  }

  // MARK: What the provider says

  @Test(arguments: [false, true]) func theNextWithALargerContextIsAsked(stream: Bool) throws {
    let gate = try Self.gate([1_000, 1_000, nil, 2_000])
    let client = gate.send(gate.chat(Specimens.chat("Hallo", stream: stream)))
    gate.answer(400, Self.tooLong)
    #expect(Self.providers(gate) == ["first", "fourth"], "neither an equal nor an unknown context")
    if stream {
      gate.answer(200, Specimens.stream(["Gern"]), kind: .eventStream)
    } else {
      gate.answer(200, Specimens.plain("Gern"))
    }
    gate.finish(client)
    #expect(client.status == 200 && client.text.contains("Gern"))
    let books = try gate.books()
    #expect(books.reserveCount == 2 && books.unbalanced == 0 && books.open == 0)
    #expect(books.settlements.map(\.exit) == [Exit.upstreamError.rawValue, Exit.complete.rawValue])
    #expect(books.totals.inputTokens == 12, "what was refused cost nothing")
  }

  @Test(arguments: [[1_000], [1_000, 1_000], [1_000, 500, nil]] as [[Int64?]])
  func whereThereIsNoneTheClientReadsIt(contexts: [Int64?]) throws {
    let gate = try Self.gate(contexts)
    let client = gate.send(gate.chat(Specimens.chat("Hallo")))
    gate.answer(400, Self.tooLong)
    gate.finish(client)
    #expect(Self.providers(gate) == ["first"])
    #expect(client.status == 400 && client.errorCode == "context_length_exceeded")
    #expect(client.value("x-should-retry") == nil && client.text.contains(#""param":"messages""#))
  }

  @Test func anUnknownContextIsTakenForWhatThePromptSeemsToHave() throws {
    let gate = try Self.gate([nil, 5, 1_000])
    let client = gate.send(gate.chat(Specimens.chat("Ein Satz, der mehr als fünf Token hat.")))
    gate.answer(400, Self.tooLong)
    #expect(Self.providers(gate) == ["first", "third"])
    gate.answer(200, Specimens.plain())
    gate.finish(client)
    #expect(client.status == 200)
  }

  @Test func itStaysSoForFurtherAttempts() throws {
    let gate = try Self.gate([1_000, 2_000, 500, 4_000])
    let client = gate.send(gate.chat(Specimens.chat("Hallo")))
    gate.answer(400, Self.tooLong)
    gate.answer(503, Specimens.refused)
    #expect(Self.providers(gate) == ["first", "second", "fourth"])
    gate.answer(400, Self.tooLong)
    gate.finish(client)
    #expect(client.status == 400 && client.errorCode == "context_length_exceeded")
    #expect(try gate.books().unbalanced == 0)
  }

  @Test func noMoreThanTheAttemptsOfARequest() throws {
    let gate = try Self.gate([1_000, 2_000, 3_000, 4_000])
    let client = gate.send(gate.chat(Specimens.chat("Hallo")))
    for _ in 0..<4 where !client.isOver { gate.answer(400, Self.tooLong) }
    gate.finish(client)
    #expect(Self.providers(gate) == ["first", "second", "third"] && client.errorCode == "context_length_exceeded")
  }

  @Test func complianceHoldsForItToo() throws {
    let gate = try Self.gate([1_000, 2_000]) { $0.candidates[1].country = "US" }
    let client = gate.send(gate.chat(Specimens.chat("Hallo")))
    gate.answer(400, Self.tooLong)
    gate.finish(client)
    #expect(Self.providers(gate) == ["first"] && client.errorCode == "context_length_exceeded")
  }

  @Test func anthropicsClientsReadItInTheirDialect() throws {
    let gate = try Self.gate([1_000])
    var call = gate.chat(Dialects.body(.messages))
    call.path = "/v1/messages"
    call.version = "2023-06-01"
    let client = gate.send(call)
    gate.answer(
      400,
      #"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#
    )
    gate.finish(client)
    #expect(client.status == 400 && client.text.contains(#""type":"invalid_request_error""#))
    #expect(client.text.contains("prompt is too long"))
  }
}
