import Inference
import Quotas
import Redaction
import Routing
import SealedLog
import Testing

@testable import Gateway

/// What the pipeline decides by dialect: versions, addresses, errors, headers, and what is counted without being sent.
struct DialectTests {
  private static func gate(_ wires: [ProviderWire]? = nil, _ change: (inout GateSetup) -> Void = { _ in }) throws
    -> TestGate
  {
    var setup = GateSetup()
    if let wires { setup.wires = wires }
    change(&setup)
    return try TestGate(setup)
  }

  private static func messages(_ gate: TestGate, _ more: String = "") -> TestGate.Call {
    TestGate.Call(
      path: "/v1/messages", key: gate.key,
      body: Array(#"{"model":"chat","max_tokens":50,\#(more)"messages":[{"role":"user","content":"Hallo"}]}"#.utf8))
  }

  private static func count(_ gate: TestGate) -> TestGate.Call {
    TestGate.Call(
      path: "/v1/messages/count_tokens", key: gate.key, body: Array(Dialects.body(.countTokens).utf8))
  }

  // MARK: Versions and betas

  @Test(arguments: ["", "2023-01-01", "2026-10-22", "2023-06-01 "]) func anUnknownVersionIsRefused(version: String)
    throws
  {
    let gate = try Self.gate()
    var call = Self.messages(gate)
    call.version = version
    let client = gate.send(call)
    #expect(client.status == 400 && client.errorType == "invalid_request_error")
    #expect(client.text.contains("2023-06-01") && client.text.contains("2026-10-21"))
    #expect(gate.upstream.sent.isEmpty)
  }

  @Test func theNewVersionRefusesSamplingWhateverTheProvider() throws {
    for wires: [ProviderWire] in [[.messages], [.chat]] {
      let gate = try Self.gate(wires)
      var call = Self.messages(gate, #""temperature":0.5,"#)
      call.version = "2026-10-21"
      #expect(gate.send(call).status == 400)
      call.version = "2023-06-01"
      _ = gate.send(call)
      #expect(gate.upstream.sent.count == 1)
    }
  }

  @Test func versionAndBetasTravelAsTheyCame() throws {
    let gate = try Self.gate([.messages])
    var call = Self.messages(gate)
    (call.version, call.betas) = ("2026-10-21", "files-api-2025-04-14,fine-grained-2025-05-14")
    _ = gate.send(call)
    _ = gate.send(call)
    call.betas = ""
    _ = gate.send(call)
    let sent = gate.upstream.sent
    #expect(sent[0].target.headerLines.contains("anthropic-version: 2026-10-21"))
    #expect(sent[0].target.headerLines.contains("anthropic-beta: files-api-2025-04-14,fine-grained-2025-05-14"))
    #expect(sent[0].target === sent[1].target, "connections and handles are matched by the target")
    #expect(!sent[2].target.headerLines.contains { $0.hasPrefix("anthropic-beta") })
  }

  @Test func whatIsNoBetaDoesNotTravel() throws {
    let gate = try Self.gate([.messages])
    var call = Self.messages(gate)
    call.betas = "\(Specimens.mail), ch9300762011623852957-2025-01-01,context-1m-2025-08-07,tools-2025-05-14"
    let client = gate.send(call)
    #expect(gate.upstream.sent[0].target.headerLines.contains("anthropic-beta: tools-2025-05-14"))
    gate.answer(200, Dialects.answer(.messages, "Gut"))
    gate.finish(client)
    #expect(
      client.value("x-torhaus-dropped") == "anthropic-beta,anthropic-beta,anthropic-beta:context-1m-2025-08-07")
    call.isStrict = true
    #expect(gate.send(call).status == 400)
    let other = try Self.gate([.chat])
    #expect(other.send(call).status == 400, "a beta is lost in translation, and strict says so")
  }

  @Test func whatOthersAskShowsInNoCount() throws {
    let gate = try Self.gate([.messages])
    let before = gate.send(Self.count(gate)).text
    for _ in 0..<3 {
      let client = gate.send(Self.messages(gate))
      gate.answer(200, Dialects.answer(.messages, "Gut").replacing("12", with: "40"))
      gate.finish(client)
    }
    #expect(gate.send(Self.count(gate)).text == before)
  }

  @Test func aBetaThatIsNoHeaderIsRefused() throws {
    let gate = try Self.gate([.messages])
    for betas in ["a\u{7F}b", "ä", String(repeating: "x", count: 1025)] {
      var call = Self.messages(gate)
      call.betas = betas
      #expect(gate.send(call).status == 400)
    }
    #expect(gate.upstream.sent.isEmpty)
  }

  // MARK: Translation

  @Test func whatCannotBeCarriedIsNamedOrRefused() throws {
    let gate = try Self.gate([.messages])
    var call = gate.chat(Specimens.chat(more: #""seed":7,"logit_bias":{"1":1},"#))
    let client = gate.send(call)
    gate.answer(200, Dialects.answer(.messages, "Gut"))
    gate.finish(client)
    #expect(client.status == 200 && client.text.contains(#""object":"chat.completion""#))
    let dropped = Set((client.value("x-torhaus-dropped") ?? "").split(separator: ",").map(String.init))
    #expect(dropped == ["seed", "logit_bias"])
    #expect(try gate.books().totals.inputTokens == 12)
    call.isStrict = true
    let strict = gate.send(call)
    #expect(strict.status == 400 && strict.errorCode == "unsupported_parameter")
    #expect(gate.upstream.sent.count == 1)
  }

  @Test func aFallbackMaySpeakOtherwise() throws {
    let gate = try Self.gate([.chat]) {
      $0.candidates = [.init(provider: "first"), .init(provider: "second", wires: [.messages])]
    }
    let client = gate.send(gate.chat(Specimens.chat(stream: true)))
    gate.answer(500, Specimens.refused)
    let sent = try #require(gate.upstream.sent.last)
    #expect(sent.target.url == "https://second.example/v1/messages")
    #expect(sent.target.headerLines.contains("anthropic-version: 2023-06-01"))
    #expect(!sent.text.contains(Specimens.mail) && sent.text.contains("[EMAIL_"))
    gate.answer(200, Dialects.stream(.messages, ["Guten ", "Tag"]) ?? "", kind: .eventStream)
    gate.finish(client)
    #expect(client.hasDone && client.text.contains("Guten "))
    #expect(try gate.books().unbalanced == 0)
  }

  @Test(arguments: [InferenceRoute.completions, .embeddings]) func aRouteThatNoProviderHasSaysSo(route: InferenceRoute)
    throws
  {
    let gate = try Self.gate([.messages])
    let client = gate.send(
      TestGate.Call(path: "/v1/\(route.rawValue)", key: gate.key, body: Array(Dialects.body(route).utf8)))
    #expect(client.status == 400 && client.errorCode == "invalid_value")
    #expect(client.text.contains(#""param":"model""#))
  }

  // MARK: Errors and headers

  @Test func errorsHaveTheShapeOfTheClientsDialect() throws {
    let gate = try Self.gate([.messages])
    var call = Self.messages(gate)
    call.body = [0x7B]
    let client = gate.send(call)
    #expect(client.text.hasPrefix(#"{"type":"error","error":{"type":"invalid_request_error""#))
    let id = try #require(client.value("request-id"))
    #expect(client.text.contains(#""request_id":"\#(id)""#))
    call.path = "/v1/messages/batches"
    #expect(gate.send(call).errorType == "not_found_error")
    call.path = "/v1/messages"
    call.method = .get
    let wrong = gate.send(call)
    #expect(wrong.status == 405 && wrong.errorType == "invalid_request_error" && wrong.value("allow") == "POST")
  }

  @Test func anOverloadedGateIs529InAnthropicsWords() throws {
    let gate = try Self.gate([.messages])
    gate.pipeline.endAll()
    let client = gate.send(Self.messages(gate))
    #expect(client.status == 529 && client.errorType == "overloaded_error" && client.value("retry-after") != nil)
    #expect(gate.send(gate.chat(Specimens.chat())).status == 503)
  }

  @Test func aStreamEndsWithTheErrorOfItsDialect() throws {
    for (path, body, expected) in [
      ("/v1/messages", Dialects.body(.messages, stream: true), "event: error\ndata: {\"type\":\"error\""),
      ("/v1/responses", Dialects.body(.responses, stream: true), "event: error\n"),
    ] {
      let gate = try Self.gate([.chat])
      let client = gate.send(TestGate.Call(path: path, key: gate.key, body: Array(body.utf8)))
      gate.head(200, .eventStream)
      gate.piece(Specimens.content("Hal"))
      gate.end(.cut)
      gate.finish(client)
      #expect(client.wasAborted && client.text.contains(expected))
      #expect(!client.text.contains("message_stop") && !client.text.contains("response.completed"))
    }
  }

  @Test func limitsAreToldInTheDialectsHeaders() throws {
    let gate = try Self.gate([.messages])
    let client = gate.send(Self.messages(gate))
    gate.answer(200, Dialects.answer(.messages, "Gut"))
    gate.finish(client)
    #expect(!client.fields.contains { $0.name.hasPrefix("x-ratelimit") })
    let shown = client.fields.filter { $0.name.hasPrefix("anthropic-ratelimit-") }
    for field in shown where field.name.hasSuffix("-reset") {
      #expect(field.value.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil, "\(field)")
    }
  }

  @Test func modelsAreListedAsTheClientSpeaks() throws {
    let gate = try Self.gate()
    var call = TestGate.Call(method: .get, path: "/v1/models", key: gate.key, body: [])
    #expect(gate.send(call).text.contains(#""owned_by":"torhaus""#))
    call.version = "2023-06-01"
    #expect(gate.send(call).text.contains(#""display_name":"chat""#))
    call.path = "/v1/models/chat"
    #expect(gate.send(call).text.hasPrefix(#"{"type":"model","id":"chat""#))
    call.path = "/v1/models/none"
    #expect(gate.send(call).errorType == "not_found_error")
  }

  // MARK: Counting

  @Test func tokensAreCountedHereAndCostARequestOnly() throws {
    let gate = try Self.gate([.messages]) { $0.requestsPerMinute = 1 }
    let client = gate.send(Self.count(gate))
    #expect(!client.isOver, "not before it is recorded")
    gate.finish(client)
    #expect(client.status == 200)
    let figure = try #require(client.text.wholeMatch(of: /\{"input_tokens":(\d+)\}/))
    #expect((Int(figure.1) ?? 0) > 10)
    #expect(gate.upstream.sent.isEmpty)
    #expect(gate.send(Self.count(gate)).status == 429)
    let books = try gate.books()
    #expect(books.totals.requests == 1 && books.totals.inputTokens == 0 && books.totals.money == 0)
    #expect(books.open == 0 && books.unbalanced == 0)
    #expect(books.metas.map(\.status) == [200, 429] && books.metas.map(\.route) == ["count_tokens", "count_tokens"])
    #expect(gate.pipeline.openExchanges == 0 && gate.quotas.openReservations == 0)
  }

  @Test func whatMayNotLeaveIsNotCountedEither() throws {
    let gate = try Self.gate { $0.action = .block }
    #expect(gate.send(Self.count(gate)).status == 400)
    var call = Self.count(gate)
    call.key = nil
    #expect(gate.send(call).status == 401)
  }
}
