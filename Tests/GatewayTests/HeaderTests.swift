import Inference
import JSONText
import Quotas
import SealedLog
import Testing

@testable import Gateway

/// The header fields of answers: ours, and nobody else's.
struct HeaderTests {
  private static let known: Set<String> = [
    "x-request-id", "request-id", "retry-after", "x-should-retry", "allow", "server-timing", "x-torhaus-dropped",
    "x-torhaus-clamped", "x-torhaus-redactions", "x-torhaus-provider", "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests", "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens",
  ]

  private static func check(_ client: RecordingClient, sourceLocation: SourceLocation = #_sourceLocation) {
    let ids = client.values("x-request-id")
    #expect(ids.count == 1, sourceLocation: sourceLocation)
    #expect(ids.first?.wholeMatch(of: /req_[0-9a-z]{26}/) != nil, sourceLocation: sourceLocation)
    #expect(client.values("request-id") == ids, sourceLocation: sourceLocation)
    let names = client.fields.map(\.name)
    #expect(Set(names).count == names.count, "\(names)", sourceLocation: sourceLocation)
    #expect(Set(names).subtracting(known).isEmpty, "\(names)", sourceLocation: sourceLocation)
    if let seconds = client.value("retry-after") {
      #expect((1...60).contains(Int(seconds) ?? 0), "\(seconds)", sourceLocation: sourceLocation)
    }
    if client.status >= 400 {
      #expect(client.text.contains("(request \(ids.first ?? "-"))"), sourceLocation: sourceLocation)
    }
  }

  enum Ending: String, CaseIterable, Sendable {
    case answer, stream, unknownPath, wrongMethod, noKey, contentType, tooLarge, json, model, quota, rate, limited,
      down,
      key, models, live, log
  }

  @Test(arguments: Ending.allCases) func everyAnswerNamesItsRequest(_ ending: Ending) throws {
    var setup = GateSetup()
    setup.plan.bodyBytes = 4096
    if ending == .quota { setup.tokensPerDay = 0 }
    if ending == .rate { setup.requestsPerMinute = 0 }
    if ending == .log { setup.writer.queueBytes = 256 }
    if ending == .down { setup.limits.attempts = 1 }
    let gate = try TestGate(setup)
    var call = gate.chat(Specimens.chat(stream: ending == .stream))
    switch ending {
    case .unknownPath: call.path = "/v2/chat"
    case .wrongMethod: call.method = .get
    case .noKey: call.key = nil
    case .contentType: call.contentType = .other
    case .tooLarge: call.body = [UInt8](repeating: 0x20, count: 5_000)
    case .json: call.body = [0x7B]
    case .model: call.body = Array(Specimens.chat().replacing(#""model":"chat""#, with: #""model":"no""#).utf8)
    case .models, .live:
      call.method = .get
      call.path = ending == .models ? "/v1/models" : "/livez"
    default: break
    }
    let client = gate.send(call)
    switch ending {
    case .answer: gate.answer(200, Specimens.plain())
    case .stream: gate.answer(200, Specimens.stream(["a"]), kind: .eventStream)
    case .limited: gate.answer(429, Specimens.refused, retryAfter: 86_400)
    case .down: gate.end(.notConnected)
    case .key: gate.answer(401, Specimens.refused)
    default: break
    }
    gate.finish(client)
    Self.check(client)
    if ending == .limited { #expect(client.value("retry-after") == "60", "beyond a minute nobody waits") }
    if ending == .wrongMethod { #expect(client.value("allow") == "POST" && client.status == 405) }
    if ending == .key {
      #expect(client.value("x-should-retry") == "false" && client.values("retry-after").isEmpty)
    }
  }

  @Test(arguments: [nil, 0, -5, 1, 59, 60, 61, Int.max] as [Int?])
  func whatTheProviderSaysOfWaitingStaysBetweenOneAndSixty(seconds: Int?) throws {
    var setup = GateSetup()
    setup.limits.attempts = 1
    let gate = try TestGate(setup)
    let client = gate.send(gate.chat(Specimens.chat()))
    gate.answer(429, Specimens.refused, retryAfter: seconds)
    gate.finish(client)
    #expect(client.status == 429 && client.errorCode == "upstream_rate_limited")
    Self.check(client)
    #expect(client.value("retry-after") == String(seconds.map { min(60, max(1, $0)) } ?? 5))
  }

  @Test func aSpentBudgetIsNotToBeTriedAgain() throws {
    var setup = GateSetup()
    setup.tokensPerDay = 0
    let gate = try TestGate(setup)
    let client = gate.send(gate.chat(Specimens.chat()))
    #expect(client.status == 429 && client.errorCode == "insufficient_quota")
    #expect(client.value("x-should-retry") == "false")
    #expect((1...60).contains(Int(client.value("retry-after") ?? "") ?? 0))
    #expect(client.text.contains("2026-11-25T00:00:00Z"), "when it is renewed")
  }

  /// A limit that this request can never pass is no matter of waiting: SDKs would ask again and again.
  @Test func aRequestLargerThanItsLimitIsNotToBeTriedAgain() throws {
    var setup = GateSetup()
    setup.requestsPerMinute = 0
    let gate = try TestGate(setup)
    let client = gate.send(gate.chat(Specimens.chat()))
    #expect(client.status == 429 && client.errorCode == "rate_limit_exceeded")
    #expect(client.value("x-should-retry") == "false")
  }

  @Test func aBusyLimitIsToBeTriedAgain() throws {
    var setup = GateSetup()
    setup.concurrency = 1
    let gate = try TestGate(setup)
    gate.send(gate.chat(Specimens.chat()))
    let client = gate.send(gate.chat(Specimens.chat()))
    #expect(client.status == 429 && client.errorCode == "rate_limit_exceeded")
    #expect(client.value("retry-after") == "1" && client.value("x-should-retry") == nil)
  }

  @Test func whatRemainsCountsWhatIsOpen() throws {
    var setup = GateSetup()
    setup.requestsPerMinute = 10
    let gate = try TestGate(setup)
    let first = gate.send(gate.chat(Specimens.chat()))
    gate.answer(200, Specimens.plain())
    gate.finish(first)
    #expect(first.value("x-ratelimit-limit-requests") == "10")
    #expect(first.value("x-ratelimit-remaining-requests") == "9")
    // The tenant's own totals are not for a key to see.
    #expect(first.value("x-ratelimit-limit-tokens") == nil)
  }

  /// A provider's words in error bodies: no address, key or host reaches the client.
  @Test func aProvidersErrorTextIsScrubbed() throws {
    let gate = try TestGate()
    let client = gate.send(gate.chat(Specimens.chat()))
    let secret = ["sk", "proj", "abcdefghijklmnop1234"].joined(separator: "-")
    gate.answer(
      400,
      #"{"error":{"message":"Bad value for \#(secret) at https://inner.example/v1 of org-abcdef123","type":"invalid_request_error","param":"messages[0]"}}"#
    )
    gate.finish(client)
    #expect(client.status == 400)
    for word in [secret, "inner.example", "org-abcdef123"] { #expect(!client.text.contains(word), "\(word)") }
    #expect(client.text.contains("Bad value") && client.text.contains(#""param":"messages[0]""#))
  }

  @Test func aProvidersAuthenticationFaultTellsNothing() throws {
    let gate = try TestGate()
    let client = gate.send(gate.chat(Specimens.chat()))
    gate.answer(401, #"{"error":{"message":"Incorrect API key provided: abc***xyz","code":"invalid_api_key"}}"#)
    gate.finish(client)
    #expect(client.status == 502 && client.errorCode == "upstream_auth" && !client.text.contains("xyz"))
  }

  @Test func durationsReadAsOpenAIsClientsExpect() {
    let cases: [(Int64, String)] = [
      (-1, "0ms"), (0, "0ms"), (999, "999ms"), (1_000, "1s"), (1_001, "2s"), (59_000, "59s"), (60_000, "1m0s"),
      (3_600_000, "1h0m0s"), (3_723_000, "1h2m3s"),
    ]
    for (milliseconds, text) in cases {
      let exchange = Exchange()
      ResponseFields(arena: exchange.fields).add("x", milliseconds: milliseconds)
      #expect(String(decoding: exchange.fields.bytes, as: UTF8.self) == "x: \(text)\r\n")
    }
  }

  @Test(arguments: [Int64.min, -10, -1, 0, 1, 9, 10, 99, 100, .max])
  func numbersAreWrittenWithAllTheirDigits(number: Int64) {
    let exchange = Exchange()
    ResponseFields(arena: exchange.fields).add("x", number)
    #expect(String(decoding: exchange.fields.bytes, as: UTF8.self) == "x: \(number)\r\n")
  }

  @Test func aValueThatIsNoHeaderTextCannotBreakOut() {
    let exchange = Exchange()
    ResponseFields(arena: exchange.fields).add("x", text: "a\r\nset-cookie: b\u{7F}\u{0}é")
    #expect(String(decoding: exchange.fields.bytes, as: UTF8.self) == "x: aset-cookie: b\r\n")
  }
}
