import Foundation
import Inference
import Policies
import Quotas
import Redaction
import Routing
import Testing

@testable import Gateway

/// What a body may be, and what is refused rather than passed on unchecked or unpriced.
struct BodyTests {
  @Test(arguments: [(299, false), (300, false), (301, true)]) func aBodyOverThePlanIsRefused(
    bytes: Int, isRefused: Bool
  ) throws {
    var setup = GateSetup()
    setup.plan.bodyBytes = 300
    let gate = try TestGate(setup)
    let frame = Specimens.chat("").utf8.count
    let client = gate.send(gate.chat(Specimens.chat(String(repeating: "x", count: bytes - frame))))
    #expect((client.status == 413) == isRefused)
    #expect(gate.upstream.sent.count == (isRefused ? 0 : 1))
    if isRefused {
      #expect(client.errorCode == "request_too_large" && client.text.contains("300") && client.head?.closes == true)
    }
  }

  @Test(arguments: [
    ("application/json", true), ("APPLICATION/JSON", true), ("application/json; charset=utf-8", true),
    ("application/json ;x", true), ("application/jsonx", false), ("application/jso", false), ("text/plain", false),
    ("", false), ("application/json-seq", false),
  ])
  func theContentTypeMustBeJSON(field: String, isAccepted: Bool) throws {
    let gate = try TestGate()
    var call = gate.chat(Specimens.chat())
    call.contentType = Array(field.utf8).withUnsafeBytes { ContentType($0[...]) }
    let client = gate.send(call)
    #expect((client.status == 415) != isAccepted)
    #expect(gate.upstream.sent.count == (isAccepted ? 1 : 0))
    if !isAccepted { #expect(client.errorCode == "unsupported_media_type") }
  }

  @Test func noContentTypeIsRefused() throws {
    let gate = try TestGate()
    var call = gate.chat(Specimens.chat())
    call.contentType = .none
    #expect(gate.send(call).status == 415)
  }

  @Test func anEncodedBodyIsRefused() throws {
    let gate = try TestGate()
    var call = gate.chat(Specimens.chat())
    call.isEncoded = true
    let client = gate.send(call)
    #expect(client.status == 415 && client.text.contains("Content-Encoding"))
    #expect(gate.upstream.sent.isEmpty)
  }

  @Test(arguments: [#"[1,2,3]"#, #"[[1,2],[3]]"#]) func tokensInsteadOfTextAreRefused(input: String) throws {
    let gate = try TestGate()
    let client = gate.send(
      TestGate.Call(path: "/v1/embeddings", key: gate.key, body: Array(#"{"model":"chat","input":\#(input)}"#.utf8)))
    #expect(client.status == 400 && client.text.contains(#""param":"input""#))
    #expect(client.text.contains("check_embedding_ctx_length=False"))
    #expect(gate.upstream.sent.isEmpty)
  }

  @Test func withoutRedactionTokensMayPass() throws {
    var setup = GateSetup()
    setup.redacts = false
    let gate = try TestGate(setup)
    gate.send(
      TestGate.Call(path: "/v1/embeddings", key: gate.key, body: Array(#"{"model":"chat","input":[1,2,3]}"#.utf8)))
    #expect(gate.upstream.sent.count == 1)
  }

  @Test(arguments: [
    (#""tools":[{"type":"web_search"}],"#, "tools"), (#""web_search_options":{},"#, "tools"),
    (#""modalities":["text","audio"],"audio":{"voice":"alloy","format":"mp3"},"#, "modalities"),
    (#""service_tier":"flex","#, "service_tier"),
  ])
  func whatHasNoPriceIsRefused(more: String, param: String) throws {
    let gate = try TestGate()
    let client = gate.send(gate.chat(Specimens.chat(more: more)))
    #expect(client.status == 400 && client.errorCode == "unsupported_parameter")
    #expect(client.text.contains(#""param":"\#(param)""#))
    #expect(gate.upstream.sent.isEmpty)
  }

  @Test func anImageByAddressIsRefused() throws {
    let gate = try TestGate()
    let body =
      #"{"model":"chat","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a.example/b.png"}}]}]}"#
    #expect(gate.send(gate.chat(body)).status == 400)
    #expect(gate.upstream.sent.isEmpty)
  }

  @Test(arguments: [
    "", "{", "[]", "null", #"{"model":"chat"}"#, #"{"messages":[]}"#,
    #"{"model":"chat","messages":[{"role":"user","content":"a"}],"max_tokens":-1}"#,
    #"{"model":"chat","messages":[{"role":"user","content":"a"}],"n":1.5}"#,
    #"{"model":"chat","model":"other","messages":[{"role":"user","content":"a"}]}"#,
    #"{"model":"chat","Model":"other","messages":[{"role":"user","content":"a"}]}"#,
    "{\"model\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":\"\\ud800\"}]}",
  ])
  func aBodyThatIsNoRequestIsRefused(body: String) throws {
    let gate = try TestGate()
    let client = gate.send(gate.chat(body))
    #expect(client.status == 400, "\(client.text)")
    #expect(gate.upstream.sent.isEmpty && gate.quotas.openReservations == 0)
  }

  @Test func theLimitThatWasReservedGoesUpstream() throws {
    let gate = try TestGate()
    let cases: [(String, String, String?)] = [
      ("", #""max_completion_tokens":500"#, nil),
      (#""max_tokens":20,"#, #""max_completion_tokens":20"#, nil),
      (#""max_completion_tokens":9999,"#, #""max_completion_tokens":500"#, "max_completion_tokens=500"),
    ]
    for (more, expected, clamped) in cases {
      let client = gate.send(gate.chat(Specimens.chat(more: more)))
      let sent = try #require(gate.upstream.sent.last)
      #expect(sent.text.contains(expected), "\(sent.text)")
      #expect(!sent.text.contains(#""max_tokens""#))
      gate.answer(200, Specimens.plain())
      gate.finish(client)
      #expect(client.value("x-torhaus-clamped") == clamped)
    }
  }

  /// Worst case: 256 tokens of answer fit where 500 do not.
  @Test(arguments: [TenantRules.Clamp.never, .absent, .always], [false, true])
  func aLimitIsLoweredWhereThePlanSaysSo(clamp: TenantRules.Clamp, isExplicit: Bool) throws {
    var setup = GateSetup()
    setup.plan.clamp = clamp
    setup.tokensPerDay = 700
    let gate = try TestGate(setup)
    let more = isExplicit ? #""max_tokens":490,"# : ""
    let client = gate.send(gate.chat(Specimens.chat(String(repeating: "x", count: 300), more: more)))
    let isLowered = clamp == .always || clamp == .absent && !isExplicit
    #expect(gate.upstream.sent.count == (isLowered ? 1 : 0))
    guard isLowered else {
      #expect(client.status == 429)
      return
    }
    #expect(gate.upstream.sent[0].text.contains(#""max_completion_tokens":256"#))
    gate.answer(200, Specimens.plain())
    gate.finish(client)
    #expect(client.value("x-torhaus-clamped") == "max_completion_tokens=256")
    #expect(try gate.books().unbalanced == 0)
  }

  @Test func aPersonsIdLeavesAsAHashAndMetadataNotAtAll() throws {
    let gate = try TestGate()
    let client = gate.send(gate.chat(Specimens.chat(more: #""user":"anna","metadata":{"case":"17"},"store":true,"#)))
    let sent = try #require(gate.upstream.sent.last)
    #expect(!sent.text.contains("anna\"") && sent.text.firstMatch(of: /"user":"[0-9a-f]{32}"/) != nil)
    #expect(!sent.text.contains("metadata") && sent.text.contains(#""store":false"#))
    gate.answer(200, Specimens.plain())
    gate.finish(client)
    #expect(client.value("x-torhaus-dropped") == "metadata,store")
  }

  @Test func aStrictCallerIsToldInsteadOfDropped() throws {
    let gate = try TestGate()
    var call = gate.chat(Specimens.chat(more: #""metadata":{"case":"17"},"#))
    call.isStrict = true
    let client = gate.send(call)
    #expect(client.status == 400 && client.errorCode == "unsupported_parameter")
    #expect(client.text.contains(#""param":"metadata""#) && gate.upstream.sent.isEmpty)
  }

  // MARK: What a policy says and the pipeline must do

  /// `translation: strict` of the policy is the caller's strictness without asking.
  @Test func aStrictPolicyRefusesWhatCannotBeCarried() throws {
    var setup = GateSetup()
    setup.changePolicy = { $0.strictTranslation = true }
    let gate = try TestGate(setup)
    let client = gate.send(gate.chat(Specimens.chat(more: #""metadata":{"case":"17"},"#)))
    #expect(client.status == 400 && client.errorCode == "unsupported_parameter")
    #expect(gate.upstream.sent.isEmpty)
  }

  /// Fields that a provider's record denies are taken out, loudly.
  @Test func aDeniedFieldIsTakenOutAndNamed() throws {
    var setup = GateSetup()
    setup.candidates = [.init(provider: "first", deniedFields: ["seed"])]
    let gate = try TestGate(setup)
    let client = gate.send(gate.chat(Specimens.chat(more: #""seed":7,"#)))
    #expect(gate.upstream.sent.last?.text.contains(#""seed""#) == false)
    gate.answer(200, Specimens.plain())
    gate.finish(client)
    #expect(client.value("x-torhaus-dropped") == "seed")
  }

  /// openai-python asks for base64 by itself; a provider that has only numbers is helped out.
  @Test func numbersBecomeBase64ForAClientThatAskedForIt() throws {
    let gate = try TestGate()
    let body = #"{"model":"chat","input":"Akte","encoding_format":"base64"}"#
    let client = gate.send(TestGate.Call(path: "/v1/embeddings", key: gate.key, body: Array(body.utf8)))
    gate.answer(200, Specimens.vector)
    gate.finish(client)
    // 0.5 and -0.25 as little-endian float32.
    let expected = Data([0, 0, 0, 0x3F, 0, 0, 0x80, 0xBE]).base64EncodedString()
    #expect(client.text.contains(#""embedding":"\#(expected)""#), "\(client.text)")
  }
}
