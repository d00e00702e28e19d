import Inference
import Quotas
import Routing
import Testing

@testable import Gateway

/// What is charged by the piece: the most of it is set aside, and what the provider says, else our own count, is paid.
struct PieceTests {
  /// A search costs 0.002 EUR.
  private static func rerank(
    _ documents: Int, text: String = "kurz", query: String = "q", _ change: (inout GateSetup) -> Void = { _ in }
  ) throws -> (TestGate, RecordingClient) {
    var setup = GateSetup()
    setup.wires = [.rerank]
    setup.unit = UnitPrice(.search, amount: 2_000_000)
    change(&setup)
    let gate = try TestGate(setup)
    let all = Array(repeating: "\"\(text)\"", count: documents).joined(separator: ",")
    let body = #"{"model":"chat","query":"\#(query)","documents":[\#(all)]}"#
    return (gate, gate.send(TestGate.Call(path: "/v1/rerank", key: gate.key, body: Array(body.utf8))))
  }

  private static func answer(_ more: String = "") -> String { #"{"results":[]\#(more)}"# }

  @Test(arguments: [
    (1, #","meta":{"billed_units":{"search_units":1}}"#, 1, false),
    (250, #","meta":{"billed_units":{"search_units":3}}"#, 3, false), (250, "", 3, true), (100, "", 1, true),
    (1, #","meta":{"billed_units":{"search_units":0}}"#, 0, false),
    // Ten times the worst case is no figure.
    (1, #","meta":{"billed_units":{"search_units":1000}}"#, 1, false),
  ]) func searchesArePaidAsTheProviderCountsThem(documents: Int, more: String, searches: Int64, isOwn: Bool) throws {
    let (gate, client) = try Self.rerank(documents)
    gate.answer(200, Self.answer(more))
    gate.finish(client)
    #expect(client.status == 200)
    let books = try gate.books()
    #expect(books.money == searches * 2_000_000 && books.totals.money == books.money && books.reserved == 0)
    let flags = try #require(books.settlements.first).flags
    #expect(flags.contains(.suspect) == more.contains("1000"))
    if isOwn { #expect(flags.contains(.estimated)) }
  }

  /// Documents that are longer than a search takes count as several.
  @Test(arguments: [
    (100, "kurz", "q", 1), (101, "kurz", "q", 2), (100, String(repeating: "wort ", count: 100), "q", 2),
    (1, String(repeating: "a", count: 10_000), String(repeating: "b", count: 600), 107),
  ]) func theMostIsSetAside(documents: Int, text: String, query: String, searches: Int64) throws {
    for (budget, isAdmitted) in [(searches * 2_000_000, true), (searches * 2_000_000 - 1, false)] {
      let (gate, client) = try Self.rerank(documents, text: text, query: query) { $0.moneyPerMonth = budget }
      #expect(gate.upstream.sent.isEmpty != isAdmitted)
      if !isAdmitted { #expect(client.status == 429 && client.errorCode == "insufficient_quota") }
    }
  }

  @Test func whatCostsMoreThanFitsIsRefused() throws {
    let (gate, client) = try Self.rerank(200) { $0.unit = UnitPrice(.search, amount: .max) }
    #expect(client.status == 400 && gate.upstream.sent.isEmpty)
    #expect(try gate.books().open == 0)
  }

  @Test func anErrorCostsNothingAndAnAnswerThatCannotBeReadItsSearch() throws {
    let (gate, client) = try Self.rerank(1) { $0.limits.attempts = 1 }
    gate.answer(500, Specimens.refused)
    gate.finish(client)
    #expect(client.status == 502)
    #expect(try gate.books().money == 0)
    let (other, late) = try Self.rerank(1) { $0.limits.attempts = 1 }
    other.answer(200, #"{"results":"#)
    other.finish(late)
    #expect(late.status == 502)
    #expect(try other.books().money == 2_000_000)
  }

  /// What an error says that it took is paid, by whatever the route is charged.
  @Test func anErrorThatWasPaidForIs() throws {
    let error = #"{"error":{"message":"no"},"meta":{"billed_units":{"search_units":2}}}"#
    for status in [200, 500] {
      let (gate, client) = try Self.rerank(150) { $0.limits.attempts = 1 }
      gate.answer(status, error)
      gate.finish(client)
      let books = try gate.books()
      #expect(client.status == 502 && books.money == 4_000_000)
      #expect(books.settlements.first?.exit == Exit.upstreamErrorWithUsage.rawValue)
    }
  }

  /// An image costs 0.04 EUR, or one token of it 2,000 × 10⁻⁹ and at most 1,000 tokens.
  private static func images(_ n: Int, byPiece: Bool, _ change: (inout GateSetup) -> Void = { _ in }) throws -> (
    TestGate, RecordingClient
  ) {
    var setup = GateSetup()
    setup.wires = [.images]
    setup.limits.attempts = 1
    if byPiece { setup.unit = UnitPrice(.image, amount: 40_000_000) }
    change(&setup)
    let gate = try TestGate(setup)
    let body = #"{"model":"chat","prompt":"Haus","n":\#(n)}"#
    return (gate, gate.send(TestGate.Call(path: "/v1/images/generations", key: gate.key, body: Array(body.utf8))))
  }

  private static func pictures(_ count: Int, usage: String = "") -> String {
    let all = Array(repeating: #"{"b64_json":"AAAA"}"#, count: count).joined(separator: ",")
    return #"{"created":1,"data":[\#(all)]\#(usage)}"#
  }

  /// What came is paid, fewer or more than was asked for; ten times as much is no figure.
  @Test(arguments: [(1, 1, 1), (4, 4, 4), (4, 3, 3), (2, 5, 5), (1, 19, 19), (1, 20, 1)])
  func imagesByThePiece(asked: Int, given: Int, paid: Int64) throws {
    let most = Int64(asked) * 40_000_000
    let (poor, refused) = try Self.images(asked, byPiece: true) { $0.moneyPerMonth = most - 1 }
    #expect(refused.status == 429 && poor.upstream.sent.isEmpty)
    let (gate, client) = try Self.images(asked, byPiece: true) { $0.moneyPerMonth = most }
    gate.answer(200, Self.pictures(given))
    gate.finish(client)
    #expect(client.status == 200)
    let books = try gate.books()
    #expect(books.money == paid * 40_000_000)
    #expect(books.settlements.first?.flags.contains(.estimated) == true && books.totals.outputTokens == 0)
  }

  @Test(
    arguments: [
      (#","usage":{"input_tokens":9,"output_tokens":300,"total_tokens":309}"#, 9, 300, false), ("", nil, 2_000, true),
      (#","usage":{"input_tokens":9}"#, 9, 2_000, true),
    ] as [(String, Int64?, Int64, Bool)])
  func imagesByTokens(usage: String, input: Int64?, output: Int64, isOwn: Bool) throws {
    let (gate, client) = try Self.images(2, byPiece: false)
    gate.answer(200, Self.pictures(2, usage: usage))
    gate.finish(client)
    let books = try gate.books()
    #expect(books.totals.outputTokens == output && (input == nil || books.totals.inputTokens == input))
    #expect(books.money == books.totals.inputTokens * 1_000 + output * 2_000 && books.reserved == 0)
    #expect(books.settlements.first?.flags.contains(.estimated) == isOwn)
  }

  /// An error that tells of tokens is paid by their price, and no image came of it.
  @Test(arguments: [#""prompt_tokens":9"#, #""input_tokens":9"#, #""input_tokens":9,"output_tokens":0"#])
  func anErrorMakesNoImage(usage: String) throws {
    for byPiece in [true, false] {
      let (gate, client) = try Self.images(2, byPiece: byPiece)
      gate.answer(500, #"{"error":{"message":"no"},"usage":{\#(usage)}}"#)
      gate.finish(client)
      let books = try gate.books()
      #expect(client.status == 502 && books.money == (byPiece ? 0 : 9_000))
      #expect(books.settlements.first?.exit == Exit.upstreamErrorWithUsage.rawValue)
    }
  }

  @Test func theMostTokensOfImagesAreSetAside() throws {
    let input = TokenBound.inUpper(textBytes: 4, messages: 0)
    for (budget, isAdmitted) in [(input + 3_000, true), (input + 2_999, false)] {
      let (gate, _) = try Self.images(3, byPiece: false) { $0.tokensPerDay = budget }
      #expect(gate.upstream.sent.isEmpty != isAdmitted)
    }
    // Nothing that goes upstream limits an image, so the plan's limit of answers is none of it.
    let (gate, client) = try Self.images(1, byPiece: false)
    #expect(client.value("x-torhaus-clamped") == nil && gate.upstream.sent.last?.text.contains("max_") == false)
  }

  @Test func anImageAnswerThatIsCutIsNotFree() throws {
    let (gate, client) = try Self.images(2, byPiece: true)
    gate.head(200)
    gate.piece(#"{"created":1,"data":[{"b64_json":"AAAA"}"#)
    gate.end(.cut)
    gate.finish(client)
    #expect(client.status == 502)
    #expect(try gate.books().money == 80_000_000)
  }

  @Test(arguments: [
    ("/v1/moderations", InferenceRoute.moderations), ("/v1/rerank", .rerank), ("/v1/images/generations", .images),
    ("/v1/audio/speech", .speech), ("/v1/audio/transcriptions", .transcriptions),
    ("/v1/audio/translations", .translations),
  ])
  func aModelOfAnotherKindIsNotAsked(path: String, route: InferenceRoute) throws {
    var setup = GateSetup()
    setup.wires = [.chat, .embeddings]
    setup.redacts = false
    let gate = try TestGate(setup)
    let client = gate.send(
      TestGate.Call(
        path: path, key: gate.key, body: Array(Dialects.body(route).utf8), contentType: route.takesForm ? .form : .json)
    )
    #expect(client.status == 400 && client.errorCode == "invalid_value" && gate.upstream.sent.isEmpty)
    #expect(client.text.contains("has the route that you asked for"))
  }

  @Test func anImageIsNotJudgedUnseen() throws {
    let body =
      #"{"model":"chat","input":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}"#
    for redacts in [true, false] {
      var setup = GateSetup()
      setup.redacts = redacts
      let gate = try TestGate(setup)
      let client = gate.send(TestGate.Call(path: "/v1/moderations", key: gate.key, body: Array(body.utf8)))
      #expect(gate.upstream.sent.isEmpty == redacts)
      if redacts {
        #expect(client.errorCode == "content_policy_violation" && client.text.contains(#""param":"input""#))
      }
    }
  }
}
